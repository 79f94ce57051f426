package roomtest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"kamachat/shared/chat"
)

func about(u chat.UserID, conv chat.ConvID, ref string, c chat.Content) chat.Draft {
	return chat.Draft{Conv: conv, Author: u, Ref: ref, Content: c}
}

func edit(of int64, text string) chat.Content {
	return chat.Content{Kind: chat.Edit, Of: of, Text: text}
}
func recall(of int64) chat.Content { return chat.Content{Kind: chat.Recall, Of: of} }
func react(of int64, emoji string) chat.Content {
	return chat.Content{Kind: chat.React, Of: of, Text: emoji}
}

// amends folds amendments of its own and compares what the store has.
func amends(t *testing.T, s Base) {
	var log []chat.Message
	post := func(ds ...chat.Draft) {
		t.Helper()
		for i, r := range store(t, s, ds...) {
			must(t, r.Err)
			m := r.Message
			if m.Seq != int64(len(log))+1 || r.Again || m.Content.Kind != ds[i].Content.Kind || m.Content.Text != ds[i].Content.Text || m.Content.Of != ds[i].Content.Of || m.Content.Fate != nil {
				t.Fatalf("draft %+v became %+v", ds[i], m)
			}
			m.Ref = ""
			log = append(log, m)
			chat.Fold(log)
		}
	}
	check := func(what string) {
		t.Helper()
		p, err := s.After(t.Context(), "Ga", 0, 100)
		must(t, err)
		for i, m := range p.Entries {
			m.Ref = ""
			want := log[i]
			if m.Content.Kind == chat.Edit && log[m.Content.Of-1].Content.Fate.Edited != m.Seq {
				want.Content.Text = "" // no longer shown
			}
			if !reflect.DeepEqual(m, want) {
				t.Fatalf("%s: entry %d is %+v (%+v), want %+v (%+v)", what, m.Seq, m, m.Content.Fate, want, want.Content.Fate)
			}
		}
		if len(p.Entries) != len(log) {
			t.Fatalf("%s: %d entries, want %d", what, len(p.Entries), len(log))
		}
	}
	post(says("Ua", "Ga", "1"), says("Ub", "Ga", "2"), says("Ua", "Ga", "3"))
	post(about("Ua", "Ga", "4", edit(1, "one")))
	check("an edit")
	post(about("Ub", "Ga", "5", react(1, "👍")), about("Uc", "Ga", "6", react(1, "👍")), about("Ub", "Ga", "7", react(2, "🎉")))
	check("reactions in one batch")
	post(about("Ua", "Ga", "8", edit(1, "two")), about("Ua", "Ga", "9", edit(1, "three")), says("Ub", "Ga", "10"))
	check("two edits of one message, and one before")
	off := react(1, "👍")
	off.Off = true
	post(about("Ub", "Ga", "11", off), about("Ub", "Ga", "12", recall(2)))
	check("one taken back, one unsent")
	post(says("Uc", "Ga", "13"), about("Uc", "Ga", "14", edit(13, "new")), about("Ua", "Ga", "15", react(13, "❤️")), about("Uc", "Ga", "16", edit(13, "newer")))
	check("of a message of the same batch")
	post(says("Uc", "Ga", "17"), about("Uc", "Ga", "18", edit(17, "x")), about("Uc", "Ga", "19", recall(17)))
	check("unsent in the batch it came with")
	post(about("Ua", "Ga", "20", recall(1)))
	check("unsent after edits")
	again := store(t, s, about("Ua", "Ga", "4", edit(1, "one")), says("Ub", "Ga", "10"))
	if !again[0].Again || again[0].Message.Seq != 4 || !again[1].Again || again[1].Message.Seq != 10 {
		t.Errorf("sent again: %+v, want what is stored", again)
	}
	check("sent again")
}

