package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kamachat/shared/chat"
)

func person(i int) chat.Person {
	return chat.Person{ID: chat.UserID(fmt.Sprint("U", i)), Username: fmt.Sprint("user", i), Nickname: fmt.Sprint("User ", i)}
}

func TestUsernameIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		if err := db.AddUser(t.Context(), person(1), "hash", 1); err != nil {
			t.Fatal(err)
		}
		again := person(2)
		again.Username = "user1"
		taken := &chat.Refusal{Code: chat.Taken}
		if err := db.AddUser(t.Context(), again, "hash", 1); !errors.Is(err, taken) {
			t.Errorf("alone: got %v", err)
		}
		if err := db.AddUsers(t.Context(), []chat.Person{person(3), again}, []string{"a", "b"}, 1); !errors.Is(err, taken) {
			t.Errorf("among many: got %v", err)
		}
		if ps, err := db.People(t.Context(), "U1", "U3", "Unobody"); err != nil || len(ps) != 1 || ps[0] != person(1) {
			t.Errorf("got %+v %v: all or none must be stored", ps, err)
		}
		if p, hash, err := db.UserByName(t.Context(), "user1"); err != nil || p != person(1) || hash != "hash" {
			t.Errorf("got %+v %q %v", p, hash, err)
		}
		if _, _, err := db.UserByName(t.Context(), "nobody"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("unknown: got %v", err)
		}
	})
}

func TestManyPeopleAreStoredAndReadBack(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		const n = 1201
		var ps []chat.Person
		var hashes, names []string
		var ids []chat.UserID
		for i := range n {
			ps, hashes = append(ps, person(i)), append(hashes, fmt.Sprint("hash", i))
			ids, names = append(ids, ps[i].ID), append(names, ps[i].Username)
		}
		if err := db.AddUsers(t.Context(), ps, hashes, 1); err != nil {
			t.Fatal(err)
		}
		if got, err := db.People(t.Context(), ids...); err != nil || len(got) != n {
			t.Errorf("got %d people, %v", len(got), err)
		}
		if got, err := db.UsernamesTaken(t.Context(), append(names, "free")); err != nil || len(got) != n {
			t.Errorf("got %d names, %v", len(got), err)
		}
		if p, _, err := db.TokenUser(t.Context(), "hash1200"); err != nil || p != ps[1200] {
			t.Errorf("got %+v %v", p, err)
		}
		if got, err := db.SearchPeople(t.Context(), "Unobody", "user 120", 3); err != nil || len(got) != 2 || got[0].Username != "user120" {
			t.Errorf("found %+v %v", got, err)
		}
	})
}

func TestLoginsLastUntilTheyExpireOrEnd(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := openAt(t, dsn).Logins()
		now := time.Now()
		for token, expiry := range map[string]time.Time{"old": now.Add(-time.Second), "new": now.Add(time.Hour), "gone": now.Add(time.Hour)} {
			for _, data := range []string{"first", token} {
				if err := l.CommitCtx(t.Context(), token, []byte(data), expiry); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := l.DeleteCtx(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, token := range []string{"old", "new", "gone", "never"} {
			data, ok, err := l.FindCtx(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				found = append(found, string(data))
			}
		}
		if !slices.Equal(found, []string{"new"}) {
			t.Errorf("found %v", found)
		}
		if n, err := l.DeleteExpired(t.Context()); n != 1 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
	})
}
