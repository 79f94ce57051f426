package redis_test

import (
	"errors"
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
	a, b := redis.NewLimiter(ca), redis.NewLimiter(cb)
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
	l := redis.NewLimiter(c)
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
			if wait, err := redis.NewLimiter(c).Allow(t.Context(), "x", none, 1); wait != 0 || err != nil {
				t.Fatalf("limit %v: %v, %v", none, wait, err)
			}
		}
	}
	if after := c.Stats(); after.PoolHits+after.PoolMisses != before.PoolHits+before.PoolMisses {
		t.Error("Redis was asked")
	}
}

func TestWithoutRedisNobodyIsKeptWaiting(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	l := redis.NewLimiter(c)
	s.Pause()
	for i := range 10 {
		if _, err := l.Allow(t.Context(), fmt.Sprint(i), 1, 1); !errors.Is(err, redis.ErrAway) {
			t.Errorf("got %v, want that it can't be told", err)
		}
	}
	if n := c.Stats().LimitedLocally; n != 10 {
		t.Errorf("the stats say that %d tries could not be counted, want 10", n)
	}
	s.Resume()
	eventually(t, "Redis counts again", func() bool {
		wait, err := l.Allow(t.Context(), "new", 1e-3, 1000)
		return wait == 0 && err == nil
	})
}