func refusesAmendments(t *testing.T, s Base) {
	file := chat.Content{Kind: chat.FileK, File: &chat.File{URL: "https://example.org/a", Name: "a"}}
	event := chat.Content{Kind: chat.Event, Event: &chat.Change{What: "made"}}
	store(t, s, says("Ua", "Ga", "1"), says("Ub", "Ga", "2"), about("Ua", "Ga", "3", file), about("Ua", "Ga", "4", event),
		about("Ub", "Ga", "5", react(1, "👍")), about("Ub", "Ga", "6", recall(2)))
	store(t, s, says("Ua", direct, "7"))
	for i, c := range []struct {
		by   chat.UserID
		conv chat.ConvID
		c    chat.Content
		want chat.Code
	}{
		{"Ub", "Ga", edit(1, "not mine"), chat.Forbidden},
		{"Ub", "Ga", recall(1), chat.Forbidden},
		{"Ua", "Ga", edit(3, "a file"), chat.Invalid},
		{"Ua", "Ga", edit(4, "an event"), chat.Invalid},
		{"Ua", "Ga", recall(4), chat.Invalid},
		{"Ua", "Ga", react(5, "👍"), chat.Invalid},
		{"Ub", "Ga", edit(2, "unsent"), chat.Invalid},
		{"Ub", "Ga", recall(2), chat.Invalid},
		{"Ua", "Ga", react(2, "👍"), chat.Invalid},
		{"Ua", "Ga", react(99, "👍"), chat.NotFound},
		{"Ua", direct, react(2, "👍"), chat.NotFound},
		{"Ua", chat.Direct("Ua", "Uc"), react(1, "👍"), chat.NotFound},
		{"Ud", "Ga", react(1, "👍"), chat.NotFound},
	} {
		ds := []chat.Draft{says("Ua", "Ga", fmt.Sprint("a", i)), about(c.by, c.conv, fmt.Sprint("b", i), c.c), says("Ub", "Ga", fmt.Sprint("c", i))}
		rs := store(t, s, ds...)
		if rs[0].Err != nil || rs[2].Err != nil || rs[2].Message.Seq != rs[0].Message.Seq+1 {
			t.Errorf("%+v: those beside it: %+v, %+v", c.c, rs[0], rs[2])
		}
		if !errors.Is(rs[1].Err, &chat.Refusal{Code: c.want}) {
			t.Errorf("%s: %+v: %v, want %q", c.by, c.c, rs[1].Err, c.want)
		}
	}
	// Of the last place at a message only one gets hold, in one batch, too.
	var ds []chat.Draft
	for i := range chat.MaxReactions {
		ds = append(ds, about("Ua", direct, fmt.Sprint("r", i), react(1, string(rune(0x1f600+i)))))
	}
	for i, r := range store(t, s, ds...) {
		must(t, r.Err)
		ds[i].Author, ds[i].Ref = "Ub", ds[i].Ref+"b"
	}
	ds = append(ds[:1], about("Ub", direct, "more", react(1, "🥾")))
	if rs := store(t, s, ds...); rs[0].Err != nil || !errors.Is(rs[1].Err, &chat.Refusal{Code: chat.TooLong}) {
		t.Errorf("one of those there: %v; one more: %v, want too long", rs[0].Err, rs[1].Err)
	}
}

func listsNoAmendments(t *testing.T, s Base) {
	store(t, s, says("Ua", "Ga", "1"), says("Ua", "Ga", "2"))
	store(t, s, about("Ua", "Ga", "3", edit(2, "edited")), about("Uc", "Ga", "4", react(1, "👍")))
	store(t, s, about("Uc", "Ga", "5", react(2, "👍")))
	ss, err := s.Summaries(t.Context(), "Ub", 10)
	must(t, err)
	l := ss[0]
	if l.LastSeq != 5 || l.Unread != 2 || l.Last == nil || l.Last.Seq != 2 || l.Last.Content.Text != "edited" || len(l.Last.Content.Reactions()) != 1 {
		t.Errorf("the line %+v with %+v, want 2 unread and the second message, edited", l, l.Last)
	}
	must(t, s.SaveMarks(t.Context(), []chat.Marks{{Conv: "Ga", User: "Ub", Delivered: 2, Read: 2}}))
	if ss, err = s.Summaries(t.Context(), "Ub", 10); err != nil || ss[0].Unread != 0 {
		t.Errorf("%d unread, %v, where only amendments are", ss[0].Unread, err)
	}
	store(t, s, about("Ua", "Ga", "6", recall(2)))
	if ss, err = s.Summaries(t.Context(), "Ub", 10); err != nil || ss[0].Last.Content.Kind != chat.Gone || ss[0].Last.Content.Text != "" {
		t.Errorf("the last message is %+v, %v, want what is left of it", ss[0].Last, err)
	}
}

func quotes(t *testing.T, s Base) {
	answer := func(ref string, seq int64) chat.Draft {
		d := says("Ub", "Ga", ref)
		d.Content.Re = &chat.Quote{Seq: seq, Author: "Uc", Text: "made up"}
		return d
	}
	rs := store(t, s, says("Ua", "Ga", "1"), answer("2", 1), about("Ua", "Ga", "3", react(1, "👍")), answer("4", 3), answer("5", 99))
	if got, want := rs[1].Message.Content.Re, (&chat.Quote{Seq: 1, Author: "Ua", Text: "text 1"}); rs[1].Err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("quotes %+v, %v, want %+v", got, rs[1].Err, want)
	}
	if !errors.Is(rs[3].Err, &chat.Refusal{Code: chat.Invalid}) || !errors.Is(rs[4].Err, &chat.Refusal{Code: chat.NotFound}) {
		t.Errorf("answers to a reaction and to nothing: %v, %v", rs[3].Err, rs[4].Err)
	}
	rs = store(t, s, about("Ua", "Ga", "6", recall(1)), answer("7", 1))
	if got, want := rs[1].Message.Content.Re, (&chat.Quote{Seq: 1, Author: "Ua"}); rs[1].Err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("quotes of what is unsent %+v, %v", got, rs[1].Err)
	}
	p, err := s.After(t.Context(), "Ga", 0, 10)
	must(t, err)
	if got := p.Entries[1].Content.Re; got == nil || got.Text != "text 1" {
		t.Errorf("the stored quote is %+v", got)
	}
}
