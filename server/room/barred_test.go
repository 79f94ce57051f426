package room_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// block has Ua block Ub, or no longer, and the hub be told.
func (s *seer) block(t *testing.T, h *room.Hub, on bool) {
	t.Helper()
	s.mu.Lock()
	s.blocks = map[chat.UserID]chat.UserID{}
	if on {
		s.blocks["Ua"] = "Ub"
	}
	s.mu.Unlock()
	if err := h.Renew(t.Context(), direct, "Ua", "Ub"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
}

// typed is how often e was told that u writes.
func (e *ear) typed(u chat.UserID) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		if ty, ok := b.(wire.Typing); ok && ty.User == u {
			n++
		}
	}
	return n
}

func TestWhoIsBlockedSeesNothingOfTheOther(t *testing.T) {
	both := func(t *testing.T, h *room.Hub, a, b *ear, want bool, when string) {
		t.Helper()
		meet(t, h, a, b, want, when)
		before := a.typed("Ub") + b.typed("Ua")
		for _, u := range []chat.UserID{"Ua", "Ub"} {
			if err := h.Typing(t.Context(), u, direct); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if n := a.typed("Ub") + b.typed("Ua") - before; n > 0 != want {
			t.Errorf("%s: %d were told that the other writes", when, n)
		}
	}
	t.Run("at once, and back", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			both(t, h, a, b, true, "at first")
			for range 2 {
				s.block(t, h, true)
				both(t, h, a, b, false, "blocked")
				s.block(t, h, false)
				both(t, h, a, b, true, "no longer")
			}
		})
	})
	t.Run("who comes and goes", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			s.block(t, h, true)
			h.Leave(t.Context(), a)
			gone := b.offline("Ua")
			time.Sleep(time.Minute)
			if n := b.offline("Ua") - gone; n != 0 {
				t.Errorf("b was told %d times that a is gone", n)
			}
			if us := h.Here(t.Context(), "Ua", "Ub"); len(us) > 0 {
				t.Errorf("a, who is on no node, sees %v", us)
			}
			welcomed(t, h, a)
			time.Sleep(time.Second)
			both(t, h, a, b, false, "again")
			h.Leave(t.Context(), b)
			time.Sleep(time.Minute)
			s.block(t, h, false)
			welcomed(t, h, b)
			time.Sleep(time.Second)
			both(t, h, a, b, true, "no longer, and again")
		})
	})
	t.Run("who is further down the list", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			c := &ear{user: "Uc"}
			welcomed(t, h, c)
			s.mu.Lock()
			s.blocks = map[chat.UserID]chat.UserID{"Ua": "Uc"}
			s.mu.Unlock()
			if err := h.Renew(t.Context(), chat.Direct("Ua", "Uc"), "Ua", "Uc"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			post(t, h, "Uc", chat.Direct("Ua", "Uc"), "hello") // of which the store here does not know
			time.Sleep(time.Second)
			if a.sees("Uc") || c.sees("Ua") {
				t.Error("a conversation that is new to them tells")
			}
			for _, u := range []chat.UserID{"Ua", "Uc"} {
				l, err := h.Lines(t.Context(), u, wire.List{})
				if err != nil || slices.Contains(l.Online, "Ua") || slices.Contains(l.Online, "Uc") {
					t.Errorf("%s lists %v as online: %v", u, l.Online, err)
				}
			}
		})
	})
	t.Run("while somebody is welcomed", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			h.Leave(t.Context(), a)
			time.Sleep(time.Minute)
			if err := h.Presence.Touch(t.Context(), "Ua", "on another node"); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			s.after = func() { s.block(t, h, true) }
			s.mu.Unlock()
			welcomed(t, h, b)
			if us := h.Here(t.Context(), "Ub", "Ua"); b.sees("Ua") || len(us) > 0 {
				t.Errorf("who was blocked after that was read sees %v", us)
			}
		})
	})
	t.Run("while it can't be read", func(t *testing.T) {
		seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
			s.mu.Lock()
			s.lost = errors.New("the database is away")
			s.mu.Unlock()
			s.block(t, h, true)
			both(t, h, a, b, false, "not known")
			h.Join(t.Context(), &ear{user: "Ua"})
			if _, err := h.Welcome(t.Context(), &ear{user: "Ua"}); err == nil {
				t.Error("somebody is welcomed of whom it is not known who may see them")
			}
			s.mu.Lock()
			s.lost, s.blocks = nil, nil
			s.mu.Unlock()
			time.Sleep(time.Minute)
			both(t, h, a, b, true, "known again")
		})
	})
}

func TestWhoIsBlockedSendsNoSignals(t *testing.T) {
	seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
		signal := chat.Draft{Conv: direct, Author: "Ub", Ref: "r", Content: chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "candidate"}}}
		if err := h.Signal(t.Context(), signal); err != nil {
			t.Fatal(err)
		}
		h.Store.(interface {
			Bond(x, y chat.UserID, b chat.Bond)
		}).Bond("Ua", "Ub", chat.Bond{Blocking: true})
		s.block(t, h, true)
		if err := h.Signal(t.Context(), signal); chat.AsRefusal(err).Code != chat.Blocked {
			t.Errorf("a signal of who is blocked: %v", err)
		}
	})
}
