package redis

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// everybody names the channel that all nodes listen to.
	everybody = "all"
	// maxEars is how many channels a node listens to. What more are asked for is
	// not heard, which counts as a loss that lasts.
	maxEars = 500_000
	// buckets is into how many slots channels are spread in a Redis Cluster, where
	// a connection listens to channels of one slot.
	buckets = 16
	// quiet is how long a subscription may say nothing until it is asked whether
	// it is alive, and how long the answer may take.
	quiet = 5 * time.Second
	// subscribeAtOnce is how many channels one command names.
	subscribeAtOnce = 500
)

// channel returns the name of a channel of this installation. Channels, unlike
// keys, are shared by all databases of a Redis. In a cluster the part in braces
// says on which of its nodes a channel is.
func (c *Client) channel(id string) string {
	if !c.clustered() {
		return c.events + id
	}
	return fmt.Sprintf("%s{%02d}:%s", c.events, bucketOf(id), id)
}

func bucketOf(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % buckets)
}

// clustered reports whether Redis is a cluster.
func (c *Client) clustered() bool {
	_, is := c.rdb.(*goredis.ClusterClient)
	return is
}

// ears are the channels that this node listens to, on one connection, or in a
// cluster on one for each bucket.
type ears struct {
	c       *Client
	hears   func(context.Context, string) error // given each payload
	lost    func()                              // told when something may have been lost
	sharded atomic.Bool                         // the server has sharded pub/sub
	sides   []*side
	n       atomic.Int64 // channels asked for
}

// A side is one connection and its channels.
type side struct {
	e     *ears
	wake  chan struct{} // something is dirty; holds one
	ready atomic.Bool   // all that was asked for when it connected is heard

	mu    sync.Mutex
	of    map[string]*ear
	dirty map[string]struct{} // to be asked for, or given up
	open  int                 // of the first ones since it connected, not yet heard
}

// An ear is one channel. One command at a time is under way for it.
type ear struct {
	asks  int // how often it was asked for
	state earState
	first bool          // it is one of those counted in open
	late  bool          // something may be told before it is heard
	heard chan struct{} // closed when it is; made by who waits
}

type earState int

const (
	deaf    earState = iota
	asked            // the server is to confirm that it listens
	hearing          // it does
	leaving          // it is to confirm that it does no longer
)

func newEars(c *Client, hears func(context.Context, string) error, lost func()) *ears {
	e := &ears{c: c, hears: hears, lost: lost}
	n := 1
	if c.clustered() {
		n = buckets
	}
	for range n {
		e.sides = append(e.sides, &side{e: e, wake: make(chan struct{}, 1), of: map[string]*ear{}, dirty: map[string]struct{}{}})
	}
	e.hear(context.Background(), false, []string{everybody})
	return e
}

func (e *ears) sideOf(id string) *side {
	if len(e.sides) == 1 {
		return e.sides[0]
	}
	return e.sides[bucketOf(id)]
}

// all reports whether all that was asked for is heard, but for what was asked
// for a moment ago.
func (e *ears) all() bool {
	if e.n.Load() > maxEars {
		return false
	}
	for _, s := range e.sides {
		if !s.ready.Load() {
			return false
		}
	}
	return true
}

// hear asks for ids, and may wait until they are heard.
func (e *ears) hear(ctx context.Context, wait bool, ids []string) {
	var waits []chan struct{}
	for _, id := range ids {
		if heard := e.sideOf(id).ask(e.c.channel(id), wait); heard != nil {
			waits = append(waits, heard)
		}
	}
	if len(waits) == 0 || e.c.Away() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for _, heard := range waits {
		select {
		case <-heard:
		case <-ctx.Done():
			for _, id := range ids {
				e.sideOf(id).tooLate(e.c.channel(id))
			}
			return
		}
	}
}

// ask asks for a channel once more. What it returns is closed when it is heard;
// nil: it is, or is not waited for.
func (s *side) ask(channel string, wait bool) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.of[channel]
	if o == nil {
		if s.e.n.Add(1) > maxEars {
			return nil // unhear finds none, and counts it all the same
		}
		o = &ear{}
		s.of[channel] = o
	}
	o.asks++
	if o.state == hearing {
		return nil
	}
	s.soilLocked(channel)
	if !wait {
		o.late = true
		return nil
	}
	if o.heard == nil {
		o.heard = make(chan struct{})
	}
	return o.heard
}

// tooLate notes that nobody waits any longer until a channel is heard.
func (s *side) tooLate(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.of[channel]; o != nil && o.state != hearing {
		o.late = true
	}
}

func (s *side) soilLocked(channel string) {
	s.dirty[channel] = struct{}{}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (e *ears) unhear(ids []string) {
	for _, id := range ids {
		s, channel := e.sideOf(id), e.c.channel(id)
		s.mu.Lock()
		if o := s.of[channel]; o == nil {
			e.n.Add(-1)
		} else if o.asks--; o.asks <= 0 {
			s.soilLocked(channel)
		}
		s.mu.Unlock()
	}
}

// listen receives what other nodes tell until ctx ends, connecting again as
// often as it takes.
func (e *ears) listen(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range e.sides {
		wg.Go(func() { s.listen(ctx) })
	}
	wg.Wait()
}

func (s *side) listen(ctx context.Context) {
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		if !s.e.c.Away() {
			began := time.Now()
			err := s.connected(ctx)
			if s.ready.Swap(false) {
				s.e.lost()
			}
			if err != nil && ctx.Err() == nil {
				s.e.c.log.Info("what other nodes tell is not heard, will be tried again", "err", err)
			}
			if time.Since(began) > quiet {
				pause = firstPause
			}
		}
		if !sleep(ctx, pause+rand.N(pause)) {
			return
		}
	}
}

