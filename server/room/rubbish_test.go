package room_test

import (
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// bomb is a session that what it is told makes panic.
type bomb struct{ ear }

func (*bomb) Push(*wire.Packet) { panic("rubbish") }

// What can't be handed out is let go; the server, and what comes next, go on.
func TestEventThatPanicsIsLetGo(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		c := &bomb{ear{user: "Uc"}}
		h.Join(t.Context(), c)
		if err := h.Fanout.Publish(t.Context(), wire.Event{To: []chat.UserID{"Uc"}, Frame: wire.Frame{Body: wire.Online{User: "Ua"}}}); err != nil {
			t.Fatal(err)
		}
		post(t, h, "Ua", direct, "x")
		time.Sleep(time.Second)
		if got, _ := b.heard(direct); got != "1 " {
			t.Errorf("what came next was told as %q, want 1", got)
		}
		if n := h.Ignored().Broken; n != 1 {
			t.Errorf("%d events are counted, want 1", n)
		}
	})
}
