package local

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// told is what the server of an epoch says of conv, whose log ends at last.
func told(s *state.State, epoch string, last int64) state.Change {
	return s.Apply(wire.Frame{Body: wire.Welcome{
		Me: chat.Person{ID: "U1"}, Epoch: epoch, Convs: []chat.Summary{{Conv: conv, Title: epoch, Members: 3, LastSeq: last}},
	}}, 0)
}

// logOf folds the entries 1 to last of conv, as they are in an epoch.
func logOf(s *state.State, epoch string, last int64) state.Change {
	p := chat.Page{Conv: conv, LastSeq: last}
	for n := int64(1); n <= last; n++ {
		m := msg(conv, n)
		m.Content = chat.TextContent(fmt.Sprint(epoch, n))
		p.Entries = append(p.Entries, m)
	}
	return s.Apply(wire.Frame{Body: wire.History{Page: p}}, 0)
}

// keptIn is a Store with 120 entries of an epoch, a draft and a post.
func keptIn(t *testing.T, epoch string) *memory {
	t.Helper()
	m := newMemory()
	s := state.New()
	r := on(s, m)
	r.Changed(told(s, epoch, 120))
	r.Changed(logOf(s, epoch, 120))
	s.SetDraft(conv, "half a thought")
	r.Drafted(conv)
	ch, _ := s.Add(conv, chat.TextContent("waits"), "r1", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(m.keys("p/")); n != 3 {
		t.Fatalf("kept are %d pages: %s", n, m.names())
	}
	return m
}

// only fails the test where anything kept is of an epoch but epoch, or the
// person's own words are not there.
func only(t *testing.T, m *memory, epoch, other string) {
	t.Helper()
	for key, v := range m.vals {
		if strings.Contains(v, other) && key[:2] != "o/" {
			t.Errorf("of the epoch %s there is %s: %.80s", other, key, v)
		}
	}
	if !strings.Contains(m.vals["me"], epoch) || m.vals["o/r1"] == "" || m.vals["d/G1"] == "" {
		t.Errorf("kept are %v", m.vals)
	}
}

// Without a page of the server's, the welcome says it.
func TestWelcomeInAnotherEpochDropsWhatIsKept(t *testing.T) {
	for name, bad := range map[string]error{"at once": nil, "after a failure": errors.New("broken"), "without room": ErrFull} {
		t.Run(name, func(t *testing.T) {
			m := keptIn(t, "first")
			s := reopened(t, m)
			r := on(s, m)
			r.Began(s.Unsent(), nil)
			if got := rows(s, conv); s.Epoch() != "first" || got[0] != "first51" {
				t.Fatalf("begun with %q of %q", got, s.Epoch())
			}
			m.breaks(bad)
			r.Changed(told(s, "second", 60))
			for seq := range int64(100) { // nothing of the other epoch is read meanwhile
				if es, err := r.Before(t.Context(), conv, seq); len(es) > 0 {
					t.Fatalf("read before %d: %d entries, %v", seq, len(es), err)
				}
			}
			if es, _ := r.Around(t.Context(), conv, 30); len(es) > 0 {
				t.Errorf("read around 30: %d entries", len(es))
			}
			if err := r.Flush(t.Context()); (err != nil) != (bad != nil) {
				t.Fatal(err)
			}
			m.breaks(nil)
			r.Changed(logOf(s, "second", 60))
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			only(t, m, "second", "first")
			if es, err := r.Before(t.Context(), conv, 0); err != nil || len(es) != 60 || es[0].Content.Text != "second1" {
				t.Errorf("kept are %d entries, %v", len(es), err)
			}
			again := reopened(t, m)
			if got := rows(again, conv); len(got) != 61 || got[59] != "second60" || got[60] != "waits" || again.Draft(conv) != "half a thought" {
				t.Errorf("opened again it shows %q", got)
			}
		})
	}
}

// A page of the server's says its epoch before anything kept is read.
func TestPageOfAnotherEpochDropsWhatIsKept(t *testing.T) {
	m := keptIn(t, "first")
	k, err := Load(t.Context(), m, "U1", "second")
	if err != nil || len(k.Lines) > 0 || len(k.Unsent) != 1 || k.Drafts[conv] == "" {
		t.Errorf("%+v, %v", k, err)
	}
	only(t, m, "second", "first")
	if len(m.keys("p/")) > 0 || len(m.keys("c/")) > 0 {
		t.Errorf("kept are %s", m.names())
	}
	m = keptIn(t, "first")
	if k, err := Load(t.Context(), m, "U1", "first"); err != nil || len(k.Lines) != 1 || len(m.keys("p/")) != 3 {
		t.Errorf("of the same epoch: %+v, %v; kept are %s", k, err, m.names())
	}
	if k, err := Load(t.Context(), m, "U1", ""); err != nil || len(k.Lines) != 1 || k.Epoch != "first" || len(m.keys("p/")) != 3 {
		t.Errorf("of a server that does not say: %+v, %v; kept are %s", k, err, m.names())
	}
}

// A page that has not heard of the new epoch yet writes nothing into it but what
// the person writes.
func TestPageOfTheEpochBeforeWritesOnlyPosts(t *testing.T) {
	m := keptIn(t, "first")
	late := reopened(t, m)
	old := on(late, m)
	s := state.New()
	r := on(s, m)
	r.Changed(told(s, "second", 60))
	r.Changed(logOf(s, "second", 60))
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	old.Changed(logOf(late, "first", 120))
	ch, _ := late.Add(conv, chat.TextContent("said first"), "r2", 1)
	old.Changed(ch)
	if err := old.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m.vals["o/r2"] == "" {
		t.Error("a post is not kept")
	}
	only(t, m, "second", "first")
}
