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
	link := el("a").Attr("href", href(e.ID)).Class("conv-row").Body(
		avatar(e.Seed, e.Title, e.Avatar, e.Online, ""),
		el("span").Class("nm").Body(titled(e.Title, e.Pinned > 0, e.Muted, d)...),
		el("time").Class("tm").Attr("datetime", stamp(e.At)).Text(e.Time),
		r.words(),
		app.If(e.Unread > 0 || e.Marked, func() app.UI {
			n, label := count(e.Unread), d.say("list.unread", e.Unread)
			if e.Unread == 0 {
				n, label = "•", d.say("line.marked")
			}
			return el("span").Class(choose("bd", "bd quiet", e.Muted)).Role("img").Aria("label", label).Text(n)
		}),
	)
	if e.Open {
		link = link.Aria("current", "page")
	}
	return el("li").Class("c").Body(link)
}

// words is the second line: who types, the draft, or the newest message.
func (r *listRow) words() app.UI {
	e, d := r.Entry, r.desk
	p := el("span").Class("pv")
	switch {
	case e.Typing != "":
		return p.Body(el("em").Text(e.Typing))
	case e.Draft:
		return p.Body(el("em").Class("draft").Text(d.say("list.draft")), app.Text(" "+e.Preview))
	case e.Says != "":
		return p.Body(el("span").Text(d.say("list.says", e.Says)+e.Preview), tick(e.Tick, d))
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
