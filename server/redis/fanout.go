package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/shared/wire"
)

const (
	// maxPayload is where one PUBLISH ends and the next begins, in bytes.
	maxPayload = 256 << 10
	// quiet is how long the subscription may say nothing until it is asked
	// whether it is alive, and how long the answer may take.
	quiet = 5 * time.Second
	// slack is what is told again beyond the time that a node may have missed.
	slack = 5 * time.Second
)

// Local delivers on this node: a fan-out for one process.
type Local interface {
	Publish(ctx context.Context, es ...wire.Event) error
	Run(ctx context.Context, deliver func(wire.Event)) error
}

// A Fanout tells all nodes what happens on this one. This node's own events go
// through its Local alone, in order and whether or not there is a Redis; other
// nodes get them by pub/sub, as well as that works. What they miss they are
// told in short when Redis is back: the last entry of each conversation, from
// which clients see that there is a gap, and who was signed out.
type Fanout struct {
	c     *Client
	local Local
	out   chan []wire.Event
	back  <-chan struct{}
	asked chan time.Duration // other nodes missed what happened in this time
	tails *tails

	mu     sync.Mutex
	failed time.Time // since when events may not have been told; zero: none
}

// NewFanout returns a fan-out that holds at most size batches for Redis. When
// that is full, other nodes are told later.
func NewFanout(c *Client, local Local, size int) *Fanout {
	return &Fanout{c: c, local: local, out: make(chan []wire.Event, size), back: c.back(), asked: make(chan time.Duration, 16), tails: newTails()}
}

// Len is how many batches wait for Redis.
func (f *Fanout) Len() int { return len(f.out) }

// Publish gives es to this node as its Local does, and to the others when they
// can be reached. It never waits for Redis.
func (f *Fanout) Publish(ctx context.Context, es ...wire.Event) error {
	if len(es) == 0 {
		return nil
	}
	if err := f.local.Publish(ctx, es...); err != nil {
		return err
	}
	select {
	case f.out <- es:
	default:
		f.encode(es)
		f.missed(len(es), time.Now())
	}
	return nil
}

// Run delivers this node's events and those of others until ctx ends.
func (f *Fanout) Run(ctx context.Context, deliver func(wire.Event)) error {
	var wg sync.WaitGroup
	wg.Go(func() { f.send(ctx) })
	wg.Go(func() { f.listen(ctx) })
	err := f.local.Run(ctx, deliver)
	wg.Wait()
	return err
}

// A payload is what one PUBLISH carries, as a node reads it. Node comes first.
type payload struct {
	Node   string            `json:"n"`
	Again  bool              `json:"a"` // told before
	Events []json.RawMessage `json:"e"`
	// Missed asks all other nodes to tell again what they told in the last
	// milliseconds: Node was not listening.
	Missed int64 `json:"m"`
}

// head is how this node's payloads begin.
func (f *Fanout) head() string { return `{"n":"` + f.c.node + `"` }

// send tells other nodes what is queued until ctx ends, and then the rest.
func (f *Fanout) send(ctx context.Context) {
	for {
		select {
		case es := <-f.out:
			f.tell(ctx, f.drain(es))
		case <-f.back:
			if since := f.failedSince(); !since.IsZero() {
				f.tellAgain(ctx, since)
			}
		case d := <-f.asked:
			f.tellAgain(ctx, time.Now().Add(-d))
		case <-ctx.Done():
			select {
			case es := <-f.out:
				f.tell(context.WithoutCancel(ctx), f.drain(es))
			default:
			}
			return
		}
	}
}

// drain returns es and what else is queued.
func (f *Fanout) drain(es []wire.Event) []wire.Event {
	for all := es[:len(es):len(es)]; ; {
		select {
		case more := <-f.out:
			all = append(all, more...)
		default:
			return all
		}
	}
}

// encode returns the encodings of es, and remembers what may have to be told again.
func (f *Fanout) encode(es []wire.Event) []json.RawMessage {
	out := make([]json.RawMessage, 0, len(es))
	now := time.Now()
	for _, e := range es {
		p, err := e.Append(nil)
		if err != nil {
			f.c.log.Error("event not told to other nodes", "conv", e.Conv, "err", err)
			continue
		}
		f.tails.keep(e, p, now)
		out = append(out, p)
	}
	return out
}

// tell tells other nodes es. What can't be told is told in short later.
func (f *Fanout) tell(ctx context.Context, es []wire.Event) {
	began := time.Now()
	enc := f.encode(es)
	if err := f.publish(ctx, enc, false); err != nil {
		f.missed(len(enc), began)
		return
	}
	f.c.count.published.Add(int64(len(enc)))
}

