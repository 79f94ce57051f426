// Package inproc is channel mode: the carrier, the fan-out and the presence of
// a single process, all in memory.
package inproc

import (
	"context"
	"sync"
	"time"

	"kamachat/shared/chat"
)

// maxBatch is how many drafts one commit takes at most.
const maxBatch = 256

// A Carrier is one bounded queue. Order is that of arrival.
type Carrier struct {
	queue chan chat.Draft
}

// NewCarrier returns a carrier that holds at most size drafts; when full, Carry
// refuses with chat.Busy.
func NewCarrier(size int) *Carrier { return &Carrier{queue: make(chan chat.Draft, size)} }

// Carry queues d, or refuses at once when the queue is full.
func (c *Carrier) Carry(ctx context.Context, d chat.Draft) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.queue <- d:
		return nil
	default:
		return &chat.Refusal{Code: chat.Busy, Words: "too many messages at once", RetryAfter: time.Second}
	}
}

// Len is how many drafts wait.
func (c *Carrier) Len() int { return len(c.queue) }

// Run hands what is queued to commit, everything that waits up to 256 drafts at
// a time and without waiting for more, until ctx ends. A batch that fails is
// handed over again after a pause that grows to 2 s. When ctx ends, what was
// queued by then is still committed once.
func (c *Carrier) Run(ctx context.Context, commit func(context.Context, []chat.Draft) error) error {
	batch := make([]chat.Draft, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case d := <-c.queue:
			batch = c.fill(append(batch, d))
		case <-ctx.Done():
			return c.drain(context.WithoutCancel(ctx), commit)
		}
		for pause := 10 * time.Millisecond; commit(ctx, batch) != nil; pause = min(2*pause, 2*time.Second) {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				// One last try: nobody was told that these are stored.
				_ = commit(context.WithoutCancel(ctx), batch)
				return c.drain(context.WithoutCancel(ctx), commit)
			}
		}
	}
}

func (c *Carrier) fill(batch []chat.Draft) []chat.Draft {
	for len(batch) < maxBatch {
		select {
		case d := <-c.queue:
			batch = append(batch, d)
		default:
			return batch
		}
	}
	return batch
}

func (c *Carrier) drain(ctx context.Context, commit func(context.Context, []chat.Draft) error) error {
	for {
		batch := c.fill(nil)
		if len(batch) == 0 {
			return nil
		}
		if err := commit(ctx, batch); err != nil {
			return err
		}
	}
}

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
