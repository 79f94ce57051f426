package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

// alike are texts that some collation takes for the same: by case, accent,
// trailing space, width, or because it knows no emoji.
var alike = []string{"ref", "REF", "réf", "re\u0301f", "ref ", "ｒｅｆ", "straße", "strasse", "👍", "👎", "👍🏽", "\U0010FFFF"}

func TestRefsAreTheirBytes(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		var ds []chat.Draft
		for _, s := range alike {
			ds = append(ds, text(ann, group, s, s))
		}
		for round, again := range []bool{false, true} {
			for i, r := range appendAll(t, db, ds...) {
				if r.Err != nil || r.Again != again || r.Message.Seq != int64(i+1) || r.Message.Content.Text != alike[i] {
					t.Errorf("round %d, %q: %+v", round, alike[i], r)
				}
			}
		}
	})
}

func TestNamesAndTokensAreTheirBytes(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		for i, s := range alike {
			p := person(i)
			p.Username, p.Nickname = s, s
			if err := db.AddUser(t.Context(), p, s, 1); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if err := db.AddToken(t.Context(), s, p.ID, 1); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
		}
		for i, s := range alike {
			if p, hash, err := db.UserByName(t.Context(), s); err != nil || p.ID != person(i).ID || p.Nickname != s || hash != s {
				t.Errorf("%q is %+v %q, %v", s, p, hash, err)
			}
			if p, _, err := db.TokenUser(t.Context(), s); err != nil || p.ID != person(i).ID {
				t.Errorf("the token %q is of %+v, %v", s, p, err)
			}
		}
		if _, _, err := db.UserByName(t.Context(), "Ref"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("Ref: %v, want nobody", err)
		}
		longest := strings.Repeat("\U0001F9D1", chat.MaxName)
		p := person(99)
		p.Nickname = longest
		if err := db.AddUser(t.Context(), p, "", 1); err != nil {
			t.Errorf("the longest nickname: %v", err)
		}
		if ps, err := db.SearchPeople(t.Context(), "Unobody", "👍", 10); err != nil || len(ps) != 2 {
			t.Errorf("found %+v, %v, want both thumbs", ps, err)
		}
		if err := db.SaveSetting(t.Context(), "setup", "Key"); err != nil {
			t.Fatal(err)
		}
		if err := db.AddFirstAdmin(t.Context(), person(100), "", 1, "setup", "KEY"); !errors.Is(err, &chat.Refusal{Code: chat.Forbidden}) {
			t.Errorf("a setup key in other letters: %v", err)
		}
	})
}

func TestBatchOfTheLongestTexts(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		long := strings.Repeat("\U0001F9D1", chat.MaxText)
		var ds []chat.Draft
		for i := range 256 {
			ds = append(ds, text(ann, group, fmt.Sprint(i), long))
		}
		for i, r := range appendAll(t, db, ds...) {
			if r.Err != nil || r.Message.Seq != int64(i+1) {
				t.Fatalf("draft %d: %v", i, r.Err)
			}
		}
		if p, err := db.Before(t.Context(), group, 0, 1); err != nil || len(p.Entries) != 1 || p.Entries[0].Content.Text != long {
			t.Errorf("the last is not what was sent: %v", err)
		}
	})
}

// TestReadsDoNotWaitForWrites: also while all connections that write are taken.
func TestReadsDoNotWaitForWrites(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		appendAll(t, db, text(ann, group, "1", "1"))
		end := store.Occupy(t, db)
		if p, err := db.Before(t.Context(), group, 0, 1); err != nil || len(p.Entries) != 1 {
			t.Errorf("history: %v, %v", p, err)
		}
		if ss, err := db.Summaries(t.Context(), bob, 10); err != nil || len(ss) != 1 {
			t.Errorf("conversations: %v, %v", ss, err)
		}
		s := db.Stats()
		if s.Write.InUse != s.Write.MaxOpenConnections || s.Read.InUse != 0 || s.Read.MaxOpenConnections == 0 {
			t.Errorf("stats %+v", s)
		}
		if sqlite := strings.HasPrefix(dsn, "sqlite:"); (s.WAL > 0) != sqlite {
			t.Errorf("a log of %d bytes", s.WAL)
		}
		end()
		appendAll(t, db, text(ann, group, "2", "2"))
	})
}
