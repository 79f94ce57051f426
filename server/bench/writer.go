package bench

import (
	"fmt"
	"sync"
	"time"

	"kamachat/shared/wire"
)

// A writer posts in its connection's conversation. In a closed loop each
// answer makes room for the next post; in an open loop the clock says.
type writer struct {
	*conn
	no int64 // among the writers of the conversation

	again sync.WaitGroup // posts that wait to be sent again

	mu       sync.Mutex
	open     window
	room     int    // closed loop: how many more posts may be in flight
	out      []byte // frames to send
	spare    []byte // what out was before, empty
	text     []byte // scratch
	flushing bool   // somebody sends
	acked    int64
	strange  int64              // acknowledgements of what was not waiting for one
	resent   map[int64]struct{} // numbers that were refused for a while
	refusal  int64
	err      error // a refusal that is for good
}

// start posts as much as may be in flight.
func (w *writer) start() {
	w.mu.Lock()
	w.room = w.run.InFlight
	w.mu.Unlock()
	w.flush() // the reader tells of an error
}

// askAt posts one message that is due at that time of the run.
func (w *writer) askAt(due int64) {
	w.mu.Lock()
	w.appendLocked(w.open.add(due), due)
	w.mu.Unlock()
	w.flush() // the reader tells of an error
}

// flush adds the posts that there is room for and sends all there is, several
// frames in one system call. Posts leave in the order of their numbers.
func (w *writer) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.room > 0 && !w.run.stopped.Load() {
		for now := w.run.now(); w.room > 0; w.room-- {
			w.appendLocked(w.open.add(now), now)
		}
	}
	if w.flushing {
		return nil // whoever sends looks again
	}
	w.flushing = true
	defer func() { w.flushing = false }()
	for len(w.out) > 0 {
		p := w.out
		w.out = w.spare[:0]
		w.mu.Unlock()
		err := w.sock.write(p)
		w.mu.Lock()
		w.spare = p[:0]
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) appendLocked(n, due int64) {
	t := note{w.run.id, w.no, n, due}
	if w.run.Dialect == Classic {
		w.text = appendClassic(w.text[:0], w.person.ID, w.conv, t)
	} else {
		w.text = appendNative(w.text[:0], w.run.stamp, w.person.ID, w.conv, t)
	}
	w.out = appendFrame(w.out, opText, w.text)
}

// acknowledgeLocked settles the post that the writer's own copy answers: the
// one that its ref names or, in the dialect without refs, its text.
func (w *writer) acknowledgeLocked(p posted) {
	n, ok := p.n, true
	if w.run.Dialect != Classic {
		n, ok = numberOf(p.ref, w.run.stamp)
	}
	if _, waits := w.open.settle(n); !ok || !waits {
		w.strange++
		return
	}
	w.acked++
	if w.run.Rate == 0 {
		w.room++
	}
}

// refusedLocked sends the post again when the server says it may be.
func (w *writer) refusedLocked(ref string, r wire.Refused) {
	n, ok := numberOf([]byte(ref), w.run.stamp)
	due, waits := w.open.due(n)
	w.refusal++
	if !ok || !waits || r.RetryAfter == 0 {
		w.failLocked(fmt.Errorf("refused: %s: %s", r.Code, r.Words))
		return
	}
	if w.resent == nil {
		w.resent = map[int64]struct{}{}
	}
	w.resent[n] = struct{}{}
	w.again.Go(func() { // ends with the run, which waits for it
		if sleep(w.run.ctx, time.Duration(r.RetryAfter)*time.Millisecond) {
			w.mu.Lock()
			w.appendLocked(n, due)
			w.mu.Unlock()
			w.flush() // the reader tells of an error
		}
	})
}

// failLocked ends the whole run: the server will never take what w posts.
func (w *writer) failLocked(err error) {
	if w.err == nil {
		w.err = err
	}
	w.run.fail()
}

// A window holds when each number was due that has no answer yet. Numbers are
// given out from 0 upwards.
type window struct {
	base int64   // every number below has its answer
	dues []int64 // of base, base+1, …; settled where it has its answer
	open int64
}

const settled = -1

// add gives out the next number.
func (o *window) add(due int64) (n int64) {
	o.dues = append(o.dues, due)
	o.open++
	return o.given() - 1
}

// given is how many numbers were given out.
func (o *window) given() int64 { return o.base + int64(len(o.dues)) }

// due returns when n was due, or ok false where it waits for no answer.
func (o *window) due(n int64) (due int64, ok bool) {
	if n < o.base || n >= o.given() || o.dues[n-o.base] == settled {
		return 0, false
	}
	return o.dues[n-o.base], true
}

// waits reports whether n waits for an answer.
func (o *window) waits(n int64) bool {
	_, ok := o.due(n)
	return ok
}

// settle takes the answer to n and returns when it was due, or ok false where
// it waits for none.
func (o *window) settle(n int64) (due int64, ok bool) {
	due, ok = o.due(n)
	if !ok {
		return 0, false
	}
	o.open--
	o.dues[n-o.base] = settled
	done := 0
	for done < len(o.dues) && o.dues[done] == settled {
		done++
	}
	o.base += int64(done)
	o.dues = o.dues[done:]
	return due, true
}
