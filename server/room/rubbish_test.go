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

// Another node, or who can write to its Redis, may tell of entries that there are not.
func TestEntriesThatTheStoreHasNotAreLetGo(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		tell := func(seq int64) {
			t.Helper()
			m := chat.Message{ID: 7, Conv: direct, Seq: seq, Author: "Ua", Content: chat.TextContent("told")}
			if err := h.Fanout.Publish(t.Context(), wire.Event{Conv: direct, Author: "Ua", Ref: "r", Frame: wire.Frame{Body: wire.Posted{Message: m}}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		want := func(seqs string, ignored int64) {
			t.Helper()
			if got, _ := b.heard(direct); got != seqs {
				t.Errorf("the other was told of %q, want %q", got, seqs)
			}
			if n := h.Ignored().Unstored; n != ignored {
				t.Errorf("%d events are counted, want %d", n, ignored)
			}
		}
		tell(1) // of a room that is not in memory
		want("", 1)
		post(t, h, "Ua", direct, "x")
		time.Sleep(time.Second)
		tell(1 << 40) // of one that is
		want("1 ", 2)
		if err := h.Seen(t.Context(), "Ub", chat.Marks{Conv: direct, Delivered: 1 << 40, Read: 1 << 40}); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{"y", "z"} { // another node's, of which the first is not told
			if _, err := s.Append(t.Context(), []chat.Draft{{Conv: direct, Author: "Ua", Ref: ref, Content: chat.TextContent("y")}}); err != nil {
				t.Fatal(err)
			}
		}
		tell(3)
		want("1 3 ", 2)
		ms, err := s.Members(t.Context(), direct)
		if err != nil || ms[0].Read != 3 || ms[1].Read != 1 {
			t.Errorf("%+v, %v, want that Ua has read 3 and Ub 1", ms, err)
		}
	})
}
