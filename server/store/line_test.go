package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"kamachat/shared/chat"
)

var yes, no = true, false

func setLine(t *testing.T, db interface {
	SetLine(context.Context, chat.UserID, chat.ConvID, chat.LineChange) (chat.Line, error)
}, u chat.UserID, conv chat.ConvID, c chat.LineChange) chat.Line {
	t.Helper()
	l, err := db.SetLine(t.Context(), u, conv, c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func hush(until int64) chat.LineChange { return chat.LineChange{Hush: &until} }

// TestMarksAndMutesAreOfALine: alone and with what else there is.
func TestMarksAndMutesAreOfALine(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(ann, bob)
		appendAll(t, db, text(bob, direct, "1", "x"), text(bob, group, "2", "x"))
		if l, err := db.SetLine(t.Context(), ann, chat.Direct(ann, cat), hush(5)); err != nil || l != (chat.Line{Hushed: 5}) {
			t.Errorf("of whom nothing was ever heard: %+v, %v", l, err)
		}
		for i, c := range []struct {
			conv chat.ConvID
			by   chat.LineChange
			want chat.Line
		}{
			{direct, chat.LineChange{Mark: &yes}, chat.Line{Marked: true}},
			{group, hush(chat.Forever), chat.Line{Hushed: chat.Forever}},
			{direct, hush(77), chat.Line{Marked: true, Hushed: 77}},
			{direct, hush(77), chat.Line{Marked: true, Hushed: 77}},
			{direct, chat.LineChange{Archive: &yes}, chat.Line{Archived: true, Marked: true, Hushed: 77}},
			{direct, chat.LineChange{Clear: 1}, chat.Line{Cleared: 1, Hushed: 77}},
			{direct, chat.LineChange{Mark: &yes}, chat.Line{Cleared: 1, Marked: true, Hushed: 77}},
			{direct, chat.LineChange{Mark: &no}, chat.Line{Cleared: 1, Hushed: 77}},
			{direct, hush(0), chat.Line{Cleared: 1}},
			{group, hush(0), chat.Line{}},
		} {
			if l := setLine(t, db, ann, c.conv, c.by); l != c.want {
				t.Errorf("%d: it is %+v, want %+v", i, l, c.want)
			}
			read, err := db.Line(t.Context(), ann, c.conv)
			ss, serr := db.Summaries(t.Context(), ann, 1, c.conv)
			hs, herr := db.Heads(t.Context(), ann)
			if err := errors.Join(err, serr, herr); err != nil || len(ss) != 1 || len(hs) != 2 {
				t.Fatal(ss, hs, err)
			}
			at := slices.IndexFunc(hs, func(h chat.Head) bool { return h.Conv == c.conv })
			if read != c.want || ss[0].Line != c.want || hs[at].Line != c.want {
				t.Errorf("%d: it is read as %+v, listed as %+v, counted as %+v, want %+v", i, read, ss[0].Line, hs[at].Line, c.want)
			}
		}
	})
}

func TestLinesAreEachMembersOwn(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(ann, bob)
		appendAll(t, db, text(bob, direct, "1", "x"), text(bob, direct, "2", "x"), text(ann, group, "3", "x"))
		pinned := setLine(t, db, ann, direct, chat.LineChange{Pin: &yes})
		if again := setLine(t, db, ann, direct, chat.LineChange{Pin: &yes}); pinned.Pinned == 0 || again != pinned {
			t.Errorf("pinned it is %+v, once more %+v", pinned, again)
		}
		ss, err := db.Summaries(t.Context(), ann, 1, direct)
		if err != nil || len(ss) != 1 || ss[0].Conv != direct || ss[0].Line != pinned {
			t.Errorf("the line is %+v, %v", ss, err)
		}
		if convs, err := db.Pinned(t.Context(), ann); err != nil || len(convs) != 1 || convs[0] != direct {
			t.Errorf("pinned are %v, %v", convs, err)
		}
		if l := setLine(t, db, ann, direct, chat.LineChange{Archive: &yes}); l != (chat.Line{Archived: true}) {
			t.Errorf("archived it is %+v", l)
		}
		if l, err := db.Line(t.Context(), bob, direct); err != nil || l != (chat.Line{}) {
			t.Errorf("the other's is %+v, %v", l, err)
		}
		setLine(t, db, ann, direct, chat.LineChange{Archive: &no})
		if l := setLine(t, db, ann, direct, chat.LineChange{Clear: 9}); l != (chat.Line{Cleared: 2}) {
			t.Errorf("deleted it is %+v", l)
		}
		ss, err = db.Summaries(t.Context(), ann, 1, direct)
		if err != nil || len(ss) != 1 || ss[0].Last != nil || ss[0].Unread != 0 || ss[0].Cleared != 2 {
			t.Errorf("its line is %+v, %v", ss, err)
		}
		appendAll(t, db, text(bob, direct, "4", "x"))
		ss, err = db.Summaries(t.Context(), ann, 1, direct)
		if err != nil || len(ss) != 1 || ss[0].Last == nil || ss[0].Last.Seq != 3 || ss[0].Unread != 1 {
			t.Errorf("with a message its line is %+v, %v", ss, err)
		}
		hs, err := db.Heads(t.Context(), ann)
		if err != nil || len(hs) != 2 || hs[0].Line != (chat.Line{Cleared: 2}) {
			t.Errorf("the heads are %+v, %v", hs, err)
		}
		if _, err := db.SetLine(t.Context(), dan, group, chat.LineChange{Pin: &yes}); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("who is not in it: %v", err)
		}
		if l, err := db.Line(t.Context(), dan, group); err != nil || l != (chat.Line{}) {
			t.Errorf("who is not in it has %+v, %v", l, err)
		}
	})
}

