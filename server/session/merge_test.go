package session_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/session"
)

// counted counts the writes of the server's end, and lets them fail.
type counted struct {
	net.Conn
	n    *atomic.Int64
	fail *atomic.Bool
}

func (c counted) Write(p []byte) (int, error) {
	c.n.Add(1)
	if c.fail.Load() {
		return 0, errors.New("the line is cut")
	}
	return c.Conn.Write(p)
}

// What has queued up for a client of the seed goes out in one write for each 64
// frames, and reads as if each had been written by itself.
func TestClassicFramesThatQueueUpAreOneWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 1024)
		a, prompt := w.native(ann), w.classic(cat) // reads each frame as it comes
		var n atomic.Int64
		w.wrap = func(c net.Conn) net.Conn { return counted{c, &n, new(atomic.Bool)} }
		late := w.classic(bob)
		synctest.Wait()
		var want []string
		const all = 200
		n.Store(0)
		for i := range all {
			a.send(post(fmt.Sprint(i), group, fmt.Sprint("text ", i)))
			a.posted(fmt.Sprint("text ", i))
			want = append(want, prompt.text())
		}
		synctest.Wait()
		// A pipe holds nothing: the first frame is being written, the others wait.
		if got := n.Load(); got != 1 {
			t.Errorf("%d writes while nothing was read, want 1", got)
		}
		var got []string
		for range all {
			got = append(got, late.text())
		}
		synctest.Wait()
		if !slices.Equal(got, want) {
			t.Errorf("got %d frames that differ from the %d of who read at once", len(got), len(want))
		}
		// Those that follow while a batch is written are its successors: one, then 199 in batches of 64.
		if got, want := n.Load(), int64(1+(all-1+63)/64); got != want {
			t.Errorf("%d writes for %d frames, want %d", got, all, want)
		}
	})
}

func TestNativeFramesThatQueueUpAreOneWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 1024)
		a := w.native(ann)
		var n atomic.Int64
		w.wrap = func(c net.Conn) net.Conn { return counted{c, &n, new(atomic.Bool)} }
		late := w.native(bob)
		synctest.Wait()
		n.Store(0)
		for i := range 40 {
			a.send(post(fmt.Sprint(i), group, fmt.Sprint("text ", i)))
			a.posted(fmt.Sprint("text ", i))
		}
		synctest.Wait() // the last one is queued for late, too
		late.posted("text 39")
		if got := n.Load(); got != 2 {
			t.Errorf("%d writes for 1 and 39 frames, want 2", got)
		}
	})
}

func TestFailedWriteEndsTheSession(t *testing.T) {
	for name, connect := range map[string]func(*world) *client{
		"native":  func(w *world) *client { return w.native(bob) },
		"classic": func(w *world) *client { return w.classic(bob) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, session.Config{}, 64)
				a := w.native(ann)
				var fail atomic.Bool
				w.wrap = func(c net.Conn) net.Conn { return counted{c, new(atomic.Int64), &fail} }
				connect(w)
				synctest.Wait()
				fail.Store(true)
				a.send(post("1", group, "one"))
				a.posted("one")
				synctest.Wait()
				if got := w.meter.closed(); !slices.Equal(got, []string{"gone"}) || w.host.Len() != 1 {
					t.Errorf("ended %q, %d sessions are left, want [gone] and 1", got, w.host.Len())
				}
			})
		})
	}
}

// A pong, a ping or a close may come between two frames, never within one: all
// of it shares one order of writes.
func TestPongsAreWrittenBetweenFrames(t *testing.T) {
	w := newWorld(t, session.Config{Heartbeat: time.Millisecond}, 1024)
	a, b := w.native(ann), w.classic(bob)
	go func() {
		for i := range 300 {
			a.send(post(fmt.Sprint(i), direct, fmt.Sprint(i)))
		}
	}()
	go a.closed()
	for i := range 300 {
		if got := b.text(); !containsText(got, fmt.Sprint(i)) {
			t.Fatalf("frame %d is %s", i, got)
		}
	}
}
