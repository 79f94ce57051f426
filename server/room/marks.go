package room

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// flushEvery is how often marks are saved and told. They move in batches: one
// message read by a thousand people is a few transactions, not a thousand.
const flushEvery = 100 * time.Millisecond

// MaxMarks is how many marks may wait for the store. There is one for each
// person and conversation, so that they are this many only when it has been away
// for long; further ones are not taken.
const MaxMarks = 200_000

// Seen moves the marks of u in m.Conv forward, at most to the log's end. It
// refuses who may not read there with chat.NotFound or chat.Forbidden, and with
// chat.Busy where too many wait for the store.
func (h *Hub) Seen(ctx context.Context, u chat.UserID, m chat.Marks) error {
	r, err := h.roomFor(ctx, u, m.Conv)
	if err != nil {
		return err
	}
	m.User = u
	if h.beyond(r, max(m.Delivered, m.Read)) {
		// Word of the last entries may have been lost on its way here; the client
		// has them from the store, and says this once.
		if err := h.lookAgain(ctx, r); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.markLocked(r, m) {
		return &chat.Refusal{Code: chat.Busy, Words: "marks can't be stored just now", RetryAfter: awayRetry}
	}
	return nil
}

func (h *Hub) tick(ctx context.Context) {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	var l look
	var k knowing
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			h.turnEars()
			h.lookElsewhere(ctx, &l)
			h.deliverLate(ctx)
			h.flushMarks(ctx)
			h.askPending(ctx)
			h.watchKnown(ctx, &k)
			h.announceLeft(ctx)
			h.learnUnseen(ctx)
			h.forgetEnded()
		}
	}
}

// flushMarks saves the marks that moved, and tells each person's own devices and
// the members of each conversation whose lowest marks moved.
func (h *Hub) flushMarks(ctx context.Context) {
	h.mu.Lock()
	if len(h.dirty) == 0 {
		h.mu.Unlock()
		return
	}
	ms := slices.Collect(maps.Values(h.dirty))
	h.mu.Unlock()
	// In one order, everywhere: nobody waits for a row that waits for ours.
	slices.SortFunc(ms, func(a, b chat.Marks) int {
		return cmp.Or(cmp.Compare(a.Conv, b.Conv), cmp.Compare(a.User, b.User))
	})
	// A room may have been let go since: who is told is known with it only.
	var rooms []*Room
	for i, m := range ms {
		if i > 0 && m.Conv == ms[i-1].Conv {
			continue
		}
		r, err := h.room(ctx, m.Conv)
		if err != nil {
			h.Log.Error("save marks: load room, will be tried again", "conv", m.Conv, "err", err)
			return
		}
		rooms = append(rooms, r)
	}
	if err := h.Store.SaveMarks(ctx, ms); err != nil {
		h.Log.Error("save marks, will be tried again", "marks", len(ms), "err", err)
		return
	}
	h.Meter.MarksSaved(len(ms))
	var es []wire.Event
	h.mu.Lock()
	for _, m := range ms {
		k := markKey{m.Conv, m.User}
		if h.dirty[k] == m {
			delete(h.dirty, k)
		}
		es = append(es, wire.Event{Conv: m.Conv, To: []chat.UserID{m.User}, Frame: wire.Frame{Body: wire.Seen{Marks: m}}})
	}
	for _, r := range rooms {
		if now := h.rooms[r.Conv]; now != nil {
			r = now
		}
		if r.laws.Apart() {
			r.silent = true // told when they hear from each other again
		} else if low := r.lowest(); low != r.told || r.silent {
			r.told, r.silent = low, false
			es = append(es, wire.Event{Conv: r.Conv, Frame: wire.Frame{Body: wire.Seen{Marks: low}}})
		}
	}
	h.mu.Unlock()
	if err := h.Fanout.Publish(ctx, es...); err != nil {
		h.Log.Warn("marks not told", "err", err)
	}
}

// MarksWaiting is how many marks are not in the store yet.
func (h *Hub) MarksWaiting() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.dirty)
}
