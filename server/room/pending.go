package room

import (
	"context"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Bounds of the wait for answers from other nodes.
const (
	// MaxPending is how many posts are watched at most; the authors of others find
	// out when they come back.
	MaxPending = 50_000
	// pendingAsk is how many are looked up at once.
	pendingAsk = 256
	// pendingSoon is after how long the store is asked while it is known that word
	// gets lost.
	pendingSoon = 200 * time.Millisecond
	// pendingFor is how long a post is looked for in vain until its author is
	// asked to send it again. It may be on its way still: it is stored once.
	pendingFor = 30 * time.Second
	// lostWithin bounds the wait for a place in the fan-out.
	lostWithin = 5 * time.Second
)

// pending are the posts that this node carried and nobody has answered. Where
// another node commits, word of it comes through the fan-out, which may lose it.
type pending struct {
	of    map[draftKey]*awaited
	order []draftKey // as they were carried; those answered are skipped
}

type awaited struct {
	stamp  chat.Stamp
	unread bool // the draft's
	since  time.Time
	next   time.Time // when the store is asked
	asked  bool
}

// await notes that d is on its way. It is called before, since the answer may
// come at once.
func (h *Hub) await(d chat.Draft) {
	if h.AnswerWithin <= 0 {
		return
	}
	now := h.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	k := draftKey{d.Conv, d.Author, d.Ref}
	if h.pending.of[k] == nil && len(h.pending.of) < MaxPending {
		h.pending.of[k] = &awaited{stamp: d.Stamp, unread: d.Unread, since: now, next: now.Add(h.AnswerWithin)}
		h.pending.order = append(h.pending.order, k)
	}
}

// answered takes note that e answers a post, and gives it the post's stamp
// where it comes from another node, which has none.
func (h *Hub) answered(e *wire.Event) {
	if h.AnswerWithin <= 0 || e.Ref == "" {
		return
	}
	k := draftKey{e.Conv, e.Author, e.Ref}
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.pending.of[k]; a != nil {
		delete(h.pending.of, k)
		if e.Stamp == (chat.Stamp{}) {
			e.Stamp = a.stamp
		}
	}
}

// Lost tells the author of d that it was not carried, or not as far as is known:
// the same again, later.
func (h *Hub) Lost(d chat.Draft, err error) {
	// The fan-out may wait for a place; who calls does not.
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), lostWithin)
		defer cancel()
		if err := h.Fanout.Publish(ctx, h.answer(d, chat.Receipt{Err: h.Refused(err)})); err != nil {
			h.Log.Warn("a post that was not carried can't be answered; its author is told later", "conv", d.Conv, "err", err)
		}
	}()
}

// Pending is how many posts of this node wait for their answer.
func (h *Hub) Pending() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pending.of)
}

// askPending looks in the store for posts whose answer is late. Those that are
// there are told again, to all.
func (h *Hub) askPending(ctx context.Context) {
	if h.AnswerWithin <= 0 {
		return
	}
	late, lost := h.overdue()
	var es []wire.Event
	for _, k := range lost {
		e := wire.Event{Conv: k.conv, To: []chat.UserID{k.author}, Author: k.author, Ref: k.ref}
		e.Frame.Body = RefusedBody(&chat.Refusal{Code: chat.Busy, Words: "the message is delayed", RetryAfter: time.Second})
		es = append(es, e)
	}
	if len(late) > 0 {
		ms, err := h.Store.Stored(ctx, late)
		if err != nil {
			h.Log.Warn("late answers can't be looked up, will be tried again", "posts", len(late), "err", err)
		}
		of := make(map[draftKey]chat.Draft, len(late))
		for _, d := range late {
			of[draftKey{d.Conv, d.Author, d.Ref}] = d
		}
		for _, m := range ms {
			if d, ok := of[draftKey{m.Conv, m.Author, m.Ref}]; ok { // not one of that Ref elsewhere
				es = append(es, h.answer(d, chat.Receipt{Message: m}))
			}
		}
		h.Meter.Asked(len(late), len(ms))
	}
	if len(es) == 0 {
		return
	}
	if err := h.Fanout.Publish(ctx, es...); err != nil {
		h.Log.Warn("late answers not told, will be tried again", "err", err)
	}
}

// overdue returns posts to ask the store about, and those to give up.
func (h *Hub) overdue() (late []chat.Draft, lost []draftKey) {
	now := h.Now()
	losing := false
	if h.Losses != nil {
		losing, _ = h.Losses()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.pending.order[:0]
	for _, k := range h.pending.order {
		a := h.pending.of[k]
		switch {
		case a == nil:
			continue // answered
		case now.Before(a.next) && !(losing && !a.asked && now.Sub(a.since) >= pendingSoon) || len(late) >= pendingAsk:
		case now.Sub(a.since) > pendingFor:
			delete(h.pending.of, k)
			lost = append(lost, k)
			continue
		default:
			late = append(late, chat.Draft{Conv: k.conv, Author: k.author, Ref: k.ref, Unread: a.unread})
			a.next, a.asked = now.Add(now.Sub(a.since)), true // each time twice as late
		}
		kept = append(kept, k)
	}
	clear(h.pending.order[len(kept):])
	h.pending.order = kept
	return late, lost
}
