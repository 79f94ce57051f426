package roomtest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Fanout checks a fan-out that holds at least 10 batches. An implementation may
// lose, repeat and reorder; what it delivers must be whole, and on the node
// itself all of it must come when nothing is broken.
func Fanout(t *testing.T, fresh func(t *testing.T) room.Fanout) {
	t.Run("every kind of event comes whole", func(t *testing.T) {
		f := fresh(t)
		got := run(t, f)
		want := events()
		for _, e := range want {
			if err := f.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		for left := want; len(left) > 0; {
			left = without(t, left, <-got)
		}
	})
	t.Run("batches of many publishers come whole", func(t *testing.T) {
		f := fresh(t)
		got := run(t, f)
		const publishers, batches, each = 8, 20, 5
		var wg sync.WaitGroup
		for p := range publishers {
			wg.Go(func() {
				for b := range batches {
					var es []wire.Event
					for i := range each {
						es = append(es, posted(chat.ConvID(fmt.Sprint("G", p)), int64(b*each+i+1)))
					}
					if err := f.Publish(t.Context(), es...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := map[chat.ConvID]map[int64]bool{}
		for n := 0; n < publishers*batches*each; {
			e := <-got
			m := e.Frame.Body.(wire.Posted)
			if !reflect.DeepEqual(e, posted(e.Conv, m.Seq)) {
				t.Fatalf("event %+v", e)
			}
			if seen[e.Conv] == nil {
				seen[e.Conv] = map[int64]bool{}
			}
			if !seen[e.Conv][m.Seq] {
				seen[e.Conv][m.Seq] = true
				n++
			}
		}
		wg.Wait()
	})
	t.Run("only one goroutine delivers", func(t *testing.T) {
		f := fresh(t)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		left := 100 // the race detector watches it
		done := make(chan struct{})
		wg.Go(func() {
			_ = f.Run(ctx, func(wire.Event) {
				if left--; left == 0 {
					close(done)
				}
			})
		})
		for i := range 100 {
			if err := f.Publish(t.Context(), posted("Ga", int64(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		<-done
		stop()
		wg.Wait()
	})
}

// FanoutNodes checks that two nodes hear of each other. fresh returns both. Each
// hears what is told to the people and groups of the suite, where it has to ask.
func FanoutNodes(t *testing.T, fresh func(t *testing.T) (a, b room.Fanout)) {
	a, b := fresh(t)
	for _, f := range []room.Fanout{a, b} {
		if f, ok := f.(room.Hearer); ok {
			f.HearSoon("Ua", "Ub", "Ga")
		}
	}
	atA, atB := run(t, a), run(t, b)
	// Nodes may need a while to find each other, and may lose until then.
	hear := func(from room.Fanout, at <-chan wire.Event, mark string) {
		t.Helper()
		e := wire.Event{Conv: "Gmark", To: []chat.UserID{"Ua"}, Frame: wire.Frame{Body: wire.Typing{Conv: "Gmark", User: chat.UserID(mark)}}}
		for {
			if err := from.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			for again := time.After(100 * time.Millisecond); ; {
				select {
				case got := <-at:
					if reflect.DeepEqual(got, e) {
						return
					}
					continue
				case <-again:
				}
				break
			}
		}
	}
	hear(a, atB, "Ufroma")
	hear(b, atA, "Ufromb")
	for from, f := range map[string]room.Fanout{"a": a, "b": b} {
		own, other := atA, atB
		if from == "b" {
			own, other = atB, atA
		}
		want := events()
		if err := f.Publish(t.Context(), want...); err != nil {
			t.Fatal(err)
		}
		for _, at := range []<-chan wire.Event{own, other} {
			for left := want; len(left) > 0; {
				e := <-at
				if _, mark := e.Frame.Body.(wire.Typing); mark && e.Conv == "Gmark" {
					continue
				}
				left = without(t, left, e)
			}
		}
	}
}

// run runs f until the test ends and returns what it delivers.
func run(t *testing.T, f room.Fanout) <-chan wire.Event {
	ctx, stop := context.WithCancel(context.Background())
	got := make(chan wire.Event, 10_000)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f.Run(ctx, func(e wire.Event) { got <- e }); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return got
}

// without returns es without e, which must be one of them: nothing comes changed.
func without(t *testing.T, es []wire.Event, e wire.Event) []wire.Event {
	t.Helper()
	for i := range es {
		if reflect.DeepEqual(es[i], e) {
			return append(es[:i:i], es[i+1:]...)
		}
	}
	t.Fatalf("event %+v is none of %+v", e, es)
	return nil
}

func posted(conv chat.ConvID, seq int64) wire.Event {
	m := chat.Message{ID: seq + 1<<60, Conv: conv, Seq: seq, Author: "Ua", At: 5, Content: chat.TextContent(fmt.Sprint("text ", seq))}
	e := wire.Event{Conv: conv, Author: "Ua", Ref: fmt.Sprint("r", seq), Frame: wire.Frame{Body: wire.Posted{Message: m}}}
	if seq%2 == 1 {
		e.To = []chat.UserID{"Ub"}
	}
	return e
}

// events is one of each kind that the hub publishes.
func events() []wire.Event {
	call := chat.Call{ID: "PROXY", What: "sdp", Data: json.RawMessage(`{"sdp":"x"}`)}
	return []wire.Event{
		posted("Ga", 1), posted("Ga", 2),
		{Conv: "Ga", To: []chat.UserID{"Ua"}, Author: "Ua", Ref: "r1", Frame: wire.Frame{Body: wire.Refused{Code: chat.Busy, RetryAfter: 5, Words: "w"}}},
		{Conv: "Ga", Frame: wire.Frame{Body: wire.Seen{Marks: chat.Marks{Conv: "Ga", Delivered: 2, Read: 1}}}},
		{To: []chat.UserID{"Ua", "Ub"}, Frame: wire.Frame{Body: wire.Online{User: "Uc", Online: true}}},
		{Conv: "Ga", To: []chat.UserID{"Ub"}, Frame: wire.Frame{Body: wire.Typing{Conv: "Ga", User: "Ua"}}},
		{Conv: "DUa-Ub", To: []chat.UserID{"Ub"}, Frame: wire.Frame{Body: wire.Signal{Conv: "DUa-Ub", From: "Ua", Call: call}}},
		{To: []chat.UserID{"Ua"}, Ref: "login", Frame: wire.Frame{Body: wire.Bye{Reason: "signed_out"}}},
		{To: []chat.UserID{"Ua"}, Frame: wire.Frame{Body: wire.Bye{Reason: "disabled"}}},
	}
}
