package view

import (
	"context"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// A newDialog finds people: one to talk to, or several to make a group of.
type newDialog struct {
	app.Compo
	desk *Desk

	ctx     app.Context // of the dialog itself, which outlives its buttons
	find    finder
	group   bool // making a group
	name    string
	chosen  []chat.Person
	making  bool
	problem string
}

func (n *newDialog) OnInit() { n.find.desk, n.find.pick = n.desk, n.pick }

func (n *newDialog) OnMount(ctx app.Context) {
	n.ctx = ctx
	openModal(ctx)
	n.find.ask(ctx, "")
}

func (n *newDialog) OnDismount() { n.find.stop() }

func (n *newDialog) Render() app.UI {
	d := n.desk
	title := d.say("new.title")
	if n.group {
		title = d.say("new.group")
	}
	return modal(d, "new-dialog", title, n.onClosed,
		el("div").Class("dialog-head").Body(
			el("h2").Text(title),
			button("close", d.say("close"), n.onClose),
		),
		el("div").Class("dialog-fields").Body(
			n.fields(),
			el("label").Class("find").Body(
				icon("search"),
				void("input").Attr("type", "text").Attr("enterkeyhint", "search").Attr("autocomplete", "off").Attr("autofocus", true).ID("find-people").
					Attr("placeholder", d.say("new.find")).Aria("label", d.say("new.find")).OnInput(n.onQuery).OnKeyDown(n.onKey),
			),
		),
		el("ul").Class("people").OnKeyDown(n.onRoam).Body(n.people()...),
		el("p").Class("hint").Role("status").Text(n.find.hint()),
		el("div").Class("dialog-foot").Body(n.foot()...),
	)
}

// fields are what a group needs besides people.
func (n *newDialog) fields() app.UI {
	d := n.desk
	chips := make([]app.UI, len(n.chosen))
	for i, p := range n.chosen {
		chips[i] = el("button").Attr("type", "button").Class("chip").DataSet("person", string(p.ID)).
			Title(d.say("new.remove", p.Name())).Body(el("span").Text(p.Name()), icon("close"))
	}
	return el("div").Class("group-fields").Hidden(!n.group).Body(
		void("input").Attr("type", "text").Class("field").ID("group-name").Attr("maxlength", chat.MaxName).Attr("autocomplete", "off").
			Attr("placeholder", d.say("new.name")).Aria("label", d.say("new.name")).OnInput(n.onName),
		slot("joining").Class("group-fields"),
		el("div").Class("chips").OnClick(n.onChip).Body(chips...),
	)
}

func (n *newDialog) people() []app.UI {
	ps := make([]app.UI, len(n.find.found))
	for i, p := range n.find.found {
		ps[i] = &personRow{desk: n.desk, pick: n.pick, Person: p, Chosen: n.has(p)}
	}
	return ps
}

func (n *newDialog) foot() []app.UI {
	d := n.desk
	if !n.group {
		return []app.UI{el("button").Attr("type", "button").Class("plain").Body(icon("group"), app.Text(d.say("new.group"))).OnClick(n.onGroup)}
	}
	ready := strings.TrimSpace(n.name) != "" && len(n.chosen) > 0 && !n.making
	return []app.UI{
		el("p").Class("problem").Role("alert").Text(n.problem),
		el("button").Attr("type", "button").Class("primary").Attr("disabled", !ready).Text(d.say("new.make")).OnClick(n.onMake),
	}
}

func (n *newDialog) has(p chat.Person) bool {
	return slices.ContainsFunc(n.chosen, func(c chat.Person) bool { return c.ID == p.ID })
}

// pick opens the conversation with p, or puts p into or out of the group.
func (n *newDialog) pick(ctx app.Context, p chat.Person) {
	switch {
	case !n.group:
		n.desk.goToPerson(ctx, p)
	case n.has(p):
		n.drop(p.ID)
	default:
		n.chosen = append(n.chosen, p)
	}
}

func (n *newDialog) drop(id chat.UserID) {
	n.chosen = slices.DeleteFunc(slices.Clone(n.chosen), func(p chat.Person) bool { return p.ID == id })
}

func (n *newDialog) onChip(ctx app.Context, e app.Event) {
	if c := e.Get("target").Call("closest", ".chip"); c.Truthy() {
		n.drop(chat.UserID(c.Get("dataset").Get("person").String()))
	}
}

func (n *newDialog) onGroup(ctx app.Context, e app.Event) {
	n.group = true
	n.ctx.Defer(func(app.Context) { focus(app.Window().GetElementByID("group-name")) })
}

func (n *newDialog) onName(ctx app.Context, e app.Event) {
	n.name = e.Get("target").Get("value").String()
}

func (n *newDialog) onQuery(ctx app.Context, e app.Event) {
	n.find.ask(ctx, e.Get("target").Get("value").String())
}

func (n *newDialog) onKey(ctx app.Context, e app.Event) {
	if composing(e) {
		return
	}
	switch e.Get("key").String() {
	case "Enter":
		e.PreventDefault()
		n.find.take(ctx)
	case "ArrowDown":
		e.PreventDefault()
		focus(document().Call("querySelector", ".new-dialog .people button"))
	}
}

func (n *newDialog) onRoam(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	roam(e, "find-people")
}

func (n *newDialog) onMake(ctx app.Context, e app.Event) {
	n.making, n.problem = true, ""
	name, ids := strings.TrimSpace(n.name), make([]chat.UserID, len(n.chosen))
	for i, p := range n.chosen {
		ids[i] = p.ID
	}
	joining := chat.Joining("")
	if of := document().Call("querySelector", "#joining select"); of.Truthy() {
		joining = chat.Joining(of.Get("value").String())
	}
	ctx.Async(func() {
		conv, err := n.desk.Intents.MakeGroup(context.Background(), name, joining, ids)
		ctx.Dispatch(func(ctx app.Context) {
			n.making = false
			if err != nil {
				n.problem = n.desk.problem(err)
				return
			}
			n.desk.goTo(ctx, conv)
		})
	})
}

func (n *newDialog) onClose(ctx app.Context, e app.Event)  { closeModal(e.Get("target")) }
func (n *newDialog) onClosed(ctx app.Context, e app.Event) { n.desk.show(noDialog) }
