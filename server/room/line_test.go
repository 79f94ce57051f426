package room_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

var yes = true

func TestALineIsToldToItsPersonAlone(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		post(t, h, "Ub", direct, "x")
		time.Sleep(time.Second)
		l, err := h.SetLine(t.Context(), "Ua", direct, chat.LineChange{Pin: &yes})
		if err != nil || l.Pinned == 0 {
			t.Fatal(l, err)
		}
		time.Sleep(time.Second)
		if got := linesHeard(a); !slices.Equal(got, []wire.Lined{{Conv: direct, Line: l}}) {
			t.Errorf("the person's session heard %+v, want %+v", got, l)
		}
		if got := linesHeard(b); len(got) > 0 {
			t.Errorf("the other person's heard %+v", got)
		}
		for name, c := range map[string]struct {
			u    chat.UserID
			conv chat.ConvID
			by   chat.LineChange
			want chat.Code
		}{
			"nothing":                 {"Ua", direct, chat.LineChange{}, chat.Invalid},
			"somebody else's":         {"Uc", direct, chat.LineChange{Pin: &yes}, chat.Forbidden},
			"nothing was ever said":   {"Ua", chat.Direct("Ua", "Uc"), chat.LineChange{Pin: &yes}, chat.NotFound},
			"there is no such group":  {"Ua", "Gnone", chat.LineChange{Clear: 1}, chat.NotFound},
			"no name of conversation": {"Ua", "x", chat.LineChange{Clear: 1}, chat.NotFound},
		} {
			if _, err := h.SetLine(t.Context(), c.u, c.conv, c.by); chat.AsRefusal(err).Code != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
	})
}

func TestWhoIsAskedIsToldAlone(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		for _, to := range [][]chat.UserID{{"Ua", "Uc"}, nil} {
			if err := h.Ask(t.Context(), "Gtea", to...); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for e, want := range map[*ear]int{a: 1, b: 0} {
			e.mu.Lock()
			n := 0
			for _, f := range e.got {
				if f == (wire.Asked{Conv: "Gtea"}) {
					n++
				}
			}
			e.mu.Unlock()
			if n != want {
				t.Errorf("%s is told %d times, want %d", e.user, n, want)
			}
		}
	})
}

func linesHeard(e *ear) (ls []wire.Lined) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		if l, ok := b.(wire.Lined); ok {
			ls = append(ls, l)
		}
	}
	return ls
}

func TestNothingShowsWhatIsDeletedForAPerson(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		begin := time.Now()
		for i := range 10 {
			post(t, h, "Ub", direct, fmt.Sprint(i))
			time.Sleep(time.Minute)
		}
		if _, err := h.SetLine(t.Context(), "Ua", direct, chat.LineChange{Clear: 7}); err != nil {
			t.Fatal(err)
		}
		seqs := func(u chat.UserID, p chat.Page, err error) (out []int64) {
			t.Helper()
			if err != nil || p.LastSeq != 10 {
				t.Fatalf("%+v, %v", p, err)
			}
			for _, m := range p.Entries {
				out = append(out, m.Seq)
			}
			return out
		}
		before := func(u chat.UserID, seq int64) []int64 {
			p, err := h.Before(t.Context(), u, direct, seq, 50)
			return seqs(u, p, err)
		}
		after := func(u chat.UserID, seq int64) []int64 {
			p, err := h.After(t.Context(), u, direct, seq)
			return seqs(u, p, err)
		}
		for name, c := range map[string]struct{ got, want []int64 }{
			"from the end":      {before("Ua", 0), []int64{8, 9, 10}},
			"before the rest":   {before("Ua", 8), nil},
			"in the middle":     {before("Ua", 5), nil},
			"after the first":   {after("Ua", 1), []int64{8, 9, 10}},
			"after the ninth":   {after("Ua", 9), []int64{10}},
			"the other's":       {before("Ub", 3), []int64{1, 2}},
			"the other's after": {after("Ub", 7), []int64{8, 9, 10}},
		} {
			if !slices.Equal(c.got, c.want) {
				t.Errorf("%s: %v, want %v", name, c.got, c.want)
			}
		}
		for after, want := range map[time.Duration]int64{0: 8, 8 * time.Minute: 9} {
			if seq, err := h.At(t.Context(), "Ua", direct, begin.Add(after).UnixMilli()); err != nil || seq != want {
				t.Errorf("%v later it is %d, %v, want %d", after, seq, err, want)
			}
		}
	})
}

// TestPinnedLinesAreOnTheFirstPage: however old they are, and once.
func TestPinnedLinesAreOnTheFirstPage(t *testing.T) {
	h, s := listed(t, 250)
	old := []chat.ConvID{chat.Direct("Umany", peer(3)), chat.Direct("Umany", peer(40))}
	for _, c := range old {
		if _, err := s.SetLine(t.Context(), "Umany", c, chat.LineChange{Pin: &yes}); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{0, 1, 2, 3, 40} {
		seen := map[chat.ConvID]int{}
		ask := wire.List{Limit: limit}
		for page := 0; ; page++ {
			l := lines(t, h, ask)
			for _, c := range names(l.Convs) {
				if seen[c]++; page > 0 && slices.Contains(old, c) {
					t.Fatalf("by %d, %s is on page %d", limit, c, page)
				}
			}
			if ask.After = l.Next; l.Next == "" {
				break
			}
		}
		for c, n := range seen {
			if n != 1 {
				t.Errorf("by %d, %s is there %d times", limit, c, n)
			}
		}
		if len(seen) != 250 {
			t.Errorf("by %d there are %d lines", limit, len(seen))
		}
	}
	hs, err := s.Heads(t.Context(), "Umany")
	if err != nil {
		t.Fatal(err)
	}
	sums := chat.Sums(hs, 30)
	if _, err := s.SetLine(t.Context(), "Umany", old[0], chat.LineChange{Clear: 1}); err != nil {
		t.Fatal(err)
	}
	l := lines(t, h, wire.List{Sums: sums})
	if len(l.Differ) != 1 || l.Differ[0] != chat.Part(old[0], 30) {
		t.Errorf("of parts with %s in %d differ %v", old[0], chat.Part(old[0], 30), l.Differ)
	}
}
