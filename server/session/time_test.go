package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// inBubble runs f where time passes only when everybody waits.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func TestDeadPeerIsGoneWithinAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.native(ann)
		_ = c // never reads again, so it answers no ping
		if _, n := w.hub.Online(); n != 1 {
			t.Fatalf("%d sessions, want 1", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, n := w.hub.Online(); n != 0 {
			t.Errorf("%d sessions after a minute of silence, want 0", n)
		}
	})
}

func TestLivingPeerStays(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.native(ann)
		ctx := c.ws.CloseRead(context.Background()) // answers pings
		time.Sleep(time.Hour)
		if _, n := w.hub.Online(); n != 1 || ctx.Err() != nil {
			t.Errorf("%d sessions after an idle hour, want 1 (%v)", n, ctx.Err())
		}
	})
}

func TestWhoSaysNoHelloIsClosed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.dial("u=" + string(ann))
		start := time.Now()
		_ = c.closed()
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

func TestStuckReaderIsCutAndCostsOthersNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Queue: 100}, 1024)
		a, b := w.native(ann), w.native(bob)
		stuck := w.native(cat) // reads nothing from here on
		start := time.Now()
		for i := range 500 {
			a.send(post(fmt.Sprint(i), group, fmt.Sprint(i)))
			a.posted(fmt.Sprint(i))
			b.posted(fmt.Sprint(i))
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("500 messages took %v of waiting beside a stuck reader", d)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, n := w.hub.Online(); n != 2 {
			t.Errorf("%d sessions, want 2: the stuck one is cut", n)
		}
		_ = stuck.closed()
		// It comes back and has nothing missing.
		c := w.native(cat)
		c.send(fmt.Sprintf(`{"k":"resume","r":"q","b":{"conv":%q,"after":480}}`, group))
		h := c.until("history", func(f wire.Frame) bool { return f.Ref == "q" }).Body.(wire.History)
		if len(h.Entries) != 20 || h.Entries[0].Seq != 481 || h.LastSeq != 500 {
			t.Errorf("resume gave %d entries of %d", len(h.Entries), h.LastSeq)
		}
	})
}

func TestSignOutEndsOnlyItsSockets(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	phone, desk := w.dial("u="+string(ann)+"&login=phone"), w.dial("u="+string(ann)+"&login=desk")
	seed := w.dial("classic&login=phone&u=" + string(ann))
	for _, c := range []*client{phone, desk} {
		c.send(`{"k":"hello","b":{}}`)
		c.until("welcome", func(f wire.Frame) bool { _, ok := f.Body.(wire.Welcome); return ok })
	}
	seed.text()
	if err := w.hub.CloseLogin(t.Context(), ann, "phone", "signed_out"); err != nil {
		t.Fatal(err)
	}
	bye := phone.until("bye", func(f wire.Frame) bool { _, ok := f.Body.(wire.Bye); return ok }).Body.(wire.Bye)
	if err := phone.closed(); bye.Reason != "signed_out" || websocket.CloseStatus(err) != 4001 {
		t.Errorf("phone: %+v, %v", bye, err)
	}
	if got := seed.text(); got != "已退出登录" {
		t.Errorf("classic: %q", got)
	}
	if err := seed.closed(); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("classic: %v", err)
	}
	desk.send(post("r", direct, "still here"))
	desk.posted("still here")
}

func TestTooLargeAFrameClosesItsOwnSocketOnly(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.native(ann), w.native(bob)
	go func() {
		_ = a.ws.Write(context.Background(), websocket.MessageText, []byte(strings.Repeat("x", wire.MaxFrame+1)))
	}()
	if err := a.closed(); websocket.CloseStatus(err) != websocket.StatusMessageTooBig && !errors.Is(err, io.EOF) {
		t.Errorf("closed with %v", err)
	}
	b.send(post("r", direct, "fine"))
	b.posted("fine")
}

func TestPeopleComeAndGoWhileOthersWrite(t *testing.T) {
	w := newWorld(t, session.Config{}, 1024)
	a := w.native(ann)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				c := w.dial("u=" + string(bob))
				c.send(`{"k":"hello","b":{}}`)
				c.until("welcome", func(f wire.Frame) bool { _, ok := f.Body.(wire.Welcome); return ok })
				_ = c.ws.CloseNow()
			}
		})
	}
	for i := range 200 {
		a.send(post(fmt.Sprint(i), group, fmt.Sprint(i)))
		a.posted(fmt.Sprint(i))
	}
	wg.Wait()
	p, err := w.hub.After(t.Context(), ann, group, 150)
	if err != nil || len(p.Entries) != 50 || p.LastSeq != 200 {
		t.Errorf("%d entries, last %d, %v", len(p.Entries), p.LastSeq, err)
	}
}

func TestHistoryIsBoundedHoweverMuchIsAsked(t *testing.T) {
	w := newWorld(t, session.Config{}, 1024)
	var ds []chat.Draft
	for i := range 250 {
		ds = append(ds, chat.Draft{Conv: group, Author: ann, Ref: fmt.Sprint(i), Content: chat.TextContent("x")})
	}
	if _, err := w.db.Append(t.Context(), ds); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{-1, 0, 1 << 30} {
		p, err := w.hub.Before(t.Context(), bob, group, 0, limit)
		if err != nil || len(p.Entries) == 0 || len(p.Entries) > chat.MaxPage {
			t.Errorf("limit %d: %d entries, %v", limit, len(p.Entries), err)
		}
	}
}

func TestMarksAreBoundedByTheLogAndToldToTheAuthor(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.native(ann), w.native(bob)
	a.send(post("1", direct, "one"))
	b.posted("one")
	b.send(fmt.Sprintf(`{"k":"seen","b":{"conv":%q,"delivered":9999999,"read":9999999}}`, direct))
	a.until("read mark", func(f wire.Frame) bool {
		s, ok := f.Body.(wire.Seen)
		return ok && s.User == "" && s.Read == 1 && s.Delivered == 1
	})
	a.send(post("2", direct, "two"))
	b.posted("two")
	time.Sleep(300 * time.Millisecond)
	l, err := w.hub.Lines(t.Context(), bob, wire.List{})
	if err != nil || l.Convs[0].Unread != 1 {
		t.Errorf("%+v, %v: want one unread", l, err)
	}
}
