package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"kamachat/server/inproc"
	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// node opens a client, one node's.
func node(t *testing.T, s *servicetest.Service, prefix string) (*redis.Client, *lines) {
	t.Helper()
	log := &lines{}
	c, err := redis.Open(t.Context(), redis.Config{URL: s.URL(), Prefix: prefix, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, log
}

// eventually waits until ok; give-up is generous, a failure anyway.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}

func TestFanout(t *testing.T) {
	s := servicetest.Redis(t)
	roomtest.Fanout(t, func(t *testing.T) room.Fanout {
		c, _ := node(t, s, "")
		return redis.NewFanout(c, inproc.NewFanout(10), 10)
	})
	t.Run("nodes", func(t *testing.T) {
		roomtest.FanoutNodes(t, func(t *testing.T) (a, b room.Fanout) {
			ca, _ := node(t, s, "")
			cb, _ := node(t, s, "")
			return redis.NewFanout(ca, inproc.NewFanout(100), 100), redis.NewFanout(cb, inproc.NewFanout(100), 100)
		})
	})
}

func TestPresence(t *testing.T) {
	s := servicetest.Redis(t)
	n := 0
	fresh := func(t *testing.T, prefix string) room.Presence {
		c, _ := node(t, s, prefix)
		p := redis.NewPresence(c, 0)
		t.Cleanup(p.Close)
		return p
	}
	roomtest.Presence(t, func(t *testing.T) room.Presence {
		n++
		return fresh(t, fmt.Sprint("one", n, ":"))
	})
	roomtest.PresenceNodes(t, func(t *testing.T) (a, b room.Presence) { return fresh(t, "two:"), fresh(t, "two:") })
}

func TestBadAddressesAreErrorsWithoutThePassword(t *testing.T) {
	for _, u := range []string{"http://u:secret@h:1", "redis://u:secret@h:1/x", "redis://u:secret@h:1?nope=1", "redis://u:secret@%zz"} {
		c, err := redis.Open(t.Context(), redis.Config{URL: u})
		if err == nil {
			c.Close()
			t.Errorf("%s was taken", u)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q tells the password", err)
		}
	}
}

func TestSentinelAndClusterAddressesAreTaken(t *testing.T) {
	for _, u := range []string{"redis://127.0.0.1:1?master_name=m&addr=127.0.0.1:2", "redis://127.0.0.1:1?addr=127.0.0.1:2", "rediss://127.0.0.1:1/3"} {
		c, err := redis.Open(t.Context(), redis.Config{URL: u})
		if err != nil {
			t.Errorf("%s: %v", u, err)
			continue
		}
		if !c.Away() {
			t.Errorf("%s: nobody is there, but it is not away", u)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Everything is used, Redis is stopped in between, and all is closed: what others keep there stays as it was.
func TestOnlyOwnKeysAreTouched(t *testing.T) {
	s := servicetest.Redis(t)
	raw := goredis.NewClient(&goredis.Options{Addr: s.Addr})
	defer raw.Close()
	ctx := t.Context()
	others := map[string]string{"kamachat": "1", "kama:on:Ua": "2", "on:Ua": "3", "seen:all": "4", "rate:x": "5", "log:Ga": "6", "other:kamachat:": "7"}
	for k, v := range others {
		if err := raw.Set(ctx, k, v, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	strangers := raw.Subscribe(ctx, "events:0", "kamachat")
	defer strangers.Close()
	if _, err := strangers.Receive(ctx); err != nil {
		t.Fatal(err)
	}

	c, _ := node(t, s, "")
	p := redis.NewPresence(c, 0)
	f := redis.NewFanout(c, inproc.NewFanout(10), 10)
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = f.Run(running, func(wire.Event) {}) })
	use := func() {
		for _, u := range []chat.UserID{"Ua", "Ub"} {
			if err := p.Touch(ctx, u, "S"); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Publish(ctx, wire.Event{Conv: "Ga", Frame: wire.Frame{Body: wire.Typing{Conv: "Ga"}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := redis.NewLimiter(c).Allow(ctx, "x", 1, 5); err != nil && !c.Away() {
			t.Fatal(err)
		}
		cache := redis.NewCache(c, oneEntry{}, "1")
		if _, err := cache.Before(ctx, "Ga", 0, 10); err != nil {
			t.Fatal(err)
		}
		cache.Close()
	}
	use()
	s.Pause()
	use()
	s.Resume()
	eventually(t, "it is back", func() bool { return !c.Away() })
	use()
	stop()
	wg.Wait()
	p.Close()
	for k, v := range others {
		if got, err := raw.Get(ctx, k).Result(); err != nil || got != v {
			t.Errorf("%s is %q, %v, was %q", k, got, err, v)
		}
	}
	keys, err := raw.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, k := range keys {
		if _, theirs := others[k]; theirs {
			continue
		}
		own++
		if !strings.HasPrefix(k, "kamachat:") {
			t.Errorf("%s is not ours", k)
		}
		if ttl := raw.PTTL(ctx, k).Val(); ttl <= 0 {
			t.Errorf("%s stays for ever", k)
		}
	}
	if own == 0 {
		t.Error("nothing was kept: the test tests nothing")
	}
	if n := raw.Exists(ctx, "kamachat:on:Ua").Val(); n != 0 {
		t.Error("who was here is still online after the end")
	}
}

type oneEntry struct{}

func (oneEntry) After(context.Context, chat.ConvID, int64, int) (chat.Page, error) {
	return chat.Page{Conv: "Ga", LastSeq: 1}, nil
}

func (oneEntry) Before(context.Context, chat.ConvID, int64, int) (chat.Page, error) {
	return chat.Page{Conv: "Ga", Entries: []chat.Message{{Conv: "Ga", Seq: 1}}, LastSeq: 1}, nil
}
