package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// in is a welcome to U1 in an epoch, with a group that ends at last, to a client
// that was known: nothing differs.
func in(epoch string, last int64, known bool) wire.Frame {
	w := wire.Welcome{Me: chat.Person{ID: "U1"}, Epoch: epoch, Known: known}
	if !known {
		w.Convs = []chat.Summary{{Conv: group, Title: "Kitchen " + epoch, Members: 3, LastSeq: last}}
	}
	return wire.Frame{Body: w}
}

// A backup was restored: the group's log, which ended at 12, ends at 10, its last five
// entries are others, and it goes on. What the client holds is not mixed with it.
func TestNothingOfAnotherEpochIsShown(t *testing.T) {
	for name, known := range map[string]bool{"all is told": false, "the sums are equal by chance": true} {
		t.Run(name, func(t *testing.T) {
			s := New()
			s.Apply(in("one", 12, false), 0)
			s.Open(group)
			var seqs []int64
			for n := int64(1); n <= 12; n++ {
				seqs = append(seqs, n)
			}
			s.Apply(page("", 12, seqs...), 0)
			s.Seen(group, 12)
			add := func(c chat.Content, ref string) {
				t.Helper()
				if _, ok := s.Add(group, c, ref, 1); !ok {
					t.Fatalf("%+v is not taken", c)
				}
			}
			reply := chat.TextContent("answer")
			reply.Re = &chat.Quote{Seq: 12}
			if _, ok := s.SetLine(group, chat.LineChange{Clear: 3}, "r4", 1); !ok {
				t.Fatal("the line is not changed")
			}
			s.SetDraft(group, "half a thought")
			add(chat.TextContent("waits"), "r1")
			add(reply, "r2")
			add(chat.Content{Kind: chat.React, Of: 11, Text: "👍"}, "r3")

			s.SetPhase(Offline, 2)
			s.SetPhase(Connecting, 3)
			ch := s.Apply(in("two", 10, known), 4)
			if !ch.Anew || !ch.Has(group) || s.Epoch() != "two" {
				t.Errorf("the change is %+v, the epoch %q", ch, s.Epoch())
			}
			if got := show(s, group); got != "waits… answer…" {
				t.Errorf("shown is %q", got)
			}
			var refs []string
			for _, u := range s.Unsent() {
				refs = append(refs, u.Ref)
				if u.Content.Re != nil || u.Epoch != "two" {
					t.Errorf("it says of the other epoch: %+v", u)
				}
			}
			if got := strings.Join(refs, " "); got != "r1 r2" || s.Draft(group) != "half a thought" || s.Opened() != group {
				t.Errorf("unsent are %s, the draft is %q, open is %s", got, s.Draft(group), s.Opened())
			}
			// What it asks for is answered as the server has it now.
			needs := ch.Need
			asked := map[string]bool{}
			for i := 0; i < len(needs); i++ {
				switch b := needs[i].Body.(type) {
				case wire.List:
					asked["list"] = asked["list"] || b.Sums == nil
					l := wire.Listed{Convs: in("two", 10, false).Body.(wire.Welcome).Convs}
					needs = append(needs, s.Apply(wire.Frame{Ref: needs[i].Ref, Body: l}, 5).Need...)
				case wire.Before:
					asked["page"] = true
					p := chat.Page{Conv: group, LastSeq: 10}
					for n := int64(1); n <= 10; n++ {
						m := msg(n, "U2")
						m.Content = chat.TextContent(fmt.Sprint("new", n))
						p.Entries = append(p.Entries, m)
					}
					needs = append(needs, s.Apply(wire.Frame{Ref: needs[i].Ref, Body: wire.History{Page: p}}, 5).Need...)
				case wire.Resume:
					if b.After != 10 {
						t.Errorf("it resumes after %d", b.After)
					}
				}
			}
			if asked["list"] != known || !asked["page"] {
				t.Errorf("asked were %v", asked)
			}
			want := "new1 new2 new3 new4 new5 new6 new7 new8 new9 new10 waits… answer…"
			if got := show(s, group); got != want {
				t.Errorf("shown is %q, want %q", got, want)
			}
			v, _ := s.Conv(group)
			if v.Title != "Kitchen two" || v.LastSeq != 10 || !s.Whole() {
				t.Errorf("the line is %+v, whole %v", v, s.Whole())
			}
			var due []string
			fs, _ := s.Due(6)
			for _, f := range fs {
				if p, ok := f.Body.(wire.Post); ok {
					due = append(due, f.Ref+" "+p.Content.Text)
				}
			}
			if !slices.Equal(due, []string{"r1 waits"}) {
				t.Errorf("sent is %q", due)
			}
		})
	}
}

// The same epoch, or a server that does not say, changes nothing.
func TestTheSameEpochKeepsAll(t *testing.T) {
	for _, epoch := range []string{"one", ""} {
		s := New()
		s.Apply(in("one", 2, false), 0)
		s.Apply(page("", 2, 1, 2), 0)
		if ch := s.Apply(in(epoch, 2, true), 1); ch.Anew || show(s, group) != "m1 m2" || s.Epoch() != "one" {
			t.Errorf("%q: %+v, shown is %q", epoch, ch, show(s, group))
		}
	}
}

// A page of the server's begins in its epoch, and what another page has left
// in another one, or an older program did, goes out with it.
func TestPostsOfAnotherEpochGoOutWithoutWhatTheyName(t *testing.T) {
	s := New()
	s.Boot(chat.Person{ID: "U1"}, nil, nil, nil)
	s.In("two")
	us := []Unsent{
		{Conv: group, Ref: "a", N: 1, Epoch: "one", Content: chat.TextContent("text")},
		{Conv: group, Ref: "b", N: 2, Epoch: "one", Content: chat.Content{Kind: chat.Recall, Of: 3}},
		{Conv: group, Ref: "c", N: 3, Epoch: "two", Content: chat.Content{Kind: chat.Recall, Of: 3}},
		{Conv: group, Ref: "d", N: 4, Content: chat.Content{Kind: chat.Recall, Of: 4}},
	}
	s.RecallOwn(Kept{Epoch: "one", Unsent: us[:2]})
	s.Apply(in("two", 2, false), 0)
	s.Restore(us[2:])
	var refs []string
	for now := int64(0); len(s.Unsent()) > 0 && now < time.Minute.Milliseconds(); now += 1000 {
		fs, _ := s.Due(now)
		for _, f := range fs {
			if _, ok := f.Body.(wire.Post); ok {
				refs = append(refs, f.Ref)
				s.Apply(wire.Frame{Ref: f.Ref, Body: wire.Posted{Message: msg(int64(2+len(refs)), "U1")}}, now)
			}
		}
	}
	if got := strings.Join(refs, " "); got != "a c d" {
		t.Errorf("sent were %s, want a c d", got)
	}
}
