package bench

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// pageSize is how many entries are asked for at a time, what a browser asks for.
const pageSize = 50

// A reader reads pages of history anywhere in the conversations of its person.
type reader struct {
	*conn
	ready chan struct{} // closed when convs are all

	mu    sync.Mutex // the connection's goroutine takes it under shard.mu
	convs []chat.Summary
	ends  []int64 // ends[i] is how many entries convs[:i+1] have together
	rand  *rand.Rand
	open  window
	want  []int // entries that the answers to open's numbers should have
	room  int   // closed loop: how many more questions may be in flight
	out   []byte
	pages int64
	short int64 // pages with another number of entries than there are
	err   error
}

// listed learns which conversations there are, and asks for more of the list.
func (r *reader) listed(convs []chat.Summary, next string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := int64(0)
	if n := len(r.ends); n > 0 {
		total = r.ends[n-1]
	}
	for _, s := range convs {
		if s.LastSeq > 0 {
			total += s.LastSeq
			r.convs, r.ends = append(r.convs, s), append(r.ends, total)
		}
	}
	if next == "" {
		close(r.ready)
		return
	}
	p, _, err := wire.V1.Append(nil, wire.Frame{Ref: "list", Body: wire.List{After: next}})
	if err == nil {
		r.out = appendFrame(r.out, opText, p)
	}
}

// known waits until the whole list is there.
func (r *reader) known(ctx context.Context) error {
	var ended error
	select {
	case <-r.ready:
	case <-r.ended:
		ended = r.conn.err
	case <-ctx.Done():
		ended = ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := cmp.Or(r.err, ended); err != nil {
		return err
	}
	if len(r.convs) == 0 {
		return fmt.Errorf("%s has no history to read", r.person.Username)
	}
	return nil
}

// start asks as much as may be in flight.
func (r *reader) start() {
	r.mu.Lock()
	r.room = r.run.InFlight
	r.mu.Unlock()
	r.flush() // the connection's goroutine tells of an error
}

func (r *reader) askAt(due int64) {
	r.mu.Lock()
	r.askLocked(due)
	r.mu.Unlock()
	r.flush() // the connection's goroutine tells of an error
}

// askLocked asks for the page before an entry anywhere: every entry of all
// conversations is as likely as any other.
func (r *reader) askLocked(due int64) {
	at := r.rand.Int64N(r.ends[len(r.ends)-1])
	i := 0
	for lo, hi := 0, len(r.ends)-1; ; {
		if i = (lo + hi) / 2; lo >= hi {
			break
		}
		if r.ends[i] > at {
			hi = i
		} else {
			lo = i + 1
		}
	}
	before := r.ends[i] - at + 1 // 2 to last seq + 1
	r.want = append(r.want, int(min(before-1, pageSize)))
	p, _, err := wire.V1.Append(nil, wire.Frame{
		Ref:  string(appendRef(nil, r.run.stamp, r.open.add(due), r.person.ID)),
		Body: wire.Before{Conv: r.convs[i].Conv, Seq: before, Limit: pageSize},
	})
	if err == nil {
		r.out = appendFrame(r.out, opText, p)
	}
}

func (r *reader) flush() error {
	r.mu.Lock()
	if !r.run.stopped.Load() {
		for ; r.room > 0; r.room-- {
			r.askLocked(r.run.now())
		}
	}
	p := r.out
	r.out = nil
	r.mu.Unlock()
	if len(p) == 0 {
		return nil
	}
	return r.sock.write(p)
}

var historyStart = []byte(`{"k":"history","r":"`)

// takeLocked takes a message that is one page, which needs no decoding to be
// counted, or returns false. The shard is locked.
func (r *reader) takeLocked(msg []byte) bool {
	rest, ok := bytes.CutPrefix(msg, historyStart)
	if !ok {
		return false
	}
	ref, body, _ := bytes.Cut(rest, []byte{'"'})
	r.gotLocked(ref, bytes.Count(body, seqStart))
	return true
}

// gotLocked counts a page of so many entries. The shard is locked.
func (r *reader) gotLocked(ref []byte, entries int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := numberOf(ref, r.run.stamp)
	base := r.open.base
	due, waits := r.open.settle(n)
	if !ok || !waits {
		return
	}
	if entries != r.want[n-base] {
		r.short++
	}
	r.want = r.want[r.open.base-base:]
	r.pages++
	if r.run.Pages == 0 {
		r.room++
	}
	record(r.shard.pages, r.now-due)
}

// refused ends the run: history is not refused for a while.
func (r *reader) refused(b wire.Refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = fmt.Errorf("history refused: %s: %s", b.Code, b.Words)
	r.run.fail()
}
