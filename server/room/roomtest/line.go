package roomtest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"kamachat/shared/chat"
)

// Line is room.Store's.
func (m *Memory) Line(ctx context.Context, u chat.UserID, conv chat.ConvID) (l chat.Line, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.convs[conv]; c != nil {
		l = c.lines[u]
	}
	return l, ctx.Err()
}

// Pinned is room.Store's.
func (m *Memory) Pinned(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pinnedLocked(u), ctx.Err()
}

func (m *Memory) pinnedLocked(u chat.UserID) (convs []chat.ConvID) {
	for id, c := range m.convs {
		if c.lines[u].Pinned > 0 {
			convs = append(convs, id)
		}
	}
	slices.SortFunc(convs, func(a, b chat.ConvID) int {
		return cmp.Or(cmp.Compare(m.convs[b].lines[u].Pinned, m.convs[a].lines[u].Pinned), cmp.Compare(a, b))
	})
	return convs
}

// SetLine is room.Store's.
func (m *Memory) SetLine(ctx context.Context, u chat.UserID, conv chat.ConvID, by chat.LineChange) (chat.Line, error) {
	if err := ctx.Err(); err != nil {
		return chat.Line{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.convs[conv]
	if c == nil || c.marks[u].Conv == "" {
		return chat.Line{}, chat.Refuse(chat.NotFound, "no such conversation in your list")
	}
	l := c.lines[u].With(by, m.now().UnixMilli(), c.LastSeq)
	if c.lines[u].Pinned == 0 && l.Pinned > 0 && len(m.pinnedLocked(u)) >= chat.MaxPinned {
		return chat.Line{}, chat.Refuse(chat.TooLong, "too many conversations are pinned")
	}
	c.lines[u] = l
	return l, nil
}

var yes, no = true, false

func setLine(t *testing.T, s Base, u chat.UserID, conv chat.ConvID, c chat.LineChange) chat.Line {
	t.Helper()
	l, err := s.SetLine(t.Context(), u, conv, c)
	must(t, err)
	if told, err := s.Line(t.Context(), u, conv); err != nil || told != l {
		t.Fatalf("the line is %+v, %v, after it was set to %+v", told, err, l)
	}
	return l
}

func ownLines(t *testing.T, s Base) {
	store(t, s, says("Ua", direct, "1"), says("Ub", direct, "2"), says("Ub", "Ga", "3"))
	pinned := setLine(t, s, "Ua", direct, chat.LineChange{Pin: &yes})
	if pinned.Pinned == 0 || pinned.Archived || pinned.Cleared != 0 {
		t.Errorf("pinned it is %+v", pinned)
	}
	if again := setLine(t, s, "Ua", direct, chat.LineChange{Pin: &yes}); again != pinned {
		t.Errorf("pinned twice it is %+v, before %+v", again, pinned)
	}
	ss, err := s.Summaries(t.Context(), "Ua", 10)
	must(t, err)
	i := slices.IndexFunc(ss, func(s chat.Summary) bool { return s.Conv == direct })
	if len(ss) != 2 || ss[i].Line != pinned || ss[1-i].Line != (chat.Line{}) {
		t.Errorf("the list is %+v", ss)
	}
	if ss, err = s.Summaries(t.Context(), "Ub", 10); err != nil || len(ss) != 2 || ss[0].Line != (chat.Line{}) || ss[1].Line != (chat.Line{}) {
		t.Errorf("the other person's is %+v, %v", ss, err)
	}
	if l := setLine(t, s, "Ua", direct, chat.LineChange{Archive: &yes}); l != (chat.Line{Archived: true}) {
		t.Errorf("archived it is %+v", l)
	}
	hs, err := s.Heads(t.Context(), "Ua")
	must(t, err)
	i = slices.IndexFunc(hs, func(h chat.Head) bool { return h.Conv == direct })
	if hs[i].Line != (chat.Line{Archived: true}) {
		t.Errorf("its head is %+v", hs[i])
	}
	if l := setLine(t, s, "Ua", direct, chat.LineChange{Archive: &no}); l != (chat.Line{}) {
		t.Errorf("taken out again it is %+v", l)
	}
	for name, c := range map[string]struct {
		u    chat.UserID
		conv chat.ConvID
	}{
		"a stranger": {"Uc", direct}, "not a member": {"Ud", "Ga"}, "never written to": {"Ua", chat.Direct("Ua", "Uc")}, "no such group": {"Ua", "Gnone"},
	} {
		if l, err := s.SetLine(t.Context(), c.u, c.conv, chat.LineChange{Pin: &yes}); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
		if l, err := s.Line(t.Context(), c.u, c.conv); err != nil || l != (chat.Line{}) {
			t.Errorf("%s has the line %+v, %v", name, l, err)
		}
	}
}

func deletedLines(t *testing.T, s Base) {
	rs := store(t, s, says("Ub", direct, "1"), says("Ub", direct, "2"), says("Ub", direct, "3"))
	setLine(t, s, "Ua", direct, chat.LineChange{Pin: &yes})
	if l := setLine(t, s, "Ua", direct, chat.LineChange{Clear: 99}); l != (chat.Line{Cleared: 3}) {
		t.Errorf("deleted past the end it is %+v", l)
	}
	line := func(u chat.UserID) chat.Summary {
		t.Helper()
		ss, err := s.Summaries(t.Context(), u, 10, direct)
		if err != nil || len(ss) != 1 {
			t.Fatalf("%d lines, %v", len(ss), err)
		}
		return ss[0]
	}
	if l := line("Ua"); l.Last != nil || l.Unread != 0 || l.LastSeq != 3 || l.Cleared != 3 {
		t.Errorf("the deleted one is %+v", l)
	}
	if l := line("Ub"); l.Last == nil || l.Last.Seq != 3 {
		t.Errorf("the other person's is %+v", l)
	}
	// A reaction to what is deleted is no message that brings it back.
	store(t, s, chat.Draft{Conv: direct, Author: "Ub", Ref: "4", Content: chat.Content{Kind: chat.React, Of: rs[0].Message.Seq, Text: "👍"}})
	if l := line("Ua"); l.Last != nil || l.Unread != 0 {
		t.Errorf("with a reaction it is %+v", l)
	}
	store(t, s, says("Ub", direct, "5"), says("Ub", direct, "6"))
	if l := line("Ua"); l.Last == nil || l.Last.Seq != 6 || l.Unread != 2 {
		t.Errorf("with two messages it is %+v, last %+v", l, l.Last)
	}
	must(t, s.SaveMarks(t.Context(), []chat.Marks{{Conv: direct, User: "Ua", Delivered: 6, Read: 5}}))
	if l := line("Ua"); l.Unread != 1 {
		t.Errorf("with one of them read it is %+v", l)
	}
	if l := setLine(t, s, "Ua", direct, chat.LineChange{Clear: 2}); l.Cleared != 3 {
		t.Errorf("what is deleted came back: %+v", l)
	}
}

func mostPins(t *testing.T, s Base) {
	for i := range chat.MaxPinned {
		conv := chat.ConvID("Gp" + string(rune('A'+i/26)) + string(rune('a'+i%26)))
		must(t, s.CreateGroup(t.Context(), conv, "", "Ua", []chat.UserID{"Ua"}, 1))
		setLine(t, s, "Ua", conv, chat.LineChange{Pin: &yes})
	}
	if _, err := s.SetLine(t.Context(), "Ua", "Ga", chat.LineChange{Pin: &yes}); !errors.Is(err, &chat.Refusal{Code: chat.TooLong}) {
		t.Errorf("one more: %v", err)
	}
	setLine(t, s, "Ua", "GpAa", chat.LineChange{Pin: &yes}) // is already
	setLine(t, s, "Ua", "GpAa", chat.LineChange{Pin: &no})
	if l := setLine(t, s, "Ua", "Ga", chat.LineChange{Pin: &yes}); l.Pinned == 0 {
		t.Errorf("in its place: %+v", l)
	}
	told, err := s.Pinned(t.Context(), "Ua")
	must(t, err)
	if len(told) != chat.MaxPinned || !slices.Contains(told, "Ga") || slices.Contains(told, "GpAa") {
		t.Errorf("pinned are %v", told)
	}
	if told, err := s.Pinned(t.Context(), "Ub"); err != nil || len(told) > 0 {
		t.Errorf("somebody else has pinned %v, %v", told, err)
	}
}
