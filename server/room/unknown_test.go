package room_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// elsewhere is a presence that knows of other nodes while it is not away.
type elsewhere struct {
	*inproc.Presence
	mu    sync.Mutex
	away  bool
	there []chat.UserID // on other nodes
}

func (p *elsewhere) set(away bool, there ...chat.UserID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away, p.there = away, there
}

func (p *elsewhere) Known() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.away
}

func (p *elsewhere) Online(ctx context.Context, us ...chat.UserID) (map[chat.UserID]bool, error) {
	on, err := p.Presence.Online(ctx, us...)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return on, errors.New("not known")
	}
	for _, u := range us {
		on[u] = on[u] || slices.Contains(p.there, u)
	}
	return on, err
}

// presence is what e was told about others, latest last.
func (e *ear) presence() (out []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		switch b := b.(type) {
		case wire.Presence:
			slices.Sort(b.Online)
			out = append(out, fmt.Sprint("known ", b.Known, " ", b.Online))
		case wire.Online:
			out = append(out, fmt.Sprint(b.User, " ", b.Online))
		}
	}
	e.got = nil
	return out
}

func TestNobodyIsShownAsWhatIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := chat.NewIDs(0, func() int64 { return 0 })
		s := roomtest.NewMemory(time.Now, ids.Next)
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		p := &elsewhere{Presence: inproc.NewPresence(), there: []chat.UserID{"Uc"}}
		h := room.NewHub(room.Config{
			Store: s, People: s, Carrier: inproc.NewCarrier(100, 1), Fanout: inproc.NewFanout(100), Presence: p, Log: slog.New(slog.DiscardHandler),
		})
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- h.Run(ctx) }()
		for _, peer := range []chat.UserID{"Ub", "Uc"} {
			post(t, h, "Ua", chat.Direct("Ua", peer), "to-"+string(peer))
		}
		synctest.Wait()
		a, b := &ear{user: "Ua"}, &ear{user: "Ub"}
		welcome := func(e *ear) wire.Welcome {
			t.Helper()
			h.Join(ctx, e)
			w, err := h.Welcome(ctx, e)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		if w := welcome(a); w.Unknown || !slices.Equal(w.Online, []chat.UserID{"Uc"}) {
			t.Errorf("at first online are %v, unknown %v", w.Online, w.Unknown)
		}
		welcome(b)
		time.Sleep(time.Second)
		a.presence()
		want := func(what string, e *ear, lines ...string) {
			t.Helper()
			if got := e.presence(); !slices.Equal(got, lines) {
				t.Errorf("%s: told %q, want %q", what, got, lines)
			}
		}
		p.set(true)
		time.Sleep(time.Second)
		want("away", a, "known false [Ub]")
		if w := welcome(&ear{user: "Ua"}); !w.Unknown || !slices.Equal(w.Online, []chat.UserID{"Ub"}) {
			t.Errorf("while it is away online are %v, unknown %v", w.Online, w.Unknown)
		}
		want("who comes again", a)
		h.Leave(ctx, b)
		time.Sleep(5 * time.Second)
		want("Ub left this node", a, "Ub false")
		p.set(false, "Uc")
		time.Sleep(time.Second)
		want("other nodes may not have told it yet", a)
		p.set(true)
		time.Sleep(time.Second)
		p.set(false, "Uc")
		time.Sleep(2 * time.Second)
		want("it was away again", a)
		time.Sleep(2 * time.Second)
		want("known again", a, "known true [Uc]")
		time.Sleep(time.Minute)
		want("and nothing more", a)
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}
