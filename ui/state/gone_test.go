package state

import (
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// kinds are those of what is shown, and of the last words in the list.
func kinds(s *State) string {
	var out []string
	for _, r := range s.Rows(group, time.UTC) {
		out = append(out, string(r.Message.Content.Kind))
	}
	v, _ := s.Conv(group)
	return strings.Join(out, " ") + " / " + string(v.Last.Content.Kind)
}

// Who is connected while messages expire learns it with the next comparison of
// lists, and the sums are equal before and after on both sides.
func TestWhatHasExpiredIsNotShown(t *testing.T) {
	s := welcomed(4, chat.Marks{}, 0)
	s.Open(group)
	s.Apply(page("", 4, 1, 2, 3, 4), 0)
	sums := s.Sums()
	expire := func(x chat.Expired) Change {
		t.Helper()
		for now := int64(0); ; now += 1000 { // until it compares
			fs, _ := s.Due(now)
			for _, f := range fs {
				if l, ok := f.Body.(wire.List); ok && l.Sums != nil {
					return s.Apply(wire.Frame{Ref: f.Ref, Body: wire.Listed{Expired: x}}, now)
				}
			}
		}
	}
	if ch := expire(chat.Expired{Messages: 3000}); !ch.Gone || !ch.Has(group) || len(ch.Amended) != 2 || s.Gone().Messages != 3000 {
		t.Errorf("the change is %+v", ch)
	}
	if got := kinds(s); got != "gone gone text text / text" {
		t.Errorf("shown are %s", got)
	}
	if ch := expire(chat.Expired{Messages: 3000}); ch.Gone {
		t.Error("the same again changes something")
	}
	if ch := expire(chat.Expired{Messages: 9000}); len(ch.Amended) != 2 || kinds(s) != "gone gone gone gone / gone" {
		t.Errorf("the change is %+v, shown are %s", ch, kinds(s))
	}
	if now := s.Sums(); len(now) != len(sums) || now[0] != sums[0] {
		t.Errorf("the sums are %v, were %v", now, sums)
	}
	for _, r := range s.Rows(group, time.UTC) {
		if f := r.Message.Content.Fate; f == nil || !f.Expired || r.Message.Content.Text != "" {
			t.Errorf("what is left is %+v", r.Message.Content)
		}
	}
}

// What was kept from before is not shown either, whoever was away when it expired.
func TestWhatWasKeptAndHasExpiredIsNotShown(t *testing.T) {
	s := New()
	s.Recall(Kept{Me: chat.Person{ID: "U1"}, Lines: []Line{{Summary: chat.Summary{Conv: group, LastSeq: 4}}}})
	ch := s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Expired: chat.Expired{Messages: 3000}, Convs: []chat.Summary{{Conv: group, LastSeq: 4}}}}, 0)
	if !ch.Gone {
		t.Errorf("the change is %+v", ch)
	}
	if _, ok := s.Remember(group, []chat.Message{msg(1, "U2"), msg(2, "U2"), msg(3, "U2"), msg(4, "U2")}); !ok {
		t.Fatal("nothing is taken")
	}
	if got := kinds(s); got != "gone gone text text / text" {
		t.Errorf("shown are %s", got)
	}
}
