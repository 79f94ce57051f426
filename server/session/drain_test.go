package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// drain begins a drain of at most d and answers when it is over.
func (w *world) drain(d time.Duration) <-chan time.Duration {
	done := make(chan time.Duration, 1)
	start := time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		w.host.Drain(ctx)
		done <- time.Since(start)
	}()
	return done
}

func TestDrainWritesWhatIsQueuedBeforeItSaysBye(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 1024)
		a, late, seed := w.native(ann), w.native(bob), w.classic(cat)
		const n = 150
		for i := range n {
			a.send(post(fmt.Sprint(i), group, fmt.Sprint(i)))
			a.posted(fmt.Sprint(i))
		}
		go a.closed()
		synctest.Wait() // the last one is queued for everybody
		done := w.drain(7 * time.Second)
		synctest.Wait()
		if !w.host.Draining() {
			t.Error("the host does not say that it drains")
		}
		var got []string
		bye := late.until("bye", func(f wire.Frame) bool {
			switch b := f.Body.(type) {
			case wire.Posted:
				got = append(got, b.Content.Text)
			case wire.Bye:
				return true
			}
			return false
		}).Body.(wire.Bye)
		if len(got) != n || got[0] != "0" || got[n-1] != fmt.Sprint(n-1) {
			t.Errorf("%d of %d texts came before bye", len(got), n)
		}
		if bye.Reason != "restart" || bye.ComeAfter < 1000 || bye.ComeAfter > 2000 {
			t.Errorf("bye is %+v, want restart and to come back in 1 to 2 s", bye)
		}
		if err := late.closed(); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
			t.Errorf("closed with %v", err)
		}
		for i := range n {
			if got := seed.text(); !containsText(got, fmt.Sprint(i)) {
				t.Fatalf("classic frame %d is %s", i, got)
			}
		}
		_ = seed.closed()
		if d := <-done; d > time.Second {
			t.Errorf("the drain took %v though everybody read", d)
		}
	})
}

func TestDrainDoesNotWaitForThoseWhoDoNotRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		w.native(ann)
		w.classic(bob)
		w.dial("u=" + string(cat)) // says no hello
		if d := <-w.drain(7 * time.Second); d > 3*time.Second {
			t.Errorf("the drain took %v, want the 2 s of a farewell", d)
		}
		synctest.Wait()
		if n := w.host.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

func TestDrainClosesAtOnceWhoSaidNoHello(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.dial("u=" + string(ann))
		go c.closed()
		if d := <-w.drain(7 * time.Second); d > 100*time.Millisecond {
			t.Errorf("the drain took %v", d)
		}
	})
}

// What was accepted before a drain is acknowledged before bye; what comes during
// it is refused for a while, and so kept by its author.
func TestDrainAnswersWhatWasAccepted(t *testing.T) {
	w := newWorld(t, session.Config{}, 1024)
	a := w.native(ann)
	const n = 300
	go func() {
		for i := range n {
			if a.ws.Write(context.Background(), websocket.MessageText, []byte(post(fmt.Sprint(i), direct, fmt.Sprint(i)))) != nil {
				return
			}
		}
	}()
	answers := map[string]bool{} // by ref: whether it is stored
	a.until("bye", func(f wire.Frame) bool {
		switch b := f.Body.(type) {
		case wire.Posted:
			if answers[f.Ref] = true; f.Ref == "10" {
				w.drain(7 * time.Second)
			}
		case wire.Refused:
			if b.Code != chat.Busy || b.RetryAfter <= 0 {
				t.Errorf("%s: %+v", f.Ref, b)
			}
			answers[f.Ref] = false
		case wire.Bye:
			return true
		}
		return false
	})
	stored := 0
	for before := int64(0); ; {
		p, err := w.db.Before(t.Context(), direct, before, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Entries) == 0 {
			break
		}
		before = p.Entries[0].Seq
		for _, m := range p.Entries {
			stored++
			if yes, known := answers[m.Content.Text]; !yes {
				t.Errorf("%s is stored and was not acknowledged (answered %v)", m.Content.Text, known)
			}
		}
		if before == 1 {
			break
		}
	}
	acknowledged := 0
	for _, yes := range answers {
		if yes {
			acknowledged++
		}
	}
	if stored != acknowledged {
		t.Errorf("%d are stored, %d acknowledged", stored, acknowledged)
	}
}

func TestWhoComesDuringADrainIsSentAway(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	<-w.drain(time.Second)
	c := w.dial("u=" + string(ann))
	if err := c.closed(); err == nil {
		t.Error("it was let in")
	}
	if n := w.host.Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// One welcome is made at a time here: the others wait in line, joined to
// nothing, and are welcomed in order.
func TestWelcomesAreMadeAFewAtATime(t *testing.T) {
	w := newWorld(t, session.Config{Welcomes: 1}, 64)
	begun, goOn := make(chan struct{}), make(chan struct{})
	slow := func() { close(begun); <-goOn }
	w.lookUp.Store(&slow)
	hello := func(u chat.UserID) *client {
		c := w.dial("u=" + string(u))
		c.send(`{"k":"hello","b":{}}`)
		return c
	}
	first := hello(ann)
	<-begun
	line := []*client{hello(bob)}
	waits := func(n int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); w.host.Waiting() != n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d wait, want %d", w.host.Waiting(), n)
			}
		}
	}
	waits(1)
	line = append(line, w.dial("classic&u="+string(cat)))
	waits(2)
	if _, n := w.hub.Online(); n != 1 {
		t.Errorf("%d sessions have joined, want the one whose turn it is", n)
	}
	close(goOn)
	for _, c := range append(line, first) {
		var f json.RawMessage
		if got := c.text(); json.Unmarshal([]byte(got), &f) != nil && got == "" {
			t.Errorf("got %q", got)
		}
	}
	waits(0)
}

func TestClassicIsGreetedOnceItGetsWhatIsPosted(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	begun, goOn := make(chan struct{}), make(chan struct{})
	defer close(goOn)
	// The welcome of another is slow to be made.
	slow := func() { close(begun); <-goOn }
	w.lookUp.Store(&slow)
	w.dial("u=" + string(ann)).send(`{"k":"hello","b":{}}`)
	<-begun
	w.classic(bob)
	if _, n := w.hub.Online(); n != 2 {
		t.Errorf("%d sessions have joined when the greeting is there, want 2", n)
	}
}

func TestSlotsSpreadTheReturn(t *testing.T) {
	for n, window := range map[int]time.Duration{1: time.Second, 10: time.Second, 500: time.Second, 5000: 10 * time.Second} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var slots []time.Duration
			for i := range n {
				slots = append(slots, session.Slot(i, n, 0.5))
			}
			if !slices.IsSorted(slots) || slots[0] < time.Second || slots[n-1] > time.Second+window || n > 10 && slots[n-1] < window {
				t.Errorf("%d clients come back from %v to %v, want within %v after a second", n, slots[0], slots[n-1], window)
			}
			if early, late := session.Slot(0, n, 0), session.Slot(0, n, 0.99); early >= late {
				t.Errorf("jitter does nothing: %v and %v", early, late)
			}
		})
	}
}
