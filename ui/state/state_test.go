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

const group = chat.ConvID("G1")

func msg(seq int64, by chat.UserID) chat.Message {
	return chat.Message{ID: seq, Conv: group, Seq: seq, Author: by, At: seq * 1_000, Content: chat.TextContent(fmt.Sprint("m", seq))}
}

func posted(seq int64, by chat.UserID) wire.Frame {
	return wire.Frame{Body: wire.Posted{Message: msg(seq, by)}}
}

func page(ref string, last int64, seqs ...int64) wire.Frame {
	p := chat.Page{Conv: group, LastSeq: last}
	for _, s := range seqs {
		p.Entries = append(p.Entries, msg(s, "U2"))
	}
	return wire.Frame{Ref: ref, Body: wire.History{Page: p}}
}

// welcomed returns the state of U1, live, with a group that ends at last.
func welcomed(last int64, mine chat.Marks, unread int) *State {
	s := New()
	s.Apply(wire.Frame{Body: wire.Welcome{
		Me: chat.Person{ID: "U1", Username: "ada"}, People: []chat.Person{{ID: "U2", Username: "bob"}}, Online: []chat.UserID{"U2"},
		Convs: []chat.Summary{{Conv: group, Title: "Kitchen", Members: 3, LastSeq: last, Mine: mine, Unread: unread}},
	}}, 0)
	return s
}

