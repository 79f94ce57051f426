package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/server/inproc"
	"kamachat/server/redis"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A listener runs a fan-out and remembers what it delivers.
type listener struct {
	*redis.Fanout
	c   *redis.Client
	log *lines

	mu  sync.Mutex
	got []wire.Event
}

func listen(t *testing.T, s *servicetest.Service, size int) *listener {
	c, log := node(t, s, "")
	l := &listener{Fanout: redis.NewFanout(c, inproc.NewFanout(size), size), c: c, log: log}
	l.HearSoon("Ga", "Gb", "Gc", "Gd", "Ge", "Gmeet", "Ua")
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Run(ctx, func(e wire.Event) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.got = append(l.got, e)
		}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return l
}

// seqs are the entries of conv in the order in which they came.
func (l *listener) seqs(conv chat.ConvID) (out []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.got {
		if b, ok := e.Frame.Body.(wire.Posted); ok && b.Conv == conv {
			out = append(out, b.Seq)
		}
	}
	return out
}

func (l *listener) post(t *testing.T, conv chat.ConvID, seq int64) {
	t.Helper()
	m := chat.Message{Conv: conv, Seq: seq, Author: "Ua", Content: chat.TextContent("x")}
	if err := l.Publish(t.Context(), wire.Event{Conv: conv, Author: "Ua", Ref: fmt.Sprint(seq), Frame: wire.Frame{Body: wire.Posted{Message: m}}}); err != nil {
		t.Fatal(err)
	}
}

// meet posts in conv from a, from Seq 1 on, until b hears it, and returns the last Seq.
func meet(t *testing.T, a, b *listener, conv chat.ConvID) (seq int64) {
	t.Helper()
	eventually(t, "the nodes meet", func() bool {
		seq++
		a.post(t, conv, seq)
		for range 20 {
			if slices.Contains(b.seqs(conv), seq) {
				return true
			}
			time.Sleep(5 * time.Millisecond)
		}
		return false
	})
	return seq
}

func TestChatsGoOnWhileRedisHangs(t *testing.T) {
	s := servicetest.Redis(t)
	a := listen(t, s, 4)
	b := listen(t, s, 4)
	meet(t, a, b, "Gmeet")
	s.Pause()
	// As many as fit nowhere: if any waited for Redis, this would not end before it goes on.
	const n = 20_000
	for i := range int64(n) {
		a.post(t, "Ga", i+1)
	}
	eventually(t, "all are delivered", func() bool { return len(a.seqs("Ga")) == n })
	if got := a.seqs("Ga"); !slices.IsSorted(got) {
		t.Error("events of this node came out of order")
	}
	eventually(t, "it is noticed", a.c.Away)
	if st := a.c.Stats(); st.Dropped == 0 || !st.Away || st.Outages != 1 {
		t.Errorf("stats %+v, want events dropped and one outage", st)
	}
	if err := a.Publish(t.Context(), wire.Event{To: []chat.UserID{"Ua"}, Ref: "login", Frame: wire.Frame{Body: wire.Bye{Reason: "signed_out"}}}); err != nil {
		t.Fatal(err)
	}
	_, times := b.Losses()
	s.Resume()
	eventually(t, "the other node is told that something was lost", func() bool {
		now, after := b.Losses()
		return !now && after > times
	})
	if n := a.log.count("Redis is away"); n != int(a.c.Stats().Outages) {
		t.Errorf("%d lines for %d outages", n, a.c.Stats().Outages)
	}
}

func TestNodesMeetAgainAfterARestartOfRedis(t *testing.T) {
	s := servicetest.Redis(t)
	a, b := listen(t, s, 100), listen(t, s, 100)
	last := meet(t, a, b, "Ga")
	meet(t, b, a, "Gb")
	_, times := a.Losses()
	s.Kill()
	// Each only hears its own.
	a.post(t, "Ga", last+1)
	b.post(t, "Gc", 1)
	eventually(t, "it is noticed", func() bool { return a.c.Away() && b.c.Away() })
	if now, _ := a.Losses(); !now {
		t.Error("nothing is lost, it says, while Redis is away")
	}
	s.Start()
	eventually(t, "nothing is lost any more, and something was", func() bool { now, after := a.Losses(); return !now && after > times })
	meet(t, a, b, "Gd")
	meet(t, b, a, "Ge")
	for name, l := range map[string]*listener{"a": a, "b": b} {
		for _, conv := range []chat.ConvID{"Ga", "Gb", "Gc"} {
			got := l.seqs(conv)
			if once := slices.Compact(slices.Clone(got)); len(once) != len(got) || !slices.IsSorted(got) {
				t.Errorf("%s was told entries of %s more than once: %v", name, conv, got)
			}
		}
	}
}

// A node that only lost its own connection says that it may have missed something.
func TestNodeThatWasCutOffSaysSo(t *testing.T) {
	s := servicetest.Redis(t)
	a, b := listen(t, s, 100), listen(t, s, 100)
	last := meet(t, a, b, "Ga")
	raw := goredis.NewClient(&goredis.Options{Addr: s.Addr})
	defer raw.Close()
	eventually(t, "nothing is lost", func() bool { now, _ := b.Losses(); return !now })
	_, times := b.Losses()
	if err := raw.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	a.post(t, "Ga", last+1)
	eventually(t, "it is noticed and over", func() bool { now, after := b.Losses(); return !now && after > times })
	meet(t, a, b, "Gb")
}

