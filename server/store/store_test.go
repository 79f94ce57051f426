package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"kamachat"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

const (
	ann = chat.UserID("Uann")
	bob = chat.UserID("Ubob")
	cat = chat.UserID("Ucat")
	dan = chat.UserID("Udan") // in no group
)

var group = chat.ConvID("Gone")

func openAt(t testing.TB, dsn string) *store.DB {
	t.Helper()
	return storetest.Open(t, dsn, store.Options{})
}

func withPeople(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db := openAt(t, dsn)
	for _, u := range []chat.UserID{ann, bob, cat, dan} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: strings.ToLower(string(u)), Nickname: string(u)}, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CreateGroup(t.Context(), group, "Weekend 徒步 🥾", ann, []chat.UserID{ann, bob, cat}, 1); err != nil {
		t.Fatal(err)
	}
	return db
}

func text(author chat.UserID, conv chat.ConvID, ref, s string) chat.Draft {
	return chat.Draft{Conv: conv, Author: author, Ref: ref, Content: chat.TextContent(s)}
}

func appendAll(t *testing.T, db *store.DB, ds ...chat.Draft) []chat.Receipt {
	t.Helper()
	rs, err := db.Append(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestAppendNumbersEachConversationWithoutGaps(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		d := chat.Direct(ann, bob)
		rs := appendAll(t, db, text(ann, d, "1", "a"), text(bob, group, "1", "b"), text(bob, d, "2", "c"), text(ann, group, "2", "d"))
		got := []int64{rs[0].Message.Seq, rs[1].Message.Seq, rs[2].Message.Seq, rs[3].Message.Seq}
		if want := []int64{1, 1, 2, 2}; !slices.Equal(got, want) {
			t.Errorf("Seq %v, want %v", got, want)
		}
		if r := appendAll(t, db, text(ann, d, "3", "e"))[0]; r.Message.Seq != 3 {
			t.Errorf("the next batch begins at %d, want 3", r.Message.Seq)
		}
	})
}

func TestAppendStoresADraftOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		d := chat.Direct(ann, bob)
		first := appendAll(t, db, text(ann, d, "r", "once"), text(ann, d, "r", "once"))
		if first[0].Again || !first[1].Again {
			t.Errorf("again = %v, %v in one batch, want false, true", first[0].Again, first[1].Again)
		}
		for range 10 {
			r := appendAll(t, db, text(ann, d, "r", "once"))[0]
			if !r.Again || r.Message.ID != first[0].Message.ID || r.Message.Seq != 1 {
				t.Fatalf("sent again: %+v, want the first message", r)
			}
		}
		// The same Ref of somebody else is another draft.
		if r := appendAll(t, db, text(bob, d, "r", "mine"))[0]; r.Again || r.Message.Seq != 2 {
			t.Errorf("another author's Ref: %+v, want a new message", r)
		}
	})
}

func TestAppendRefusesOnlyTheDraftThatMayNot(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		rs := appendAll(t, db,
			text(ann, group, "1", "fine"),
			text(dan, group, "1", "not a member"),
			text(ann, "Gnone", "2", "no such group"),
			text(ann, chat.Direct(ann, "Unobody"), "3", "no such person"),
			text("Ughost", group, "1", "no such author"),
			text(bob, group, "1", "fine, too"),
		)
		want := []error{nil, chat.ErrNotFound, chat.ErrNotFound, chat.ErrNotFound, chat.Refuse(chat.Forbidden, ""), nil}
		for i, r := range rs {
			if !errors.Is(r.Err, want[i]) && r.Err != want[i] {
				t.Errorf("draft %d: %v, want %v", i, r.Err, want[i])
			}
		}
		if rs[0].Message.Seq != 1 || rs[5].Message.Seq != 2 {
			t.Errorf("the others got Seq %d and %d, want 1 and 2", rs[0].Message.Seq, rs[5].Message.Seq)
		}
	})
}

func TestEveryContentComesBackAsItWas(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		d := chat.Direct(ann, bob)
		long := strings.Repeat("application/", 20)
		cs := map[string]chat.Content{
			"text":  chat.TextContent("你好 👩‍👩‍👧‍👦 <b>\"'\\ \u2028"),
			"file":  {Kind: chat.FileK, File: &chat.File{URL: "/f/1", Name: "合同.pdf", Type: "application/pdf", Size: "12"}},
			"type":  {Kind: chat.FileK, File: &chat.File{URL: "/f/2", Name: "x", Type: long, Size: "1"}},
			"call":  {Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "start_call", Data: []byte(`{"sdp":"v=0"}`)}},
			"event": {Kind: chat.Event, Event: &chat.Change{What: chat.Befriend, Who: []chat.UserID{ann, bob}, Name: "n"}},
		}
		for name, c := range cs {
			m := appendAll(t, db, chat.Draft{Conv: d, Author: ann, Ref: name, Content: c})[0].Message
			p, err := db.Before(t.Context(), d, m.Seq+1, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprintf("%+v", deref(p.Entries[0].Content)), fmt.Sprintf("%+v", deref(c)); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	})
}

