package room_test

import (
	"context"
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

// slowPage is a store during whose reading of a page something happens.
type slowPage struct {
	*shaky
	during func()
}

func (s *slowPage) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	p, err := s.shaky.Before(ctx, conv, seq, limit)
	if f := s.during; f != nil {
		s.during = nil
		f()
	}
	return p, err
}

// While a page is read its room may be let go, and another one learn how far the
// members are: a page tells what is known when it is handed over.
func TestPageTellsMarksOfTheRoomThatThereIs(t *testing.T) {
	inHubWith(t, 1, func(s *shaky) room.Store { return &slowPage{shaky: s} }, func(t *testing.T, h *room.Hub, st room.Store, a, b *ear) {
		s := st.(*slowPage)
		if err := s.CreateGroup(t.Context(), "G1", "g", "Ua", []chat.UserID{"Ua", "Ub"}, 1); err != nil {
			t.Fatal(err)
		}
		post(t, h, "Ua", "G1", "x")
		time.Sleep(time.Second)
		s.during = func() {
			post(t, h, "Ua", direct, "y") // takes the one place
			time.Sleep(time.Second)
			if err := h.Seen(t.Context(), "Ub", chat.Marks{Conv: "G1", Delivered: 1, Read: 1}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		p, err := h.Before(t.Context(), "Ua", "G1", 0, 10)
		if err != nil || p.All == nil || p.All.Read != 1 {
			t.Errorf("the page says %+v, %v, want that all have read", p.All, err)
		}
	})
}
