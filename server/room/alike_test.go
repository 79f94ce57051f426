package room_test

import (
	"sync"
	"testing"

	"kamachat/server/room"
	"kamachat/shared/chat"
)

// A Ref names a draft of its author, and may be used in two conversations by
// mistake: each caller is told about its own.
func TestWhoWaitsIsToldOfItsOwnConversation(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		other := chat.Direct("Ua", "Uc")
		var wg sync.WaitGroup
		var stored, refused sync.Map
		for _, conv := range []chat.ConvID{direct, other} {
			wg.Go(func() {
				m, err := h.PostWait(t.Context(), chat.Draft{Conv: conv, Author: "Ua", Ref: "x", Content: chat.TextContent("to " + string(conv))})
				switch {
				case err != nil:
					refused.Store(conv, chat.AsRefusal(err).Code)
				case m.Conv != conv:
					t.Errorf("who posted to %s is told of %+v", conv, m)
				default:
					stored.Store(conv, m)
				}
			})
		}
		wg.Wait()
		for _, conv := range []chat.ConvID{direct, other} {
			_, in := stored.Load(conv)
			code, out := refused.Load(conv)
			if in == out || out && code != chat.Invalid {
				t.Errorf("%s: stored %v, refused %v (%v), want one of the two", conv, in, out, code)
			}
		}
	})
}
