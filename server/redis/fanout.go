package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/shared/wire"
)

// maxPayload is where one PUBLISH ends and the next begins, in bytes.
const maxPayload = 256 << 10

// maxChannels is to how many channels an event is told. One that would go to
// more goes to the one that all nodes listen to: that costs them less.
const maxChannels = 8

// Local delivers on this node: a fan-out for one process.
type Local interface {
	Publish(ctx context.Context, es ...wire.Event) error
	Run(ctx context.Context, deliver func(wire.Event)) error
}

// A Fanout tells nodes what happens on others. This node's own events go through
// its Local alone, in order and whether or not there is a Redis; other nodes get
// them by pub/sub, as well as that works. There is a channel for each person and
// each group, and a node listens to those that it was asked to Hear.
//
// What is lost is lost: Losses says that something is or may have been, and the
// database has it.
type Fanout struct {
	c     *Client
	local Local
	out   chan []wire.Event
	back  <-chan struct{}
	ears  *ears
	twice windows
	next  uint64 // the next event's number; of send alone

	lost   atomic.Int64 // times that events of others may have been lost
	untold atomic.Bool  // others do not know yet that they were not told something
}

// NewFanout returns a fan-out that holds at most size batches for Redis. When
// that is full, other nodes are not told.
func NewFanout(c *Client, local Local, size int) *Fanout {
	f := &Fanout{c: c, local: local, out: make(chan []wire.Event, size), back: c.back()}
	f.ears = newEars(c, f.receive, func() { f.lost.Add(1) })
	return f
}

// Len is how many batches wait for Redis.
func (f *Fanout) Len() int { return len(f.out) }

// Losses reports whether events of other nodes do not come just now, and how
// often they began not to, or others said that they had not told some.
func (f *Fanout) Losses() (now bool, times int64) {
	return f.c.Away() || !f.ears.all(), f.lost.Load()
}

// Hear asks for what other nodes tell people and groups, by their ids, and
// returns when all that is told from now on comes: after half a second at most,
// and at once while Redis is away. Asked for twice, it is given up by Unhear twice.
func (f *Fanout) Hear(ctx context.Context, ids ...string) { f.ears.hear(ctx, true, ids) }

// HearSoon is Hear that does not wait. When it is heard it counts as a loss:
// something may have been told before.
func (f *Fanout) HearSoon(ids ...string) { f.ears.hear(context.Background(), false, ids) }

// Unhear gives up what was asked for.
func (f *Fanout) Unhear(ids ...string) { f.ears.unhear(ids) }

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
		f.missed(len(es))
	}
	return nil
}

// Run delivers this node's events and those of others until ctx ends.
func (f *Fanout) Run(ctx context.Context, deliver func(wire.Event)) error {
	var wg sync.WaitGroup
	wg.Go(func() { f.send(ctx) })
	wg.Go(func() { f.ears.listen(ctx) })
	err := f.local.Run(ctx, deliver)
	wg.Wait()
	return err
}

// send tells other nodes what is queued until ctx ends, and then the rest.
func (f *Fanout) send(ctx context.Context) {
	for {
		select {
		case es := <-f.out:
			f.tell(ctx, f.drain(es))
		case <-f.back:
			f.tell(ctx, nil)
		case <-ctx.Done():
			for {
				select {
				case es := <-f.out:
					f.tell(context.WithoutCancel(ctx), f.drain(es))
				default:
					return
				}
			}
		}
	}
}

// drain returns es and what else is queued, up to a quarter of what a window holds.
func (f *Fanout) drain(es []wire.Event) []wire.Event {
	all := es[:len(es):len(es)]
	for len(all) < windowBits/4 {
		select {
		case more := <-f.out:
			all = append(all, more...)
		default:
			return all
		}
	}
	return all
}

// channelsOf are the ids to whose channels e goes; none: to that of all.
func channelsOf(e wire.Event) []string {
	var ids []string
	switch x, y, direct := e.Conv.Pair(); {
	case len(e.To) > maxChannels && e.Conv.IsGroup():
		return []string{string(e.Conv)}
	case len(e.To) > maxChannels:
		return nil
	case len(e.To) > 0:
		for _, u := range e.To {
			ids = append(ids, string(u))
		}
	case e.Conv.IsGroup():
		ids = append(ids, string(e.Conv))
		if p, ok := e.Frame.Body.(wire.Posted); ok && p.Content.Event != nil {
			// Nodes of who is new do not listen to the group yet.
			if len(p.Content.Event.Who) >= maxChannels {
				return nil
			}
			for _, u := range p.Content.Event.Who {
				ids = append(ids, string(u))
			}
		}
	case direct && x == y:
		ids = append(ids, string(x))
	case direct:
		ids = append(ids, string(x), string(y))
	}
	return ids
}

// A payload is what one PUBLISH carries: a line with the name of the node, and
// one for each event, of its number, or none where it goes to one channel, and
// its encoding. An empty one says that the node has not told something.
type payloads struct {
	order []string // channels
	of    map[string][]byte
	done  []message
	head  string
}

type message struct {
	channel string
	payload []byte
}

