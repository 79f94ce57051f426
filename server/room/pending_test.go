package room_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// faraway is a carrier whose posts another node commits: when the test says so,
// and by itself that tells nobody.
type faraway struct {
	losing  atomic.Bool // its node knows that it does not hear everything
	mu      sync.Mutex
	carried []chat.Draft
}

func (f *faraway) Carry(_ context.Context, d chat.Draft) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d.Stamp = chat.Stamp{} // stays on its node
	f.carried = append(f.carried, d)
	return nil
}

func (f *faraway) Run(ctx context.Context, _ func(context.Context, []chat.Draft) error) error {
	<-ctx.Done()
	return nil
}

// commit stores what was carried, and returns the events of it.
func (f *faraway) commit(t *testing.T, s room.Store) (es []wire.Event) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	rs, err := s.Append(t.Context(), f.carried)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rs {
		d := f.carried[i]
		es = append(es, wire.Event{Conv: d.Conv, Author: d.Author, Ref: d.Ref, Frame: wire.Frame{Body: wire.Posted{Message: r.Message}}})
	}
	f.carried = nil
	return es
}

// far runs f in a bubble with the hub of a node that commits nothing itself.
func far(t *testing.T, f func(t *testing.T, h *room.Hub, c *faraway, out room.Fanout, s room.Store, m *meter, a, b *ear)) {
	synctest.Test(t, func(t *testing.T) {
		ids := chat.NewIDs(0, func() int64 { return 0 })
		s := roomtest.NewMemory(time.Now, ids.Next)
		for _, u := range []chat.UserID{"Ua", "Ub"} {
			if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		c, out, m := &faraway{}, inproc.NewFanout(64), &meter{told: map[string]int{}}
		h := room.NewHub(room.Config{
			Store: s, People: s, Carrier: c, Fanout: out, Presence: inproc.NewPresence(), Log: slog.New(slog.DiscardHandler), Meter: m,
			AnswerWithin: 2 * time.Second, Losses: func() (bool, int64) { return c.losing.Load(), 0 },
		})
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.Run(ctx) })
		a, b := &ear{user: "Ua"}, &ear{user: "Ub"}
		h.Join(ctx, a)
		h.Join(ctx, b)
		f(t, h, c, out, s, m, a, b)
		if n := h.Pending(); n != 0 {
			t.Errorf("%d posts wait at the end", n)
		}
		stop()
		wg.Wait()
	})
}

func hears(t *testing.T, e *ear, want string) {
	t.Helper()
	if got, _ := e.heard(direct); got != want {
		t.Errorf("%s heard %q, want %q", e.user, got, want)
	}
}

func TestWordOfACommitElsewhereIsTheAnswer(t *testing.T) {
	far(t, func(t *testing.T, h *room.Hub, c *faraway, out room.Fanout, s room.Store, m *meter, a, b *ear) {
		post(t, h, "Ua", direct, "1")
		if err := out.Publish(t.Context(), c.commit(t, s)...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		hears(t, a, "1 ")
		hears(t, b, "1 ")
		if n := m.count("asked"); n != 0 {
			t.Errorf("the store was asked about %d posts", n)
		}
		// It is measured, though the event has no stamp.
		if n := m.count("handed wire.Posted to 2, stamp 7"); n != 1 {
			t.Errorf("it was handed on as answered %d times", n)
		}
	})
}

func TestLostWordIsLookedUp(t *testing.T) {
	far(t, func(t *testing.T, h *room.Hub, c *faraway, _ room.Fanout, s room.Store, m *meter, a, b *ear) {
		post(t, h, "Ua", direct, "1")
		post(t, h, "Ua", direct, "2")
		c.commit(t, s)
		time.Sleep(time.Second)
		synctest.Wait()
		hears(t, a, "")
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		hears(t, a, "1 2 ")
		hears(t, b, "1 2 ")
		if n := m.count("found"); n != 2 {
			t.Errorf("%d posts were found, want 2", n)
		}
		// A post that takes its time is asked for again.
		post(t, h, "Ua", direct, "3")
		time.Sleep(10 * time.Second)
		c.commit(t, s)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		hears(t, a, "1 2 3 ")
		// And so does who waits for it.
		go func() {
			time.Sleep(time.Second)
			c.commit(t, s)
		}()
		got, err := h.PostWait(t.Context(), chat.Draft{Conv: direct, Author: "Ub", Ref: "4", Content: chat.TextContent("4")})
		if err != nil || got.Seq != 4 {
			t.Errorf("%+v, %v: want the fourth entry", got, err)
		}
	})
}

func TestWhereWordIsKnownToGetLostItIsAskedForSoon(t *testing.T) {
	far(t, func(t *testing.T, h *room.Hub, c *faraway, _ room.Fanout, s room.Store, m *meter, a, b *ear) {
		c.losing.Store(true)
		post(t, h, "Ua", direct, "1")
		c.commit(t, s)
		time.Sleep(400 * time.Millisecond)
		synctest.Wait()
		hears(t, a, "1 ")
		hears(t, b, "1 ")
		post(t, h, "Ua", direct, "2")
		time.Sleep(5 * time.Second)
		if n := m.count("asked"); n > 7 {
			t.Errorf("the store was asked %d times", n)
		}
		c.commit(t, s)
		time.Sleep(10 * time.Second)
	})
}

func TestPostThatIsNowhereIsAskedForAgain(t *testing.T) {
	far(t, func(t *testing.T, h *room.Hub, c *faraway, _ room.Fanout, s room.Store, _ *meter, a, b *ear) {
		post(t, h, "Ua", direct, "1")
		time.Sleep(time.Minute)
		synctest.Wait()
		refused := func(e *ear) (n int) {
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, b := range e.got {
				if r, ok := b.(wire.Refused); ok && r.Code == chat.Busy && r.RetryAfter > 0 {
					n++
				}
			}
			return n
		}
		if refused(a) != 1 || refused(b) != 0 {
			t.Errorf("the author was refused %d times, the other %d", refused(a), refused(b))
		}
		// Sent again while the first is on its way still: stored once, told once.
		post(t, h, "Ua", direct, "1")
		c.commit(t, s)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		hears(t, a, "1 ")
		hears(t, b, "1 ")
	})
}
