package state

import (
	"encoding/json"
	"reflect"
	"strconv"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// kept is what a replica would have of s, written and read again.
func kept(t *testing.T, s *State) (k Kept, held map[chat.ConvID][]chat.Message) {
	t.Helper()
	k = Kept{Me: s.Me(), Whole: s.Whole(), People: s.Learned(), Unsent: s.Unsent(), Drafts: map[chat.ConvID]string{}}
	held = map[chat.ConvID][]chat.Message{}
	for id := range s.convs {
		if l, ok := s.Line(id); ok {
			k.Lines = append(k.Lines, l)
		}
		if d := s.Draft(id); d != "" {
			k.Drafts[id] = d
		}
		held[id] = s.Held(id)
	}
	p, err := json.Marshal(k)
	if err == nil {
		k = Kept{}
		err = json.Unmarshal(p, &k)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k, held
}

func TestWhatWasKeptLooksAsBefore(t *testing.T) {
	s := welcomed(9, chat.Marks{Delivered: 5, Read: 4}, 5)
	s.Apply(posted(10, "U2"), 0)
	s.Apply(posted(11, "U1"), 0)
	s.Apply(wire.Frame{Body: wire.Seen{Marks: chat.Marks{Conv: group, User: "", Delivered: 11, Read: 10}}}, 0)
	s.SetPhase(Offline, 0)
	s.Seen(group, 10)
	s.SetDraft(group, "half a")
	s.Add(group, chat.TextContent("later"), "r1", 0)
	s.Add(group, chat.TextContent("and later"), "r2", 0)
	s.Apply(wire.Frame{Ref: "r2", Body: wire.Refused{Code: chat.Forbidden}}, 0)

	k, held := kept(t, s)
	again := New()
	again.Recall(k)
	for id, es := range held {
		again.Remember(id, es)
	}
	for what, show := range map[string]func(s *State) any{
		"rows":    func(s *State) any { return show(s, group) },
		"list":    func(s *State) any { return s.Convs() },
		"unread":  func(s *State) any { return s.TotalUnread() },
		"draft":   func(s *State) any { return s.Draft(group) },
		"queued":  func(s *State) any { return s.Status().Queued },
		"name":    func(s *State) any { return s.Name("U2") },
		"hello":   func(s *State) any { return s.Sums() },
		"me":      func(s *State) any { return s.Me() },
		"to tell": func(s *State) any { s.SetPhase(Live, 0); return s.TakeSeen() },
	} {
		want, got := show(s), show(again)
		if what == "list" { // who is online is not kept
			for _, cs := range []any{want, got} {
				for i := range cs.([]Conv) {
					cs.([]Conv)[i].Online = false
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
}

func TestKeptEntriesJoinWhatIsHeld(t *testing.T) {
	es := func(from, to int64) (es []chat.Message) {
		for ; from <= to; from++ {
			es = append(es, msg(from, "U2"))
		}
		return es
	}
	for name, tt := range map[string]struct {
		held, kept  []chat.Message
		ok          bool
		first, last int64
		asks        bool // for what follows
	}{
		"the end":          {nil, es(5, 9), true, 5, 9, false},
		"behind the end":   {nil, es(3, 6), true, 3, 6, true},
		"beyond the end":   {nil, es(8, 12), false, 10, 9, false},
		"before":           {es(8, 9), es(3, 7), true, 3, 9, false},
		"before, in parts": {es(8, 9), es(3, 8), true, 3, 9, false},
		"a hole between":   {es(8, 9), es(3, 6), false, 8, 9, false},
		"the same":         {es(8, 9), es(8, 9), false, 8, 9, false},
		"nothing":          {es(8, 9), nil, false, 8, 9, false},
	} {
		s := welcomed(9, chat.Marks{Read: 9}, 0)
		if len(tt.held) > 0 {
			s.convs[group].page(chat.Page{Conv: group, Entries: tt.held, LastSeq: 9}, false)
		}
		_, ok := s.Remember(group, tt.kept)
		c := s.convs[group]
		frames, _ := s.Due(0)
		asks := false
		for _, f := range frames {
			r, is := f.Body.(wire.Resume)
			asks = asks || is && r.After == tt.last
		}
		if ok != tt.ok || c.log.first != tt.first || c.log.last() != tt.last || asks != tt.asks {
			t.Errorf("%s: got %v, %d to %d, asks %v, want %v, %d to %d, %v", name, ok, c.log.first, c.log.last(), asks, tt.ok, tt.first, tt.last, tt.asks)
		}
		if got := len(s.Rows(group, time.UTC)); got != int(tt.last-tt.first+1) {
			t.Errorf("%s: %d rows", name, got)
		}
	}
}

// A draft that waits where the conversation is not known yet is not lost.
func TestOwnWordsComeBackAlone(t *testing.T) {
	s := New()
	s.RecallOwn(Kept{Drafts: map[chat.ConvID]string{group: "x", "not a conversation": "y"}, Unsent: []Unsent{{Conv: group, Ref: "r", Content: chat.TextContent("z")}}})
	if s.Draft(group) != "x" || show(s, group) != "z…" || len(s.convs) != 1 {
		t.Errorf("%q, %q", s.Draft(group), show(s, group))
	}
	s.SetDraft(group, "new")
	s.RecallOwn(Kept{Drafts: map[chat.ConvID]string{group: "old"}})
	if s.Draft(group) != "new" {
		t.Error("what is being written was replaced by a kept draft")
	}
}

// What is kept has numbers that rise whatever the clock does, to be sorted by.
func TestPostsAreNumberedWhateverTheClockDoes(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	for i, at := range []int64{1000, 400, 700, 2000, 10} {
		s.Add(group, chat.TextContent("x"), string(rune('a'+i)), at)
	}
	k, _ := kept(t, s)
	again := welcomed(0, chat.Marks{}, 0)
	again.Restore(k.Unsent)
	again.Add(group, chat.TextContent("x"), "f", 5)
	last, got := int64(0), ""
	for _, u := range again.Unsent() {
		if u.N <= last {
			t.Errorf("%s has the number %d, behind %d", u.Ref, u.N, last)
		}
		last, got = u.N, got+u.Ref
	}
	if got != "abcdef" {
		t.Errorf("the order is %s", got)
	}
}

// What several pages had waiting may be more than one of them would take.
func TestAllKeptPostsComeBack(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	var us []Unsent
	for i := range maxOutbox + 10 {
		us = append(us, Unsent{Conv: group, Ref: strconv.Itoa(i), Content: chat.TextContent("x")})
	}
	s.Restore(us)
	if n := len(s.Unsent()); n != len(us) {
		t.Errorf("%d of %d posts came back", n, len(us))
	}
	if _, ok := s.Add(group, chat.TextContent("x"), "more", 0); ok {
		t.Error("a full outbox took one more")
	}
}
