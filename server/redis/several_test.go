package redis_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// at opens a client of an address.
func at(t *testing.T, url, prefix string) *redis.Client {
	t.Helper()
	c, err := redis.Open(t.Context(), redis.Config{URL: url, Prefix: prefix, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// suites are the contracts that a Redis of any kind keeps.
func suites(t *testing.T, url string) {
	t.Run("fan-out", func(t *testing.T) {
		roomtest.FanoutNodes(t, func(t *testing.T) (a, b room.Fanout) {
			return redis.NewFanout(at(t, url, ""), inproc.NewFanout(100), 100), redis.NewFanout(at(t, url, ""), inproc.NewFanout(100), 100)
		})
	})
	t.Run("presence", func(t *testing.T) {
		fresh := func(t *testing.T, prefix string) room.Presence {
			p := redis.NewPresence(at(t, url, prefix), 0)
			t.Cleanup(p.Close)
			return p
		}
		n := 0
		roomtest.Presence(t, func(t *testing.T) room.Presence { n++; return fresh(t, fmt.Sprint("one", n, ":")) })
		roomtest.PresenceNodes(t, func(t *testing.T) (a, b room.Presence) { return fresh(t, "two:"), fresh(t, "two:") })
	})
	t.Run("limits", func(t *testing.T) {
		a, b := redis.NewLimiter(at(t, url, "")), redis.NewLimiter(at(t, url, ""))
		for i := range 3 {
			for key := range 20 { // on all nodes of a cluster
				wait, err := []*redis.Limiter{a, b}[i%2].Allow(t.Context(), fmt.Sprint("key", key), 0.01, 2)
				if err != nil || (wait > 0) != (i == 2) {
					t.Fatalf("try %d of key %d: %v, %v", i, key, wait, err)
				}
			}
		}
	})
	t.Run("cache", func(t *testing.T) {
		cache := redis.NewCache(at(t, url, ""), oneEntry{}, "1")
		defer cache.Close()
		if p, err := cache.Before(t.Context(), "Ga", 0, 10); err != nil || p.LastSeq != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// hearing runs a fan-out that hears ids and counts what it is told by conversation.
func hearingAt(t *testing.T, c *redis.Client, ids ...string) (f *redis.Fanout, heard func(chat.ConvID) int) {
	f = redis.NewFanout(c, inproc.NewFanout(100), 100)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := map[chat.ConvID]int{}
	f.HearSoon(ids...)
	wg.Go(func() {
		_ = f.Run(ctx, func(e wire.Event) {
			mu.Lock()
			defer mu.Unlock()
			n[e.Conv]++
		})
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return f, func(c chat.ConvID) int { mu.Lock(); defer mu.Unlock(); return n[c] }
}

// untilHeard tells of convs again and again until each is heard.
func untilHeard(t *testing.T, from *redis.Fanout, heard func(chat.ConvID) int, convs []chat.ConvID) {
	t.Helper()
	for _, c := range convs {
		before := heard(c)
		eventually(t, "the other node hears of "+string(c), func() bool {
			if err := from.Publish(t.Context(), wire.Event{Conv: c, Frame: wire.Frame{Body: wire.Typing{Conv: c}}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
			return heard(c) > before
		})
	}
}

// many are conversations all over a cluster.
func many() (ids []string, convs []chat.ConvID) {
	for i := range 40 {
		x, y := chat.UserID(fmt.Sprint("Ux", i)), chat.UserID(fmt.Sprint("Uy", i))
		convs = append(convs, chat.ConvID(fmt.Sprint("G", i)), chat.Direct(x, y))
		ids = append(ids, fmt.Sprint("G", i), string(y))
	}
	return ids, convs
}

func TestNodesGoOnWhenSentinelsMakeAnotherMaster(t *testing.T) {
	url, master := servicetest.RedisSentinel(t)
	suites(t, url)
	ids, convs := many()
	ca, cb := at(t, url, ""), at(t, url, "")
	a, _ := hearingAt(t, ca)
	_, heard := hearingAt(t, cb, ids...)
	on, seen := redis.NewPresence(ca, 0), redis.NewPresence(cb, 0)
	defer on.Close()
	defer seen.Close()
	if err := on.Touch(t.Context(), "Ua", "S"); err != nil {
		t.Fatal(err)
	}
	untilHeard(t, a, heard, convs)
	master.Kill()
	eventually(t, "it is noticed", func() bool { return ca.Away() || ca.Stats().Outages > 0 })
	eventually(t, "another master is found", func() bool { return !ca.Away() && !cb.Away() })
	untilHeard(t, a, heard, convs)
	eventually(t, "presence is right", func() bool { on, err := seen.Online(t.Context(), "Ua"); return err == nil && on["Ua"] })
}

func TestNodesOnACluster(t *testing.T) {
	url, masters := servicetest.RedisCluster(t)
	suites(t, url)
	ids, convs := many()
	a, _ := hearingAt(t, at(t, url, ""))
	b, heard := hearingAt(t, at(t, url, ""), ids...)
	untilHeard(t, a, heard, convs)
	eventually(t, "nothing is lost", func() bool { now, _ := b.Losses(); return !now })
	// One of three is away: what goes through it is lost, and b says so.
	_, times := b.Losses()
	masters[0].Kill()
	eventually(t, "the loss is noticed", func() bool { now, _ := b.Losses(); return now })
	masters[0].Start()
	untilHeard(t, a, heard, convs)
	eventually(t, "it is over", func() bool { now, after := b.Losses(); return !now && after > times })
}

func TestAddressesOfSeveralHosts(t *testing.T) {
	for u, ok := range map[string]bool{
		"redis+sentinel://127.0.0.1:1,127.0.0.1:2/kama":      true,
		"rediss+sentinel://u:secret@127.0.0.1:1/kama/3":      true,
		"redis+cluster://u:secret@127.0.0.1:1,127.0.0.1:2":   true,
		"redis+cluster://127.0.0.1:1?read_timeout=100ms":     true,
		"redis+sentinel://u:secret@127.0.0.1:1":              false, // of which master?
		"redis+sentinel://u:secret@127.0.0.1:1,/kama":        false,
		"redis+cluster://u:secret@127.0.0.1:1,127.0.0.1:2/3": false,
		"redis+ring://u:secret@127.0.0.1:1":                  false,
		"http+cluster://u:secret@127.0.0.1:1":                false,
		"redis+sentinel://u:secret@127.0.0.1:1/kama/x":       false,
	} {
		c, err := redis.Open(t.Context(), redis.Config{URL: u})
		if (err == nil) != ok {
			t.Errorf("%s: %v", u, err)
		}
		if err == nil {
			if !c.Away() {
				t.Errorf("%s: nobody is there, but it is not away", u)
			}
			c.Close()
		}
	}
}
