package state

import (
	"slices"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestGroupThatOneIsNoLongerInIsForgotten(t *testing.T) {
	for name, part := range map[string]func(s *State) Change{
		"told at once": func(s *State) Change { return s.Apply(wire.Frame{Body: wire.Parted{Conv: "G2"}}, 1) },
		"told by the list": func(s *State) Change {
			w := wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: "G3", LastSeq: 4}, {Conv: "G1", LastSeq: 4}}}
			return s.Apply(wire.Frame{Body: w}, 1)
		},
	} {
		s := three()
		if name == "told at once" { // else what the person wrote stays, to be copied
			s.Open("G2")
			s.SetDraft("G2", "half a")
			s.Add("G2", chat.TextContent("waits"), "r1", 1)
		}
		s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{ID: 9, Conv: "G2", Seq: 5, Author: "U2", At: 1, Content: chat.TextContent("here")}}}, 1)
		ch := part(s)
		if _, there := s.Conv("G2"); there || slices.Contains(order(s), "G2") || s.Opened() != "" || s.Status().Queued != 0 || s.Draft("G2") != "" {
			t.Errorf("%s: something of it is left", name)
		}
		if !slices.Equal(ch.Parted, []chat.ConvID{"G2"}) || !ch.Has("G2") {
			t.Errorf("%s: the change is %+v", name, ch)
		}
		// What is late does not bring it back; being added does.
		s.Apply(wire.Frame{Body: wire.History{Page: chat.Page{Conv: "G2", Entries: []chat.Message{{ID: 1, Conv: "G2", Seq: 5, Author: "U2", Content: chat.TextContent("late")}}, LastSeq: 5}}}, 2)
		s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{ID: 2, Conv: "G2", Seq: 6, Author: "U2", Content: chat.TextContent("late")}}}, 2)
		if _, there := s.Conv("G2"); there {
			t.Errorf("%s: it is back", name)
		}
		s.Apply(wire.Frame{Body: wire.Opened{Summary: chat.Summary{Conv: "G2", Title: "Again", LastSeq: 8}}}, 3)
		s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{ID: 3, Conv: "G2", Seq: 9, Author: "U2", Content: chat.TextContent("hello")}}}, 3)
		if v, there := s.Conv("G2"); !there || v.Title != "Again" || v.LastSeq != 9 {
			t.Errorf("%s: after being added: %+v %v", name, v, there)
		}
	}
}

// Who is added again, and opens the group before word of that comes, is answered: nobody else
// is. What was asked before the parting stays late.
func TestGroupThatAnswersIsOneAgain(t *testing.T) {
	s := three()
	s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "G2", Seq: 5, Author: "U2", Content: chat.TextContent("x")}}}, 1)
	before := s.Older("G2", 1)
	s.Apply(wire.Frame{Body: wire.Parted{Conv: "G2"}}, 1)
	s.Open("G2")
	again := s.Ask("G2", 2)
	page := func(f wire.Frame) {
		p := chat.Page{Conv: "G2", LastSeq: 2, Entries: []chat.Message{{Conv: "G2", Seq: 1, Author: "U2", Content: chat.TextContent("a")}, {Conv: "G2", Seq: 2, Author: "U2", Content: chat.TextContent("b")}}}
		s.Apply(wire.Frame{Ref: f.Ref, Body: wire.History{Page: p}}, 3)
	}
	if len(before.Need) != 1 || len(again.Need) != 1 {
		t.Fatalf("asked were %+v and %+v", before.Need, again.Need)
	}
	page(before.Need[0])
	if got := show(s, "G2"); got != "" {
		t.Errorf("late is %q", got)
	}
	page(again.Need[0])
	if v, _ := s.Conv("G2"); show(s, "G2") != "a b" || v.Loading || !v.AtStart {
		t.Errorf("shown is %q, %+v", show(s, "G2"), v)
	}
}

// The same where the answer is to a jump, which may come before any other.
func TestGroupThatAnswersAJumpIsOneAgain(t *testing.T) {
	s := three()
	s.Apply(wire.Frame{Body: wire.Parted{Conv: "G2"}}, 1)
	s.Open("G2")
	s.Ask("G2", 2)
	jump := s.Jump("G2", 1, 2)
	if len(jump.Need) != 1 {
		t.Fatalf("asked was %+v", jump.Need)
	}
	p := chat.Page{Conv: "G2", LastSeq: 90, Entries: []chat.Message{{Conv: "G2", Seq: 1, Author: "U2", Content: chat.TextContent("a")}}}
	ch := s.Apply(wire.Frame{Ref: jump.Need[0].Ref, Body: wire.History{Page: p}}, 3)
	if es, waits := s.Shown("G2"); len(es) != 1 || waits != 0 {
		t.Errorf("shown is %+v, and it waits for %d", es, waits)
	}
	if _, ask := asked(t, append(ch.Need, due(s, 3)...)); !slices.Equal(ask.IDs, []chat.ConvID{"G2"}) {
		t.Errorf("asks %+v, want the line of the group", ask)
	}
}

// Of a conversation that the list does not name a refused post is kept. Once that is discarded
// nothing is: who opens it anew is as one who opens it for the first time.
func TestWhatIsNotListedIsAskedForWhenOpenedAnew(t *testing.T) {
	for _, c := range []chat.ConvID{"G9", "DU1-U9"} {
		s := New()
		s.Boot(chat.Person{ID: "U1"}, nil, nil, nil)
		s.Restore([]Unsent{{Conv: c, Ref: "r1", Content: chat.TextContent("x"), Why: chat.Forbidden}})
		s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}}}, 1)
		if us := s.Unsent(); len(us) != 1 {
			t.Fatalf("%s: unsent are %+v", c, us)
		}
		s.Discard("r1")
		s.Open(c)
		ch := s.Ask(c, 2)
		if len(ch.Need) != 1 {
			t.Fatalf("%s: asked was %+v", c, ch.Need)
		}
		s.Apply(wire.Frame{Ref: ch.Need[0].Ref, Body: wire.History{Page: chat.Page{Conv: c}}}, 3)
		if v, _ := s.Conv(c); !v.AtStart || v.Loading {
			t.Errorf("%s: shown is %+v", c, v)
		}
	}
}

