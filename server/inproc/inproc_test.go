package inproc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCarrier(t *testing.T) {
	roomtest.Carrier(t, func(*testing.T) room.Carrier { return inproc.NewCarrier(1000, 1) })
}

func TestFanout(t *testing.T) {
	roomtest.Fanout(t, func(*testing.T) room.Fanout { return inproc.NewFanout(10) })
}

func TestPresence(t *testing.T) {
	roomtest.Presence(t, func(*testing.T) room.Presence { return inproc.NewPresence() })
}

func TestFullFanoutMakesThePublisherWaitNotLose(t *testing.T) {
	f := inproc.NewFanout(1)
	e := wire.Event{Conv: "Ga", Frame: wire.Frame{Body: wire.Typing{Conv: "Ga"}}}
	if err := f.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Publish(ctx, e); err == nil {
		t.Error("a full queue took another batch")
	}
	if f.Len() != 1 {
		t.Errorf("%d batches wait, want 1", f.Len())
	}
}

func TestFullCarrierRefusesAtOnce(t *testing.T) {
	c := inproc.NewCarrier(1, 1)
	d := chat.Draft{Conv: "Ga", Author: "Ua", Ref: "r", Content: chat.TextContent("x")}
	if err := c.Carry(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if r := chat.AsRefusal(c.Carry(t.Context(), d)); r.Code != chat.Busy || r.RetryAfter <= 0 {
		t.Errorf("a full queue answered %v", r)
	}
}

func TestCarrierInLanes(t *testing.T) {
	roomtest.Carrier(t, func(*testing.T) room.Carrier { return inproc.NewCarrier(1000, 8) })
}

func draft(conv chat.ConvID) chat.Draft {
	return chat.Draft{Conv: conv, Author: "Ua", Ref: "r", Content: chat.TextContent("x")}
}

func TestBoundIsOnAllLanesTogether(t *testing.T) {
	const size = 100
	c := inproc.NewCarrier(size, 8)
	took := 0
	for i := range 3 * size {
		err := c.Carry(t.Context(), draft(chat.ConvID(fmt.Sprint("G", i))))
		if err == nil {
			took++
		} else if chat.AsRefusal(err).Code != chat.Busy {
			t.Fatal(err)
		}
	}
	if took != size || c.Len() != size {
		t.Errorf("%d taken and %d wait, want %d", took, c.Len(), size)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_ = c.Run(ctx, func(context.Context, []chat.Draft) error { return nil })
	if err := c.Carry(t.Context(), draft("G")); err != nil || c.Len() != 1 {
		t.Errorf("an empty carrier answers %v and %d wait", err, c.Len())
	}
}

// TestStuckLaneHoldsNobodyElseUp: a batch that can't be committed keeps its
// conversation's drafts in order, and the other lanes go on.
func TestStuckLaneHoldsNobodyElseUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inproc.NewCarrier(1000, 8)
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex
		away := true
		at := map[chat.ConvID]int{}
		done := make(chan error)
		go func() {
			done <- c.Run(ctx, func(_ context.Context, ds []chat.Draft) error {
				mu.Lock()
				defer mu.Unlock()
				for _, d := range ds {
					if d.Conv == "Gstuck" && away {
						return errors.New("not now")
					}
				}
				for _, d := range ds {
					at[d.Conv]++
				}
				return nil
			})
		}()
		_ = c.Carry(ctx, draft("Gstuck"))
		synctest.Wait()
		for i := range 100 {
			_ = c.Carry(ctx, draft(chat.ConvID(fmt.Sprint("G", i))))
		}
		synctest.Wait()
		mu.Lock()
		if len(at) < 50 || at["Gstuck"] != 0 {
			t.Errorf("%d conversations got on, want most of 100", len(at))
		}
		away = false
		mu.Unlock()
		time.Sleep(5 * time.Second)
		mu.Lock()
		if len(at) != 101 || at["Gstuck"] != 1 {
			t.Errorf("%d conversations got on, want all 101", len(at))
		}
		mu.Unlock()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestWhatIsNotStoredAtTheEndIsCountedAndNotOvertaken: when ctx ends each lane
// is tried once more. What fails then stays, with all that is behind it.
func TestWhatIsNotStoredAtTheEndIsCountedAndNotOvertaken(t *testing.T) {
	for name, fails := range map[string]int{"with a queue": 1, "while a batch is tried again": 2} {
		t.Run(name, func(t *testing.T) {
			c := inproc.NewCarrier(1000, 8)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			for i := range 300 {
				_ = c.Carry(ctx, draft("Gstuck"))
				_ = c.Carry(ctx, draft(chat.ConvID(fmt.Sprint("Gother", i))))
			}
			if fails == 1 {
				stop()
			}
			var mu sync.Mutex
			stored, stuck := 0, 0
			if err := c.Run(ctx, func(_ context.Context, ds []chat.Draft) error {
				mu.Lock()
				defer mu.Unlock()
				n := 0
				for _, d := range ds {
					if d.Conv == "Gstuck" {
						n++
					}
				}
				if n > 0 && fails > 0 {
					fails--
					stop()
					return errors.New("the database is away") // and back the next time
				}
				stored, stuck = stored+len(ds), stuck+n
				return nil
			}); err != nil {
				t.Errorf("the end is an error: %v", err)
			}
			if stuck != 0 || stored < 200 || c.Len() != 600-stored {
				t.Errorf("%d behind the batch that failed and %d in all are stored, %d wait", stuck, stored, c.Len())
			}
		})
	}
}