// connected listens on one connection until that breaks.
func (s *side) connected(ctx context.Context) error {
	sharded, err := s.e.c.hasSharded(ctx)
	if err != nil {
		return err
	}
	s.e.sharded.Store(sharded)
	ps := s.e.c.rdb.Subscribe(ctx)
	defer ps.Close()
	defer context.AfterFunc(ctx, func() { _ = ps.Close() })()
	over, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer end()
	if !s.begin() {
		s.ready.Store(true) // there is nothing to hear, on whichever server
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			s.begin()
		}
	}
	if err := s.askFor(over, ps, sharded); err != nil {
		return err
	}
	wg.Go(func() {
		defer ps.Close() // a connection that can't be asked is of no use
		for {
			select {
			case <-over.Done():
				return
			case <-s.wake:
				if s.askFor(over, ps, sharded) != nil {
					return
				}
			}
		}
	})
	return s.receive(ctx, ps)
}

// begin has everything asked for on a new connection, and reports whether that is anything.
func (s *side) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.dirty)
	s.open = 0
	for channel, o := range s.of {
		o.state, o.first = deaf, o.asks > 0
		if o.first {
			s.open++
		}
		s.dirty[channel] = struct{}{}
	}
	s.ready.Store(false)
	return s.open > 0
}

// askFor subscribes to what was asked for and ends what was given up.
func (s *side) askFor(ctx context.Context, ps *goredis.PubSub, sharded bool) error {
	for {
		on, off := s.changes()
		if len(on)+len(off) == 0 {
			return nil
		}
		subscribe, unsubscribe := ps.Subscribe, ps.Unsubscribe
		if sharded {
			subscribe, unsubscribe = ps.SSubscribe, ps.SUnsubscribe
		}
		within, cancel := context.WithTimeout(ctx, bound)
		var err error
		if len(on) > 0 {
			err = subscribe(within, on...)
		}
		if len(off) > 0 && err == nil {
			err = unsubscribe(within, off...)
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

// changes takes some of what is dirty.
func (s *side) changes() (on, off []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for channel := range s.dirty {
		if len(on)+len(off) == subscribeAtOnce {
			break
		}
		delete(s.dirty, channel)
		o := s.of[channel]
		switch {
		case o == nil:
		case o.state == deaf && o.asks > 0:
			o.state = asked
			on = append(on, channel)
		case o.state == deaf:
			s.dropLocked(channel, o)
		case o.state == hearing && o.asks <= 0:
			o.state = leaving
			off = append(off, channel)
		}
	}
	return on, off
}

// dropLocked forgets a channel that is not heard.
func (s *side) dropLocked(channel string, o *ear) {
	s.openedLocked(o)
	delete(s.of, channel)
	s.e.n.Add(-1)
}

// openedLocked counts one less that is not heard since the connection began.
func (s *side) openedLocked(o *ear) {
	if !o.first {
		return
	}
	o.first = false
	if s.open--; s.open == 0 {
		s.ready.Store(true)
		s.e.lost()       // what was told before this connection was not heard
		s.e.c.tellBack() // a Redis that was started again has forgotten who is online
	}
}

// told acts on what the server says about a channel. An error ends the connection.
func (s *side) told(m *goredis.Subscription) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.of[m.Channel]
	switch {
	case o == nil:
	case !strings.HasSuffix(m.Kind, "unsubscribe"):
		s.confirmedLocked(m.Channel, o)
	case o.state != leaving:
		return fmt.Errorf("the server ended %s", m.Channel) // a cluster moves its slots
	case o.asks > 0:
		o.state = deaf
		s.soilLocked(m.Channel)
	default:
		s.dropLocked(m.Channel, o)
	}
	return nil
}

func (s *side) confirmedLocked(channel string, o *ear) {
	o.state = hearing
	if o.heard != nil {
		close(o.heard)
		o.heard = nil
	}
	if o.late && !o.first {
		s.e.lost()
	}
	o.late = false
	s.openedLocked(o)
	if o.asks <= 0 {
		s.soilLocked(channel)
	}
}

// receive takes what comes on a connection until that breaks.
func (s *side) receive(ctx context.Context, ps *goredis.PubSub) error {
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
		asked = false
		switch m := m.(type) {
		case *goredis.Message:
			if err := s.e.hears(ctx, m.Payload); err != nil {
				return err
			}
		case *goredis.Subscription:
			if err := s.told(m); err != nil {
				return err
			}
		}
	}
}

// hasSharded reports whether the server has sharded pub/sub, as from version 7 on.
func (c *Client) hasSharded(ctx context.Context) (has bool, err error) {
	err = c.do(ctx, func(ctx context.Context) error {
		v, err := c.rdb.Do(ctx, "COMMAND", "INFO", "SPUBLISH").Slice()
		has = len(v) == 1 && v[0] != nil
		return err
	})
	return has, err
}
