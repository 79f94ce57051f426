package state

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func saying(seq int64, by chat.UserID, c chat.Content) chat.Message {
	m := msg(seq, by)
	m.Content = c
	return m
}

func says(seq int64, by chat.UserID, c chat.Content) wire.Frame {
	return wire.Frame{Body: wire.Posted{Message: saying(seq, by, c)}}
}

func edits(of int64, text string) chat.Content {
	return chat.Content{Kind: chat.Edit, Of: of, Text: text}
}
func recalls(of int64) chat.Content { return chat.Content{Kind: chat.Recall, Of: of} }
func reacts(of int64, off bool) chat.Content {
	return chat.Content{Kind: chat.React, Of: of, Text: "👍", Off: off}
}

// amendedIn writes what a change says of entries, "seq" for ones as they are, "seq of" for amendments.
func amendedIn(ch Change) (out []string) {
	for _, m := range ch.Amended {
		if m.Content.Kind.Amends() {
			out = append(out, fmt.Sprint(m.Seq, " of ", m.Content.Of))
		} else {
			out = append(out, fmt.Sprint(m.Seq, " ", m.Content.Text))
		}
	}
	return out
}

func TestAmendmentsChangeWhatIsHeldAndAreNoRows(t *testing.T) {
	s := welcomed(3, chat.Marks{Delivered: 3, Read: 3}, 0)
	for seq := range int64(3) {
		s.Apply(posted(4+seq, "U2"), 0)
	}
	ch := s.Apply(says(7, "U2", edits(5, "new")), 0)
	if got := amendedIn(ch); !slices.Equal(got, []string{"5 new"}) {
		t.Errorf("to be kept: %v", got)
	}
	if got := amendedIn(s.Apply(says(8, "U3", reacts(2, false)), 0)); !slices.Equal(got, []string{"8 of 2"}) {
		t.Errorf("of one that is not held: %v", got)
	}
	s.Apply(says(9, "U2", recalls(6)), 0)
	if got := show(s, group); got != "m4 new " {
		t.Errorf("rows %q", got)
	}
	v, _ := s.Conv(group)
	if v.Unread != 3 || v.LastSeq != 9 || v.Said != 6 || v.Last.Seq != 6 || v.Last.Content.Kind != chat.Gone || v.LastAt != 6_000 {
		t.Errorf("the line: %+v with %+v, want 3 unread and what is left of the sixth", v, v.Last)
	}
	s.Seen(group, 6)
	s.Apply(says(10, "U2", reacts(4, false)), 0)
	if mine, _ := s.Marks(group); mine.Read != 10 {
		t.Errorf("read up to %d, want past the amendments behind what was read", mine.Read)
	}
	if fs := s.TakeSeen(); len(fs) != 1 || fs[0].Body.(wire.Seen).Read != 10 || fs[0].Body.(wire.Seen).Delivered != 10 {
		t.Errorf("told %+v", fs)
	}
	s.Apply(posted(11, "U2"), 0)
	if v, _ := s.Conv(group); v.Unread != 1 {
		t.Errorf("%d unread, want 1", v.Unread)
	}
}

