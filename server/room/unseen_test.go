package room_test

import (
	"context"
	"errors"
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

// seer is a Seer in memory.
type seer struct {
	mu     sync.Mutex
	unseen []chat.UserID
	seen   map[chat.UserID]int64
	blocks map[chat.UserID]chat.UserID // who has blocked whom
	fail   error                       // of Unseen
	lost   error                       // of Barred
	after  func()                      // called once, when Barred has read
}

func (s *seer) Barred(_ context.Context, u chat.UserID) (us []chat.UserID, err error) {
	s.mu.Lock()
	defer func() {
		f := s.after
		s.after = nil
		s.mu.Unlock()
		if f != nil {
			f()
		}
	}()
	for x, y := range s.blocks {
		if x == u {
			us = append(us, y)
		}
		if y == u {
			us = append(us, x)
		}
	}
	return us, s.lost
}

func (s *seer) Unseen(context.Context) ([]chat.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unseen), s.fail
}

func (s *seer) Saw(_ context.Context, at int64, us ...chat.UserID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range us {
		s.seen[u] = at
	}
	return nil
}

func (s *seer) set(us ...chat.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unseen = us
}

// Hidden hides nobody.
func (s *seer) Hidden(context.Context, chat.UserID, ...chat.UserID) ([]chat.UserID, error) {
	return nil, nil
}

func (s *seer) at(u chat.UserID) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[u]
}

// sees is what e has last been told of whether u is online.
func (e *ear) sees(u chat.UserID) (on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		switch b := b.(type) {
		case wire.Online:
			if b.User == u {
				on = b.Online
			}
		case wire.Presence:
			on = slices.Contains(b.Online, u)
		case wire.Welcome:
			on = slices.Contains(b.Online, u)
		}
	}
	return on
}

// seen runs f with a hub on which Ua and Ub, who know each other, are; the unseen
// are so from the beginning.
func seen(t *testing.T, f func(t *testing.T, h *room.Hub, s *seer, a, b *ear), unseen ...chat.UserID) {
	synctest.Test(t, func(t *testing.T) {
		ids := chat.NewIDs(0, func() int64 { return 0 })
		m := roomtest.NewMemory(time.Now, ids.Next)
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if err := m.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		s := &seer{unseen: unseen, seen: map[chat.UserID]int64{}}
		h := room.NewHub(room.Config{
			Store: m, People: m, Carrier: inproc.NewCarrier(64, 1), Fanout: inproc.NewFanout(64), Presence: inproc.NewPresence(),
			Log: slog.New(slog.DiscardHandler), Seer: s,
		})
		if err := h.LearnUnseen(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.Run(ctx) })
		post(t, h, "Ua", direct, "hello")
		time.Sleep(time.Second)
		a, b := &ear{user: "Ua"}, &ear{user: "Ub"}
		welcomed(t, h, a)
		welcomed(t, h, b)
		time.Sleep(time.Second)
		f(t, h, s, a, b)
		stop()
		wg.Wait()
	})
}

// welcomed lets e in.
func welcomed(t *testing.T, h *room.Hub, e *ear) {
	t.Helper()
	h.Join(t.Context(), e)
	w, err := h.Welcome(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	e.mu.Lock()
	e.got = append(e.got, w)
	e.mu.Unlock()
}

// meet looks whether a, who is Ua, and b, who is Ub, see each other as wanted.
func meet(t *testing.T, h *room.Hub, a, b *ear, want bool, when string) {
	t.Helper()
	if x, y := a.sees("Ub"), b.sees("Ua"); x != want || y != want {
		t.Errorf("%s: a sees b %v, b sees a %v, want %v", when, x, y, want)
	}
	if x, y := len(h.Here(t.Context(), "Ua", "Ub")) > 0, len(h.Here(t.Context(), "Ub", "Ua")) > 0; x != want || y != want {
		t.Errorf("%s: asked, a sees b %v, b sees a %v, want %v", when, x, y, want)
	}
}

func TestWhoIsUnseenSeesNobodyAndIsNotSeen(t *testing.T) {
	both := meet
	t.Run("from the beginning", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			both(t, h, a, b, false, "at first")
			h.Leave(t.Context(), a)
			time.Sleep(time.Minute)
			if n := b.offline("Ua"); n != 0 {
				t.Errorf("b was told %d times that a is gone, who was never seen", n)
			}
			welcomed(t, h, a)
			time.Sleep(time.Second)
			both(t, h, a, b, false, "again")
			// A conversation that is new to two people shows neither.
			c := &ear{user: "Uc"}
			welcomed(t, h, c)
			post(t, h, "Uc", chat.Direct("Ua", "Uc"), "hello")
			time.Sleep(time.Second)
			if a.sees("Uc") || c.sees("Ua") {
				t.Error("a new conversation tells who is online")
			}
			l, err := h.Lines(t.Context(), "Ub", wire.List{})
			if err != nil || len(l.Online) != 0 {
				t.Errorf("b lists %v as online: %v", l.Online, err)
			}
		}, "Ua")
	})
	t.Run("while both look", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			both(t, h, a, b, true, "at first")
			for range 2 {
				s.set("Ua")
				if err := h.Unsee(t.Context(), "Ua", true); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				both(t, h, a, b, false, "unseen")
				time.Sleep(time.Minute) // what is read anew says the same
				both(t, h, a, b, false, "unseen for a minute")
				s.set()
				if err := h.Unsee(t.Context(), "Ua", false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				both(t, h, a, b, true, "seen again")
			}
		})
	})
	t.Run("by another node, of which nothing was heard", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			s.set("Ua")
			time.Sleep(20 * time.Second)
			c := &ear{user: "Ub"}
			welcomed(t, h, c)
			if c.sees("Ua") {
				t.Error("who comes later sees them")
			}
		})
	})
	t.Run("while it can't be read anew", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			s.mu.Lock()
			s.fail = errors.New("the database is away")
			s.unseen = nil
			s.mu.Unlock()
			time.Sleep(time.Minute)
			welcomed(t, h, b)
			both(t, h, a, b, false, "a minute later")
		}, "Ua")
	})
}

func TestWhenPeopleWereHereIsNotedWhenTheyLeave(t *testing.T) {
	var s *seer
	var began, end int64
	seen(t, func(t *testing.T, h *room.Hub, is *seer, a, b *ear) {
		s, began = is, time.Now().UnixMilli()
		time.Sleep(time.Hour)
		h.Leave(t.Context(), a)
		time.Sleep(time.Second)
		if at := s.at("Ua"); at != 0 {
			t.Errorf("noted at once, at %d: they may come back", at)
		}
		time.Sleep(time.Minute)
		if at := s.at("Ua") - began; at < 3_600_000 || at > 3_610_000 {
			t.Errorf("Ua was here until %d ms after the beginning, want an hour", at)
		}
		if at := s.at("Ub"); at != 0 {
			t.Errorf("Ub, who is here, was last here at %d", at)
		}
		h.Leave(t.Context(), b)
		end = time.Now().UnixMilli()
	})
	if at := s.at("Ub"); at != end {
		t.Errorf("who is here at the end was last here at %d, want %d", at, end)
	}
}
