package session_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/classic"
	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// store puts n texts into each of convs.
func (w *world) store(n int, text string, convs ...chat.ConvID) {
	w.t.Helper()
	for _, c := range convs {
		var ds []chat.Draft
		for i := range n {
			ds = append(ds, chat.Draft{Conv: c, Author: ann, Ref: fmt.Sprint(c, i), Content: chat.TextContent(fmt.Sprint(text, " ", i, "."))})
		}
		if _, err := w.db.Append(w.t.Context(), ds); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A client of the seed gets all that it missed, though its queue holds but a
// part of that: otherwise it would be cut, and again each time it comes back.
func TestMissedMayBeMoreThanTheQueueHolds(t *testing.T) {
	for name, c := range map[string]struct {
		queue int
		text  string
	}{"frames": {24, "x"}, "bytes": {0, strings.Repeat("好", 9000)}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, session.Config{Queue: c.queue, Welcomes: 1}, 64)
			const n, convs = 100, 4
			all := []chat.ConvID{direct, group}
			for i := range convs - len(all) {
				g := chat.ConvID(fmt.Sprint("Gmore", i))
				if err := w.db.CreateGroup(t.Context(), g, "more", ann, []chat.UserID{ann, bob}, 1); err != nil {
					t.Fatal(err)
				}
				all = append(all, g)
			}
			w.store(n, c.text, all...)
			b := w.classic(bob)
			w.classic(cat) // whose turn to be welcomed comes although bob reads nothing yet
			for i := range n * convs {
				if got := b.text(); !strings.Contains(got, fmt.Sprintf(` %d."`, i%n)) {
					t.Fatalf("frame %d is %.200s", i, got)
				}
			}
		})
	}
}

// A native client that asks for many short pages at once gets them all.
func TestAnswersMayBeMoreThanTheQueueHolds(t *testing.T) {
	w := newWorld(t, session.Config{Queue: 16}, 64)
	w.store(1, "x", direct)
	a := w.native(ann)
	const n = 200
	var ask [][]byte
	for i := range n {
		p, _, _ := wire.V1.Append(nil, wire.Frame{Ref: fmt.Sprint(i), Body: wire.Resume{Conv: direct}})
		ask = append(ask, p)
	}
	a.send(string(wire.Join(ask)))
	next := 0
	a.until("the last page", func(f wire.Frame) bool {
		if f.Ref == fmt.Sprint(next) {
			next++
		}
		return next == n
	})
}

// A call that begins while its callee is told what it missed rings: it is not
// one of those that have rung out.
func TestCallThatBeginsDuringTheGreetingRings(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	w.store(1, "x", direct)
	time.Sleep(2 * time.Millisecond) // direct is the older one: it comes second
	w.store(1, "y", group)
	a := w.native(ann)
	call := func() {
		p, _, _ := wire.V1.Append(nil, wire.Frame{Ref: "ring", Body: wire.Signal{Conv: direct, Call: chat.Call{ID: "PROXY", What: "start_call"}}})
		a.send(string(p))
		a.until("the call", func(f wire.Frame) bool { return f.Ref == "ring" })
	}
	w.lookUp.Store(&call) // by what is missed in group
	b := w.classic(bob)
	for _, want := range []string{"y 0.", "x 0.", "start_call"} {
		if got := b.text(); !strings.Contains(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// A client of the seed is greeted when it is known where it stands, not before: it
// acts on the greeting, and what comes of that would count as delivered to it, since
// it is to another device of its person.
func TestGreetingComesWhenItIsKnownWhereTheClientStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		var greeted atomic.Bool
		early := make(chan bool, 1)
		look := func() {
			synctest.Wait()
			early <- greeted.Load()
		}
		w.slow.heads.Store(&look)
		c := w.dial("classic&u=" + string(bob))
		got := c.text()
		greeted.Store(true)
		if got != classic.Greeting || <-early {
			t.Errorf("%q, or it came early", got)
		}
	})
}
