package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// mostJumps is how many conversations and how many people the switcher offers.
const mostJumps = 8

// A switcher jumps to a conversation or a person, by a few letters.
type switcher struct {
	app.Compo
	desk *Desk

	find  finder
	convs []entry // that match
	hits  []hit   // messages that match
	n     int     // of the question for messages
	at    int     // which of convs, then people, then hits, Enter takes
}

func (w *switcher) OnInit() {
	w.find.desk, w.find.pick = w.desk, w.pick
	w.match("")
}

func (w *switcher) OnMount(ctx app.Context) { openModal(ctx) }
func (w *switcher) OnDismount()             { w.find.stop(); w.n++ }

// match finds the conversations for q.
func (w *switcher) match(q string) {
	w.desk.Do(func(s *state.State) {
		w.convs = w.convs[:0]
		for _, e := range w.desk.entries(s) {
			if (q == "" || contains(e.Title, q)) && len(w.convs) < mostJumps {
				w.convs = append(w.convs, e)
			}
		}
		for _, c := range s.Bare() { // deleted, and the person is in them all the same
			if q != "" && contains(c.Title, q) && len(w.convs) < mostJumps && c.ID != s.Opened() {
				w.convs = append(w.convs, w.desk.entry(c, s))
			}
		}
	})
}

// people are those found with whom there is no conversation in the list.
func (w *switcher) people() (ps []chat.Person) {
	w.desk.Do(func(s *state.State) {
		for _, p := range w.find.found {
			c, ok := s.Conv(chat.Direct(s.Me().ID, p.ID))
			if (!ok || c.Last == nil) && len(ps) < mostJumps {
				ps = append(ps, p)
			}
		}
	})
	return ps
}

func (w *switcher) Render() app.UI {
	d := w.desk
	var rows []app.UI
	for i, e := range w.convs {
		rows = append(rows, &jumpRow{desk: d, Entry: e, At: i == w.at, N: i})
	}
	if w.find.query != "" {
		for i, p := range w.people() {
			rows = append(rows, &personRow{desk: d, pick: w.pick, Person: p, At: len(w.convs)+i == w.at})
		}
	}
	for i, h := range w.hits {
		rows = append(rows, &hitRow{desk: d, Hit: h, First: i == 0, At: len(rows) == w.at})
	}
	hint := ""
	if len(rows) == 0 {
		hint = w.find.hint()
	}
	return modal(d, "switcher", d.say("switch.title"), w.onClosed,
		el("label").Class("find").Body(
			icon("search"),
			void("input").Attr("type", "text").Attr("enterkeyhint", "search").Attr("autocomplete", "off").Attr("autofocus", true).ID("jump").Attr("placeholder", d.say("switch.find")).
				Aria("label", d.say("switch.find")).OnInput(w.onInput).OnKeyDown(w.onKey),
		),
		el("ul").Class("people").Body(rows...),
		el("p").Class("hint").Role("status").Text(hint),
	)
}

func (w *switcher) onInput(ctx app.Context, e app.Event) {
	q := e.Get("target").Get("value").String()
	w.at = 0
	w.match(trim(q))
	w.search(ctx, q)
	if trim(q) == "" {
		w.find.stop()
		w.find.query, w.find.found = "", nil
		return
	}
	w.find.ask(ctx, q)
}

func (w *switcher) onKey(ctx app.Context, e app.Event) {
	if composing(e) {
		return
	}
	n := len(w.convs)
	people := w.people()
	if w.find.query == "" {
		people = nil
	}
	all := n + len(people) + len(w.hits)
	switch e.Get("key").String() {
	case "ArrowDown", "ArrowUp":
		e.PreventDefault()
		if all > 0 {
			w.at = (w.at + all + map[string]int{"ArrowDown": 1, "ArrowUp": -1}[e.Get("key").String()]) % all
		}
	case "Enter":
		e.PreventDefault()
		switch {
		case w.at < n:
			w.desk.goTo(ctx, w.convs[w.at].ID)
		case w.at < n+len(people):
			w.pick(ctx, people[w.at-n])
		case w.at < all:
			h := w.hits[w.at-n-len(people)]
			w.desk.goToEntry(ctx, h.Message.Conv, h.Message.Seq)
		default:
			w.find.take(ctx)
		}
	}
}

func (w *switcher) pick(ctx app.Context, p chat.Person)   { w.desk.goToPerson(ctx, p) }
func (w *switcher) onClosed(ctx app.Context, e app.Event) { w.desk.show(noDialog) }

// A jumpRow is one conversation that the switcher offers.
type jumpRow struct {
	app.Compo
	desk *Desk

	Entry entry
	At    bool
	N     int
}

func (r *jumpRow) Render() app.UI {
	e := r.Entry
	return el("li").Body(el("button").Attr("type", "button").Class(choose("person", "person at", r.At)).OnClick(r.onClick).Body(
		avatar(e.Seed, e.Title, e.Avatar, e.Online, "s"),
		el("span").Class("names").Body(el("b").Text(e.Title), el("span").Class("soft").Text(e.Preview)),
	))
}

func (r *jumpRow) onClick(ctx app.Context, e app.Event) { r.desk.goTo(ctx, r.Entry.ID) }
