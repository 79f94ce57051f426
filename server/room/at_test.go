package room_test

import (
	"fmt"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
)

func TestAtFindsTheFirstEntryOfATime(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		begin := time.Now()
		for i := range 37 { // two each minute
			post(t, h, "Ua", direct, fmt.Sprint(i))
			time.Sleep(30 * time.Second)
		}
		for after, want := range map[time.Duration]int64{
			-time.Hour: 1, 0: 1, time.Second: 2, time.Minute: 3, 10 * time.Minute: 21, 18 * time.Minute: 37, 18*time.Minute + time.Second: 0,
		} {
			if seq, err := h.At(t.Context(), "Ub", direct, begin.Add(after).UnixMilli()); err != nil || seq != want {
				t.Errorf("%v later it is %d, %v, want %d", after, seq, err, want)
			}
		}
		if _, err := h.At(t.Context(), "Uc", direct, 0); chat.AsRefusal(err).Code != chat.Forbidden {
			t.Errorf("somebody else is told: %v", err)
		}
		if seq, err := h.At(t.Context(), "Ua", chat.Direct("Ua", "Uc"), 0); err != nil || seq != 0 {
			t.Errorf("where nothing was said it is %d, %v", seq, err)
		}
	})
}
