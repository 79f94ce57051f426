package store_test

import (
	"errors"
	"testing"

	"kamachat/shared/chat"
)

func TestRefOfAMessageElsewhereIsRefused(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		rs := appendAll(t, db, text(ann, group, "r", "to all"), text(ann, chat.Direct(ann, bob), "r", "to bob"), text(ann, group, "r", "to all"))
		if rs[0].Err != nil || !rs[2].Again {
			t.Errorf("the first is %+v and again %+v", rs[0], rs[2])
		}
		if r := rs[1]; !errors.Is(r.Err, &chat.Refusal{Code: chat.Invalid}) {
			t.Errorf("another conversation's is taken for stored: %+v", r)
		}
	})
}

func TestNamesThatCannotBeAreNobodys(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		if _, _, err := db.UserByName(t.Context(), "ua\x00nn"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("by name: %v, want not found", err)
		}
		if ps, err := db.SearchPeople(t.Context(), "Unobody", "\x00", 10); err != nil || len(ps) > 0 {
			t.Errorf("search finds %v, %v", ps, err)
		}
		ids := []chat.UserID{"U\x00", ann, "", "' OR 1=1"}
		if ps, err := db.People(t.Context(), ids...); err != nil || len(ps) != 1 || ps[0].ID != ann {
			t.Errorf("people %v, %v, want ann alone", ps, err)
		}
		if ids[0] != "U\x00" || ids[1] != ann {
			t.Error("the caller's ids were moved")
		}
	})
}
