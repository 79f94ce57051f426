package local

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// impatient is a page whose Adopts are carried out, but answered too late.
type impatient struct {
	*memory
	late bool
	then func() // what happens while an answer is on its way
}

func (m *impatient) Adopt(ctx context.Context, who chat.UserID) ([]state.Unsent, error) {
	us, err := m.memory.Adopt(ctx, who)
	if m.then != nil {
		m.then()
	}
	if m.late {
		return nil, context.DeadlineExceeded
	}
	return us, err
}

// orphan leaves a post in m whose page is gone.
func orphan(m *memory, ref string) {
	m.vals["o/"+ref] = fmt.Sprintf(`{"tab":"gone","u":{"conv":%q,"ref":%q,"n":1,"c":{"k":"text","text":%[2]q}}}`, conv, ref)
}

// restoring puts posts back into s as link.Client does.
func restoring(s *state.State, r *Replica) func(chat.UserID, []state.Unsent) {
	return func(who chat.UserID, us []state.Unsent) {
		if s.Me().ID == who {
			r.Changed(s.Restore(us))
		}
	}
}

func refs(s *state.State) string {
	var out []string
	for _, u := range s.Unsent() {
		out = append(out, u.Ref)
	}
	return strings.Join(out, " ")
}

func stored(s *state.State, ref string, seq int64) state.Change {
	m := msg(conv, seq)
	m.Author = "U1"
	return s.Apply(wire.Frame{Ref: ref, Body: wire.Posted{Message: m}}, 0)
}

// A page that did not wait for the answer sends what it took over all the same,
// and nothing of it twice.
func TestPostsOfAnAdoptThatWasNotWaitedForAreSent(t *testing.T) {
	m := &impatient{memory: newMemory(), late: true}
	orphan(m.memory, "r1")
	s := live(0, conv)
	r := NewReplica(m, m.tab, func(f func(*state.State)) { f(s) }, func(error) {})
	if err := r.Adopt(t.Context(), restoring(s, r)); err == nil || refs(s) != "" || !strings.Contains(m.vals["o/r1"], `"t1"`) {
		t.Fatalf("%v, the page sends %q, kept is %s", err, refs(s), m.vals["o/r1"])
	}
	m.late = false
	adopt := func() {
		t.Helper()
		if err := r.Adopt(t.Context(), restoring(s, r)); err != nil {
			t.Fatal(err)
		}
	}
	adopt()
	if refs(s) != "r1" {
		t.Fatalf("the page sends %q, want r1", refs(s))
	}
	// What is stored, but not removed yet, does not come back; nor does what is
	// stored while the answer is on its way.
	ch, _ := s.Add(conv, chat.TextContent("x"), "r2", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Changed(stored(s, "r1", 1))
	m.then = func() { r.Changed(stored(s, "r2", 2)) }
	adopt()
	if refs(s) != "" || len(m.keys("o/")) != 2 {
		t.Errorf("stored posts are sent again: %q; kept are %v, want both for this test", refs(s), m.keys("o/"))
	}
	m.then = nil
	if err := r.Flush(t.Context()); err != nil || len(m.keys("o/")) != 0 {
		t.Errorf("%v: kept are %v", err, m.keys("o/"))
	}
}

// A post that is taken over and stored before anything was written is removed.
func TestPostThatIsStoredAtOnceIsRemoved(t *testing.T) {
	m := newMemory()
	orphan(m, "r1")
	s := live(0, conv)
	r := on(s, m)
	err := r.Adopt(t.Context(), func(who chat.UserID, us []state.Unsent) {
		restoring(s, r)(who, us)
		r.Changed(stored(s, "r1", 1))
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if err == nil {
		err = r.Flush(t.Context())
	}
	if err != nil || len(m.keys("o/")) != 0 || refs(s) != "" {
		t.Errorf("%v: kept are %v, the page sends %q", err, m.keys("o/"), refs(s))
	}
}

// The removal of a post that could not be written is written later.
func TestRemovalOfAPostThatFailedIsTriedAgain(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	ch, _ := s.Add(conv, chat.TextContent("x"), "r1", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil || len(m.keys("o/")) != 1 {
		t.Fatal(err, m.keys("o/"))
	}
	m.breaks(ErrNone)
	r.Changed(stored(s, "r1", 1))
	if err := r.Flush(t.Context()); err == nil {
		t.Fatal("the write did not fail")
	}
	m.breaks(nil)
	if err := r.Flush(t.Context()); err != nil || len(m.keys("o/")) != 0 {
		t.Errorf("%v: kept are %v", err, m.keys("o/"))
	}
}

// Nobody sends what somebody else wrote, whenever the account changes.
func TestPostsAreNotHandedToAnotherAccount(t *testing.T) {
	m := &impatient{memory: newMemory()}
	orphan(m.memory, "r1")
	s := live(0, conv)
	r := NewReplica(m, m.tab, func(f func(*state.State)) { f(s) }, func(error) {})
	other := wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U2", Username: "bob"}}}
	m.then = func() { s.Apply(other, 0) } // while the answer is on its way
	if err := r.Adopt(t.Context(), restoring(s, r)); err != nil || refs(s) != "" {
		t.Errorf("%v: U2 sends %q of U1", err, refs(s))
	}
	m.then = nil
	if err := r.Adopt(t.Context(), restoring(s, r)); err == nil || refs(s) != "" {
		t.Errorf("%v: U2 sends %q of U1, of a browser that is still U1's", err, refs(s))
	}
	if k, err := Load(t.Context(), m, "U2", ""); err == nil || len(k.Unsent) != 0 {
		t.Errorf("%v: U2 begins with %v", err, k.Unsent)
	}
	// Also where nothing else of the account is known here.
	k, err := Load(t.Context(), m, "", "")
	if err != nil || len(k.Unsent) != 1 {
		t.Fatal(k, err)
	}
	s = state.New()
	s.Recall(k)
	if s.Apply(other, 0); refs(s) != "" {
		t.Errorf("U2 signed in and sends %q of U1", refs(s))
	}
}
