package bench

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
)

// dialers is how many connections are made at a time.
const dialers = 64

// A run is one measurement: its connections, and who of them writes.
type run struct {
	Config
	ctx     context.Context // ends all connections
	fail    context.CancelFunc
	id      int64         // Unix milliseconds of its start
	stamp   string        // id, as it begins the refs of this run
	start   time.Time     // all times of the run count from here
	begin   time.Duration // when the writers began
	conns   []*conn
	writers []*writer
	shards  []*shard
}

// newRun gets the accounts and conversations ready and connects everybody.
func newRun(ctx context.Context, c Config) (*run, error) {
	c.URL = strings.TrimRight(c.URL, "/")
	switch need := c.people(); {
	case len(c.People) == 0:
		var err error
		if c.People, err = register(ctx, c.URL, need); err != nil {
			return nil, err
		}
	case len(c.People) < need:
		return nil, fmt.Errorf("the workload needs %d accounts, there are %d", need, len(c.People))
	}
	now := time.Now()
	r := &run{Config: c, id: now.UnixMilli(), stamp: strconv.FormatInt(now.UnixMilli(), 36) + "-", start: now}
	r.ctx, r.fail = context.WithCancel(ctx)
	for range runtime.GOMAXPROCS(0) * 4 {
		r.shards = append(r.shards, newShard())
	}
	if err := r.plan(); err != nil {
		r.fail()
		return nil, err
	}
	if err := r.dial(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// plan makes conns and writers, not yet connected.
func (r *run) plan() error {
	switch r.Workload {
	case Direct:
		for i := range r.Pairs {
			a, b := r.People[2*i], r.People[2*i+1]
			r.add(a, chat.Direct(a.ID, b.ID), 0, 1)
			r.add(b, chat.Direct(a.ID, b.ID), -1, 1)
		}
	case Fanout:
		group, err := makeGroup(r.ctx, r.URL, r.People[:r.Members])
		if err != nil {
			return err
		}
		for i, p := range r.People[:r.Members] {
			no := i
			if i >= r.Senders {
				no = -1
			}
			r.add(p, group, no, r.Senders)
		}
	case Idle:
		for i := range r.Members {
			r.add(r.People[i%len(r.People)], "", -1, 0)
		}
	}
	if r.Rate > 0 {
		for i, w := range r.writers {
			w.step = time.Duration(float64(len(r.writers)) / r.Rate * float64(time.Second))
			w.first = w.step * time.Duration(i) / time.Duration(len(r.writers))
		}
	}
	return nil
}

// add adds a connection of p to conv, which has so many writers. p is the
// writer with number no, or none where no is negative.
func (r *run) add(p Person, conv chat.ConvID, no, writers int) {
	c := &conn{
		run: r, person: p, conv: conv, shard: r.shards[len(r.conns)%len(r.shards)], tracks: make([]track, writers),
		welcome: make(chan struct{}), ended: make(chan struct{}),
	}
	if no >= 0 {
		c.writer = &writer{conn: c, no: int64(no), pending: map[int64]int64{}, slots: make(chan struct{}, r.InFlight)}
		for range r.InFlight {
			c.writer.slots <- struct{}{}
		}
		r.writers = append(r.writers, c.writer)
	}
	r.conns = append(r.conns, c)
}

// dial connects everybody, several at a time.
func (r *run) dial() error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, dialers)
	for d := range dialers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(r.conns)) && r.ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := r.conns[i].dial(r.ctx); err != nil {
					errs[d] = fmt.Errorf("connect %s: %w", r.conns[i].person.Username, err)
					r.fail()
				}
			}
		})
	}
	wg.Wait()
	if err := cmp.Or(errs...); err != nil {
		return err
	}
	return r.ctx.Err()
}

// close ends all connections and waits for their readers.
func (r *run) close() {
	r.fail()
	for _, c := range r.conns {
		if c.ws != nil {
			c.ws.CloseNow()
			<-c.ended
		}
	}
	for _, w := range r.writers {
		w.again.Wait()
	}
}

// now is the time since the run began, in nanoseconds.
func (r *run) now() int64 { return int64(time.Since(r.start)) }

// measure writes for Duration, waits for what is under way, and reports.
func (r *run) measure(ctx context.Context) (Report, error) {
	rep := Report{Workload: r.Workload, Connections: len(r.conns), Writers: len(r.writers), ConnectSeconds: time.Since(r.start).Seconds()}
	r.begin = time.Since(r.start)
	cpu := cpuSeconds()
	stop, cancel := context.WithTimeout(r.ctx, r.Duration)
	defer cancel()
	var wg sync.WaitGroup
	for _, w := range r.writers {
		wg.Go(func() { w.write(r.ctx, stop) })
	}
	<-stop.Done()
	rep.Seconds = (time.Since(r.start) - r.begin).Seconds()
	acked, delivered := r.counts()
	wg.Wait()
	rep.PerSecond, rep.DeliveriesPerSecond = float64(acked)/rep.Seconds, float64(delivered)/rep.Seconds
	if err := ctx.Err(); err != nil {
		return rep, err
	}
	r.drain()
	rep.GeneratorCPU = cpuSeconds() - cpu
	for _, c := range r.conns {
		select {
		case <-c.ended:
			rep.broke(c)
		default:
		}
	}
	for _, w := range r.writers {
		w.mu.Lock()
		err := w.err
		w.mu.Unlock()
		if err != nil {
			return rep, fmt.Errorf("%s: %w", w.person.Username, err)
		}
	}
	r.close() // from here on nobody changes anything
	r.count(&rep)
	return rep, nil
}

// counts returns how many posts are acknowledged and how many copies have come.
func (r *run) counts() (acked, delivered int64) {
	for _, w := range r.writers {
		w.mu.Lock()
		acked += w.acked
		w.mu.Unlock()
	}
	for _, c := range r.conns {
		delivered += c.delivered.Load()
	}
	return acked, delivered
}

// drain waits until every post is acknowledged and has come everywhere, or
// nothing has happened for drainTime.
func (r *run) drain() {
	readers := map[chat.ConvID]int64{}
	for _, c := range r.conns {
		readers[c.conv]++
	}
	last, since := int64(-1), time.Now()
	for r.ctx.Err() == nil {
		var want, sent int64
		for _, w := range r.writers {
			w.mu.Lock()
			sent += w.sent
			want += w.sent * readers[w.conv]
			w.mu.Unlock()
		}
		acked, delivered := r.counts()
		if acked >= sent && delivered >= want {
			return
		}
		if sum := acked + delivered; sum != last {
			last, since = sum, time.Now()
		}
		if time.Since(since) > drainTime || !sleep(r.ctx, 5*time.Millisecond) {
			return
		}
	}
}

// count fills in what was sent and came. All connections have ended.
func (r *run) count(rep *Report) {
	writers := map[chat.ConvID][]*writer{}
	for _, w := range r.writers {
		writers[w.conv] = append(writers[w.conv], w)
		rep.Sent += w.sent
		rep.Acknowledged += w.acked
		rep.Unacknowledged += int64(len(w.pending))
		rep.Refused += w.refusal
		rep.Doubled += w.strange
	}
	for _, c := range r.conns {
		rep.Delivered += c.delivered.Load()
		rep.SeqJumps += c.seqJumps
		for _, w := range writers[c.conv] {
			t := &c.tracks[w.no]
			rep.Lost += t.lost(w.sent, w.pending)
			rep.Doubled += t.doubled
			rep.Reordered += t.reordered
		}
	}
	rep.Ack, rep.Delivery = latencies(r.shards)
}
