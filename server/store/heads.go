package store

import (
	"sync"

	"kamachat/shared/chat"
)

// A head is the end of a conversation's log.
type head struct {
	conv     chat.ConvID
	last, at int64       // Seq and time of the last entry
	fresh    bool        // the conversation is to be created
	owner    chat.UserID // of a fresh one
	made     int64       // when a fresh one was made
	moved    bool        // got entries in this batch
}

// maxHeads is how many heads are remembered.
const maxHeads = 20_000

// heads remember where logs end, so that a commit need not ask. They are hints:
// another process may have written since, and then the key (conv_id, seq) refuses
// what was placed by them. They move only after a commit and are dropped after
// any other outcome, and entries are never deleted, so a head is never past the
// log's end and no gap comes of it.
type heads struct {
	mu sync.Mutex
	at map[chat.ConvID]head
	// wary is for how many batches refs are looked up first, after one was found
	// in use or a commit failed: whoever comes back sends again what had not been
	// answered.
	wary int
}

func newHeads() *heads {
	return &heads{at: map[chat.ConvID]head{}}
}

// known moves the heads that are remembered into b and returns which are not.
func (h *heads) known(b *batch) (missing []chat.ConvID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range b.convs {
		if x, ok := h.at[c]; ok {
			b.heads[c] = &x
		} else {
			missing = append(missing, c)
		}
	}
	return missing
}

// careful reports whether refs are to be looked up first.
func (h *heads) careful() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wary == 0 {
		return false
	}
	h.wary--
	return true
}

// committed remembers what a commit has moved.
func (h *heads) committed(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range b.moved {
		if len(h.at) >= maxHeads {
			for c := range h.at { // any one will do
				delete(h.at, c)
				break
			}
		}
		if h.at[x.conv].last < x.last {
			h.at[x.conv] = head{conv: x.conv, last: x.last, at: x.at}
		}
	}
}

// failed forgets the heads of a batch that was not stored, or may not have been.
// wary says to look refs up for a while.
func (h *heads) failed(b *batch, wary bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range b.convs {
		delete(h.at, c)
	}
	if wary {
		h.wary = 32
	}
}

// forget drops all heads, for when the tables themselves change.
func (h *heads) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.at)
}
