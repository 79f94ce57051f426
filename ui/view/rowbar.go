package view

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// holdFor is how long a finger rests on a row until its bar shows.
const holdFor = 450 * time.Millisecond

// A rowbar is what can be done about one row: reactions, reply, copy, edit,
// unsend and report. There is one, which moves into the row that the mouse is over, that
// has the focus or on which a finger rests.
type rowbar struct {
	log *log
	el  app.Value // nil until it is first shown
	key string    // of the row that it is in; empty: it is hidden
	own map[string]app.Value

	x, y  float64     // where the mouse was when it last came over something
	hold  *time.Timer // of a finger
	under string      // key of the row that it rests on; empty: it was lifted
	since time.Time
}

func (b *rowbar) make() {
	d := b.log.desk
	b.el, b.own = node("div", "rowbar"), map[string]app.Value{}
	b.el.Call("setAttribute", "role", "toolbar")
	b.el.Call("setAttribute", "aria-label", d.say("act.label"))
	add := func(act, label string, inner app.Value) app.Value {
		n := node("button", "", inner)
		n.Set("type", "button")
		n.Set("tabIndex", -1) // Enter leads here, from the row
		n.Set("title", label)
		n.Call("setAttribute", "aria-label", label)
		n.Get("dataset").Set("act", act)
		b.el.Call("append", n)
		return n
	}
	for _, emoji := range quick {
		add("react", d.say("act.react", emoji), text("span", "", emoji)).Get("dataset").Set("emoji", emoji)
	}
	for _, a := range [...][3]string{
		{"reply", d.say("act.reply"), "reply"}, {"copy", d.say("act.copy"), "copy"},
		{"edit", d.say("act.edit"), "pen"}, {"unsend", d.say("act.unsend"), "bin"},
		{"report", d.say("act.report"), "flag"},
	} {
		b.own[a[0]] = add(a[0], a[1], drawnIcon(a[2]))
	}
}

// show puts the bar into the row of li, where something can be done about it.
func (b *rowbar) show(li app.Value) {
	key := li.Get("dataset").Get("key").String()
	if key == b.key {
		return
	}
	r, ok := b.log.rowOf(key)
	if !ok {
		b.hide()
		return
	}
	if b.el == nil {
		b.make()
	}
	text := r.Message.Content.Kind == chat.Text
	b.own["copy"].Set("hidden", !text)
	b.own["edit"].Set("hidden", !text || !r.Mine)
	b.own["unsend"].Set("hidden", !r.Mine)
	b.own["report"].Set("hidden", r.Mine)
	b.arm(false)
	b.key = key
	top := li.Call("getBoundingClientRect").Get("top").Float() - b.log.box.Call("getBoundingClientRect").Get("top").Float()
	b.el.Set("className", "rowbar"+choose("", " mine", r.Mine)+choose("", " low", top < 44))
	li.Call("querySelector", ".m").Call("append", b.el)
}

func (b *rowbar) hide() {
	b.key = ""
	if b.el != nil {
		b.el.Call("remove")
	}
}

// arm has unsend ask whether it is meant: what is unsent does not come back.
func (b *rowbar) arm(on bool) {
	n, d := b.own["unsend"], b.log.desk
	label := d.say("act.unsend")
	if on {
		label = d.say("act.sure")
	}
	n.Set("className", choose("", "sure", on))
	n.Call("setAttribute", "aria-label", label)
	n.Set("title", label)
	if on {
		n.Set("textContent", label)
	} else {
		n.Call("replaceChildren", drawnIcon("bin"))
	}
}

// follow puts the bar back where its row was drawn anew.
func (b *rowbar) follow() {
	if b.key == "" {
		return
	}
	n, key := b.log.byKey[b.key], b.key
	if _, ok := b.log.rowOf(key); n == nil || !ok {
		b.hide()
		return
	}
	if !n.el.Call("contains", b.el).Truthy() {
		n.el.Call("querySelector", ".m").Call("append", b.el)
	}
}

// row returns the row that an event happened in.
func (t *timeline) row(e app.Event) (li app.Value, ok bool) {
	n := e.Get("target")
	if !n.Get("closest").Truthy() {
		return n, false
	}
	li = n.Call("closest", "li[data-key]")
	return li, li.Truthy()
}

