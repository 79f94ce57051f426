package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
)

// A run is one measurement: its connections, and who of them writes or reads history.
type run struct {
	Config
	ctx     context.Context // ends all connections
	fail    context.CancelFunc
	id      int64       // Unix milliseconds of its start
	stamp   string      // id, as it begins the refs of this run
	start   time.Time   // all times of the run count from here
	stopped atomic.Bool // nobody posts or asks any more
	conns   []*conn
	writers []*writer
	readers []*reader
	deaf    []*deaf
	shards  []*shard
	before  usage // of the server, when nobody was connected
}

// runLoad is a run from its beginning to its end.
func runLoad(ctx context.Context, c Config) (Report, error) {
	r, err := newRun(ctx, c)
	if err != nil {
		return Report{}, err
	}
	defer r.close()
	return r.measure(ctx)
}

// newRun gets the accounts and conversations ready and connects everybody.
func newRun(ctx context.Context, c Config) (*run, error) {
	var err error
	if c.People, err = enough(ctx, c); err != nil {
		return nil, err
	}
	before, err := usageOfAll(c.Servers)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	r := &run{Config: c, before: before, id: now.UnixMilli(), stamp: strconv.FormatInt(now.UnixMilli(), 36) + "-", start: now}
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
	if err := r.deafen(); err != nil {
		r.close()
		return nil, err
	}
	for _, p := range r.readers {
		if err := p.known(r.ctx); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

// enough returns the accounts that c needs, new ones where c has none.
func enough(ctx context.Context, c Config) ([]Person, error) {
	switch need := c.people(); {
	case len(c.People) == 0:
		return register(ctx, c.URL, need)
	case len(c.People) < need:
		return nil, fmt.Errorf("the workload needs %d accounts, there are %d", need, len(c.People))
	}
	return c.People, nil
}

// plan makes conns, writers and readers, not yet connected.
func (r *run) plan() error {
	switch r.Workload {
	case Direct:
		for i := range r.Pairs {
			a, b := r.People[2*i], r.People[2*i+1]
			r.addWriter(r.add(a, chat.Direct(a.ID, b.ID), 1), 0)
			r.add(b, chat.Direct(a.ID, b.ID), 1)
		}
	case Fanout:
		group, err := makeGroup(r.ctx, r.URL, r.People[:r.Members+r.Deaf])
		if err != nil {
			return err
		}
		for i, p := range r.People[:r.Members] {
			c := r.add(p, group, r.Senders)
			if i < r.Senders {
				r.addWriter(c, i)
			}
		}
		for _, p := range r.People[r.Members : r.Members+r.Deaf] {
			r.deaf = append(r.deaf, &deaf{run: r, person: p})
		}
	case Idle:
		for i := range r.Members {
			r.add(r.People[i%len(r.People)], "", 0)
		}
	}
	if r.reads() {
		for i := range r.Readers {
			c := r.add(r.People[i%len(r.People)], "", 0)
			c.reader = &reader{conn: c, ready: make(chan struct{}), rand: rand.New(rand.NewPCG(1, uint64(i)))}
			r.readers = append(r.readers, c.reader)
		}
	}
	return nil
}

// add adds a connection of p, which will see what the writers of conv post.
func (r *run) add(p Person, conv chat.ConvID, writers int) *conn {
	c := &conn{
		run: r, person: p, conv: conv, shard: r.shards[len(r.conns)%len(r.shards)], tracks: make([]track, writers),
		welcome: make(chan struct{}), ended: make(chan struct{}),
	}
	r.conns = append(r.conns, c)
	return c
}

// addWriter makes c the writer with this number in its conversation.
func (r *run) addWriter(c *conn, no int) {
	c.writer = &writer{conn: c, no: int64(no)}
	r.writers = append(r.writers, c.writer)
}

// dial connects everybody, several at a time.
func (r *run) dial() error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, r.Dialers)
	for d := range r.Dialers {
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
	return cmp.Or(cmp.Or(errs...), r.ctx.Err())
}

// close ends all connections and waits for their goroutines.
func (r *run) close() {
	r.fail()
	for _, c := range r.conns {
		if c.sock != nil {
			c.sock.close()
			<-c.ended
		}
	}
	for _, d := range r.deaf {
		if d.ended != nil {
			<-d.ended
		}
	}
	for _, w := range r.writers {
		w.again.Wait()
	}
}

// now is the time since the run began, in nanoseconds.
func (r *run) now() int64 { return int64(time.Since(r.start)) }

// measure writes and reads for Duration, waits for what is under way, and reports.
func (r *run) measure(ctx context.Context) (Report, error) {
	rep := Report{
		Workload: r.Workload, Dialect: r.Dialect, Connections: len(r.conns), Writers: len(r.writers),
		ConnectSeconds: time.Since(r.start).Seconds(),
	}
	watch, err := watchServer(ctx, r.Config, r.before)
	if err != nil {
		return rep, err
	}
	stop, cancel := context.WithTimeout(r.ctx, r.Duration)
	defer cancel()
	begin := r.now()
	paced := r.begin(stop)
	<-stop.Done()
	rep.Seconds = time.Duration(r.now() - begin).Seconds()
	watch.stop(&rep, r.counts())
	r.stopped.Store(true)
	r.writeUntil(time.Now().Add(drainTime)) // or a server that is stuck would hold us
	late, err := paced()
	r.writeUntil(time.Time{})
	if err = cmp.Or(err, ctx.Err()); err != nil {
		return rep, err
	}
	rep.Late = ms(int64(late / time.Microsecond))
	r.drain()
	for _, c := range r.conns {
		select {
		case <-c.ended:
			rep.broke(c)
		default:
		}
	}
	r.close() // from here on nobody changes anything
	r.count(&rep)
	return rep, r.refusal()
}

// writeUntil bounds the writes that are under way and to come.
func (r *run) writeUntil(t time.Time) {
	for _, c := range r.conns {
		c.sock.conn.SetWriteDeadline(t) // a broken connection shows at the next read
	}
}

// begin sets everybody to work until stop ends. The returned function waits for
// those who work by the clock and tells how late they were at worst.
func (r *run) begin(stop context.Context) (paced func() (time.Duration, error)) {
	var wg sync.WaitGroup
	var late [2]time.Duration
	var errs [2]error
	if r.Rate > 0 {
		wg.Go(func() { late[0], errs[0] = pace(stop, r.now, r.Rate, r.writers) })
	} else {
		for _, w := range r.writers {
			w.start()
		}
	}
	if r.Pages > 0 {
		wg.Go(func() { late[1], errs[1] = pace(stop, r.now, r.Pages, r.readers) })
	} else {
		for _, p := range r.readers {
			p.start()
		}
	}
	return func() (time.Duration, error) {
		wg.Wait()
		return max(late[0], late[1]), cmp.Or(errs[:]...)
	}
}

// refusal is why the server will never take what somebody asked for, or nil.
func (r *run) refusal() error {
	for _, w := range r.writers {
		if w.err != nil {
			return fmt.Errorf("%s: %w", w.person.Username, w.err)
		}
	}
	for _, p := range r.readers {
		if p.err != nil {
			return fmt.Errorf("%s: %w", p.person.Username, p.err)
		}
	}
	return nil
}

// counts are what has happened until now.
type counts struct{ sent, acked, delivered, asked, pages int64 }

func (r *run) counts() (c counts) {
	for _, w := range r.writers {
		w.mu.Lock()
		c.sent += w.open.given()
		c.acked += w.acked
		w.mu.Unlock()
	}
	for _, p := range r.readers {
		p.mu.Lock()
		c.asked += p.open.given()
		c.pages += p.pages
		p.mu.Unlock()
	}
	for _, o := range r.conns {
		c.delivered += o.delivered.Load()
	}
	return c
}

// drain waits until every post is acknowledged and has come everywhere, and
// every page has come, or nothing has happened for drainTime.
func (r *run) drain() {
	readers := map[chat.ConvID]int64{}
	for _, c := range r.conns {
		readers[c.conv]++
	}
	last, since := counts{}, time.Now()
	for r.ctx.Err() == nil {
		c := r.counts()
		copies := int64(0)
		for _, w := range r.writers {
			w.mu.Lock()
			copies += w.open.given() * readers[w.conv]
			w.mu.Unlock()
		}
		if c.acked >= c.sent && c.delivered >= copies && c.pages >= c.asked {
			return
		}
		if c != last {
			last, since = c, time.Now()
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
		rep.Sent += w.open.given()
		rep.Acknowledged += w.acked
		rep.Unacknowledged += w.open.open
		rep.Refused += w.refusal
		rep.Doubled += w.strange
	}
	for _, p := range r.readers {
		rep.Pages += p.pages
		rep.ShortPages += p.short
		rep.Unanswered += p.open.open
	}
	for _, c := range r.conns {
		rep.Delivered += c.delivered.Load()
		rep.SeqJumps += c.seqJumps
		for _, w := range writers[c.conv] {
			t := &c.tracks[w.no]
			rep.Lost += t.lost(w.open.given(), w.open.waits)
			rep.Doubled += t.doubled
			rep.Reordered += t.reordered(w.resent)
		}
	}
	for _, d := range r.deaf {
		rep.Cut += d.cuts.Load()
		if d.broke.Load() {
			rep.Broken++
		}
	}
	rep.times(r.shards)
}
