package view

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// linesAtOnce is how many conversations are drawn before the person asks for more.
const linesAtOnce = 200

// A list is the left pane: who one is, how the connection is, and the conversations.
type list struct {
	app.Compo
	desk *Desk

	Me      chat.Person
	Status  state.Status
	Late    bool // the connection has been missing for long enough to say so
	Entries []entry

	filter string
	more   int         // more lines than linesAtOnce
	folder bool        // what is archived is shown
	under  chat.ConvID // whose menu it is
}

func (l *list) Render() app.UI {
	d := l.desk
	es, archived := filtered(l.Entries, l.filter), []entry(nil)
	if l.filter == "" {
		es, archived = parted(es)
	}
	rest := len(es) - linesAtOnce - l.more
	if rest > 0 {
		es = es[:linesAtOnce+l.more]
	}
	var rows []app.UI
	lines := func(es []entry) {
		for _, e := range es {
			rows = append(rows, &listRow{desk: d, Entry: e})
		}
	}
	wide := func(words string, on app.EventHandler) app.HTMLElem {
		b := el("button").Attr("type", "button").Class("more").Text(words).OnClick(on)
		rows = append(rows, el("li").Body(b))
		return b
	}
	lines(es)
	if rest > 0 {
		wide(d.say("list.more", rest), l.onMore)
	}
	if len(archived) > 0 {
		wide(d.say("list.archived", len(archived)), l.onFolder).Aria("expanded", boolean(l.folder))
	}
	if l.folder {
		lines(archived)
	}
	return el("nav").Class("list").Aria("label", d.say("list.label")).Body(
		&profile{desk: d, Me: l.Me, Live: l.Status.Phase == state.Live},
		el("label").Class("find").Body(
			icon("search"),
			void("input").Attr("type", "text").Attr("enterkeyhint", "search").ID("find").Attr("autocomplete", "off").Attr("placeholder", d.say("list.find")).
				Aria("label", d.say("list.find")).OnInput(l.onFilter).OnKeyDown(l.onFilterKey),
			el("kbd").Aria("hidden", "true").Text(shortcut()),
		),
		l.note(),
		slot("offers").Role("status"),
		el("ul").Class("convs").ID("convs").OnKeyDown(l.onKey).OnScroll(l.onScroll, app.PassiveEvent()).On("contextmenu", l.onMenu).Body(rows...),
		l.menu(),
		app.If(len(rows) == 0, l.empty),
	)
}

// note is the thin line about the connection; there is none while all is well.
func (l *list) note() app.UI {
	d := l.desk
	n := el("div").Class("note").Role("status")
	if !l.Late {
		return n.Hidden(true)
	}
	words := d.say("note.connecting")
	switch {
	case l.Status.Phase == state.SignedOut:
		words = d.say("note.signedout")
	case l.Status.Queued > 0 && !d.keeps():
		words = d.say("note.unkept", l.Status.Queued)
	case l.Status.Queued > 0:
		words = d.say("note.queued", l.Status.Queued)
	case !d.keeps():
		words = d.say("note.nokeep")
	case l.Status.Phase == state.Offline:
		words = d.say("note.offline")
	}
	return n.Body(el("i").Aria("hidden", "true"), el("span").Text(words))
}

func (l *list) empty() app.UI {
	d := l.desk
	if l.filter != "" {
		return el("p").Class("hint").Text(d.say("list.nothing", l.filter))
	}
	return el("div").Class("hint").Body(
		el("p").Text(d.say("list.empty")),
		el("button").Attr("type", "button").Class("primary").Text(d.say("list.start")).OnClick(l.onNew),
	)
}

func (l *list) onNew(ctx app.Context, e app.Event)    { l.desk.show(dialogNew) }
func (l *list) onFolder(ctx app.Context, e app.Event) { l.folder = !l.folder }
func (l *list) onMore(ctx app.Context, e app.Event) {
	l.more += linesAtOnce
	l.desk.Intents.More()
}

func (l *list) onFilter(ctx app.Context, e app.Event) {
	l.filter = strings.TrimSpace(e.Get("target").Get("value").String())
}

func (l *list) onFilterKey(ctx app.Context, e app.Event) {
	if composing(e) {
		return
	}
	switch e.Get("key").String() {
	case "Escape":
		e.Get("target").Set("value", "")
		l.filter = ""
		e.Get("target").Call("blur")
	case "ArrowDown":
		e.PreventDefault()
		focus(document().Call("querySelector", "#convs a"))
	case "Enter":
		if a := document().Call("querySelector", "#convs a"); l.filter != "" && a.Truthy() {
			e.PreventDefault()
			e.Get("target").Set("value", "")
			l.filter = ""
			a.Call("click")
		}
	}
}

// moreBelow is how far above the end of the list more of it is loaded, in pixels.
const moreBelow = 600

// onScroll has more of the list loaded before its end comes into sight.
func (l *list) onScroll(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	ul := e.Get("target")
	below := ul.Get("scrollHeight").Float() - ul.Get("scrollTop").Float() - ul.Get("clientHeight").Float()
	if below < moreBelow {
		l.desk.Intents.More()
	}
}

// onKey moves between the lines with the arrow keys.
func (l *list) onKey(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	roam(e, "find")
}

// filtered returns the lines whose title or preview has q in it.
func filtered(es []entry, q string) []entry {
	if q == "" {
		return es
	}
	var out []entry
	for _, e := range es {
		if contains(e.Title, q) || contains(e.Preview, q) {
			out = append(out, e)
		}
	}
	return out
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