// show writes the rows of a conversation in one line.
func show(s *State, conv chat.ConvID) string {
	var out []string
	for _, r := range s.Rows(conv, time.UTC) {
		w := r.Message.Content.Text
		if r.New {
			w = "|" + w
		}
		switch r.Tick {
		case chat.Queued:
			w += "…"
		case chat.Failed:
			w += "!" + string(r.Why)
		case chat.Delivered:
			w += "✓"
		case chat.Read:
			w += "✓✓"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

func TestGapIsParkedAndAskedFor(t *testing.T) {
	s := welcomed(3, chat.Marks{}, 0)
	s.Apply(posted(4, "U2"), 0)
	ch := s.Apply(posted(6, "U2"), 0)
	if len(ch.Need) != 1 || ch.Need[0].Body != (wire.Resume{Conv: group, After: 4}) {
		t.Fatalf("need %+v", ch.Need)
	}
	if again := s.Apply(posted(7, "U2"), 0); len(again.Need) != 0 {
		t.Errorf("asked twice: %+v", again.Need)
	}
	if got := show(s, group); got != "m4" {
		t.Errorf("across the gap: %s", got)
	}
	s.Apply(page(ch.Need[0].Ref, 7, 5, 6, 7), 0)
	s.Apply(posted(6, "U2"), 0)
	if got := show(s, group); got != "m4 m5 m6 m7" {
		t.Errorf("after the page: %s", got)
	}
}

func TestLongAbsenceKeepsTheNewestRun(t *testing.T) {
	s := welcomed(3, chat.Marks{}, 0)
	s.Apply(posted(4, "U2"), 0)
	ch := s.Apply(posted(400, "U2"), 0)
	ch = s.Apply(page(ch.Need[0].Ref, 400, 398, 399, 400), 0)
	if got := show(s, group); got != "m398 m399 m400" {
		t.Fatalf("got %s", got)
	}
	s.Apply(page(s.asks.find(askOlder), 400, 396, 397), 0)
	if got := show(s, group); got != "m396 m397 m398 m399 m400" {
		t.Errorf("got %s", got)
	}
	if v, _ := s.Conv(group); v.AtStart || v.Oldest != 396 {
		t.Errorf("%+v", v)
	}
}

// find returns the ref of a question of kind k under way.
func (q *asks) find(k askKind) string {
	for ref, a := range q.open {
		if a.kind == k {
			return ref
		}
	}
	return ""
}

// TestStalePageIsNoStart: a page asked for before an older run was let go does
// not mean that nothing older exists.
func TestStalePageIsNoStart(t *testing.T) {
	s := welcomed(50, chat.Marks{Read: 50}, 0)
	s.Apply(posted(51, "U2"), 0)
	older := s.Older(group, 0).Need[0].Ref
	newer := s.Apply(posted(400, "U2"), 0).Need[0].Ref
	s.Apply(page(newer, 400, 399, 400), 0)
	s.Apply(page(older, 400, 49, 50), 0)
	if v, _ := s.Conv(group); v.AtStart {
		t.Error("taken for the start")
	}
	if got := show(s, group); got != "m399 m400" {
		t.Errorf("got %s", got)
	}
}

func TestDividerStaysWhereItWas(t *testing.T) {
	s := welcomed(1, chat.Marks{Read: 1}, 0)
	for seq := int64(2); seq < 5; seq++ {
		s.Apply(posted(seq, "U2"), 0)
	}
	s.Seen(group, 2)
	s.Open(group)
	s.Seen(group, 4)
	s.Apply(posted(5, "U2"), 0)
	if got := show(s, group); got != "m2 |m3 m4 m5" {
		t.Errorf("open: %s", got)
	}
	s.Seen(group, 5)
	s.Close()
	s.Open(group)
	s.Apply(posted(6, "U2"), 0)
	if got := show(s, group); got != "m2 m3 m4 m5 m6" {
		t.Errorf("opened again: %s", got)
	}
}

func TestUnreadAndMarks(t *testing.T) {
	s := welcomed(10, chat.Marks{Read: 6, Delivered: 10}, 3)
	s.Apply(posted(11, "U2"), 0)
	s.Apply(posted(12, "U1"), 0) // one's own, from another device
	if n := s.TotalUnread(); n != 4 {
		t.Errorf("%d unread, want 4", n)
	}
	fs := s.TakeSeen()
	if len(fs) != 1 || fs[0].Body != (wire.Seen{Marks: chat.Marks{Conv: group, Delivered: 12, Read: 6}}) {
		t.Errorf("seen %+v", fs)
	}
	s.Seen(group, 99) // no further than what is held
	if fs = s.TakeSeen(); len(fs) != 1 || fs[0].Body != (wire.Seen{Marks: chat.Marks{Conv: group, Delivered: 12, Read: 12}}) {
		t.Errorf("seen %+v", fs)
	}
	if n := s.TotalUnread(); n != 0 || len(s.TakeSeen()) != 0 {
		t.Errorf("%d unread", n)
	}
	s.Apply(wire.Frame{Body: wire.Seen{Marks: chat.Marks{Conv: group, Delivered: 12, Read: 11}}}, 0)
	if got := show(s, group); got != "m11 m12✓" {
		t.Errorf("got %s", got)
	}
}

// Who writes has read what is above: the server is told, in case it was killed
// before it could note that itself.
func TestWhoWritesHasRead(t *testing.T) {
	s := welcomed(5, chat.Marks{Read: 2, Delivered: 5}, 3)
	s.Add(group, chat.TextContent("x"), "a", 0)
	f := posted(6, "U1")
	f.Ref = "a"
	s.Apply(f, 0)
	fs := s.TakeSeen()
	if len(fs) != 1 || fs[0].Body != (wire.Seen{Marks: chat.Marks{Conv: group, Delivered: 6, Read: 6}}) || s.TotalUnread() != 0 {
		t.Errorf("seen %+v, %d unread", fs, s.TotalUnread())
	}
}

func TestReadElsewhere(t *testing.T) {
	s := welcomed(10, chat.Marks{Read: 6}, 4)
	ch := s.Apply(wire.Frame{Body: wire.Seen{Marks: chat.Marks{Conv: group, User: "U1", Read: 8}}}, 0)
	if len(ch.Need) != 1 || ch.Need[0].Body != (wire.Before{Conv: group, Seq: 11, Limit: 100}) {
		t.Fatalf("need %+v", ch.Need) // what is left can only be counted
	}
	s.Apply(page(ch.Need[0].Ref, 10, 7, 8, 9, 10), 0)
	if n := s.TotalUnread(); n != 2 {
		t.Errorf("%d unread, want 2", n)
	}
}

func TestOutbox(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	add := func(ref string) {
		if _, ok := s.Add(group, chat.TextContent(ref), ref, 0); !ok {
			t.Fatalf("%s was not taken", ref)
		}
	}
	sent := func(now int64) (refs []string) {
		fs, _ := s.Due(now)
		for _, f := range fs {
			refs = append(refs, f.Ref)
		}
		return refs
	}
	ack := func(ref string, seq int64) {
		f := posted(seq, "U1")
		f.Ref = ref
		s.Apply(f, 0)
	}
	add("a")
	add("b")
	add("c")
	if got := sent(0); !slices.Equal(got, []string{"a"}) {
		t.Fatalf("sent %v", got)
	}
	s.Apply(wire.Frame{Ref: "a", Body: wire.Refused{Code: chat.Busy, RetryAfter: 500}}, 0)
	if got := sent(499); got != nil {
		t.Fatalf("sent %v too early", got)
	}
	if got := sent(500); !slices.Equal(got, []string{"a"}) {
		t.Fatalf("sent %v", got)
	}
	ack("a", 1)
	if got := sent(600); !slices.Equal(got, []string{"b"}) {
		t.Fatalf("sent %v", got)
	}
	s.Apply(wire.Frame{Ref: "b", Body: wire.Refused{Code: chat.Forbidden}}, 0)
	if got := show(s, group); got != "m1 b!forbidden c…" {
		t.Errorf("got %s", got)
	}
	if got := sent(700); !slices.Equal(got, []string{"c"}) {
		t.Errorf("sent %v", got)
	}
	s.Retry("b", 0)
	if got := show(s, group); got != "m1 c… b…" {
		t.Errorf("got %s", got)
	}
	s.SetPhase(Offline, 0)
	if q := s.Status(); q.Queued != 2 || q.Phase != Offline {
		t.Errorf("%+v", q)
	}
	kept := s.Unsent()
	s = welcomed(0, chat.Marks{}, 0)
	s.Restore(kept)
	s.Restore(kept)
	if got := sent(800); !slices.Equal(got, []string{"c"}) {
		t.Errorf("sent %v after a reload", got)
	}
	ack("c", 2)
	ack("b", 3)
	ack("b", 3)
	if got := show(s, group); got != "" || len(s.Unsent()) != 0 { // 1 is missing
		t.Errorf("got %s", got)
	}
}

// TestStoredPostIsNotDrawnTwice: after a reload the page shows an entry whose
// acknowledgement never came; only the entry is drawn.
func TestStoredPostIsNotDrawnTwice(t *testing.T) {
	s := New()
	m := msg(1, "U1")
	m.Content = chat.TextContent("ok")
	s.Boot(chat.Person{ID: "U1"}, []chat.Summary{{Conv: group, LastSeq: 1}}, nil, &chat.Page{Conv: group, Entries: []chat.Message{m}, LastSeq: 1})
	s.Restore([]Unsent{{Conv: group, Ref: "a", Content: m.Content}, {Conv: group, Ref: "b", Content: m.Content}})
	if got := show(s, group); got != "ok ok…" {
		t.Errorf("got %s", got)
	}
	s.Apply(wire.Frame{Ref: "a", Body: wire.Posted{Message: m}}, 0)
	if got := show(s, group); got != "ok ok…" {
		t.Errorf("settled: %s", got)
	}
}

func TestContentThatNobodyTakesFailsAtOnce(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	s.Add(group, chat.TextContent(" "), "a", 0)
	if fs, _ := s.Due(0); len(fs) != 0 || show(s, group) != " !invalid" {
		t.Errorf("sent %v, shows %q", fs, show(s, group))
	}
	s.Discard("a")
	if got := show(s, group); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestTypingEnds(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	typing := func() []chat.UserID { v, _ := s.Conv(group); return v.Typing }
	s.Apply(wire.Frame{Body: wire.Typing{Conv: group, User: "U2"}}, 1_000)
	if _, next := s.Due(1_000); next != 7_000 || len(typing()) != 1 {
		t.Errorf("until %d: %v", next, typing())
	}
	if s.Expire(6_999); len(typing()) != 1 {
		t.Error("ended early")
	}
	if ch := s.Expire(7_000); len(typing()) != 0 || !ch.Has(group) {
		t.Error("did not end")
	}
	s.Apply(wire.Frame{Body: wire.Typing{Conv: group, User: "U2"}}, 8_000)
	if s.Apply(posted(1, "U2"), 8_000); len(typing()) != 0 {
		t.Error("still typing after the message came")
	}
}

func TestUnknownPeopleAreAskedForOnce(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	ch := s.Apply(posted(1, "U9"), 0)
	if len(ch.Need) != 1 || s.Name("U9") != "U9" {
		t.Fatalf("need %+v", ch.Need)
	}
	if ch := s.Apply(posted(2, "U9"), 0); len(ch.Need) != 0 {
		t.Errorf("asked again: %+v", ch.Need)
	}
	s.Apply(wire.Frame{Ref: ch.Need[0].Ref, Body: wire.People{People: []chat.Person{{ID: "U9", Nickname: "Nine"}}}}, 0)
	if s.Name("U9") != "Nine" {
		t.Errorf("is called %s", s.Name("U9"))
	}
}

func TestDirectPlaceholder(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	id := s.EnsureDirect(chat.Person{ID: "U5", Username: "eve"})
	if len(s.Convs()) != 1 {
		t.Error("listed before it is open")
	}
	s.Open(id)
	ask := s.Ask(id, 0).Need
	s.Apply(wire.Frame{Ref: ask[0].Ref, Body: wire.Refused{Code: chat.NotFound}}, 0)
	if cs := s.Convs(); len(cs) != 2 || cs[0].ID != id || cs[0].Title != "eve" || !cs[0].AtStart {
		t.Fatalf("%+v", cs)
	}
	s.Add(id, chat.TextContent("hi"), "a", 5)
	s.Apply(wire.Frame{Ref: "a", Body: wire.Posted{Message: chat.Message{Conv: id, Seq: 1, Author: "U1", Content: chat.TextContent("hi")}}}, 5)
	s.Apply(wire.Frame{Body: wire.Opened{Summary: chat.Summary{Conv: id, LastSeq: 1, Members: 2}}}, 5)
	if got := show(s, id); got != "hi" {
		t.Errorf("got %s", got)
	}
}

func TestAnotherPersonsDataGoes(t *testing.T) {
	s := welcomed(3, chat.Marks{}, 2)
	s.Add(group, chat.TextContent("secret"), "a", 0)
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U7"}}}, 0)
	if len(s.Convs()) != 0 || len(s.Unsent()) != 0 || s.Me().ID != "U7" {
		t.Errorf("kept %v %v", s.Convs(), s.Unsent())
	}
}

func TestWelcomeForgetsWhatIsGone(t *testing.T) {
	s := welcomed(3, chat.Marks{}, 2)
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}}}, 0)
	if len(s.Convs()) != 0 {
		t.Errorf("kept %v", s.Convs())
	}
}

