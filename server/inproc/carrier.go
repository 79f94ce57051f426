// Package inproc is channel mode: the carrier, the fan-out and the presence of
// a single process, all in memory.
package inproc

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
)

// maxBatch is how many drafts one commit takes at most.
const maxBatch = 256

// A Carrier is a bounded queue in lanes: a conversation always takes the same
// one, so its drafts keep the order of their arrival, and each lane commits for
// itself. The bound is on what waits in all lanes together.
type Carrier struct {
	size    int64
	waiting atomic.Int64
	lanes   []lane
}

type lane struct {
	mu      sync.Mutex
	waiting []chat.Draft
	moved   chan struct{} // something may wait; holds one
}

// NewCarrier returns a carrier that holds at most size drafts in all; when full,
// Carry refuses with chat.Busy. lanes, at least 1, is how many commits there are
// at once.
func NewCarrier(size, lanes int) *Carrier {
	c := &Carrier{size: int64(size), lanes: make([]lane, max(1, lanes))}
	for i := range c.lanes {
		c.lanes[i].moved = make(chan struct{}, 1)
	}
	return c
}

// Carry queues d, or refuses at once when the queue is full.
func (c *Carrier) Carry(ctx context.Context, d chat.Draft) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.waiting.Add(1) > c.size {
		c.waiting.Add(-1)
		return &chat.Refusal{Code: chat.Busy, Words: "too many messages at once", RetryAfter: time.Second}
	}
	l := c.lane(d.Conv)
	l.mu.Lock()
	l.waiting = append(l.waiting, d)
	l.mu.Unlock()
	select {
	case l.moved <- struct{}{}:
	default:
	}
	return nil
}

func (c *Carrier) lane(conv chat.ConvID) *lane {
	if len(c.lanes) == 1 {
		return &c.lanes[0]
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(conv))
	return &c.lanes[h.Sum32()%uint32(len(c.lanes))]
}

// Len is how many drafts wait.
func (c *Carrier) Len() int { return int(c.waiting.Load()) }

// Run hands what is queued to commit, lane by lane at the same time: everything
// that waits in a lane up to 256 drafts at a time and without waiting for more,
// until ctx ends. A batch that fails is handed over again after a pause that
// grows to 2 s, and its lane waits. When ctx ends, what was queued by then is
// still committed, each batch tried once: after one that fails nothing of its
// lane may be stored, and Len counts what is left. commit bounds how long that
// takes, for its context has no end. The error is always nil.
func (c *Carrier) Run(ctx context.Context, commit func(context.Context, []chat.Draft) error) error {
	var wg sync.WaitGroup
	for i := range c.lanes {
		wg.Go(func() { c.run(ctx, &c.lanes[i], commit) })
	}
	wg.Wait()
	return nil
}

func (c *Carrier) run(ctx context.Context, l *lane, commit func(context.Context, []chat.Draft) error) {
	for {
		select {
		case <-l.moved:
		case <-ctx.Done():
		}
		ending := ctx.Err() != nil
		for batch := c.take(l); len(batch) > 0; batch = c.take(l) {
			if !persist(ctx, batch, commit) {
				c.putBack(l, batch)
				return
			}
		}
		if ending {
			return
		}
	}
}

// persist commits batch, again until it is done or ctx ends. It answers whether
// it is done; the last try is behind the end of ctx.
func persist(ctx context.Context, batch []chat.Draft, commit func(context.Context, []chat.Draft) error) bool {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		last := ctx.Err() != nil
		if commit(context.WithoutCancel(ctx), batch) == nil {
			return true
		}
		if last {
			return false
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// take takes the next batch out of l.
func (c *Carrier) take(l *lane) []chat.Draft {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(maxBatch, len(l.waiting))
	batch := slices.Clone(l.waiting[:n])
	rest := copy(l.waiting, l.waiting[n:])
	clear(l.waiting[rest:])
	l.waiting = l.waiting[:rest]
	c.waiting.Add(int64(-n))
	return batch
}

// putBack puts batch in front again.
func (c *Carrier) putBack(l *lane, batch []chat.Draft) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(batch, l.waiting...)
	c.waiting.Add(int64(len(batch)))
}
