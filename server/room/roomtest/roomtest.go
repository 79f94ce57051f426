// Package roomtest is the contract of the seams in package room, as tests that
// every implementation runs: in memory, Redis, Kafka.
package roomtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Carrier checks a carrier that holds at least 1,000 drafts. fresh returns a new one.
func Carrier(t *testing.T, fresh func(t *testing.T) room.Carrier) {
	t.Run("order within a conversation", func(t *testing.T) {
		c := fresh(t)
		const convs, each = 5, 100
		var mu sync.Mutex
		got := map[chat.ConvID][]string{}
		n := 0
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = c.Run(ctx, func(_ context.Context, ds []chat.Draft) error {
				mu.Lock()
				defer mu.Unlock()
				for _, d := range ds {
					got[d.Conv] = append(got[d.Conv], d.Ref)
					n++
				}
				if n == convs*each {
					stop()
				}
				return nil
			})
		})
		var writers sync.WaitGroup
		for i := range convs {
			conv := chat.ConvID(fmt.Sprintf("G%d", i))
			writers.Go(func() {
				for j := range each {
					if err := c.Carry(t.Context(), draft(conv, fmt.Sprint(j))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		wg.Wait()
		for conv, refs := range got {
			for i, r := range refs {
				if r != fmt.Sprint(i) {
					t.Fatalf("%s: %v", conv, refs)
				}
			}
		}
	})
	t.Run("a batch that fails is handed over again", func(t *testing.T) {
		c := fresh(t)
		for i := range 20 {
			if err := c.Carry(t.Context(), draft("Ga", fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var got []string
		tries := 0
		err := c.Run(ctx, func(_ context.Context, ds []chat.Draft) error {
			if tries++; tries%3 != 0 {
				return errors.New("the database is away")
			}
			for _, d := range ds {
				got = append(got, d.Ref)
			}
			if len(got) >= 20 {
				stop()
			}
			return nil
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		// At least once: with repetitions taken out it is what was carried, in order.
		if once := slices.Compact(got); len(once) != 20 || !slices.IsSortedFunc(once, func(a, b string) int { return len(a) - len(b) }) {
			t.Errorf("committed %v", got)
		}
	})
	t.Run("what was carried before the end is committed", func(t *testing.T) {
		c := fresh(t)
		for i := range 10 {
			if err := c.Carry(t.Context(), draft("Ga", fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		n := 0
		_ = c.Run(ctx, func(_ context.Context, ds []chat.Draft) error { n += len(ds); return nil })
		if n != 10 {
			t.Errorf("%d committed, want 10", n)
		}
	})
}

// Fanout checks a fan-out. An implementation may lose, repeat and reorder; what
// it delivers must be whole, and most of it must come when nothing is broken.
func Fanout(t *testing.T, fresh func(t *testing.T) room.Fanout) {
	f := fresh(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	got := make(chan wire.Event, 100)
	var wg sync.WaitGroup
	wg.Go(func() { _ = f.Run(ctx, func(e wire.Event) { got <- e }) })
	for i := range 50 {
		m := chat.Message{ID: int64(i) + 1<<60, Conv: "Ga", Seq: int64(i + 1), Author: "Ua", At: 5, Content: chat.TextContent(fmt.Sprint(i))}
		e := wire.Event{Conv: "Ga", Author: "Ua", Ref: fmt.Sprint(i), Frame: wire.Frame{Body: wire.Posted{Message: m}}}
		if i%2 == 1 {
			e.To = []chat.UserID{"Ub"}
		}
		if err := f.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int64]bool{}
	for len(seen) < 50 {
		e := <-got
		p, ok := e.Frame.Body.(wire.Posted)
		i := p.Seq - 1
		if !ok || p.Content.Text != fmt.Sprint(i) || e.Ref != fmt.Sprint(i) || e.Author != "Ua" || (i%2 == 1) != (len(e.To) == 1) || p.ID != i+1<<60 {
			t.Fatalf("event %+v", e)
		}
		seen[p.Seq] = true
	}
	stop()
	wg.Wait()
}

// Presence checks a presence.
func Presence(t *testing.T, fresh func(t *testing.T) room.Presence) {
	ctx := t.Context()
	p := fresh(t)
	want := func(us ...chat.UserID) {
		t.Helper()
		on, err := p.Online(ctx, "Ua", "Ub", "Uc")
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if on[u] != slices.Contains(us, u) {
				t.Errorf("online: %v, want %v", on, us)
			}
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want()
	do(p.Touch(ctx, "Ua", "S1"))
	do(p.Touch(ctx, "Ua", "S2"))
	do(p.Touch(ctx, "Ub", "S3"))
	want("Ua", "Ub")
	do(p.Leave(ctx, "Ua", "S1"))
	want("Ua", "Ub")
	do(p.Leave(ctx, "Ua", "S1"))
	do(p.Leave(ctx, "Ub", "S9"))
	want("Ua", "Ub")
	do(p.Leave(ctx, "Ua", "S2"))
	want("Ub")

	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s := fmt.Sprint("T", i)
			_ = p.Touch(ctx, "Uc", s)
			time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
			_ = p.Leave(ctx, "Uc", s)
		})
	}
	wg.Wait()
	want("Ub")
}

func draft(conv chat.ConvID, ref string) chat.Draft {
	return chat.Draft{Conv: conv, Author: "Ua", Ref: ref, Content: chat.TextContent("x")}
}
