package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// A profile is the head of the list: who one is, a menu behind it, and the way
// to a new conversation. The menu is a popover, which the browser opens,
// closes and gives the focus back from.
type profile struct {
	app.Compo
	desk *Desk

	Me   chat.Person
	Live bool

	theme string
}

func (p *profile) OnMount(app.Context) { p.theme = theme() }

func (p *profile) Render() app.UI {
	d, me := p.desk, p.Me
	phase := d.say("profile.offline")
	if p.Live {
		phase = d.say("profile.online")
	}
	return el("header").Class("me").Body(
		el("button").Attr("type", "button").Class("who-am-i").Attr("popovertarget", "menu").Aria("label", d.say("profile.menu")).Body(
			avatar(string(me.ID), me.Name(), me.Avatar, p.Live, "s"),
			el("span").Class("names").Body(el("b").Text(me.Name()), el("span").Class("st").Text(phase)),
		),
		button("pen", d.say("new.title"), p.onNew),
		el("div").ID("menu").Class("menu pop").Attr("popover", "auto").OnClick(p.onMenu).Body(
			el("p").Class("menu-head").Body(el("b").Text(me.Name()), el("span").Class("soft").Text("@"+me.Username)),
			p.choice(d.say("menu.theme"), "theme", p.theme,
				[][2]string{{"light", d.say("theme.light")}, {"dark", d.say("theme.dark")}, {"", d.say("theme.system")}}),
			p.choice(d.say("menu.language"), "lang", d.Lang[:min(2, len(d.Lang))], [][2]string{{"zh", "中文"}, {"en", "English"}}),
			slot("notes"),
			el("a").Class("menu-item").Attr("href", "/contacts").Body(icon("group"), app.Text(d.say("menu.contacts")), slot("asks")),
			el("a").Class("menu-item").Attr("href", "/settings").Body(icon("pen"), app.Text(d.say("menu.settings"))),
			p.administration(),
			el("a").Class("menu-item").Attr("href", "/doctor").Body(icon("pulse"), app.Text(d.say("menu.doctor"))),
			el("button").Attr("type", "button").Class("menu-item").DataSet("set", "out").Body(icon("out"), app.Text(d.say("menu.signout"))),
		),
	)
}

// administration leads administrators to their pages.
func (p *profile) administration() app.UI {
	if !p.Me.Admin {
		return app.Text("")
	}
	return el("a").Class("menu-item").Attr("href", "/admin").Body(icon("group"), app.Text(p.desk.say("menu.admin")))
}

// choice is a row of buttons of which one is chosen.
func (p *profile) choice(label, what, chosen string, of [][2]string) app.UI {
	bs := make([]app.UI, len(of))
	for i, o := range of {
		bs[i] = el("button").Attr("type", "button").DataSet("set", what).Attr("data-to", o[0]+" ").
			Aria("pressed", boolean(o[0] == chosen)).Text(o[1])
	}
	return el("div").Class("choice").Body(
		el("span").Class("soft").Text(label),
		el("div").Class("segments").Role("group").Aria("label", label).Body(bs...),
	)
}

func (p *profile) onNew(ctx app.Context, e app.Event) { p.desk.show(dialogNew) }

func (p *profile) onMenu(ctx app.Context, e app.Event) {
	b := e.Get("target").Call("closest", "[data-set]")
	if !b.Truthy() {
		return
	}
	to := ""
	if v := b.Call("getAttribute", "data-to"); v.Truthy() {
		to = trim(v.String())
	}
	switch b.Get("dataset").Get("set").String() {
	case "theme":
		setTheme(to)
		p.theme = to
	case "lang":
		app.Window().Get("location").Set("search", "?lang="+to)
	case "out":
		p.desk.Intents.SignOut()
	}
}
