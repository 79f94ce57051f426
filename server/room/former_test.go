package room_test

import (
	"slices"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Who comes back into a group in which they are muted is told so with the group.
func TestWhoComesBackMutedIsTold(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		if err := s.CreateGroup(t.Context(), "G1", "g", "Ua", []chat.UserID{"Ua", "Ub"}, 1); err != nil {
			t.Fatal(err)
		}
		c := &ear{user: "Uc"}
		h.Join(t.Context(), c)
		post(t, h, "Ua", "G1", "x") // with it the group is told of
		time.Sleep(time.Second)
		b.mu.Lock()
		b.got = nil
		b.mu.Unlock()
		until := time.Now().Add(time.Hour).UnixMilli()
		for i, ch := range []struct {
			by chat.UserID
			chat.Change
		}{
			{"Ua", chat.Change{What: chat.Hushed, Who: []chat.UserID{"Ub"}, Until: until}},
			{"Ub", chat.Change{What: chat.Left, Who: []chat.UserID{"Ub"}}},
			{"Ua", chat.Change{What: chat.Joined, Who: []chat.UserID{"Ub", "Uc"}}},
		} {
			d := chat.Draft{Conv: "G1", Author: ch.by, Ref: string(rune('a' + i)), Content: chat.Content{Kind: chat.Event, Event: &ch.Change}}
			if _, err := h.PostWait(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for e, want := range map[*ear]int64{b: until, c: 0} {
			told := 0
			e.mu.Lock()
			got := slices.Clone(e.got)
			e.mu.Unlock()
			for _, x := range got {
				if o, ok := x.(wire.Opened); ok {
					told++
					if o.Summary.Place.Muted != want || o.Summary.Members != 1 {
						t.Errorf("%s is told %+v, want to be muted until %d in a group of one", e.user, o.Summary, want)
					}
				}
			}
			if told != 1 {
				t.Errorf("%s is told %d times", e.user, told)
			}
		}
	})
}