func TestPendingAmendmentsShowAndARefusalUndoesThem(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	for seq, by := range []chat.UserID{"U1", "U1", "U2"} {
		s.Apply(posted(int64(seq+1), by), 0)
	}
	s.SetPhase(Offline, 0)
	for i, c := range []chat.Content{edits(1, "one"), recalls(2), reacts(3, false), edits(1, "uno")} {
		if _, ok := s.Add(group, c, fmt.Sprint("r", i), 0); !ok {
			t.Fatalf("%+v was not taken", c)
		}
	}
	if ch, ok := s.Add(group, edits(1, " "), "bad", 0); ok || !ch.Empty() {
		t.Error("an empty edit was taken")
	}
	rows := s.Rows(group, time.UTC)
	if len(rows) != 3 || rows[0].Message.Content.Text != "uno" || !rows[0].Waits || rows[1].Message.Content.Kind != chat.Gone || !rows[2].Waits || len(rows[2].Message.Content.Reactions()) != 1 {
		t.Fatalf("rows %+v", rows)
	}
	if v, _ := s.Conv(group); v.Last.Seq != 3 || len(v.Last.Content.Reactions()) != 1 || s.Status().Queued != 4 {
		t.Errorf("the line %+v, %d queued", v.Last, s.Status().Queued)
	}
	again := New()
	again.Boot(chat.Person{ID: "U1"}, nil, nil, nil)
	again.Restore(s.Unsent())
	if len(again.Unsent()) != 4 {
		t.Errorf("after a reload %d wait", len(again.Unsent()))
	}

	s.SetPhase(Connecting, 0)
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: group, Members: 3, LastSeq: 3}}}}, 0)
	take := func(answer func(f wire.Frame) wire.Frame) {
		t.Helper()
		fs, _ := s.Due(0)
		for _, f := range fs {
			if _, ok := f.Body.(wire.Post); ok {
				s.Apply(answer(f), 0)
				return
			}
		}
		t.Fatal("nothing is sent")
	}
	seq := int64(3)
	stored := func(f wire.Frame) wire.Frame {
		seq++
		return wire.Frame{Ref: f.Ref, Body: wire.Posted{Message: saying(seq, "U1", f.Body.(wire.Post).Content)}}
	}
	take(stored)
	take(func(f wire.Frame) wire.Frame {
		return wire.Frame{Ref: f.Ref, Body: wire.Refused{Code: chat.Forbidden}}
	})
	if d := s.Denied(); d == nil || d.Conv != group || d.Content.Kind != chat.Recall || d.Code != chat.Forbidden || s.Denied() != nil {
		t.Errorf("denied: %+v", d)
	}
	if rows := s.Rows(group, time.UTC); rows[1].Message.Content.Text != "m2" || rows[1].Waits || rows[0].Message.Content.Text != "uno" {
		t.Errorf("after a refusal: %+v", rows)
	}
	take(stored)
	take(stored)
	rows = s.Rows(group, time.UTC)
	if len(rows) != 3 || rows[0].Message.Content.Text != "uno" || rows[0].Message.Content.Fate.Edited != 6 || rows[0].Waits || rows[2].Waits || len(s.Unsent()) != 0 {
		t.Errorf("in the end: %+v, %v wait", rows, s.Unsent())
	}
	if mine, _ := s.Marks(group); mine.Read != 0 {
		t.Errorf("amending has read up to %d", mine.Read)
	}
}

// Word of an amendment may come before the page that has its target as it was.
func TestLatePagesAreBroughtUpToDate(t *testing.T) {
	s := welcomed(100, chat.Marks{Read: 100}, 0)
	s.Open(group)
	need := s.Older(group, 0).Need
	s.Apply(says(101, "U2", edits(90, "new")), 0)
	s.Apply(page(need[0].Ref, 100, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100), 0)
	if got := s.Rows(group, time.UTC)[2]; got.Message.Content.Text != "new" {
		t.Errorf("before the end: %+v", got.Message)
	}
	ch := s.Jump(group, 20, 0)
	if len(ch.Need) != 1 {
		t.Fatalf("asked %+v", ch.Need)
	}
	s.Apply(says(102, "U2", recalls(21)), 0)
	ch = s.Apply(page(ch.Need[0].Ref, 101, 19, 20, 21), 0)
	if rows := s.Rows(group, time.UTC); rows[2].Message.Content.Kind != chat.Gone {
		t.Errorf("in the past: %+v", rows[2].Message)
	}
	if got := amendedIn(ch); !slices.Equal(got, []string{"21 "}) {
		t.Errorf("to be kept: %v", got)
	}
	s.Apply(says(103, "U2", edits(20, "newer")), 0)
	if rows := s.Rows(group, time.UTC); rows[1].Message.Content.Text != "newer" {
		t.Errorf("in the past: %+v", rows[1].Message)
	}
}

