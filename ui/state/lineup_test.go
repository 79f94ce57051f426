package state

import (
	"fmt"
	"slices"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// lineOf is the server's line for a conversation that ends at last.
func lineOf(c chat.ConvID, last int64) chat.Summary {
	return chat.Summary{Conv: c, Title: "T" + string(c), Members: 3, LastSeq: last, Last: &chat.Message{Conv: c, Seq: last, Author: "U2", At: last}}
}

// begun is a State that was welcomed with lines, the list going on at next.
func begun(next string, lines ...chat.Summary) *State {
	s := New()
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Session: "s", Convs: lines, Next: next}}, 0)
	return s
}

// asked returns the only list question among frames.
func asked(t *testing.T, fs []wire.Frame) (string, wire.List) {
	t.Helper()
	ref, ask, n := "", wire.List{}, 0
	for _, f := range fs {
		if b, ok := f.Body.(wire.List); ok {
			ref, ask, n = f.Ref, b, n+1
		}
	}
	if n != 1 {
		t.Fatalf("%d questions about the list in %+v", n, fs)
	}
	return ref, ask
}

func listedIDs(s *State) (ids []chat.ConvID) {
	for _, v := range s.Convs() {
		ids = append(ids, v.ID)
	}
	return ids
}

func TestTheListComesPageByPage(t *testing.T) {
	s := begun("p2", lineOf("G3", 3))
	if fs, _ := s.Due(nextPage - 1); len(fs) != 0 || s.Sums() != nil {
		t.Errorf("asks at once %+v, or says that the list is whole: %v", fs, s.Sums())
	}
	ref, ask := asked(t, s.More(10).Need) // somebody scrolls
	if ask.After != "p2" || len(s.More(11).Need) != 0 {
		t.Errorf("asks %+v, and again while that is under way", ask)
	}
	s.Apply(wire.Frame{Ref: ref, Body: wire.Listed{Convs: []chat.Summary{lineOf("G2", 2)}, Next: "p3"}}, 20)
	fs, _ := s.Due(20 + nextPage) // nobody does
	ref, ask = asked(t, fs)
	if ask.After != "p3" {
		t.Errorf("asks %+v", ask)
	}
	ch := s.Apply(wire.Frame{Ref: ref, Body: wire.Listed{Convs: []chat.Summary{lineOf("G1", 1)}}}, 2_000)
	if _, ask = asked(t, append(ch.Need, due(s, 2_000)...)); len(ask.Sums) == 0 {
		t.Errorf("with the whole list asks %+v, want what moved meanwhile", ask)
	}
	if got := listedIDs(s); !slices.Equal(got, []chat.ConvID{"G3", "G2", "G1"}) || s.Sums() == nil {
		t.Errorf("lists %v", got)
	}
	if len(s.More(3_000).Need) != 0 {
		t.Error("asks for more than all")
	}
}

func due(s *State, now int64) []wire.Frame { fs, _ := s.Due(now); return fs }

// TestUnknownConversationsAreAskedFor: whatever names one first.
func TestUnknownConversationsAreAskedFor(t *testing.T) {
	for name, b := range map[string]wire.Body{
		"posted": wire.Posted{Message: chat.Message{Conv: "G9", Seq: 5, Author: "U2"}},
		"seen":   wire.Seen{Marks: chat.Marks{Conv: "G9", User: "U1", Read: 4, Delivered: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			s := begun("")
			ch := s.Apply(wire.Frame{Body: b}, 1)
			ref, ask := asked(t, append(ch.Need, due(s, 1)...))
			if !slices.Equal(ask.IDs, []chat.ConvID{"G9"}) {
				t.Errorf("asks %+v", ask)
			}
			line := lineOf("G9", 5)
			line.Mine, line.Unread = chat.Marks{Delivered: 5, Read: 4}, 1
			s.Apply(wire.Frame{Ref: ref, Body: wire.Listed{Convs: []chat.Summary{line}}}, 2)
			if v, _ := s.Conv("G9"); v.Title != "TG9" || v.LastSeq != 5 || v.Unread != 1 {
				t.Errorf("knows %+v", v)
			}
			if fs := due(s, 3); len(fs) > 0 {
				t.Errorf("asks again: %+v", fs)
			}
		})
	}
	t.Run("not ours", func(t *testing.T) {
		s := begun("")
		ch := s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "G9", Seq: 5, Author: "U2"}}}, 1)
		ref, _ := asked(t, append(ch.Need, due(s, 1)...))
		s.Apply(wire.Frame{Ref: ref, Body: wire.Listed{}}, 2)
		if got := listedIDs(s); len(got) > 0 {
			t.Errorf("lists %v", got)
		}
	})
	t.Run("busy", func(t *testing.T) {
		s := begun("")
		ch := s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "G9", Seq: 5, Author: "U2"}}}, 1)
		ref, _ := asked(t, append(ch.Need, due(s, 1)...))
		s.Apply(wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.Busy, RetryAfter: 700}}, 2)
		if fs := due(s, 600); len(fs) > 0 {
			t.Errorf("asks before it is time: %+v", fs)
		}
		asked(t, due(s, 702))
	})
}

