package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/ui/state"
)

// listen has the page hear what happens outside of its elements. It is called
// once, for the life of the page.
func (r *Root) listen(ctx app.Context) {
	on := func(target app.Value, event string, f func(e app.Event)) {
		target.Call("addEventListener", event, app.FuncOf(func(_ app.Value, args []app.Value) any {
			f(app.Event{Value: args[0]})
			return nil
		}))
	}
	looking := func(app.Event) {
		ctx.Dispatch(func(app.Context) {
			if watching() {
				r.desk.log.settle()
				r.look()
			}
		})
	}
	on(app.Window(), "focus", looking)
	on(document(), "visibilitychange", looking)
	on(document(), "keydown", func(e app.Event) {
		mod := e.Get("ctrlKey").Truthy() || e.Get("metaKey").Truthy()
		if !mod || e.Get("shiftKey").Truthy() || e.Get("altKey").Truthy() || e.Get("key").String() != "k" {
			return
		}
		e.PreventDefault()
		ctx.Dispatch(func(app.Context) {
			if r.desk.dialog == noDialog {
				r.desk.show(dialogSwitch)
			}
		})
	})
}

// Redraw has everything drawn again, as after the time zone or the day changed.
func (d *Desk) Redraw() { d.Changed(state.Change{List: true, Link: true, Me: true}) }
