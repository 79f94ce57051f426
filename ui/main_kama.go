package main

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/ui/state"
	"kamachat/ui/view"
)

// attend gives aside.js what it needs, and has it begin. It looks after
// notifications, updates and what other programs share.
func (h *hands) attend(d *view.Desk) {
	kama := app.Window().Get("kama")
	if !kama.Truthy() || !kama.Get("notes").Truthy() {
		return
	}
	h.notes, h.notice = kama.Get("notes"), d.Notice
	h.notes.Call("begin", app.FuncOf(func(_ app.Value, args []app.Value) any {
		switch what := args[0].String(); what {
		case "look":
			go h.Look(args[1].Truthy())
		case "muted":
			d.Mute(args[1].String())
		case "keep":
			go h.flush(args[1])
		default:
			return d.Speak(what, args[1:]...)
		}
		return nil
	}))
}

// flush writes what is to be kept, and then calls done.
func (h *hands) flush(done app.Value) {
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	if err := h.replica.Flush(ctx); err != nil {
		app.Log("kamachat: before an update:", err)
	}
	done.Call("call")
}

// heard tells aside.js what ch has come to, and with a welcome who is signed in.
func (h *hands) heard(ch state.Change) {
	if len(ch.Convs) == 0 && !ch.Me || h.notice == nil {
		return
	}
	welcomed := ""
	h.Do(func(s *state.State) {
		for id := range ch.Convs {
			if c, ok := s.Conv(id); ok {
				h.notes.Call("heard", string(id), c.Title, h.notice(c, s), c.LastSeq, c.Unread)
			}
		}
		h.notes.Call("unread", s.TotalUnread())
		if ch.Me && s.Status().Phase == state.Live {
			welcomed = string(s.Me().ID)
		}
	})
	if welcomed != "" {
		h.notes.Call("welcome", welcomed)
	}
}
