package state

import (
	"slices"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

var yes, no = true, false

// TotalUnread and anyMarked are the two answers of Unread.
func (s *State) TotalUnread() (n int) {
	n, _ = s.Unread()
	return n
}

func (s *State) anyMarked() (marked bool) {
	_, marked = s.Unread()
	return marked
}

// three returns the state of U1, live, with three groups: G3 is the latest.
func three() *State {
	s := New()
	w := wire.Welcome{Me: chat.Person{ID: "U1"}}
	for i, id := range []chat.ConvID{"G3", "G2", "G1"} {
		last := chat.Message{ID: 1, Conv: id, Seq: 4, Author: "U2", At: int64(9-i) * 1000, Content: chat.TextContent("x")}
		w.Convs = append(w.Convs, chat.Summary{Conv: id, LastSeq: 4, Last: &last, Mine: chat.Marks{Delivered: 4, Read: 2}, Unread: 2})
	}
	s.Apply(wire.Frame{Body: w}, 0)
	return s
}

func order(s *State) (ids []chat.ConvID) {
	for _, v := range s.Convs() {
		ids = append(ids, v.ID)
	}
	return ids
}

func TestTheListIsInTheOrderThatThePersonWants(t *testing.T) {
	s := three()
	for i, c := range []struct {
		conv chat.ConvID
		by   chat.LineChange
		want []chat.ConvID
	}{
		{"G1", chat.LineChange{Pin: &yes}, []chat.ConvID{"G1", "G3", "G2"}},
		{"G2", chat.LineChange{Pin: &yes}, []chat.ConvID{"G2", "G1", "G3"}}, // the last one pinned is on top
		{"G2", chat.LineChange{Archive: &yes}, []chat.ConvID{"G1", "G3", "G2"}},
		{"G1", chat.LineChange{Pin: &no}, []chat.ConvID{"G3", "G1", "G2"}},
		{"G3", chat.LineChange{Clear: 4}, []chat.ConvID{"G1", "G2"}},
		{"G2", chat.LineChange{Archive: &no}, []chat.ConvID{"G2", "G1"}},
	} {
		if _, ok := s.SetLine(c.conv, c.by, string(rune('a'+i)), int64(i)); !ok {
			t.Fatalf("%d: refused", i)
		}
		if got := order(s); !slices.Equal(got, c.want) {
			t.Errorf("%d: the list is %v, want %v", i, got, c.want)
		}
	}
	if bare := s.Bare(); len(bare) != 1 || bare[0].ID != "G3" {
		t.Errorf("deleted groups are %+v", bare)
	}
	if _, ok := s.SetLine("G9", chat.LineChange{Pin: &yes}, "z", 0); ok {
		t.Error("what is not listed is pinned")
	}
	if n := s.Status().Queued; n != 0 {
		t.Errorf("%d messages are said to wait", n)
	}
}

func TestWhatIsArchivedIsNotCountedAsUnread(t *testing.T) {
	s := three()
	s.SetLine("G1", chat.LineChange{Archive: &yes}, "a", 0)
	if n := s.TotalUnread(); n != 4 {
		t.Errorf("%d unread, want 4", n)
	}
	if v, _ := s.Conv("G1"); v.Unread != 2 || !v.Archived {
		t.Errorf("in the folder it is %+v", v)
	}
}

func TestChangesOfALineOutliveTheNetworkAndAReload(t *testing.T) {
	s := three()
	s.Apply(wire.Frame{Body: wire.Posted{Message: msg(5, "U2")}}, 0)
	s.SetPhase(Offline, 0)
	s.Add("G1", chat.TextContent("never sent"), "p1", 1)
	s.SetDraft("G1", "half a")
	s.SetLine("G1", chat.LineChange{Clear: 5}, "l1", 1)
	s.SetLine("G2", chat.LineChange{Pin: &yes}, "l2", 2)
	k, held := kept(t, s)
	if len(held["G1"]) > 0 || k.Drafts["G1"] != "" {
		t.Errorf("of what is deleted there still are %v and %q", held["G1"], k.Drafts["G1"])
	}
	s = New()
	s.Recall(k)
	if got := order(s); !slices.Equal(got, []chat.ConvID{"G2", "G3"}) {
		t.Errorf("after the reload the list is %v", got)
	}
	if _, ok := s.Remember("G1", []chat.Message{msg(4, "U2"), msg(5, "U2")}); s.Held("G1") != nil && len(s.Held("G1")) > 0 {
		t.Errorf("what is deleted is remembered: %v", ok)
	}
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Known: true}}, 9)
	fs, _ := s.Due(9)
	var got []wire.Line
	for _, f := range fs {
		if l, ok := f.Body.(wire.Line); ok {
			got = append(got, l)
			s.Apply(wire.Frame{Ref: f.Ref, Body: wire.Lined{Conv: l.Conv, Line: chat.Line{}.With(l.LineChange, 77, 5)}}, 10)
		} else if _, posts := f.Body.(wire.Post); posts {
			t.Errorf("it posts %+v", f)
		}
	}
	if len(got) != 2 || got[0].Clear != 5 || got[1].Pin == nil || !*got[1].Pin {
		t.Fatalf("the server is told %+v", got)
	}
	if v, _ := s.Conv("G2"); v.Pinned != 77 || len(s.Unsent()) != 0 {
		t.Errorf("once told it is %+v, and %v wait", v.Line, s.Unsent())
	}
	s.Apply(wire.Frame{Body: wire.Posted{Message: msg(6, "U2")}}, 11)
	if got := order(s); !slices.Equal(got, []chat.ConvID{"G2", "G3", "G1"}) {
		t.Errorf("with a message the list is %v", got)
	}
	if rows := show(s, "G1"); rows != "m6" {
		t.Errorf("what came back shows %q", rows)
	}
}

