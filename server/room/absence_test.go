package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// dimPresence does not know who is online while it is dim.
type dimPresence struct {
	room.Presence
	dim atomic.Bool
}

func (p *dimPresence) Online(ctx context.Context, us ...chat.UserID) (map[chat.UserID]bool, error) {
	if p.dim.Load() {
		return nil, errors.New("presence is away")
	}
	return p.Presence.Online(ctx, us...)
}

// offline counts how often e was told that u is gone.
func (e *ear) offline(u chat.UserID) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		if b == (wire.Online{User: u}) {
			n++
		}
	}
	return n
}

func TestWhoLeftWhilePresenceWasAwayIsToldLater(t *testing.T) {
	inHub(t, 10, func(t *testing.T, h *room.Hub, _ *shaky, a, b *ear) {
		dim := &dimPresence{Presence: h.Presence}
		h.Presence = dim
		post(t, h, "Ua", chat.Direct("Ua", "Ub"), "hello") // from here on they see each other come and go
		time.Sleep(time.Second)
		dim.dim.Store(true)
		h.Leave(t.Context(), b)
		time.Sleep(time.Minute)
		if n := a.offline("Ub"); n != 0 {
			t.Errorf("told %d times that Ub is gone, while nobody knows", n)
		}
		dim.dim.Store(false)
		time.Sleep(10 * time.Second)
		if n := a.offline("Ub"); n != 1 {
			t.Errorf("told %d times that Ub is gone, want once", n)
		}
	})
}
