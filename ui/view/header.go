package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/ui/state"
)

// A header is the head of the conversation.
type header struct {
	app.Compo
	desk *Desk

	Conv    state.Conv
	Details bool // the pane beside is open
	Muted   bool
}

func (h *header) Render() app.UI {
	d, c := h.desk, h.Conv
	return el("header").Class("head").Body(
		el("a").Attr("href", "/").Class("icon back").Title(d.say("head.back")).Aria("label", d.say("head.back")).Body(icon("back")),
		avatar(seed(c), c.Title, c.Avatar, c.Online, "s"),
		el("div").Class("names").Body(
			el("h1").Body(titled(c.Title, false, h.Muted, d)...),
			el("p").Text(h.status()),
		),
		el("div").Class("acts").Body(
			button("more", d.say("head.details"), h.onDetails).Aria("expanded", boolean(h.Details)),
		),
	)
}

// status is the line under the title.
func (h *header) status() string {
	d, c := h.desk, h.Conv
	switch {
	case c.ID.IsGroup():
		return d.say("head.members", c.Members)
	case c.Online:
		return d.say("head.online")
	case c.Unknown: // neither is to be said
		return d.say("head.unknown")
	}
	return d.say("head.offline")
}

func (h *header) onDetails(ctx app.Context, e app.Event) { h.desk.details = !h.desk.details }