func TestPresenceIsUnknownWhileRedisIsAwayAndThenRight(t *testing.T) {
	for name, c := range map[string]struct{ leave, comeBack func(*servicetest.Service) }{
		"hanging": {(*servicetest.Service).Pause, (*servicetest.Service).Resume},
		"killed":  {(*servicetest.Service).Kill, (*servicetest.Service).Start}, // it forgets everything
	} {
		t.Run(name, func(t *testing.T) {
			s := servicetest.Redis(t)
			ctx := t.Context()
			ca, _ := node(t, s, "")
			cb, _ := node(t, s, "")
			a, b := redis.NewPresence(ca, 0), redis.NewPresence(cb, 0)
			defer a.Close()
			defer b.Close()
			do := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			do(a.Touch(ctx, "Ustays", "S1"))
			do(a.Touch(ctx, "Ugoes", "S2"))
			c.leave(s)
			do(a.Leave(ctx, "Ugoes", "S2"))
			do(a.Touch(ctx, "Ucomes", "S3"))
			do(b.Touch(ctx, "Ub", "S4"))
			on, err := b.Online(ctx, "Ustays", "Ub")
			if !errors.Is(err, redis.ErrAway) || !on["Ub"] || on["Ustays"] {
				t.Errorf("while it is away: %v, %v; want who is here and that the rest is not known", on, err)
			}
			if seen, err := b.LastSeen(ctx, "Ustays", "Ub"); !errors.Is(err, redis.ErrAway) || seen["Ub"] == 0 || len(seen) != 1 {
				t.Errorf("while it is away: last seen %v, %v", seen, err)
			}
			c.comeBack(s)
			eventually(t, "presence is right", func() bool {
				on, err := b.Online(ctx, "Ustays", "Ugoes", "Ucomes", "Ub")
				return err == nil && on["Ustays"] && !on["Ugoes"] && on["Ucomes"] && on["Ub"]
			})
			eventually(t, "a sees b's", func() bool { on, err := a.Online(ctx, "Ub"); return err == nil && on["Ub"] })
			seen, err := b.LastSeen(ctx, "Ugoes", "Unever")
			if err != nil || seen["Ugoes"] == 0 || len(seen) != 1 {
				t.Errorf("last seen %v, %v", seen, err)
			}
		})
	}
}

func TestPeopleOfANodeThatDiedAreGoneAfterTheTTL(t *testing.T) {
	s := servicetest.Redis(t)
	ctx := t.Context()
	alive, _ := node(t, s, "")
	dead, err := redis.Open(ctx, redis.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	a, b := redis.NewPresence(dead, 5*time.Second), redis.NewPresence(alive, 5*time.Second)
	defer b.Close()
	if err := errors.Join(a.Touch(ctx, "Ua", "S1"), b.Touch(ctx, "Ub", "S2")); err != nil {
		t.Fatal(err)
	}
	if on, err := b.Online(ctx, "Ua"); err != nil || !on["Ua"] {
		t.Fatalf("online: %v, %v", on, err)
	}
	raw := goredis.NewClient(&goredis.Options{Addr: s.Addr})
	defer raw.Close()
	until := func(u string) float64 {
		for _, z := range raw.ZRangeWithScores(ctx, "kamachat:on:"+u, 0, -1).Val() {
			return z.Score
		}
		return 0
	}
	before := until("Ub")
	if err := dead.Close(); err != nil { // it can't say goodbye any more
		t.Fatal(err)
	}
	a.Close()
	eventually(t, "Ua is gone", func() bool { on, err := b.Online(ctx, "Ua"); return err == nil && !on["Ua"] })
	eventually(t, "the key is gone", func() bool { return raw.Exists(ctx, "kamachat:on:Ua").Val() == 0 })
	if after := until("Ub"); after <= before {
		t.Errorf("the living node's entry lasts until %.0f, was %.0f: nobody told it again", after, before)
	}
}

func TestHangingRedisIsAskedOnlyNowAndThen(t *testing.T) {
	s := servicetest.Redis(t)
	c, log := node(t, s, "")
	p := redis.NewPresence(c, 0)
	defer p.Close()
	s.Pause()
	defer s.Resume()
	began := time.Now()
	const calls = 1000
	for range calls {
		if _, err := p.Online(t.Context(), "Ua"); !errors.Is(err, redis.ErrAway) {
			t.Fatalf("a Redis that hangs answered %v", err)
		}
	}
	// Each would take half a second if it asked.
	if d := time.Since(began); d > calls*500*time.Millisecond/10 {
		t.Errorf("%d calls took %v", calls, d)
	}
	if n := log.count("Redis is away"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

func TestRedisThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	s := servicetest.Redis(t)
	s.Kill()
	a, b := listen(t, s, 100), listen(t, s, 100)
	if !a.c.Away() || a.log.count("Redis is away") != 1 {
		t.Error("want one warning")
	}
	a.post(t, "Ga", 1)
	eventually(t, "it is delivered here", func() bool { return len(a.seqs("Ga")) == 1 })
	s.Start()
	meet(t, a, b, "Gb")
	eventually(t, "nothing is lost any more", func() bool { now, _ := b.Losses(); return !now })
}
