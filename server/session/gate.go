package session

import (
	"sync"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A gate keeps back what the hub pushes to a session that has joined but has
// not been told yet where it stands: the welcome, or for clients that know no
// Seq what they missed, comes first.
type gate struct {
	limit int // items; more end the session as "slow", as in the queue

	mu   sync.Mutex
	open bool
	full bool
	held []item
	sent map[chat.ConvID]int64 // told before it was opened; word of that may still be on its way
}

// hold reports whether it was kept back, or is not to be sent again.
func (g *gate) hold(it item) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		return it.within(g.sent)
	}
	if g.full = g.full || len(g.held) >= g.limit; !g.full {
		g.held = append(g.held, it)
	}
	return true
}

// within reports whether it was sent where the entries up to those in sent were.
func (it item) within(sent map[chat.ConvID]int64) bool {
	return it.seq > 0 && it.seq <= sent[it.conv] && !it.call
}

// release queues what was kept back, without the entries up to those in sent,
// and keeps nothing back from now on.
func (s *Session) release(sent map[chat.ConvID]int64) {
	g := &s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	s.host.queued(len(g.held))
	if g.full {
		s.Close(wire.ByeSlow)
	}
	for _, it := range g.held {
		if !it.within(sent) {
			s.queue(it)
		}
	}
	g.held, g.open, g.sent = nil, true, sent
}
