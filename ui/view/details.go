package view

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// details is the pane beside the conversation: who is in it, as far as known.
type details struct {
	app.Compo
	desk *Desk

	Conv   state.Conv
	People []member
}

// A member is a person of the pane.
type member struct {
	chat.Person
	Online bool
}

// members returns the peer, or those whom a group's held rows name.
func members(c state.Conv, s *state.State, d *Desk) (ms []member) {
	if c.Peer != "" {
		p, _ := s.Person(c.Peer)
		p.ID = c.Peer
		return []member{{p, c.Online}}
	}
	met := map[chat.UserID]bool{}
	meet := func(ids ...chat.UserID) {
		for _, id := range ids {
			if p, ok := s.Person(id); ok && !met[id] {
				met[id] = true
				ms = append(ms, member{p, s.Online(id) || id == s.Me().ID})
			}
		}
	}
	for _, r := range s.Rows(c.ID, d.Zone) {
		meet(r.Message.Author)
		if e := r.Message.Content.Event; e != nil {
			meet(e.Who...)
		}
	}
	return ms
}

// OnMount brings the focus along: on a small screen the pane is over everything else.
func (p *details) OnMount(ctx app.Context) {
	if app.IsClient {
		focus(ctx.JSSrc().Call("querySelector", "button"))
	}
}

func (p *details) Render() app.UI {
	d, c := p.desk, p.Conv
	people := make([]app.UI, len(p.People))
	for i, m := range p.People {
		people[i] = &personRow{desk: d, Person: m.Person, Online: m.Online}
	}
	return el("aside").Class("details").Aria("label", d.say("head.details")).OnKeyDown(p.onKey).Body(
		el("div").Class("details-head").Body(
			el("h2").Text(d.say("head.details")),
			button("close", d.say("close"), p.onClose),
		),
		el("div").Class("card").Body(
			avatar(seed(c), c.Title, c.Avatar, c.Online, "l"),
			el("h3").Text(c.Title),
			app.If(c.ID.IsGroup(), func() app.UI { return el("p").Class("soft").Text(d.say("head.members", c.Members)) }),
		),
		el("label").Class("date").Body(
			app.Text(d.say("details.date")),
			void("input").Attr("type", "date").ID("date").OnChange(p.onDate),
		),
		whom(d, c),
		app.If(c.Last != nil, func() app.UI {
			return el("a").Class("menu-item").Attr("href", "/c/"+string(c.ID)+"/export").Attr("target", "_blank").Body(icon("down"), app.Text(d.say("export.title")))
		}),
		app.If(c.Last != nil, func() app.UI { return &tidy{desk: d, Slot: "mutes", Conv: c} }),
		el("ul").Class("people").Body(people...),
	)
}

// whom leads to the page of the group or person that c is with.
func whom(d *Desk, c state.Conv) app.UI {
	to, words := "/g/"+string(c.ID), "details.group"
	if c.Peer != "" {
		to, words = "/people/"+string(c.Peer), "details.person"
	}
	return el("a").Class("menu-item").Attr("href", to).Body(icon("group"), app.Text(d.say(words)), slot("joins").DataSet("conv", string(c.ID)))
}

// phone is the width in pixels below which one pane is shown at a time, as in the style sheet.
const phone = 720

// onDate goes to the first message of a day or, where there is none, after it.
func (p *details) onDate(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	day, err := time.ParseInLocation(time.DateOnly, e.Get("target").Get("value").String(), p.desk.Zone)
	if err != nil {
		return // half a date
	}
	conv := p.Conv.ID
	ctx.Async(func() {
		c, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		seq, err := p.desk.Intents.At(c, conv, day.UnixMilli())
		ctx.Dispatch(func(ctx app.Context) {
			l := p.desk.log
			if err == nil && app.Window().Get("innerWidth").Int() < phone {
				p.close() // the pane is over what is to be seen
			}
			switch {
			case err != nil || l.conv != conv:
			case seq == 0: // nothing since
				l.toEnd()
			default:
				l.seek(seq)
				l.sync()
			}
		})
	})
}

func (p *details) onClose(ctx app.Context, e app.Event) { p.close() }

// close gives the focus back to the button that opened the pane.
func (p *details) close() {
	p.desk.details = false
	focus(document().Call("querySelector", ".acts button"))
}

func (p *details) onKey(ctx app.Context, e app.Event) {
	if e.Get("key").String() == "Escape" {
		p.close()
	}
}
