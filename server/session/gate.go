package session

import (
	"sync"

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
}

// hold reports whether it was kept back.
func (g *gate) hold(it item) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		return false
	}
	if g.full = g.full || len(g.held) >= g.limit; !g.full {
		g.held = append(g.held, it)
	}
	return true
}

// release queues what was kept back, and keeps nothing back from now on.
func (s *Session) release() {
	g := &s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	s.host.queued(len(g.held))
	if g.full {
		s.Close(wire.ByeSlow)
	}
	for _, it := range g.held {
		s.pass(it)
	}
	g.held, g.open = nil, true
}
