package local

import (
	"errors"
	"fmt"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// TestWhatIsDeletedIsNotKept: on the device where it was deleted, offline, and on
// another of the person's, whatever of it they held; not in records, in what is
// found, nor after a reload.
func TestWhatIsDeletedIsNotKept(t *testing.T) {
	for name, clear := range map[string]func(s *state.State, to int64) state.Change{
		"here": func(s *state.State, to int64) state.Change {
			ch, _ := s.SetLine(conv, chat.LineChange{Clear: to}, "l1", 0)
			return ch
		},
		"elsewhere": func(s *state.State, to int64) state.Change {
			return s.Apply(wire.Frame{Body: wire.Lined{Conv: conv, Line: chat.Line{Cleared: to}}}, 0)
		},
	} {
		for _, to := range []int64{1, 49, 50, 51, 120, 125} {
			t.Run(fmt.Sprint(name, " up to ", to), func(t *testing.T) {
				m := newMemory()
				s := live(0, conv)
				r := on(s, m)
				fill(s, r, conv, 1, 125)
				flush(t, r)
				if n := len(keptOf(t, m, conv)); n != 125 {
					t.Fatalf("%d are kept", n)
				}
				m.breaks(errors.New("not now"))
				r.Changed(clear(s, to))
				_ = r.Flush(t.Context())
				m.breaks(nil)
				flush(t, r)
				check := func(when string) {
					t.Helper()
					es := keptOf(t, m, conv)
					if len(es) != 125-int(to) || len(es) > 0 && es[0].Seq != to+1 {
						t.Errorf("%s %d are kept", when, len(es))
					}
				}
				check("then")
				if found, err := r.Find(t.Context(), find.Parse("12"), 10); err != nil || (len(found) == 0) != (to == 125) || len(found) > 0 && found[len(found)-1].Seq <= to {
					t.Errorf("found are %+v, %v", found, err)
				}
				s = reopened(t, m)
				if got := s.Cleared(conv); got != to {
					t.Errorf("after a reload it is deleted up to %d", got)
				}
				if held := s.Held(conv); len(held) > 0 && held[0].Seq <= to {
					t.Errorf("after a reload %d is held", held[0].Seq)
				}
				r = on(s, m)
				r.Changed(state.Change{List: true})
				flush(t, r)
				check("after a reload")
			})
		}
	}
}

// TestDeletedPagesOfACrashAreRemovedAtTheNextStart: it was noted that they are
// deleted, and no more.
func TestDeletedPagesOfACrashAreRemovedAtTheNextStart(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	fill(s, r, conv, 1, 70)
	flush(t, r)
	pages := map[string]string{}
	for _, key := range m.keys("p/") {
		pages[key] = m.vals[key]
	}
	ch, _ := s.SetLine(conv, chat.LineChange{Clear: 60}, "l1", 0)
	r.Changed(ch)
	flush(t, r)
	for key, v := range pages {
		m.vals[key] = v
	}
	s = reopened(t, m)
	if held := s.Held(conv); len(held) > 0 && held[0].Seq <= 60 {
		t.Errorf("%d is held", held[0].Seq)
	}
	r = on(s, m)
	if found, err := r.Find(t.Context(), find.Parse("5"), 10); err != nil || len(found) > 0 {
		t.Errorf("found are %+v, %v", found, err)
	}
	flush(t, r)
	if es := keptOf(t, m, conv); len(es) != 10 || es[0].Seq != 61 {
		t.Errorf("%d are kept", len(es))
	}
}

func flush(t *testing.T, r *Replica) {
	t.Helper()
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
