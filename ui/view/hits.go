package view

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/ui/state"
)

// mostHits is how many messages the switcher offers.
const mostHits = 30

// A hit is a message that was found.
type hit struct {
	Message             chat.Message
	Where               string // the conversation
	When                string
	Before, Match, More string // the text around what was found
}

// search looks q up among the messages kept in this browser, soon.
func (w *switcher) search(ctx app.Context, q string) {
	w.n++
	n := w.n
	query := find.Parse(q)
	if query.Empty() {
		w.hits = nil
		return
	}
	ctx.Async(func() {
		time.Sleep(patience)
		c, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		var found []chat.Message
		if n == w.n {
			found, _ = w.desk.Intents.Find(c, query, mostHits) // where nothing is kept, nothing is found
		}
		ctx.Dispatch(func(app.Context) {
			if n == w.n {
				w.hits = w.desk.hits(query, found)
			}
		})
	})
}

// hits says where in which conversation the messages are.
func (d *Desk) hits(q find.Query, ms []chat.Message) (hs []hit) {
	d.Do(func(s *state.State) {
		for _, m := range ms {
			c, ok := s.Conv(m.Conv)
			from, to, match := q.Match(m.Content.Text)
			if !ok || !match {
				continue
			}
			piece, a, b := find.Snippet(m.Content.Text, from, to, 40)
			hs = append(hs, hit{
				Message: m, Where: c.Title, When: d.listTime(m.At), Before: s.Name(m.Author) + ": " + piece[:a], Match: piece[a:b], More: piece[b:],
			})
		}
	})
	return hs
}

// A hitRow is one message that the switcher offers.
type hitRow struct {
	app.Compo
	desk *Desk

	Hit   hit
	First bool // a heading goes before it
	At    bool
}

func (r *hitRow) Render() app.UI {
	h := r.Hit
	return el("li").Body(
		app.If(r.First, func() app.UI { return el("h3").Class("soft").Text(r.desk.say("switch.hits")) }),
		el("button").Attr("type", "button").Class(choose("person", "person at", r.At)).OnClick(r.onClick).Body(
			el("span").Class("names").Body(
				el("b").Text(h.Where+" · "+h.When),
				el("span").Class("soft").Body(app.Text(h.Before), el("mark").Text(h.Match), app.Text(h.More)),
			),
		),
	)
}

func (r *hitRow) onClick(ctx app.Context, e app.Event) {
	r.desk.goToEntry(ctx, r.Hit.Message.Conv, r.Hit.Message.Seq)
}
