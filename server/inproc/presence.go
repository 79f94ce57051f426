package inproc

import (
	"context"
	"sync"

	"kamachat/shared/chat"
)

// A Presence counts the sessions of each person in this process.
type Presence struct {
	mu       sync.Mutex
	sessions map[chat.UserID]map[string]struct{}
}

// NewPresence returns a Presence with nobody online.
func NewPresence() *Presence {
	return &Presence{sessions: map[chat.UserID]map[string]struct{}{}}
}

// Touch says that a session of u is alive. In one process it lasts until Leave.
func (p *Presence) Touch(_ context.Context, u chat.UserID, session string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions[u] == nil {
		p.sessions[u] = map[string]struct{}{}
	}
	p.sessions[u][session] = struct{}{}
	return nil
}

// Leave says that a session of u has ended.
func (p *Presence) Leave(_ context.Context, u chat.UserID, session string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions[u], session)
	if len(p.sessions[u]) == 0 {
		delete(p.sessions, u)
	}
	return nil
}

// Online tells who of us has a session.
func (p *Presence) Online(_ context.Context, us ...chat.UserID) (map[chat.UserID]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	on := map[chat.UserID]bool{}
	for _, u := range us {
		if len(p.sessions[u]) > 0 {
			on[u] = true
		}
	}
	return on, nil
}