func TestEventsChangeTheHeader(t *testing.T) {
	s := welcomed(3, chat.Marks{}, 0)
	event := func(seq int64, c chat.Change) {
		s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: group, Seq: seq, Author: "U2", Content: chat.Content{Kind: chat.Event, Event: &c}}}}, 0)
	}
	event(4, chat.Change{What: "joined", Who: []chat.UserID{"U3", "U4"}})
	event(5, chat.Change{What: "left", Who: []chat.UserID{"U4"}})
	event(5, chat.Change{What: "left", Who: []chat.UserID{"U4"}})
	event(6, chat.Change{What: "renamed", Name: "Garden"})
	if v, _ := s.Conv(group); v.Members != 4 || v.Title != "Garden" {
		t.Errorf("%+v", v)
	}
}

func TestMergeOfChanges(t *testing.T) {
	a := Change{List: true, Convs: map[chat.ConvID]bool{"G1": true}}
	b := Change{Me: true, Convs: map[chat.ConvID]bool{"G2": true}, Need: []wire.Frame{{Ref: "q"}}}
	m := a.Merge(b)
	if !m.List || !m.Me || m.Link || !m.Has("G1") || !m.Has("G2") || len(m.Need) != 1 || a.Has("G2") || m.Empty() || !(Change{}).Empty() {
		t.Errorf("%+v", m)
	}
}

func TestLongRunsAreCutAndStillCountRight(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	for seq := int64(1); seq <= 2_000; seq++ {
		s.Apply(posted(seq, "U2"), 0)
	}
	if n := len(s.Rows(group, time.UTC)); n > most || s.TotalUnread() != 2_000 {
		t.Errorf("%d rows, %d unread", n, s.TotalUnread())
	}
}

// TestNewGroupFromOutside is what a server sends when somebody makes a group
// with me: its line, which ends before the first entry, and then that entry.
func TestNewGroupFromOutside(t *testing.T) {
	s := welcomed(3, chat.Marks{Read: 3}, 0)
	first := chat.Message{Conv: "G2", Seq: 1, Author: "U2", At: 9, Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: "joined", Who: []chat.UserID{"U1", "U2"}}}}
	s.Apply(wire.Frame{Body: wire.Opened{Summary: chat.Summary{Conv: "G2", Title: "Garden", Members: 2, Last: &first}}}, 0)
	s.Apply(wire.Frame{Body: wire.Posted{Message: first}}, 0)
	if v := s.Convs()[0]; v.ID != "G2" || v.Members != 2 || v.Unread != 1 || len(s.Rows("G2", time.UTC)) != 1 {
		t.Errorf("%+v", v)
	}
}
