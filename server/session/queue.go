package session

import "sync"

// A queue is what waits to be written to one session. It is bounded, costs
// nothing while it is empty, and never makes anybody wait. It knows whether
// somebody writes: who puts the first item starts the writer, which ends when
// nothing is left.
type queue struct {
	limit int // items; put refuses more, and more than maxQueued bytes

	mu      sync.Mutex
	items   []item
	bytes   int
	held    int           // bytes, of items and of what is being written
	spare   []item        // emptied by the writer, to be filled again
	writing bool          // a writer runs, or has ended for good
	closed  bool          // nothing is taken any more
	eased   chan struct{} // made by who waits in ease, closed when there may be room
}

// maxQueued bounds the bytes that wait for one session.
const maxQueued = 8 << 20

// maxAsked is how much may wait for a client that asks for more.
const maxAsked = 256 << 10

// Capacities above which a drained queue's memory is let go: while its writer
// runs, and when there is nothing left to write.
const (
	keepSpare = 64
	keepIdle  = 4
)

// put appends it, and calls start where the writer has to be started. It
// answers false when the queue is full. A closed queue swallows what it is given.
func (q *queue) put(it item, start func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return true
	}
	if len(q.items) >= q.limit || len(q.items) > 0 && q.bytes+len(it.data) > maxQueued {
		return false
	}
	q.items, q.bytes, q.held = append(q.items, it), q.bytes+len(it.data), q.held+len(it.data)
	if !q.writing {
		q.writing = true
		start()
	}
	return true
}

// take returns all that waits, in order, and whether the queue is closed. When
// it is open and nothing waits, the writer has ended. The caller gives the
// slice back with done.
func (q *queue) take() (items []item, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, closed = q.items, q.closed
	q.items, q.bytes, q.spare = q.spare, 0, nil
	if len(items) == 0 {
		if cap(q.items) > keepIdle {
			q.items = nil
		}
		q.writing = closed
	}
	return items, closed
}

// done gives back what take returned.
func (q *queue) done(items []item) {
	size := 0
	for _, it := range items {
		size += len(it.data)
	}
	clear(items)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= size
	if cap(items) <= keepSpare && q.spare == nil {
		q.spare = items[:0]
	}
	q.easeLocked()
}

func (q *queue) easeLocked() {
	if q.eased != nil {
		close(q.eased)
		q.eased = nil
	}
}

// eases reports whether more may be asked for: at most maxAsked bytes wait to be
// written, and half of the items that fit. So it is in a closed queue.
func (q *queue) eases() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.easesLocked()
}

func (q *queue) easesLocked() bool {
	return q.closed || q.held <= maxAsked && len(q.items) <= q.limit/2
}

// ease waits until eases.
func (q *queue) ease() {
	for {
		q.mu.Lock()
		if q.easesLocked() {
			q.mu.Unlock()
			return
		}
		if q.eased == nil {
			q.eased = make(chan struct{})
		}
		eased := q.eased
		q.mu.Unlock()
		<-eased
	}
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue) isWriting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.writing
}