// What was kept may be old. While there is a server it is asked.
func TestKeptPastIsChecked(t *testing.T) {
	entries := func(from, to int64) (es []chat.Message) {
		for q := from; q <= to; q++ {
			es = append(es, msg(q, "U2"))
		}
		return es
	}
	fresh := func(ref string, from, to int64) wire.Frame {
		es := entries(from, to)
		for i := range es {
			chat.Amend(&es[i], saying(600, "U2", edits(es[i].Seq, fmt.Sprint("new", es[i].Seq))))
		}
		return wire.Frame{Ref: ref, Body: wire.History{Page: chat.Page{Conv: group, LastSeq: 1000, Entries: es}}}
	}
	asked := func(s *State) (ref string, b wire.Before) {
		t.Helper()
		fs, _ := s.Due(0)
		for _, f := range fs {
			if b, ok := f.Body.(wire.Before); ok {
				return f.Ref, b
			}
		}
		t.Fatalf("nothing is asked, but %+v", fs)
		return "", b
	}
	s := welcomed(1000, chat.Marks{Read: 1000}, 0)
	s.Open(group)
	need := s.Jump(group, 200, 0).Need
	if _, ok := s.RememberPast(group, entries(101, 250)); !ok {
		t.Fatal("what was kept is of no use")
	}
	b := need[0].Body.(wire.Before)
	if got, want := span(t, s), fmt.Sprint(b.Seq-int64(b.Limit), "–", b.Seq-1); got != want {
		t.Errorf("shown is %s, asked %s", got, want)
	}
	s.Apply(fresh(need[0].Ref, b.Seq-int64(b.Limit), b.Seq-1), 0)
	if _, ok := s.RememberPast(group, entries(101, 200)); !ok {
		t.Fatal("what was kept before it is of no use")
	}
	ref, b := asked(s)
	s.Apply(fresh(ref, max(b.Seq-int64(b.Limit), 1), b.Seq-1), 0)
	for _, r := range s.Rows(group, time.UTC) {
		if r.Message.Content.Text != fmt.Sprint("new", r.Message.Seq) {
			t.Fatalf("%d is shown as it was: %s", r.Message.Seq, r.Message.Content.Text)
		}
	}
	if got := span(t, s); got != "101–224" {
		t.Errorf("shown is %s", got)
	}
	// More can be asked for as well.
	if ch := s.Around(group, true, 0); len(ch.Need) != 1 {
		t.Errorf("scrolling down asks %+v", ch.Need)
	}

	s = welcomed(1000, chat.Marks{Read: 1000}, 0)
	s.SetPhase(Offline, 0)
	s.Open(group)
	s.Jump(group, 200, 0)
	if _, ok := s.RememberPast(group, entries(101, 250)); !ok || span(t, s) != "101–250" {
		t.Fatalf("offline %s is shown", span(t, s))
	}
	s.SetPhase(Connecting, 0)
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Known: true}}, 0)
	ref, b = asked(s)
	s.Apply(fresh(ref, b.Seq-int64(b.Limit), b.Seq-1), 0)
	if r := s.Rows(group, time.UTC)[200-101]; r.Message.Content.Text != "new200" {
		t.Errorf("after coming back: %+v", r.Message)
	}
}

// Kept entries may be older than what amended them, once they join it.
func TestKeptEntriesAreAmendedAsTheyJoin(t *testing.T) {
	s := welcomed(60, chat.Marks{Read: 60}, 0)
	s.Apply(says(61, "U2", edits(12, "new")), 0)
	var es []chat.Message
	for q := int64(11); q <= 60; q++ {
		es = append(es, msg(q, "U2"))
	}
	ch, ok := s.Remember(group, es)
	if got := s.Rows(group, time.UTC)[1].Message.Content.Text; !ok || got != "new" {
		t.Errorf("it says %q", got)
	}
	if got := amendedIn(ch); !slices.Equal(got, []string{"12 new"}) {
		t.Errorf("to be kept: %v", got)
	}
	if es[1].Content.Text != "m12" {
		t.Error("what was handed over has changed")
	}
}

func TestAnswersAreNotDrawnTwice(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	s.Apply(posted(1, "U2"), 0)
	c := chat.TextContent("yes")
	c.Re = &chat.Quote{Seq: 1, Author: "U2", Text: "m1"}
	s.Add(group, c, "r", 0)
	theirs := c
	theirs.Re = &chat.Quote{Seq: 1, Author: "U2", Text: "as the server has it"}
	m := saying(2, "U1", theirs)
	chat.Amend(&m, saying(3, "U2", reacts(2, false)))
	s.Apply(wire.Frame{Body: wire.Posted{Message: m}}, 0) // without its ref
	if rows := s.Rows(group, time.UTC); len(rows) != 2 || !reflect.DeepEqual(rows[1].Message.Content.Re, theirs.Re) {
		t.Errorf("rows %+v", rows)
	}
}
