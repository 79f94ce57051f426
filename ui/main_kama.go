package main

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
	"kamachat/ui/view"
)

// notes is what static/aside.js offers. It is not Truthy where it could not be loaded.
func notes() app.Value {
	if k := app.Window().Get("kama"); k.Truthy() {
		return k.Get("notes")
	}
	return app.Undefined()
}

// attend gives aside.js what it needs, and has it begin. It looks after
// notifications, updates and what other programs share.
func (h *hands) attend(d *view.Desk) {
	if !notes().Truthy() {
		return
	}
	h.notice = d.Notice
	hear := func(name string, f func(args []app.Value) any) {
		notes().Set(name, app.FuncOf(func(_ app.Value, args []app.Value) any { return f(args) }))
	}
	hear("say", func(args []app.Value) any { return d.Speak(args[0].String(), args[1:]...) })
	hear("look", func(args []app.Value) any { go h.Look(args[0].Truthy()); return nil })
	hear("muted", func(args []app.Value) any { d.Mute(args[0].String()); return nil })
	hear("keep", func(args []app.Value) any { go h.flush(args[0]); return nil })
	notes().Call("begin")
}

// flush writes what is to be kept, and then calls done.
func (h *hands) flush(done app.Value) {
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	if err := h.replica.Flush(ctx); err != nil {
		app.Log("kamachat: before an update:", err)
	}
	done.Invoke()
}

// heard tells aside.js what ch has come to: { conv, title, body, seq, unread }
// for each conversation, and how much is unread in all. With a welcome it is
// told who is signed in.
func (h *hands) heard(ch state.Change) {
	if len(ch.Convs) == 0 && !ch.Me || h.notice == nil {
		return
	}
	all, convs, me, live := 0, []any{}, chat.UserID(""), false
	h.Do(func(s *state.State) {
		all, me, live = s.TotalUnread(), s.Me().ID, s.Status().Phase == state.Live
		for id := range ch.Convs {
			if c, ok := s.Conv(id); ok {
				convs = append(convs, map[string]any{
					"conv": string(id), "title": c.Title, "body": h.notice(c, s), "seq": c.LastSeq, "unread": c.Unread,
				})
			}
		}
	})
	notes().Call("heard", all, convs)
	if ch.Me && live {
		notes().Call("welcome", string(me))
	}
}