func (t *timeline) onOver(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	defer rescue("pointing")
	li, ok := t.row(e)
	if !ok || e.Get("pointerType").String() != "mouse" {
		return
	}
	// A row that moves under a mouse at rest, since something came, does not take
	// the bar away from the one that was pointed at.
	b, x, y := &t.desk.log.bar, e.Get("clientX").Float(), e.Get("clientY").Float()
	rests := b.key != "" && max(x-b.x, b.x-x, y-b.y, b.y-y) < 3
	b.x, b.y = x, y
	if !rests {
		b.show(li)
	}
}

// onLeave hides the bar when the mouse has left, unless the focus is in its row.
func (t *timeline) onLeave(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	b := &t.desk.log.bar
	if b.key != "" && e.Get("pointerType").String() == "mouse" && !b.el.Call("closest", "li").Call("matches", ":focus-within").Truthy() {
		b.hide()
	}
}

// onFocus shows what can be done about a row that has the focus.
func (t *timeline) onFocus(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	defer rescue("focusing")
	if li, ok := t.row(e); ok && e.Get("target").Call("matches", "li:focus-visible").Truthy() {
		t.desk.log.bar.show(li)
	}
}

// onMenu is a long press where there is a touch screen, and the key for menus.
func (t *timeline) onMenu(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	defer rescue("a menu")
	li, ok := t.row(e)
	if ok && (coarse() || e.Get("button").Int() != 2) {
		e.PreventDefault()
		t.desk.log.bar.show(li)
	}
}

// onTouch shows the bar where a finger rests, and hides it where one taps elsewhere.
func (t *timeline) onTouch(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	defer rescue("touching")
	b := &t.desk.log.bar
	li, ok := t.row(e)
	if b.key != "" && (!ok || li.Get("dataset").Get("key").String() != b.key) {
		b.hide()
	}
	t.lift()
	if d := t.desk; ok {
		b.under, b.since = li.Get("dataset").Get("key").String(), d.Now()
		b.hold = time.AfterFunc(holdFor, func() { d.Changed(state.Change{Link: true}) })
	}
}

func (t *timeline) onLift(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	t.lift()
}

func (t *timeline) lift() {
	b := &t.desk.log.bar
	b.under = ""
	if b.hold != nil {
		b.hold.Stop()
	}
}

// rest shows the bar where a finger has rested for long enough.
func (b *rowbar) rest() {
	if b.under == "" { // also where no log was ever shown
		return
	}
	n := b.log.byKey[b.under]
	if n != nil && b.log.desk.Now().Sub(b.since) >= holdFor {
		b.under = ""
		b.show(n.el)
	}
}

// onKey moves between rows and in the bar. Enter leads from the log into its
// rows and from a row into its bar, Escape back.
func (t *timeline) onKey(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	defer rescue("a key")
	l, at, key := t.desk.log, e.Get("target"), e.Get("key").String()
	li, ok := t.row(e)
	to := app.Value(nil)
	switch {
	case !ok && key == "Enter" && len(l.lines) > 0:
		to = l.lines[max(l.lastVisible(), 0)].el
	case !ok:
	case at.Call("closest", ".rowbar").Truthy():
		switch key {
		case "ArrowRight":
			to = visibleNext(at, "nextElementSibling")
		case "ArrowLeft":
			to = visibleNext(at, "previousElementSibling")
		case "Escape":
			to = li
		}
	case at.Equal(li) && key == "ArrowDown":
		to = li.Get("nextElementSibling")
	case at.Equal(li) && key == "ArrowUp":
		to = li.Get("previousElementSibling")
	case at.Equal(li) && key == "Enter" && l.bar.key != "":
		to = l.bar.el.Get("firstElementChild")
	case key == "Escape":
		l.bar.hide()
		to = app.Window().GetElementByID("text")
	}
	if to != nil && to.Truthy() {
		e.PreventDefault()
		to.Call("focus")
	}
}

// visibleNext returns the next button of the bar that is not hidden.
func visibleNext(n app.Value, step string) app.Value {
	for n = n.Get(step); n.Truthy() && n.Get("hidden").Truthy(); n = n.Get(step) {
	}
	return n
}
