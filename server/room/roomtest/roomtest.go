// Package roomtest is the contract of the seams in package room, as tests that
// every implementation runs: in memory, Redis, Kafka.
package roomtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"kamachat/server/room"
	"kamachat/shared/chat"
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
	t.Run("what was carried before the end is committed, there or by the next run", func(t *testing.T) {
		c := fresh(t)
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			if err := c.Carry(t.Context(), draft("Ga", want[i])); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		ended, stop := context.WithCancel(t.Context())
		stop()
		commit := func(_ context.Context, ds []chat.Draft) error {
			for _, d := range ds {
				got = append(got, d.Ref)
			}
			return nil
		}
		_ = c.Run(ended, commit)
		if len(got) < 10 {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			_ = c.Run(ctx, func(ctx context.Context, ds []chat.Draft) error {
				defer func() {
					if len(got) >= 10 {
						stop()
					}
				}()
				return commit(ctx, ds)
			})
		}
		if !slices.Equal(got, want) {
			t.Errorf("committed %v, want %v", got, want)
		}
	})
}

func draft(conv chat.ConvID, ref string) chat.Draft {
	return chat.Draft{Conv: conv, Author: "Ua", Ref: ref, Content: chat.TextContent("x")}
}
