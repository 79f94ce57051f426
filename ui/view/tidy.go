package view

import (
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// sureFor is how long a click may take that confirms the one before it.
const sureFor = 6 * time.Second

// A tidy is what a person can make of a conversation in the list: pin it, put it
// into the folder below, mark it as unread, mute it, delete it. It is in the pane beside the conversation,
// and in the menu of a line.
type tidy struct {
	app.Compo
	desk *Desk

	Slot string // where it is muted
	Conv state.Conv
	sure chat.ConvID // is deleted by the next click: what is deleted does not come back
}

func (t *tidy) Render() app.UI {
	d, c := t.desk, t.Conv
	item := func(name, label string, on app.EventHandler) app.HTMLElem {
		return el("button").Attr("type", "button").Class("menu-item").OnClick(on).Body(icon(name), app.Text(label))
	}
	return el("div").Class("people").Role("group").Aria("label", d.say("line.label")).Body(
		item("pin", d.say(choose("line.pin", "line.unpin", c.Pinned > 0)), t.onPin),
		item("box", d.say(choose("line.archive", "line.unarchive", c.Archived)), t.onArchive),
		item("chat", d.say(choose("line.unread", "line.read", waits(c))), t.onMark),
		slot(t.Slot).DataSet("conv", string(c.ID)).DataSet("until", c.Hushed),
		item("bin", d.say(choose("line.delete", "line.sure", t.sure == c.ID)), t.onDelete),
	)
}

func (t *tidy) onPin(ctx app.Context, e app.Event) {
	pin := t.Conv.Pinned == 0
	t.set(chat.LineChange{Pin: &pin})
}

func (t *tidy) onArchive(ctx app.Context, e app.Event) {
	archive := !t.Conv.Archived
	t.set(chat.LineChange{Archive: &archive})
}

// waits reports whether something shows of c that is to be read.
func waits(c state.Conv) bool { return c.Unread > 0 || c.Marked }

func (t *tidy) onMark(ctx app.Context, e app.Event) {
	c, mark := t.Conv, !waits(t.Conv)
	if !mark {
		t.desk.Intents.Read(c.ID, c.LastSeq)
	}
	t.set(chat.LineChange{Mark: &mark})
	if mark {
		t.leave(ctx)
	}
}

func (t *tidy) onDelete(ctx app.Context, e app.Event) {
	c := t.Conv
	if t.sure != c.ID {
		t.sure = c.ID
		ctx.After(sureFor, func(app.Context) { t.sure = "" })
		return
	}
	t.sure = ""
	t.set(chat.LineChange{Clear: c.LastSeq})
	t.leave(ctx)
}

// leave closes the conversation, where it is open.
func (t *tidy) leave(ctx app.Context) {
	open := false
	t.desk.Do(func(s *state.State) { open = s.Opened() == t.Conv.ID })
	if open {
		t.desk.details = false
		ctx.Navigate("/")
	}
}

func (t *tidy) set(c chat.LineChange) {
	t.desk.Intents.SetLine(t.Conv.ID, c)
	if app.IsClient && rowMenu().Truthy() {
		rowMenu().Call("hidePopover")
	}
}

func rowMenu() app.Value { return app.Window().GetElementByID("row-menu") }

// menu is that of the line that was asked for last.
func (l *list) menu() app.UI {
	var c state.Conv
	l.desk.Do(func(s *state.State) { c, _ = s.Conv(l.under) })
	return el("div").ID("row-menu").Class("menu pop").Attr("popover", "auto").Body(
		el("p").Class("menu-head").Body(el("b").Text(c.Title)),
		app.If(c.ID != "", func() app.UI { return &tidy{desk: l.desk, Slot: "mutes-row", Conv: c} }),
	)
}

// onMenu shows it where the mouse is, the finger rests, or the line that has the focus.
func (l *list) onMenu(ctx app.Context, e app.Event) {
	a := e.Get("target").Call("closest", ".conv-row")
	if !a.Truthy() {
		return
	}
	e.PreventDefault()
	l.under = chat.ConvID(strings.TrimPrefix(a.Call("getAttribute", "href").String(), "/c/"))
	x, y := e.Get("clientX").Int(), e.Get("clientY").Int()
	ctx.Defer(func(app.Context) {
		m := rowMenu()
		m.Call("showPopover")
		w, style := app.Window(), m.Get("style")
		style.Set("left", itoa(max(min(x, w.Get("innerWidth").Int()-m.Get("offsetWidth").Int()-8), 8))+"px")
		style.Set("top", itoa(max(min(y, w.Get("innerHeight").Int()-m.Get("offsetHeight").Int()-8), 8))+"px")
	})
}

// parted returns those of es that are not archived, and those that are: they are
// the last.
func parted(es []entry) (all, archived []entry) {
	n := slices.IndexFunc(es, func(e entry) bool { return e.Archived })
	if n < 0 {
		n = len(es)
	}
	return es[:n], es[n:]
}