// A post that is stored is settled, whatever is known of its group.
func TestPostOfAGroupThatIsPartedIsSettled(t *testing.T) {
	s := three()
	s.Apply(wire.Frame{Body: wire.Parted{Conv: "G2"}}, 1)
	s.Open("G2")
	s.Add("G2", chat.TextContent("x"), "r1", 1)
	s.Apply(wire.Frame{Ref: "r1", Body: wire.Posted{Message: chat.Message{Conv: "G2", Seq: 5, Author: "U1", Content: chat.TextContent("x")}}}, 2)
	if us := s.Unsent(); len(us) > 0 {
		t.Errorf("unsent are %+v", us)
	}
}

func TestLineOfAGroupFollowsItsEntries(t *testing.T) {
	s := New()
	w := wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: "G1", Title: "Old", Members: 3, LastSeq: 4}}}
	s.Apply(wire.Frame{Body: w}, 0)
	seq := int64(4)
	for _, step := range []struct {
		by      chat.UserID
		c       chat.Change
		title   string
		avatar  string
		members int
		place   chat.Place
		why     chat.Code
	}{
		{"U2", chat.Change{What: chat.Renamed, Name: "New"}, "New", "", 3, chat.Place{}, ""},
		{"U2", chat.Change{What: chat.Pictured, Name: "/files/x"}, "New", "/files/x", 3, chat.Place{}, ""},
		{"U2", chat.Change{What: chat.Joined, Who: []chat.UserID{"U4", "U5"}}, "New", "/files/x", 5, chat.Place{}, ""},
		{"U5", chat.Change{What: chat.Left, Who: []chat.UserID{"U5"}}, "New", "/files/x", 4, chat.Place{}, ""},
		{"U2", chat.Change{What: chat.Hushed, Who: []chat.UserID{"U4"}, Until: chat.Endless}, "New", "/files/x", 4, chat.Place{}, ""},
		{"U2", chat.Change{What: chat.Hushed, Who: []chat.UserID{"U1"}, Until: 100}, "New", "/files/x", 4, chat.Place{Muted: 100}, chat.Muted},
		{"U2", chat.Change{What: chat.Heard, Who: []chat.UserID{"U1"}}, "New", "/files/x", 4, chat.Place{}, ""},
		{"U2", chat.Change{What: chat.Ruled, Rules: &chat.Rules{Joining: chat.JoinInvite, Announce: true}}, "New", "/files/x", 4, chat.Place{Announce: true}, chat.Muted},
		{"U2", chat.Change{What: chat.Ruled}, "New", "/files/x", 4, chat.Place{Announce: true}, chat.Muted},
		{"U2", chat.Change{What: chat.Promoted, Who: []chat.UserID{"U1"}}, "New", "/files/x", 4, chat.Place{Announce: true, Role: chat.Admin}, ""},
		{"U2", chat.Change{What: chat.Handed, Who: []chat.UserID{"U1"}}, "New", "/files/x", 4, chat.Place{Announce: true, Role: chat.Owner}, ""},
		{"U1", chat.Change{What: chat.Handed, Who: []chat.UserID{"U2"}}, "New", "/files/x", 4, chat.Place{Announce: true, Role: chat.Admin}, ""},
		{"U9", chat.Change{What: chat.Disabled}, "New", "/files/x", 4, chat.Place{Announce: true, Role: chat.Admin, State: chat.Off}, chat.Closed},
		{"U9", chat.Change{What: chat.Enabled}, "New", "/files/x", 4, chat.Place{Announce: true, Role: chat.Admin}, ""},
		{"U2", chat.Change{What: chat.Ended}, "New", "/files/x", 4, chat.Place{Announce: true, Role: chat.Admin, State: chat.Dismissed}, chat.Closed},
	} {
		seq++
		m := chat.Message{ID: seq, Conv: "G1", Seq: seq, Author: step.by, At: seq, Content: chat.Content{Kind: chat.Event, Event: &step.c}}
		s.Apply(wire.Frame{Body: wire.Posted{Message: m}}, 0)
		v, _ := s.Conv("G1")
		if v.Title != step.title || v.Avatar != step.avatar || v.Members != step.members || v.Place != step.place {
			t.Errorf("after %+v: %q %q %d %+v", step.c, v.Title, v.Avatar, v.Members, v.Place)
		}
		err := v.MayPost("G1", 50)
		if code := chat.AsRefusal(err).Code; err == nil && step.why != "" || err != nil && code != step.why {
			t.Errorf("after %+v posting is refused with %v, want %q", step.c, err, step.why)
		}
		if l, ok := s.Line("G1"); !ok || l.Place != v.Place {
			t.Errorf("kept is %+v", l.Place)
		}
	}
	// The server's word counts where it is newer, and is asked for when something turned.
	ch := s.Apply(wire.Frame{Body: wire.Turned{Conv: "G1"}}, 0)
	asked := slices.ContainsFunc(ch.Need, func(f wire.Frame) bool {
		l, ok := f.Body.(wire.List)
		return ok && slices.Contains(l.IDs, "G1")
	})
	if !asked {
		t.Errorf("nothing is asked: %+v", ch.Need)
	}
}