// TestWhoHasArchivedIsNotTold: neither of a message there, nor in the count of all.
func TestWhoHasArchivedIsNotTold(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(ann, bob)
		appendAll(t, db, text(bob, direct, "1", "x"), text(bob, group, "2", "x"), text(bob, group, "3", "x"))
		subscribed(t, db, ann, "l1", "https://push/1", 0)
		subscribed(t, db, cat, "l2", "https://push/2", 0)
		setLine(t, db, ann, group, chat.LineChange{Archive: &yes})
		ls, err := db.Listeners(t.Context(), direct, group)
		if err != nil || len(ls) != 2 || ls[0].User != ann || ls[0].Conv != direct || ls[1].User != cat {
			t.Errorf("the listeners are %+v, %v", ls, err)
		}
		if n, err := db.UnreadTotals(t.Context(), ann, cat); err != nil || n[ann] != 1 || n[cat] != 2 {
			t.Errorf("unread are %v, %v, want 1 and 2", n, err)
		}
		setLine(t, db, ann, group, chat.LineChange{Clear: 1})
		if n, err := db.UnreadTotals(t.Context(), ann); err != nil || n[ann] != 2 {
			t.Errorf("with one of two in the group deleted unread are %v, %v, want 2", n, err)
		}
	})
}

// TestChangesOfALineAtOnceAllCount: each says one thing, and none undoes another.
func TestChangesOfALineAtOnceAllCount(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		var ds []chat.Draft
		for i := range 20 {
			ds = append(ds, text(bob, group, fmt.Sprint(i), "x"))
		}
		appendAll(t, db, ds...)
		var wg sync.WaitGroup
		for i := range int64(10) {
			wg.Go(func() {
				if _, err := db.SetLine(context.WithoutCancel(t.Context()), ann, group, chat.LineChange{Clear: i + 1}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		setLine(t, db, ann, group, chat.LineChange{Archive: &yes})
		for i := range int64(10) {
			wg.Go(func() {
				c := chat.LineChange{Clear: i + 1}
				if i == 5 {
					c = chat.LineChange{Archive: &no}
				}
				if _, err := db.SetLine(context.WithoutCancel(t.Context()), ann, group, c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if l, err := db.Line(t.Context(), ann, group); err != nil || l != (chat.Line{Cleared: 10}) {
			t.Errorf("the line is %+v, %v", l, err)
		}
	})
}

// Nobody keeps mutes of people who are not there, or not for them.
func TestMutesAreOfPeopleWhoAreThere(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		if err := db.SaveProfile(t.Context(), cat, "cat", "", chat.Profile{Unlisted: true}, 1); err != nil {
			t.Fatal(err)
		}
		forever := int64(chat.Endless)
		for peer, want := range map[chat.UserID]chat.Code{bob: "", "Unobody": chat.NotFound, cat: chat.NotFound} {
			_, err := db.SetLine(t.Context(), dan, chat.Direct(dan, peer), chat.LineChange{Hush: &forever})
			if !isRefused(err, want) {
				t.Errorf("dan mutes %s: %v, want %q", peer, err, want)
			}
		}
	})
}