func deref(c chat.Content) any {
	switch {
	case c.File != nil:
		return *c.File
	case c.Call != nil:
		return *c.Call
	case c.Event != nil:
		return *c.Event
	}
	return c.Text
}

func TestHistoryIsPagedBySeq(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		d := chat.Direct(ann, bob)
		for i := range 25 {
			appendAll(t, db, text(ann, d, fmt.Sprint(i), fmt.Sprint(i)))
		}
		for name, c := range map[string]struct {
			read        func() (chat.Page, error)
			first, last int64
		}{
			"the end":                 {func() (chat.Page, error) { return db.Before(t.Context(), d, 0, 10) }, 16, 25},
			"before 16":               {func() (chat.Page, error) { return db.Before(t.Context(), d, 16, 10) }, 6, 15},
			"the beginning":           {func() (chat.Page, error) { return db.Before(t.Context(), d, 6, 10) }, 1, 5},
			"after 20":                {func() (chat.Page, error) { return db.After(t.Context(), d, 20, 10) }, 21, 25},
			"long away: newest first": {func() (chat.Page, error) { return db.After(t.Context(), d, 2, 10) }, 16, 25},
		} {
			p, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			n := len(p.Entries)
			if n == 0 || p.Entries[0].Seq != c.first || p.Entries[n-1].Seq != c.last || p.LastSeq != 25 {
				t.Errorf("%s: %d entries %v, want %d to %d", name, n, p.Entries, c.first, c.last)
			}
		}
	})
}

func TestMarksOnlyGrowAndUnreadFollows(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		for i := range 5 {
			appendAll(t, db, text(ann, group, fmt.Sprint(i), "x"))
		}
		appendAll(t, db, text(bob, group, "own", "mine is not unread"))
		mark := func(u chat.UserID, delivered, read int64) {
			t.Helper()
			if err := db.SaveMarks(t.Context(), []chat.Marks{{Conv: group, User: u, Delivered: delivered, Read: read}}); err != nil {
				t.Fatal(err)
			}
		}
		mark(bob, 5, 3)
		mark(bob, 2, 1) // late: changes nothing
		mark(ann, 6, 6)
		mark(dan, 6, 6) // not a member: changes nothing
		if err := db.SaveMarks(t.Context(), []chat.Marks{{Conv: group, User: ann, Delivered: 99, Read: 98}, {Conv: "Gnosuch", User: ann, Read: 7}}); err != nil {
			t.Error(err) // past the end of the log: up to there
		}
		ms, err := db.Members(t.Context(), group)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			if m.User == ann && (m.Delivered != 6 || m.Read != 6) {
				t.Errorf("ann: %+v, want the end of the log", m)
			}
		}
		ss, err := db.Summaries(t.Context(), bob, 10)
		if err != nil {
			t.Fatal(err)
		}
		s := ss[0]
		if s.Mine.Delivered != 5 || s.Mine.Read != 3 || s.Unread != 2 {
			t.Errorf("bob: marks %+v unread %d, want delivered 5, read 3, unread 2", s.Mine, s.Unread)
		}
		if s.All.Delivered != 0 || s.LastSeq != 6 || s.Last == nil || s.Last.Author != bob || s.Members != 3 {
			t.Errorf("summary %+v", s)
		}
		mark(cat, 4, 2)
		if ss, _ = db.Summaries(t.Context(), bob, 10); ss[0].All.Delivered != 4 || ss[0].All.Read != 2 {
			t.Errorf("lowest marks of the others: %+v, want 4 and 2", ss[0].All)
		}
	})
}

func TestTwoCommittersAtOnceGiveOneOrder(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		a := openAt(t, dsn)
		b := openAt(t, dsn)
		for _, u := range []chat.UserID{ann, bob} {
			if err := a.AddUser(t.Context(), chat.Person{ID: u, Username: string(u), Nickname: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		d := chat.Direct(ann, bob)
		var wg sync.WaitGroup
		for i, db := range []*store.DB{a, b} {
			wg.Go(func() {
				for j := range 50 {
					_, err := db.Append(context.Background(), []chat.Draft{text(ann, d, fmt.Sprintf("%d-%d", i, j), "x"), text(bob, d, fmt.Sprintf("%d-%d", i, j), "y")})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		p, err := a.After(t.Context(), d, 0, math.MaxInt32)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range p.Entries {
			if m.Seq != int64(i+1) {
				t.Fatalf("entry %d has Seq %d", i, m.Seq)
			}
		}
		if len(p.Entries) != 200 || p.LastSeq != 200 {
			t.Errorf("%d entries, last Seq %d, want 200", len(p.Entries), p.LastSeq)
		}
	})
}

func TestEveryMigrationGoesDownAgain(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		files, _ := fs.Sub(kamachat.Migrations, "migrations")
		if err := db.Rollback(t.Context(), files); err != nil {
			t.Fatal(err)
		}
		if names, err := db.Migrate(t.Context(), files); err != nil || len(names) == 0 {
			t.Fatalf("up again: %v, %v", names, err)
		}
	})
}
