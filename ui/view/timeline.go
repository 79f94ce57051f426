package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// A timeline is where the log hangs in go-app's tree. go-app draws its frame
// and hands over its events; what is inside the box is the log's own.
type timeline struct {
	app.Compo
	desk *Desk

	Conv chat.ConvID
}

func (t *timeline) OnMount(ctx app.Context) {
	ctx.PreventUpdate()
	root := ctx.JSSrc()
	t.desk.log.mount(root.Get("firstElementChild"), root.Get("lastElementChild"), &t.desk.caught)
	t.desk.log.show(t.Conv)
}

func (t *timeline) OnUpdate(ctx app.Context) { t.desk.log.show(t.Conv) }

func (t *timeline) OnDismount() { t.desk.log.unmount() }

func (t *timeline) Render() app.UI {
	return el("div").Class("timeline").Body(
		el("div").Class("log").ID("scroll").Role("region").TabIndex(0).Aria("label", t.desk.say("log.label")).
			Attr("aria-description", t.desk.say("log.keys")).
			OnScroll(t.onScroll, app.PassiveEvent()).OnClick(t.onClick).OnKeyDown(t.onKey).OnContextMenu(t.onMenu).
			On("pointerover", t.onOver).On("pointerleave", t.onLeave).On("focusin", t.onFocus).
			On("touchstart", t.onTouch, app.PassiveEvent()).On("touchmove", t.onLift, app.PassiveEvent()).On("touchend", t.onLift),
		el("button").Attr("type", "button").Class("pill").Hidden(true).OnClick(t.onPill).Body(
			icon("down"), el("span").Text(""),
		),
	)
}

func (t *timeline) onScroll(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	defer rescue("scrolling")
	t.desk.log.scrolled()
}

func (t *timeline) onPill(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	t.desk.log.toEnd()
}

// onClick is the one listener for everything in the rows.
func (t *timeline) onClick(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	b := e.Get("target").Call("closest", "[data-act]")
	if !b.Truthy() {
		return
	}
	li := b.Call("closest", "[data-key]")
	if !li.Truthy() {
		return
	}
	t.desk.log.act(b.Get("dataset").Get("act").String(), li.Get("dataset").Get("key").String(), b)
}
