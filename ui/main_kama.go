package main

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
	"kamachat/ui/view"
)

// attend gives aside.js and attach.js what they need, and has them begin. They
// look after notifications, updates and what other programs share, and after files.
func (h *hands) attend(d *view.Desk) {
	kama := app.Window().Get("kama")
	if !kama.Truthy() || !kama.Get("notes").Truthy() {
		return
	}
	h.notes, h.notice = kama.Get("notes"), d.Notice
	tell := app.FuncOf(func(_ app.Value, args []app.Value) any {
		switch what := args[0].String(); what {
		case "look":
			go h.Look(args[1].Truthy())
		case "hush":
			d.Hush(args[1].String(), int64(args[2].Float()))
		case "keep":
			go h.flush(args[1])
		case "post":
			go h.postFile(chat.ConvID(args[1].String()), args[2].String(), args[3].String(), args[4])
		default:
			return d.Speak(what, args[1:]...)
		}
		return nil
	})
	h.notes.Call("begin", tell)
	if a := kama.Get("attach"); a.Truthy() {
		h.files = a
		a.Call("begin", tell)
		if h.me != "" {
			a.Call("use", string(h.me))
		}
	}
}

// postFile posts an uploaded file, told as JSON, and calls done once the post is
// kept: with true, or with false where the outbox is full.
func (h *hands) postFile(conv chat.ConvID, ref, told string, done app.Value) {
	f := &chat.File{}
	taken := json.Unmarshal([]byte(told), f) == nil &&
		(h.PostAs(conv, chat.Content{Kind: chat.FileK, File: f}, ref) || h.waits(ref))
	if taken {
		ctx, cancel := context.WithTimeout(context.Background(), recallIn)
		defer cancel()
		if err := h.replica.Flush(ctx); err != nil {
			app.Log("kamachat: a file's post is not kept:", err) // it is sent all the same
		}
	}
	done.Call("call", nil, taken)
}

// waits reports whether a post is in the outbox.
func (h *hands) waits(ref string) (waits bool) {
	h.Do(func(s *state.State) {
		waits = slices.ContainsFunc(s.Unsent(), func(u state.Unsent) bool { return u.Ref == ref })
	})
	return waits
}

// filesWaiting is how many files are not posted yet.
func (h *hands) filesWaiting() int {
	if h.files == nil {
		return 0
	}
	return h.files.Call("waits").Int()
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
	if h.notice == nil {
		return
	}
	if ch.Asked {
		h.notes.Call("asked")
	}
	if len(ch.Convs) == 0 && !ch.Me {
		return
	}
	welcomed := ""
	h.Do(func(s *state.State) {
		for id := range ch.Convs {
			if c, ok := s.Conv(id); ok {
				h.notes.Call("heard", string(id), c.Title, h.notice(c, s), c.Said, c.Unread)
			}
		}
		n, marked := s.Unread()
		h.notes.Call("unread", n, marked)
		if ch.Me && s.Status().Phase == state.Live {
			welcomed = string(s.Me().ID)
		}
	})
	if welcomed != "" {
		h.notes.Call("welcome", welcomed)
		if h.files != nil {
			h.files.Call("use", welcomed)
		}
	}
}
