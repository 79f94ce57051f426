package room_test

import (
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// reads is how often e was told how far both have read.
func (e *ear) reads() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		if s, ok := b.(wire.Seen); ok && s.User == "" {
			n++
		}
	}
	return n
}

// Neither that somebody reads, nor that they hide themselves now, is told to whom they
// have blocked: either would say that they are there.
func TestWhoIsBlockedIsNotToldThatTheOtherReadsOrHides(t *testing.T) {
	seen(t, func(t *testing.T, h *room.Hub, s *seer, a, b *ear) {
		bond := h.Store.(interface {
			Bond(x, y chat.UserID, b chat.Bond)
		}).Bond
		told := func() int { return b.reads() + b.offline("Ua") }
		read := func(seq int64) {
			t.Helper()
			if err := h.Seen(t.Context(), "Ua", chat.Marks{Conv: direct, Delivered: seq, Read: seq}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		post(t, h, "Ub", direct, "one")
		post(t, h, "Ub", direct, "two")
		time.Sleep(time.Second)
		before := told()
		read(2)
		if told() == before {
			t.Error("that the other reads is told to nobody")
		}
		bond("Ua", "Ub", chat.Bond{Blocking: true})
		s.block(t, h, true)
		before = told()
		read(3)
		for _, unseen := range []bool{true, false} {
			if err := h.Unsee(t.Context(), "Ua", unseen); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := told() - before; n != 0 {
			t.Errorf("who is blocked was told %d times that the other is there", n)
		}
	})
}
