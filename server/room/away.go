package room

import (
	"time"

	"kamachat/shared/chat"
)

// patience is how long commits may fail before new posts are refused. A
// database that restarts quickly is nobody's business: what is accepted waits.
const patience = time.Second

// awayRetry is when a client may try again what was refused because of that.
const awayRetry = 2 * time.Second

// noteCommit remembers since when commits fail, if they do.
func (h *Hub) noteCommit(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		h.failing = time.Time{}
	case h.failing.IsZero():
		h.failing = h.Now()
	}
}

// StoreAway reports whether commits have failed for longer than a moment: the
// database is away, or its disk is full. What was accepted is tried again.
func (h *Hub) StoreAway() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.failing.IsZero() && h.Now().Sub(h.failing) >= patience
}

// storable refuses while nothing can be stored: the author keeps the draft and
// knows why, instead of waiting behind a queue that does not move.
func (h *Hub) storable() error {
	if h.StoreAway() {
		return &chat.Refusal{Code: chat.Busy, Words: "messages can't be stored just now", RetryAfter: awayRetry}
	}
	return nil
}
