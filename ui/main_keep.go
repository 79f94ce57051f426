package main

import (
	"context"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/ui/state"
)

// adoptEvery is how often posts of pages that were closed are looked for.
const adoptEvery = 30 * time.Second

// recallIn bounds the wait for what was kept where the server could be asked as well.
const recallIn = 3 * time.Second

// Open implements view.Intents: what was kept of conv is there first.
func (h *hands) Open(conv chat.ConvID) {
	h.Client.Open(conv)
	if conv != "" {
		go h.recall(conv)
	}
}

// recall folds the newest entries of conv that were kept, where none are held.
func (h *hands) recall(conv chat.ConvID) {
	if h.oldest(conv) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	if es, err := h.replica.Before(ctx, conv, 0); err == nil {
		h.Client.Remember(conv, es)
	}
}

// oldest returns the Seq of the oldest entry of conv held, or 0.
func (h *hands) oldest(conv chat.ConvID) (seq int64) {
	h.Do(func(s *state.State) {
		if es := s.Held(conv); len(es) > 0 {
			seq = es[0].Seq
		}
	})
	return seq
}

// Older implements view.Intents: the server is asked for what was not kept.
func (h *hands) Older(conv chat.ConvID) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), recallIn)
		defer cancel()
		if first := h.oldest(conv); first > 1 {
			es, err := h.replica.Before(ctx, conv, first)
			if err == nil && h.Client.Remember(conv, es) {
				return
			}
		}
		h.Client.Older(conv)
	}()
}

// Jump implements view.Intents: what was kept is shown, or the server asked.
func (h *hands) Jump(conv chat.ConvID, seq int64) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), recallIn)
		defer cancel()
		es, err := h.replica.Around(ctx, conv, seq)
		h.Client.Jump(conv, seq)
		if err == nil {
			h.Client.RememberPast(conv, es)
		}
	}()
}

// Around implements view.Intents.
func (h *hands) Around(conv chat.ConvID, newer bool) {
	go func() {
		var first, last int64
		h.Do(func(s *state.State) {
			if es, _ := s.Shown(conv); len(es) > 0 {
				first, last = es[0].Seq, es[len(es)-1].Seq
			}
		})
		ctx, cancel := context.WithTimeout(context.Background(), recallIn)
		defer cancel()
		at := first - 1
		if newer {
			at = last + 1
		}
		if es, err := h.replica.Around(ctx, conv, at); err == nil && h.Client.RememberPast(conv, es) {
			return
		}
		h.Client.Around(conv, newer)
	}()
}

// At implements view.Intents: the server knows it, or what was kept has to do.
func (h *hands) At(ctx context.Context, conv chat.ConvID, at int64) (int64, error) {
	var out struct {
		Seq int64 `json:"seq"`
	}
	err := call(ctx, "GET", "/api/v1/conversations/"+string(conv)+"/at?time="+strconv.FormatInt(at, 10), nil, &out)
	if err == nil {
		return out.Seq, nil
	}
	var last int64
	h.Do(func(s *state.State) {
		c, _ := s.Conv(conv)
		last = c.LastSeq
	})
	return h.replica.At(ctx, conv, at, last)
}

// Find implements view.Intents.
func (h *hands) Find(ctx context.Context, q find.Query, most int) ([]chat.Message, error) {
	return h.replica.Find(ctx, q, most)
}

// Draft implements view.Intents.
func (h *hands) Draft(conv chat.ConvID, text string) {
	h.Do(func(s *state.State) { s.SetDraft(conv, text) })
	h.replica.Drafted(conv)
}

// keep writes what changes for the life of the page, and takes posts over from
// pages that were closed.
func (h *hands) keep() {
	go h.replica.Run(context.Background())
	for {
		time.Sleep(adoptEvery)
		h.adopt()
		h.one.Lock()
		if h.me == "" {
			h.account()
		}
		h.one.Unlock()
	}
}

func (h *hands) adopt() {
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	_ = h.replica.Adopt(ctx, h.Client.Restore) // tried again
}

// account notes who the server says is signed in: what was kept for somebody
// else is wiped. Where it can't be noted it is tried again.
func (h *hands) account() {
	var me chat.UserID
	h.Do(func(s *state.State) {
		if s.Status().Phase == state.Live {
			me = s.Me().ID
		}
	})
	if me == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	switch fresh, err := (browserStore{}).use(ctx, me); {
	case err != nil:
		h.me = ""
	case fresh || h.me != me:
		h.me = me
		h.replica.Renew()
	}
}

// forget wipes what was kept, and what the service worker has.
func (h *hands) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	_ = h.replica.Wipe(ctx) // where it can't be wiped, it could not be kept
	forgetWorker(ctx)
}

// forgetWorker removes what the service worker keeps.
func forgetWorker(ctx context.Context) {
	if kama := app.Window().Get("kama"); kama.Truthy() && kama.Get("forget").Truthy() {
		_, _ = await(ctx, kama.Call("forget"))
	}
}
