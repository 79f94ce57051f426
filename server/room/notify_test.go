package room_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/shared/chat"
)

// notes is a notifier that writes down what it is told.
type notes struct {
	mu   sync.Mutex
	seqs []int64
}

func (n *notes) Stored(m chat.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seqs = append(n.seqs, m.Seq)
}

func TestNotifierIsToldOfEachEntryOnce(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		n := &notes{}
		h.Notifier = n
		say := func(ref string) chat.Draft {
			return chat.Draft{Conv: direct, Author: "Ua", Ref: ref, Content: chat.TextContent(ref)}
		}
		for _, ref := range []string{"1", "2"} {
			if _, err := h.PostWait(t.Context(), say(ref)); err != nil {
				t.Fatal(err)
			}
		}
		// Sent again, and one that the store refuses.
		if _, err := h.PostWait(t.Context(), say("1")); err != nil {
			t.Fatal(err)
		}
		nobody := chat.Draft{Conv: chat.Direct("Ua", "Unobody"), Author: "Ua", Ref: "x", Content: chat.TextContent("x")}
		if _, err := h.PostWait(t.Context(), nobody); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("posting to nobody: %v", err)
		}
		// Stored although the first answer says that it failed.
		s.set(1, 0)
		if _, err := h.PostWait(t.Context(), say("3")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if want := []int64{1, 2, 3}; !slices.Equal(n.seqs, want) {
			t.Errorf("told of %v, want %v", n.seqs, want)
		}
	})
}

func TestWhoLooksIsKnownFromJoinToLeave(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		looking := inproc.NewPresence()
		h.Looking = looking
		c := &ear{user: "Uc"}
		for i, step := range []struct {
			do   func()
			want bool
		}{
			{func() { h.Join(t.Context(), c) }, true},
			{func() { h.Look(t.Context(), c, true) }, false},
			{func() { h.Look(t.Context(), c, false) }, true},
			{func() { h.Leave(t.Context(), c) }, false},
		} {
			step.do()
			if on, err := looking.Online(t.Context(), "Uc"); err != nil || on["Uc"] != step.want {
				t.Errorf("step %d: %v, %v, want %v", i, on, err, step.want)
			}
		}
	})
}