// publish sends encoded events in as few messages as their sizes allow.
func (f *Fanout) publish(ctx context.Context, enc []json.RawMessage, again bool) error {
	for len(enc) > 0 {
		n, size := 0, 0
		for n < len(enc) && (n == 0 || size+len(enc[n]) <= maxPayload) {
			size += len(enc[n])
			n++
		}
		b := append(make([]byte, 0, size+n+64), f.head()...)
		b = append(strconv.AppendBool(append(b, `,"a":`...), again), `,"e":[`...)
		for i, e := range enc[:n] {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, e...)
		}
		if err := f.put(ctx, append(b, "]}"...)); err != nil {
			return err
		}
		enc = enc[n:]
	}
	return nil
}

func (f *Fanout) put(ctx context.Context, b []byte) error {
	return f.c.do(ctx, func(ctx context.Context) error { return f.c.rdb.Publish(ctx, f.c.channel(), b).Err() })
}

// missed notes that n events may not have been told since then.
func (f *Fanout) missed(n int, since time.Time) {
	f.c.count.dropped.Add(int64(n))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed.IsZero() || since.Before(f.failed) {
		f.failed = since
	}
}

func (f *Fanout) failedSince() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	since := f.failed
	f.failed = time.Time{}
	return since
}

// tellAgain tells in short what this node published since then.
func (f *Fanout) tellAgain(ctx context.Context, since time.Time) {
	enc := f.tails.since(since.Add(-slack))
	if err := f.publish(ctx, enc, true); err != nil {
		f.missed(0, since)
	}
}

// listen receives what other nodes tell until ctx ends, connecting again as
// often as it takes.
func (f *Fanout) listen(ctx context.Context) {
	heard := time.Now() // nothing was missed until then
	pause := firstPause
	for ctx.Err() == nil {
		before := heard
		if !f.c.Away() {
			_ = f.subscribed(ctx, &heard) // whatever it was, it is tried again
		}
		if heard != before {
			pause = firstPause
		}
		if !sleep(ctx, pause+rand.N(pause)) {
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// subscribed listens on one connection until that breaks. It moves heard to
// when the subscription was last known to be alive.
func (f *Fanout) subscribed(ctx context.Context, heard *time.Time) error {
	ps := f.c.rdb.Subscribe(ctx)
	defer ps.Close()
	defer context.AfterFunc(ctx, func() { _ = ps.Close() })()
	if err := ps.Subscribe(ctx, f.c.channel()); err != nil {
		return err
	}
	if _, err := ps.ReceiveTimeout(ctx, bound); err != nil {
		return err
	}
	// Both sides may have missed something.
	missed := time.Since(*heard)
	if err := f.put(ctx, fmt.Appendf(nil, `%s,"m":%d}`, f.head(), max(1, missed.Milliseconds()))); err != nil {
		return err
	}
	select {
	case f.asked <- missed:
	default:
	}
	f.c.tellBack() // a Redis that was started again has forgotten who is online
	*heard = time.Now()
	for asked := false; ; {
		m, err := ps.ReceiveTimeout(ctx, quiet)
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() && !asked && ctx.Err() == nil {
			if err := ps.Ping(ctx); err != nil {
				return err
			}
			asked = true
			continue
		}
		if err != nil {
			return err
		}
		asked, *heard = false, time.Now()
		if m, ok := m.(*goredis.Message); ok {
			if err := f.receive(ctx, m.Payload); err != nil {
				return err
			}
		}
	}
}

// receive delivers what another node told. An error means that ctx has ended.
func (f *Fanout) receive(ctx context.Context, s string) error {
	if strings.HasPrefix(s, f.head()) {
		return nil // our own, delivered long ago
	}
	var p payload
	if err := json.Unmarshal([]byte(s), &p); err != nil || p.Node == "" {
		f.c.count.unread.Add(1)
		return nil
	}
	if p.Missed > 0 {
		select {
		case f.asked <- time.Duration(p.Missed) * time.Millisecond:
		default: // as many are asked for already
		}
	}
	es := make([]wire.Event, 0, len(p.Events))
	for _, raw := range p.Events {
		e, err := wire.ParseEvent(raw)
		switch {
		case err != nil:
			f.c.count.unread.Add(1)
		case p.Again && f.tails.knows(e):
			f.c.count.repeated.Add(1)
		default:
			f.tails.know(e)
			es = append(es, e)
		}
	}
	f.c.count.received.Add(int64(len(es)))
	if len(es) == 0 {
		return nil
	}
	if err := f.local.Publish(ctx, es...); err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	return nil
}
