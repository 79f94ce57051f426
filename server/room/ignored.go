package room

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Ignored counts the events that reached this node and were let go.
type Ignored struct {
	Broken   int64 // handing them out made the program panic
	Unstored int64 // they tell of an entry that the store has not
}

// ignored is Ignored as it is counted.
type ignored struct{ broken, unstored atomic.Int64 }

// Ignored returns what was let go since the start.
func (h *Hub) Ignored() Ignored {
	return Ignored{Broken: h.ignored.broken.Load(), Unstored: h.ignored.unstored.Load()}
}

// survive, deferred, lets e go when handing it out panics: what another node says
// must not end this one.
func (h *Hub) survive(e wire.Event) {
	if p := recover(); p != nil {
		h.ignored.broken.Add(1)
		h.Log.Error("deliver: an event was let go", "conv", e.Conv, "panic", p, "stack", string(debug.Stack()))
	}
}

// stored reports whether the log of r goes as far as seq, by what the store says
// where that is not known. What it does not is noted: whoever told of it made it up.
func (h *Hub) stored(ctx context.Context, r *Room, seq int64) (bool, error) {
	if !h.beyond(r, seq) {
		return true, nil
	}
	if err := h.lookAgain(ctx, r); err != nil {
		return false, err
	}
	if !h.beyond(r, seq) {
		return true, nil
	}
	h.ignored.unstored.Add(1)
	h.Log.Error("deliver: an event tells of an entry that is not stored, and was let go", "conv", r.Conv, "seq", seq)
	return false, nil
}

// beyond reports whether seq is past what is known of the log.
func (h *Hub) beyond(r *Room, seq int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return seq > r.last
}

// lookAgain asks the store where the log of r ends.
func (h *Hub) lookAgain(ctx context.Context, r *Room) error {
	s, err := h.Store.Summary(ctx, r.Conv)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.last = max(r.last, s.LastSeq)
	return nil
}