// TestWhoComesBackKeepsWhatDoesNotDiffer: the lines of parts that differ are
// taken, what is missing there is gone, and all else stays.
func TestWhoComesBackKeepsWhatDoesNotDiffer(t *testing.T) {
	var lines []chat.Summary
	for i := range 40 {
		lines = append(lines, lineOf(chat.ConvID(fmt.Sprint("G", i)), 7))
	}
	s := begun("", lines...)
	s.SetPhase(Offline, 1)
	s.SetPhase(Connecting, 2)
	n := len(s.Sums())
	part := chat.Part("G0", n)
	var there []chat.Summary
	var gone chat.ConvID
	for _, l := range lines {
		switch {
		case chat.Part(l.Conv, n) != part:
		case gone == "" && l.Conv != "G0":
			gone = l.Conv
		case l.Conv == "G0":
			there = append(there, lineOf("G0", 9))
		default:
			there = append(there, l)
		}
	}
	if n < 2 || gone == "" {
		t.Fatalf("%d parts, %q in that of G0", n, gone)
	}
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Session: "s", Known: true, Convs: there, Differ: []int{part}}}, 3)
	if got := listedIDs(s); len(got) != 39 || slices.Contains(got, gone) || got[0] != "G0" {
		t.Errorf("%d conversations, %s among them: %v, first %s", len(got), gone, slices.Contains(got, gone), got[0])
	}
	if v, _ := s.Conv("G0"); v.LastSeq != 9 {
		t.Errorf("G0 goes to %d", v.LastSeq)
	}
}

// TestNewsIsNotTakenBackByAnOlderAnswer: a conversation that begins while a
// comparison is under way is not in the answer, and is not gone.
func TestNewsIsNotTakenBackByAnOlderAnswer(t *testing.T) {
	s := begun("", lineOf("G1", 1))
	_, next := s.Due(1)
	ref, ask := asked(t, due(s, next))
	s.Apply(wire.Frame{Body: wire.Opened{Summary: chat.Summary{Conv: "G2", Title: "New"}}}, next)
	s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "G2", Seq: 1, Author: "U2", At: 9}}}, next)
	parts := []int{}
	for p := range ask.Sums {
		parts = append(parts, p)
	}
	s.Apply(wire.Frame{Ref: ref, Body: wire.Listed{Convs: []chat.Summary{lineOf("G1", 2)}, Differ: parts}}, next+1)
	if got := listedIDs(s); !slices.Equal(got, []chat.ConvID{"G2", "G1"}) {
		t.Errorf("lists %v", got)
	}
}

// TestMoreThatBringsNothingIsNotAskedForAtOnce: a server that counts differently
// is not asked in a circle.
func TestMoreThatBringsNothingIsNotAskedForAtOnce(t *testing.T) {
	s := begun("", lineOf("G1", 1))
	_, next := s.Due(1)
	ref, _ := asked(t, due(s, next))
	moved := wire.Listed{Convs: []chat.Summary{lineOf("G1", 2)}, Differ: []int{0}, More: true}
	s.Apply(wire.Frame{Ref: ref, Body: moved}, next)
	_, at := s.Due(next)
	if at != next+nextPage {
		t.Errorf("asks for the rest after %d ms, want %d", at-next, nextPage)
	}
	ref, _ = asked(t, due(s, at))
	s.Apply(wire.Frame{Ref: ref, Body: moved}, at)
	if _, again := s.Due(at); again < at+syncEvery {
		t.Errorf("after an answer that brought nothing asks after %d ms", again-at)
	}
}

// TestTooMuchDiffersStartsOver: a first page instead of parts means to walk
// through the list again.
func TestTooMuchDiffersStartsOver(t *testing.T) {
	s := begun("", lineOf("G1", 1))
	_, next := s.Due(1)
	ref, _ := asked(t, due(s, next))
	s.Apply(wire.Frame{Ref: ref, Body: wire.Listed{Convs: []chat.Summary{lineOf("G2", 2)}, Next: "p2"}}, next)
	if s.Sums() != nil {
		t.Error("the list counts as whole")
	}
	if _, ask := asked(t, due(s, next+nextPage)); ask.After != "p2" {
		t.Errorf("asks %+v", ask)
	}
}

// TestAbsenceAsksForOneConversation: of 2,000 that moved only those of which
// entries are held are resumed, and only so many at once.
func TestAbsenceAsksForOneConversation(t *testing.T) {
	var lines []chat.Summary
	for i := range 2_000 {
		lines = append(lines, lineOf(chat.ConvID(fmt.Sprint("G", i)), 7))
	}
	s := begun("", lines...)
	s.Open("G5")
	for i := range 30 { // held, since they came while here
		c := chat.ConvID(fmt.Sprint("G", i))
		s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: c, Seq: 8, Author: "U2"}}}, 1)
	}
	s.SetPhase(Offline, 2)
	for i := range lines {
		lines[i] = lineOf(lines[i].Conv, 5_000)
		lines[i].Unread = 4_993
	}
	ch := s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: lines}}, 3)
	var resumed []chat.ConvID
	fs := append(ch.Need, due(s, 3)...)
	for _, f := range fs {
		switch b := f.Body.(type) {
		case wire.Resume:
			resumed = append(resumed, b.Conv)
		case wire.Before:
			t.Errorf("asks for older entries of %s", b.Conv)
		}
	}
	if len(resumed) == 0 || resumed[0] != "G5" || len(resumed) > maxAsks {
		t.Errorf("resumes %v, want the open one first and at most %d", resumed, maxAsks)
	}
	if v, _ := s.Conv("G77"); v.Unread != 4_993 || v.LastSeq != 5_000 {
		t.Errorf("one of which nothing is held is %+v", v)
	}
}
