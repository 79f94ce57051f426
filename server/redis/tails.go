package redis

import (
	"encoding/json"
	"sync"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// What is kept to be told again, at most.
const (
	maxTails     = 10_000   // conversations
	maxTailBytes = 16 << 20 // of encoded events
	maxByes      = 1_000
)

// tails are the last entries that this node published of each conversation, and
// the sign-outs: what other nodes must hear of in the end. Typing, marks and the
// like are soon told anew, or too old.
type tails struct {
	mu    sync.Mutex
	last  map[chat.ConvID]tail
	bytes int
	byes  []tail
	known map[chat.ConvID]int64 // highest Seq delivered on this node, wherever it came from
}

// A tail is one encoded event, and when it was published.
type tail struct {
	event json.RawMessage
	seq   int64
	at    time.Time
}

func newTails() *tails {
	return &tails{last: map[chat.ConvID]tail{}, known: map[chat.ConvID]int64{}}
}

// keep remembers e, whose encoding is p, where it must be told in the end.
func (t *tails) keep(e wire.Event, p json.RawMessage, now time.Time) {
	switch b := e.Frame.Body.(type) {
	case wire.Bye:
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.byes) == maxByes {
			t.byes = t.byes[1:]
		}
		t.byes = append(t.byes, tail{event: p, at: now})
	case wire.Posted:
		if len(e.To) > 0 {
			return // an answer to one person's draft that was stored before
		}
		t.know(e)
		t.mu.Lock()
		defer t.mu.Unlock()
		old := t.last[e.Conv]
		if old.seq > b.Seq {
			return
		}
		t.last[e.Conv] = tail{event: p, seq: b.Seq, at: now}
		t.bytes += len(p) - len(old.event)
		for c, other := range t.last {
			if len(t.last) <= maxTails && t.bytes <= maxTailBytes {
				break
			}
			if c != e.Conv { // any other will do: its readers find out with its next entry
				t.bytes -= len(other.event)
				delete(t.last, c)
			}
		}
	}
}

// since returns what was published at that time and later.
func (t *tails) since(at time.Time) []json.RawMessage {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []json.RawMessage
	for _, b := range t.byes {
		if !b.at.Before(at) {
			out = append(out, b.event)
		}
	}
	for _, l := range t.last {
		if !l.at.Before(at) {
			out = append(out, l.event)
		}
	}
	return out
}

// know notes that e is delivered on this node.
func (t *tails) know(e wire.Event) {
	b, ok := e.Frame.Body.(wire.Posted)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.known {
		if len(t.known) < maxTails {
			break
		}
		delete(t.known, c)
	}
	t.known[e.Conv] = max(t.known[e.Conv], b.Seq)
}

// knows reports whether e, or something later of its conversation, has been delivered here.
func (t *tails) knows(e wire.Event) bool {
	b, ok := e.Frame.Body.(wire.Posted)
	if !ok {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[e.Conv] >= b.Seq
}
