package redis_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kamachat/server/redis"
	"kamachat/server/servicetest"
)

func TestNodesCountTriesTogether(t *testing.T) {
	s := servicetest.Redis(t)
	ca, _ := node(t, s, "")
	cb, _ := node(t, s, "")
	a, b := redis.NewLimiter(ca, nobody{}), redis.NewLimiter(cb, nobody{})
	// One try in an hour, so that none comes back while the test runs.
	const perHour, burst = 1.0 / 3600, 25
	var passed atomic.Int64
	var wg sync.WaitGroup
	for _, l := range []*redis.Limiter{a, b} {
		for range 4 {
			wg.Go(func() {
				for range 20 {
					switch wait, err := l.Allow(t.Context(), "x", perHour, burst); {
					case err != nil:
						t.Error(err)
					case wait == 0:
						passed.Add(1)
					case wait > time.Hour:
						t.Errorf("wait %v, the next try is at most an hour away", wait)
					}
				}
			})
		}
	}
	wg.Wait()
	if n := passed.Load(); n != burst {
		t.Errorf("%d tries passed, want %d", n, burst)
	}
	if wait, err := a.Allow(t.Context(), "y", perHour, burst); wait != 0 || err != nil {
		t.Errorf("another key: %v, %v", wait, err)
	}
	if err := b.Forget(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if wait, err := a.Allow(t.Context(), "x", perHour, burst); wait != 0 || err != nil {
		t.Errorf("after its tries were forgotten: %v, %v", wait, err)
	}
	if n := ca.Stats().LimitedLocally + cb.Stats().LimitedLocally; n != 0 {
		t.Errorf("%d tries were counted locally", n)
	}
}

func TestTriesComeBackInTime(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	l := redis.NewLimiter(c, nobody{})
	wait := time.Duration(0)
	for n := 0; wait == 0; n++ { // a slow machine gets some back meanwhile
		var err error
		if wait, err = l.Allow(t.Context(), "x", 50, 3); err != nil || n > 1000 {
			t.Fatalf("after %d tries: %v, %v", n, wait, err)
		}
	}
	if wait > 20*time.Millisecond {
		t.Errorf("wait %v for one of 50 a second", wait)
	}
	time.Sleep(wait)
	if again, err := l.Allow(t.Context(), "x", 50, 3); again != 0 || err != nil {
		t.Errorf("after waiting as told: %v, %v", again, err)
	}
}

func TestNoLimitAsksNobody(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	before := c.Stats()
	for _, none := range []float64{0, -1, math.Inf(1)} {
		for range 100 {
			if wait, err := redis.NewLimiter(c, nobody{}).Allow(t.Context(), "x", none, 1); wait != 0 || err != nil {
				t.Fatalf("limit %v: %v, %v", none, wait, err)
			}
		}
	}
	if after := c.Stats(); after.PoolHits+after.PoolMisses != before.PoolHits+before.PoolMisses {
		t.Error("Redis was asked")
	}
}

// A counting limiter says that it was asked.
type counting struct{ n atomic.Int64 }

func (c *counting) Allow(context.Context, string, float64, int) (time.Duration, error) {
	c.n.Add(1)
	return 7 * time.Second, nil
}

func TestWithoutRedisEachNodeCountsForItself(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	var local counting
	l := redis.NewLimiter(c, &local)
	s.Pause()
	for i := range 10 {
		if wait, err := l.Allow(t.Context(), fmt.Sprint(i), 1, 1); wait != 7*time.Second || err != nil {
			t.Errorf("got %v, %v, want the local answer", wait, err)
		}
	}
	if local.n.Load() != 10 || c.Stats().LimitedLocally != 10 {
		t.Errorf("%d tries were counted here, %d say the stats; want 10", local.n.Load(), c.Stats().LimitedLocally)
	}
	s.Resume()
	eventually(t, "Redis counts again", func() bool {
		wait, err := l.Allow(t.Context(), "new", 1e-3, 1000)
		return wait == 0 && err == nil
	})
}
