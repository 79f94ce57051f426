// Package redis lets several nodes share one Redis: a fan-out, presence, rate
// limits and a cache of recent entries. Nothing here is the truth: with Redis
// away or hanging a node goes on by itself, and no call waits for longer than
// half a second, the first ones only.
//
// All keys and channels begin with one prefix; nothing else is ever touched.
package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// ErrAway says that Redis does not answer at present.
var ErrAway = errors.New("no answer from Redis")

// DefaultPrefix is what keys and channels begin with.
const DefaultPrefix = "kamachat:"

// bound is how long a call may take. One that takes longer counts as lost.
const bound = 500 * time.Millisecond

// While Redis is away it is asked after these pauses, doubled each time.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

// Config is what a Client is built from.
type Config struct {
	// URL is redis://[user:password@]host:port[/db], or rediss:// for TLS; with
	// several hosts those of Sentinels, redis+sentinel://host:port,…/NAME[/db], where
	// NAME is that of the master, or of a cluster, redis+cluster://host:port,….
	// Parameters are those of go-redis.
	URL    string
	Prefix string       // empty: DefaultPrefix
	Log    *slog.Logger // nil: nothing is logged
}

// A Client is this node's connection to Redis, and knows whether Redis answers.
// It is safe for concurrent use.
type Client struct {
	rdb    goredis.UniversalClient
	prefix string
	events string // what channels begin with
	node   string // this process, never used by another
	log    *slog.Logger

	count  counters
	stop   context.CancelFunc
	ended  chan struct{}
	lostCh chan struct{} // tells the keeper that Redis is away; holds one

	mu    sync.Mutex
	away  bool
	since time.Time       // when away began
	epoch int64           // grows each time Redis is back
	backs []chan struct{} // told when Redis is back; each holds one
}

// Open returns a client for c.URL. A Redis that does not answer is no error:
// the client waits for it and says so once in the log. Only a bad URL is.
func Open(ctx context.Context, c Config) (*Client, error) {
	logging.Disable() // what matters is logged here, once and not for each call
	rdb, db, err := dial(c.URL)
	if err != nil {
		return nil, err
	}
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &Client{
		rdb: rdb, prefix: c.Prefix, events: c.Prefix + "events:" + strconv.Itoa(db) + ":", node: rand.Text()[:13], log: c.Log,
		stop: stop, ended: make(chan struct{}), lostCh: make(chan struct{}, 1),
	}
	if err := r.ping(ctx); err != nil {
		r.lost(0, err)
	}
	go r.keep(keeping)
	return r, nil
}

// Close ends the client. Close what uses it first.
func (c *Client) Close() error {
	c.stop()
	<-c.ended
	return c.rdb.Close()
}

// key returns the name of a key, or of a channel.
func (c *Client) key(kind, name string) string { return c.prefix + kind + ":" + name }

// Away reports whether Redis does not answer.
func (c *Client) Away() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

// do makes a call that takes at most bound. While Redis is away it answers
// ErrAway at once, and so it does when the call shows that Redis is.
func (c *Client) do(ctx context.Context, call func(context.Context) error) error {
	c.mu.Lock()
	away, epoch := c.away, c.epoch
	c.mu.Unlock()
	if away {
		return ErrAway
	}
	within, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	err := call(within)
	switch {
	case err == nil || answered(err):
		return err
	case ctx.Err() != nil: // the caller's doing
		return ctx.Err()
	}
	c.lost(epoch, err)
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// answered reports whether err is an answer of Redis.
func answered(err error) bool {
	var reply goredis.Error
	return errors.As(err, &reply)
}

func (c *Client) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	return c.rdb.Ping(ctx).Err()
}

// lost notes that Redis is away, found out by a call begun in epoch.
func (c *Client) lost(epoch int64, err error) {
	c.mu.Lock()
	if c.away || epoch != c.epoch {
		c.mu.Unlock()
		return
	}
	c.away, c.since = true, time.Now()
	c.mu.Unlock()
	c.count.outages.Add(1)
	c.log.Warn("Redis is away; this node goes on by itself", "err", err)
	select {
	case c.lostCh <- struct{}{}:
	default:
	}
}

// keep asks a Redis that is away now and then, so that nobody else has to.
func (c *Client) keep(ctx context.Context) {
	defer close(c.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.lostCh:
		}
		for pause := firstPause; c.Away(); pause = min(2*pause, maxPause) {
			if !sleep(ctx, pause) {
				return
			}
			if c.ping(ctx) == nil {
				c.found()
			}
		}
	}
}

// found notes that Redis is back.
func (c *Client) found() {
	c.mu.Lock()
	away := time.Since(c.since)
	c.away = false
	c.epoch++
	c.mu.Unlock()
	c.log.Warn("Redis is back", "after", away.Round(time.Millisecond))
	c.tellBack()
}

// back returns a channel that tells when Redis is back and may have forgotten everything.
func (c *Client) back() <-chan struct{} {
	ch := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backs = append(c.backs, ch)
	return ch
}

func (c *Client) tellBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.backs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// sleep waits for d and reports false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// counters are what Stats tells, counted since the start.
type counters struct {
	outages, published, dropped, received, unread, repeated, hits, misses, local atomic.Int64
}

// Stats is how the client fares. Counts are since the start.
type Stats struct {
	Away                   bool  // Redis does not answer; nobody asks it but the keeper
	Outages                int64 // times that it was found away
	Published              int64 // events told to other nodes
	Dropped                int64 // events not told to other nodes
	Received               int64 // events of other nodes
	Unread                 int64 // events of other nodes that this build does not understand
	Repeated               int64 // events of other nodes that came by a second channel
	CacheHits, CacheMisses int64 // pages found in the cache, in part or whole, and not
	LimitedLocally         int64 // tries counted on this node alone

	PoolHits, PoolMisses, PoolTimeouts, PoolConns, PoolIdle uint32
	PoolSize                                                int // connections there may be; 0: of a cluster, where it is not known
}

// Stats returns how the client fares.
func (c *Client) Stats() Stats {
	p, n, size := c.rdb.PoolStats(), &c.count, 0
	if one, ok := c.rdb.(*goredis.Client); ok {
		size = one.Options().PoolSize
	}
	return Stats{
		Away: c.Away(), Outages: n.outages.Load(), Published: n.published.Load(), Dropped: n.dropped.Load(),
		Received: n.received.Load(), Unread: n.unread.Load(), Repeated: n.repeated.Load(),
		CacheHits: n.hits.Load(), CacheMisses: n.misses.Load(), LimitedLocally: n.local.Load(),
		PoolHits: p.Hits, PoolMisses: p.Misses, PoolTimeouts: p.Timeouts, PoolConns: p.TotalConns, PoolIdle: p.IdleConns, PoolSize: size,
	}
}