func TestMutesAndMarksHoldWithoutTheNetworkAndOverAReload(t *testing.T) {
	s := three()
	s.SetPhase(Offline, 0)
	until := int64(5000)
	s.SetLine("G2", chat.LineChange{Mark: &yes}, "l1", 1)
	s.SetLine("G2", chat.LineChange{Hush: &until}, "l2", 2)
	k, _ := kept(t, s)
	s = New()
	s.Recall(k)
	if v, _ := s.Conv("G2"); !v.Marked || v.Hushed != until || !s.anyMarked() {
		t.Errorf("after the reload it is %+v, anything marked: %v", v.Line, s.anyMarked())
	}
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Known: true}}, 9)
	line, told := chat.Line{}, 0
	for at := int64(9); at < 12; at++ { // one at a time
		fs, _ := s.Due(at)
		for _, f := range fs {
			if l, ok := f.Body.(wire.Line); ok {
				told++
				line = line.With(l.LineChange, at, 4)
				s.Apply(wire.Frame{Ref: f.Ref, Body: wire.Lined{Conv: l.Conv, Line: line}}, at)
			}
		}
	}
	if v, _ := s.Conv("G2"); told != 2 || line != (chat.Line{Marked: true, Hushed: until}) || v.Line != line || len(s.Unsent()) != 0 {
		t.Errorf("the server was told %d changes, that made %+v; here it is %+v, and %v wait", told, line, v.Line, s.Unsent())
	}
	s.SetLine("G2", chat.LineChange{Archive: &yes}, "l3", 20)
	if s.anyMarked() {
		t.Error("what is marked in the folder counts")
	}
}

func TestAChangeOfALineThatIsRefusedIsUndone(t *testing.T) {
	s := three()
	s.Apply(wire.Frame{Body: wire.History{Page: chat.Page{Conv: "G1", Entries: []chat.Message{msg(4, "U2")}, LastSeq: 4}}}, 0)
	s.SetLine("G2", chat.LineChange{Pin: &yes}, "l1", 0)
	s.SetLine("G1", chat.LineChange{Clear: 4}, "l2", 0)
	s.Due(0)
	s.Apply(wire.Frame{Ref: "l1", Body: wire.Refused{Code: chat.TooLong}}, 1)
	if d := s.Denied(); d == nil || !d.Line || d.Code != chat.TooLong {
		t.Errorf("the person is told %+v", d)
	}
	if v, _ := s.Conv("G2"); v.Pinned != 0 {
		t.Errorf("it is %+v", v.Line)
	}
	ch := s.Apply(wire.Frame{Ref: "l2", Body: wire.Refused{Code: chat.NotFound}}, 1)
	fs, _ := s.Due(2)
	asked := slices.ContainsFunc(append(ch.Need, fs...), func(f wire.Frame) bool {
		l, ok := f.Body.(wire.List)
		return ok && slices.Contains(l.IDs, "G1")
	})
	if !asked {
		t.Error("the line of what is not deleted is not asked for")
	}
}

// TestAnOlderAnswerDoesNotUndoALine: the list that was asked for before.
func TestAnOlderAnswerDoesNotUndoALine(t *testing.T) {
	s := three()
	at := int64(100_000)
	fs, _ := s.Due(at)
	if len(fs) != 1 {
		t.Fatalf("asks %+v", fs)
	}
	s.Apply(wire.Frame{Body: wire.Lined{Conv: "G1", Line: chat.Line{Pinned: 5}}}, at)
	old := chat.Summary{Conv: "G1", LastSeq: 4, Mine: chat.Marks{Delivered: 4, Read: 2}, Unread: 2}
	s.Apply(wire.Frame{Ref: fs[0].Ref, Body: wire.Listed{Convs: []chat.Summary{old}, Differ: []int{0}}}, at)
	if v, _ := s.Conv("G1"); v.Pinned != 5 {
		t.Errorf("the line is %+v", v.Line)
	}
	if v := (wire.Lined{Conv: "Gstrange"}); s.Apply(wire.Frame{Body: v}, at).Empty() {
		t.Error("nothing is asked of one that is not known")
	}
}
