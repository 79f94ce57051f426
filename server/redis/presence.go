package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/shared/chat"
)

// PresenceTTL is how long a node that died still counts. Nodes tell the time
// themselves: clocks that are some seconds apart shift it by as much.
const PresenceTTL = 90 * time.Second

// seenFor is how long it is remembered when somebody was last seen.
const seenFor = 90 * 24 * time.Hour

// pipeline is how many people one pipeline writes or asks for.
const pipeline = 500

// A Presence knows who is online on any node. Per person Redis holds a sorted
// set of the nodes that the person is on, each with the Unix milliseconds at
// which it is gone unless told again; this node tells those of all its people
// in batches, every third of the TTL. One more sorted set holds when each person
// was last seen.
//
// While Redis is away it remembers what to tell, and Online answers an error
// with those who are on this node.
type Presence struct {
	c    *Client
	set  string // what the keys of its sorted sets begin with
	ttl  time.Duration
	back <-chan struct{}
	wake chan struct{} // holds one
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	here  map[chat.UserID]map[string]struct{} // sessions on this node
	dirty map[chat.UserID]int64               // may differ in Redis; when last seen, in Unix milliseconds
	round chan struct{}                       // closed when all that is dirty now has been tried
}

// NewPresence returns a presence with nobody on this node. Close ends it. ttl 0
// means PresenceTTL.
func NewPresence(c *Client, ttl time.Duration) *Presence { return newPresence(c, "on", ttl) }

// NewLooking returns a presence of its own beside that of NewPresence, for those
// whose session is before their eyes. It does not remember when they were seen.
func NewLooking(c *Client, ttl time.Duration) *Presence { return newPresence(c, looking, ttl) }

const looking = "look"

func newPresence(c *Client, set string, ttl time.Duration) *Presence {
	if ttl == 0 {
		ttl = PresenceTTL
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Presence{
		c: c, set: set, ttl: ttl, back: c.back(), wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
		here: map[chat.UserID]map[string]struct{}{}, dirty: map[chat.UserID]int64{}, round: make(chan struct{}),
	}
	go p.run(ctx)
	return p
}

// Close takes this node's people out of Redis, if it answers.
func (p *Presence) Close() {
	p.stop()
	<-p.done
}

// Touch says that a session of u is alive, until Leave. Nil means that other
// nodes know, or will once Redis is back.
func (p *Presence) Touch(ctx context.Context, u chat.UserID, session string) error {
	p.mu.Lock()
	of := p.here[u]
	if of == nil {
		of = map[string]struct{}{}
		p.here[u] = of
	}
	of[session] = struct{}{}
	if len(of) > 1 {
		p.mu.Unlock()
		return nil // the person was here already
	}
	return p.tellUnlock(ctx, u)
}

// Leave says that a session of u has ended. Nil means what it does in Touch.
func (p *Presence) Leave(ctx context.Context, u chat.UserID, session string) error {
	p.mu.Lock()
	of := p.here[u]
	if _, was := of[session]; !was {
		p.mu.Unlock()
		return nil
	}
	if delete(of, session); len(of) > 0 {
		p.mu.Unlock()
		return nil
	}
	delete(p.here, u)
	return p.tellUnlock(ctx, u)
}

// tellUnlock has u told to Redis, unlocks mu and waits until that was tried.
func (p *Presence) tellUnlock(ctx context.Context, u chat.UserID) error {
	p.dirty[u] = time.Now().UnixMilli()
	round := p.round
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	if p.c.Away() {
		return nil
	}
	select {
	case <-round:
		return nil
	case <-p.done: // closed meanwhile
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run tells Redis what changes, all of it now and then, and at the end that
// nobody is here any more.
func (p *Presence) run(ctx context.Context) {
	defer close(p.done)
	t := time.NewTicker(p.ttl / 3)
	defer t.Stop()
	for {
		select {
		case <-p.wake:
		case <-p.back:
			p.soil(false)
		case <-t.C:
			p.soil(false)
		case <-ctx.Done():
			p.soil(true)
			p.flush(context.WithoutCancel(ctx))
			return
		}
		p.flush(ctx)
	}
}

// soil has everybody on this node told again, as gone where that is so.
func (p *Presence) soil(gone bool) {
	now := time.Now().UnixMilli()
	p.mu.Lock()
	defer p.mu.Unlock()
	for u := range p.here {
		p.dirty[u] = now
	}
	if gone {
		clear(p.here)
	}
}

// A change is what to tell about one person.
type change struct {
	user chat.UserID
	here bool
	seen int64 // Unix milliseconds
}

// Len is of how many people Redis is still to be told that they came, went or are
// here: at most of all who have had a session on this node since it was last told.
func (p *Presence) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dirty)
}

// flush tells what is dirty. What can't be told stays dirty.
func (p *Presence) flush(ctx context.Context) {
	p.mu.Lock()
	cs := make([]change, 0, len(p.dirty))
	for u, seen := range p.dirty {
		cs = append(cs, change{u, len(p.here[u]) > 0, seen})
	}
	clear(p.dirty)
	round := p.round
	p.round = make(chan struct{})
	p.mu.Unlock()
	defer close(round)
	for part := range slices.Chunk(cs, pipeline) {
		if err := p.write(ctx, part); err != nil {
			p.mu.Lock()
			for _, c := range part {
				p.dirty[c.user] = max(p.dirty[c.user], c.seen)
			}
			p.mu.Unlock()
			if !errors.Is(err, ErrAway) && ctx.Err() == nil {
				p.c.log.Warn("presence not told, will be tried again", "people", len(part), "err", err)
			}
		}
	}
}

// write tells Redis about cs in one pipeline.
func (p *Presence) write(ctx context.Context, cs []change) error {
	return p.c.do(ctx, func(ctx context.Context) error {
		now := time.Now()
		_, err := p.c.rdb.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
			seen := goredis.ZAddArgs{GT: true} // what was remembered for long may be older
			for _, c := range cs {
				seen.Members = append(seen.Members, goredis.Z{Score: float64(c.seen), Member: string(c.user)})
				key := p.c.key(p.set, string(c.user))
				if !c.here {
					pipe.ZRem(ctx, key, p.c.node)
					continue
				}
				pipe.ZAdd(ctx, key, goredis.Z{Score: float64(now.Add(p.ttl).UnixMilli()), Member: p.c.node})
				pipe.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(now.UnixMilli(), 10)) // nodes that died
				pipe.PExpire(ctx, key, p.ttl)
			}
			if p.set == looking {
				return nil
			}
			key := p.c.key("seen", "all")
			pipe.ZAddArgs(ctx, key, seen)
			pipe.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(now.Add(-seenFor).UnixMilli(), 10))
			pipe.PExpire(ctx, key, seenFor)
			return nil
		})
		return err
	})
}

