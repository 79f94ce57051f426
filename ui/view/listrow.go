package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// A listRow is one conversation of the list. It is a link: go-app follows it
// without loading a page, and the keyboard reaches it.
type listRow struct {
	app.Compo
	desk *Desk

	Entry entry
}

func (r *listRow) Render() app.UI {
	e, d := r.Entry, r.desk
	link := app.A().Href(href(e.ID)).Class("conv-row").Body(
		avatar(e.Seed, e.Title, e.Avatar, e.Online, ""),
		app.Span().Class("nm").Text(e.Title),
		app.Time().Class("tm").DateTime(stamp(e.At)).Text(e.Time),
		r.words(),
		app.If(e.Unread > 0, func() app.UI {
			return app.Span().Class("bd").Aria("label", d.say("list.unread", e.Unread)).Text(count(e.Unread))
		}),
	)
	if e.Open {
		link = link.Aria("current", "page")
	}
	return app.Li().Class("c").Body(link)
}

// words is the second line: who types, the draft, or the newest message.
func (r *listRow) words() app.UI {
	e, d := r.Entry, r.desk
	p := app.Span().Class("pv")
	switch {
	case e.Typing != "":
		return p.Body(app.Em().Text(e.Typing))
	case e.Draft:
		return p.Body(app.Em().Class("draft").Text(d.say("list.draft")), app.Text(" "+e.Preview))
	case e.Says != "":
		return p.Body(app.Text(d.say("list.says", e.Says)+e.Preview+" "), tick(e.Tick, d))
	}
	return p.Body(app.Text(e.Preview))
}

// href is where a conversation is shown.
func href(c chat.ConvID) string { return "/c/" + string(c) }

// count is an unread count that fits its badge.
func count(n int) string {
	if n > 99 {
		return "99+"
	}
	return itoa(n)
}
