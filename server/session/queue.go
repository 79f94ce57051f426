package session

import "sync"

// A queue is what waits to be written to one session. It is bounded, costs
// nothing while it is empty, and never makes anybody wait.
type queue struct {
	limit int           // items; put refuses more, and more than maxQueued bytes
	ready chan struct{} // holds one note while there is something to take
	eased chan struct{} // holds one note after something was written

	mu    sync.Mutex
	items []item
	bytes int
	held  int    // bytes, of items and of what is being written
	spare []item // emptied by the writer, to be filled again
}

// maxQueued bounds the bytes that wait for one session.
const maxQueued = 8 << 20

// maxAsked is how much may wait for a client that asks for more.
const maxAsked = 256 << 10

// ease waits until at most maxAsked bytes wait to be written, or until closed.
// Only one goroutine may call it.
func (q *queue) ease(closed <-chan struct{}) {
	for {
		q.mu.Lock()
		ok := q.held <= maxAsked
		q.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-q.eased:
		case <-closed:
			return
		}
	}
}

// keepSpare is the capacity above which a drained queue's memory is let go.
const keepSpare = 64

func newQueue(limit int) *queue {
	return &queue{limit: limit, ready: make(chan struct{}, 1), eased: make(chan struct{}, 1)}
}

// put appends it, or answers false when the queue is full.
func (q *queue) put(it item) bool {
	q.mu.Lock()
	full := len(q.items) >= q.limit || len(q.items) > 0 && q.bytes+len(it.data) > maxQueued
	if !full {
		q.items, q.bytes, q.held = append(q.items, it), q.bytes+len(it.data), q.held+len(it.data)
	}
	q.mu.Unlock()
	if !full {
		select {
		case q.ready <- struct{}{}:
		default:
		}
	}
	return !full
}

// take returns all that waits, in order. The caller gives the slice back with done.
func (q *queue) take() []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.items
	q.items, q.bytes, q.spare = q.spare, 0, nil
	return out
}

// done gives back what take returned.
func (q *queue) done(items []item) {
	size := 0
	for _, it := range items {
		size += len(it.data)
	}
	q.mu.Lock()
	q.held -= size
	q.mu.Unlock()
	select {
	case q.eased <- struct{}{}:
	default:
	}
	if cap(items) > keepSpare {
		return
	}
	clear(items)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = items[:0]
}
