package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// A personRow is one person of a list, to be picked where pick is set.
type personRow struct {
	app.Compo
	desk *Desk
	pick func(app.Context, chat.Person)

	Person chat.Person
	Online bool
	Chosen bool
	At     bool // the keyboard is here
}

func (r *personRow) Render() app.UI {
	p := r.Person
	parts := []app.UI{
		avatar(string(p.ID), p.Name(), p.Avatar, r.Online, "s"),
		el("span").Class("names").Body(el("b").Text(p.Name()), el("span").Class("soft").Text("@"+p.Username)),
	}
	if r.Chosen {
		parts = append(parts, icon("check"))
	}
	if r.pick == nil {
		return el("li").Body(el("div").Class("person").Body(parts...))
	}
	return el("li").Body(el("button").Attr("type", "button").Class(choose("person", "person at", r.At)).
		Aria("pressed", boolean(r.Chosen)).OnClick(r.onPick).Body(parts...))
}

func (r *personRow) onPick(ctx app.Context, e app.Event) { r.pick(ctx, r.Person) }

// choose returns b where yes, else a.
func choose(a, b string, yes bool) string {
	if yes {
		return b
	}
	return a
}

// boolean is an ARIA state.
func boolean(b bool) string { return choose("false", "true", b) }