// Known reports whether it is known who is on other nodes: not while Redis is away.
func (p *Presence) Known() bool { return !p.c.Away() }

// Online tells who of us has a session on any node. After an error it still
// tells who has one on this node; nothing is known of the others.
func (p *Presence) Online(ctx context.Context, us ...chat.UserID) (map[chat.UserID]bool, error) {
	on := map[chat.UserID]bool{}
	rest := p.split(us, func(u chat.UserID) { on[u] = true })
	after := "(" + strconv.FormatInt(time.Now().UnixMilli(), 10)
	if len(rest) == 0 {
		return on, nil
	}
	err := p.c.do(ctx, func(ctx context.Context) error {
		for part := range slices.Chunk(rest, pipeline) {
			pipe := p.c.rdb.Pipeline()
			nodes := make([]*goredis.StringSliceCmd, len(part))
			for i, u := range part {
				nodes[i] = pipe.ZRangeByScore(ctx, p.c.key(p.set, string(u)), &goredis.ZRangeBy{Min: after, Max: "+inf"})
			}
			if _, err := pipe.Exec(ctx); err != nil {
				return err
			}
			for i, u := range part {
				// This node knows better whether the person is still here.
				if slices.ContainsFunc(nodes[i].Val(), func(n string) bool { return n != p.c.node }) {
					on[u] = true
				}
			}
		}
		return nil
	})
	return on, err
}

// LastSeen tells when those of us who were ever online were last, in Unix
// milliseconds: now for those who are on this node, to half a minute for those
// on others. After an error it knows only the former.
func (p *Presence) LastSeen(ctx context.Context, us ...chat.UserID) (map[chat.UserID]int64, error) {
	seen, now := map[chat.UserID]int64{}, time.Now().UnixMilli()
	rest := p.split(us, func(u chat.UserID) { seen[u] = now })
	if len(rest) == 0 {
		return seen, nil
	}
	names := make([]string, len(rest))
	for i, u := range rest {
		names[i] = string(u)
	}
	var at []float64
	err := p.c.do(ctx, func(ctx context.Context) (err error) {
		at, err = p.c.rdb.ZMScore(ctx, p.c.key("seen", "all"), names...).Result()
		return err
	})
	for i, ms := range at {
		if ms > 0 { // 0: never
			seen[rest[i]] = int64(ms)
		}
	}
	return seen, err
}

// split calls here for each of us who is on this node, and returns the others.
func (p *Presence) split(us []chat.UserID, here func(chat.UserID)) []chat.UserID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []chat.UserID
	for _, u := range us {
		if len(p.here[u]) > 0 {
			here(u)
		} else {
			rest = append(rest, u)
		}
	}
	return rest
}
