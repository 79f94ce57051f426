package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A dialogKind says which dialog is open.
type dialogKind uint8

const (
	noDialog dialogKind = iota
	dialogNew
	dialogSwitch
)

// show opens a dialog, or closes the one that is open. It is for handlers of
// components, which redraw the root.
func (d *Desk) show(k dialogKind) { d.dialog = k }

// goTo shows a conversation.
func (d *Desk) goTo(ctx app.Context, c chat.ConvID) {
	d.show(noDialog)
	ctx.Navigate(href(c))
}

// goToEntry shows the entry seq of conversation c.
func (d *Desk) goToEntry(ctx app.Context, c chat.ConvID, seq int64) {
	if d.log.conv == c {
		d.show(noDialog)
		d.log.seek(seq)
		d.log.sync()
		return
	}
	d.jump = jump{c, seq}
	d.goTo(ctx, c)
}

// goToPerson shows the conversation with p, which may not exist yet.
func (d *Desk) goToPerson(ctx app.Context, p chat.Person) {
	var id chat.ConvID
	d.Do(func(s *state.State) { id = s.EnsureDirect(p) })
	d.goTo(ctx, id)
}

// modal is the frame of a dialog. The browser's own <dialog> keeps the focus
// inside, closes on Escape and gives the focus back.
func modal(d *Desk, class, title string, onClose app.EventHandler, body ...app.UI) app.UI {
	return el("dialog").Class("dialog "+class).Aria("label", title).On("close", onClose).Body(body...)
}

// openModal is for OnMount.
func openModal(ctx app.Context) {
	if n := ctx.JSSrc(); app.IsClient && !n.Get("open").Truthy() {
		n.Call("showModal")
	}
}

// closeModal closes the dialog that holds n; onClose follows.
func closeModal(n app.Value) {
	if dialog := n.Call("closest", "dialog"); dialog.Truthy() {
		dialog.Call("close")
	}
}