// add puts an event into what channel is told.
func (p *payloads) add(channel string, number uint64, enc []byte) {
	b := p.of[channel]
	switch {
	case b == nil:
		p.order = append(p.order, channel)
		b = append(make([]byte, 0, len(p.head)+len(enc)+24), p.head...)
	case len(b)+len(enc) > maxPayload:
		p.done = append(p.done, message{channel, b})
		b = append(make([]byte, 0, len(p.head)+len(enc)+24), p.head...)
	}
	b = append(b, '\n')
	if number > 0 {
		b = strconv.AppendUint(b, number, 10)
	}
	p.of[channel] = append(append(b, ' '), enc...)
}

// all returns the messages, in order for each channel.
func (p *payloads) all() []message {
	for _, c := range p.order {
		p.done = append(p.done, message{c, p.of[c]})
	}
	return p.done
}

// tell tells other nodes es. What can't be told they hear was missing, later.
func (f *Fanout) tell(ctx context.Context, es []wire.Event) {
	p := payloads{of: map[string][]byte{}, head: f.c.node}
	if f.untold.Swap(false) {
		p.add(f.c.channel(everybody), 0, nil)
	}
	n := 0
	var enc []byte
	for _, e := range es {
		var err error
		if enc, err = e.Append(enc[:0]); err != nil {
			f.c.log.Error("event not told to other nodes", "conv", e.Conv, "err", err)
			continue
		}
		n++
		ids := channelsOf(e)
		if len(ids) < 2 {
			if len(ids) == 0 {
				ids = []string{everybody}
			}
			p.add(f.c.channel(ids[0]), 0, enc)
			continue
		}
		f.next++
		for _, id := range ids {
			p.add(f.c.channel(id), f.next, enc)
		}
	}
	if err := f.put(ctx, p.all()); err != nil {
		f.missed(n)
		return
	}
	f.c.count.published.Add(int64(n))
}

// put publishes ms, in as few pipelines as is good for them.
func (f *Fanout) put(ctx context.Context, ms []message) error {
	for len(ms) > 0 {
		n, size := 0, 0
		for n < len(ms) && n < pipeline && (n == 0 || size+len(ms[n].payload) <= 4*maxPayload) {
			size += len(ms[n].payload)
			n++
		}
		err := f.c.do(ctx, func(ctx context.Context) error {
			_, err := f.c.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
				for _, m := range ms[:n] {
					if f.ears.sharded.Load() {
						p.SPublish(ctx, m.channel, m.payload)
					} else {
						p.Publish(ctx, m.channel, m.payload)
					}
				}
				return nil
			})
			return err
		})
		if err != nil {
			return err
		}
		ms = ms[n:]
	}
	return nil
}

// missed notes that n events were not told.
func (f *Fanout) missed(n int) {
	f.c.count.dropped.Add(int64(n))
	f.untold.Store(true)
}

// receive delivers what another node told. An error means that ctx has ended.
func (f *Fanout) receive(ctx context.Context, s string) error {
	node, rest, ok := strings.Cut(s, "\n")
	switch {
	case node == f.c.node:
		return nil // our own, delivered long ago
	case !ok || node == "" || len(node) > 64:
		f.c.count.unread.Add(1)
		return nil
	}
	es := make([]wire.Event, 0, strings.Count(rest, "\n")+1)
	for line := range strings.SplitSeq(rest, "\n") {
		number, enc, _ := strings.Cut(line, " ")
		if enc == "" && number == "" {
			f.lost.Add(1)
			continue
		}
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && f.twice.seen(node, n) {
			f.c.count.repeated.Add(1)
			continue
		}
		e, err := wire.ParseEvent([]byte(enc))
		if err != nil {
			f.c.count.unread.Add(1)
			continue
		}
		es = append(es, e)
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

// windows remember which numbers of each node were heard of late: an event for
// two people comes by the channels of both.
type windows struct {
	mu sync.Mutex
	of map[string]*window
}

const (
	windowBits = 4096
	maxWindows = 64 // nodes; one that starts again is another
)

type window struct {
	top  uint64
	bits [windowBits / 64]uint64
	at   time.Time
}

// seen notes a number and reports whether it was noted before.
func (w *windows) seen(node string, n uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]*window{}
	}
	o := w.of[node]
	if o == nil {
		if len(w.of) >= maxWindows {
			oldest := node
			for k, v := range w.of {
				if oldest == node || v.at.Before(w.of[oldest].at) {
					oldest = k
				}
			}
			delete(w.of, oldest)
		}
		o = &window{top: n}
		w.of[node] = o
	}
	o.at = time.Now()
	switch {
	case n > o.top+windowBits:
		o.bits = [windowBits / 64]uint64{}
		o.top = n
	case n+windowBits <= o.top:
		return false // long ago: a reader can bear it twice
	}
	for ; o.top < n; o.top++ {
		at := (o.top + 1) % windowBits
		o.bits[at/64] &^= 1 << (at % 64)
	}
	at := n % windowBits
	was := o.bits[at/64]>>(at%64)&1 == 1
	o.bits[at/64] |= 1 << (at % 64)
	return was
}
