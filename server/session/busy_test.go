package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kamachat/server/classic"
	"kamachat/server/room"
	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A slowStore commits nothing while its lock is held.
type slowStore struct {
	room.Store
	sync.RWMutex
	came   chan struct{}          // a batch has come; holds one note
	before atomic.Int64           // pages read
	away   atomic.Int64           // reads of pages that are still to fail
	heads  atomic.Pointer[func()] // called once, when the heads have been read
}

func (s *slowStore) Heads(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	hs, err := s.Store.Heads(ctx, u)
	if f := s.heads.Swap(nil); f != nil {
		(*f)()
	}
	return hs, err
}

func (s *slowStore) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if s.before.Add(1); s.away.Add(-1) >= 0 {
		return chat.Page{}, errors.New("the database is away")
	}
	return s.Store.Before(ctx, conv, seq, limit)
}

func (s *slowStore) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	select {
	case s.came <- struct{}{}:
	default:
	}
	s.RLock()
	defer s.RUnlock()
	return s.Store.Append(ctx, ds)
}

func TestFullCarrierRefusesBusyAndKeepsWorking(t *testing.T) {
	w := newWorld(t, session.Config{}, 2)
	n, c := w.native(ann), w.classic(bob)
	w.slow.Lock()
	goOn := sync.OnceFunc(w.slow.Unlock)
	defer goOn()
	n.send(post("0", direct, "is being committed"))
	<-w.slow.came
	for i := range 3 { // two wait, one has no place
		n.send(post(fmt.Sprint(i+1), direct, fmt.Sprint("native ", i+1)))
	}
	if r := n.refused("3"); r.Code != chat.Busy || r.RetryAfter <= 0 {
		t.Errorf("refused %+v, want busy and when to come again", r)
	}
	c.send(seed(1, bob, string(ann), "classic"))
	if got := c.text(); got != classic.Busy {
		t.Errorf("the seed's client is told %q, want the busy notice", got)
	}
	n.send(`{"k":"before","r":"page","b":{"conv":"` + string(group) + `"}}`) // everything else goes on
	n.until("a page", func(f wire.Frame) bool { _, ok := f.Body.(wire.History); return ok && f.Ref == "page" })

	goOn()
	want := []string{"is being committed", "native 1", "native 2", "native 3", "classic"}
	n.posted(want[2])
	for _, text := range want[:3] {
		if got := c.text(); !strings.Contains(got, text) {
			t.Errorf("the seed's client got %s, want %q", got, text)
		}
	}
	n.send(post("3", direct, want[3])) // as its outbox does
	if f := n.posted(want[3]); f.Ref != "3" {
		t.Errorf("sent again it is answered with Ref %q", f.Ref)
	}
	c.text()
	c.send(seed(1, bob, string(ann), want[4]))
	n.posted(want[4])
	p, err := w.db.Before(t.Context(), direct, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range p.Entries {
		got = append(got, m.Content.Text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}
