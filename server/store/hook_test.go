package store_test

import (
	"fmt"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

func TestWebhooksThatWaitAreReadInTheOrderOfTheirLastTry(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		ctx := t.Context()
		appendAll(t, db, text(ann, group, "1", "x"))
		for _, h := range []chat.OutHook{
			{ID: "h1", By: ann, Host: "one.example"}, {ID: "h2", By: bob, Host: "one.example"}, {ID: "h3", By: ann, Host: "two.example"},
			{ID: "told", By: ann, Host: "two.example", Told: 1},
		} {
			h.Conv, h.URL, h.Secret = group, "https://"+h.Host+"/", "s"
			if err := db.AddOutHook(ctx, h, 20); err != nil {
				t.Fatal(err)
			}
		}
		due := func(now int64, limit int, notBy []chat.UserID, notAt ...string) string {
			t.Helper()
			hs, err := db.DueOutHooks(ctx, now, limit, notBy, notAt)
			if err != nil {
				t.Fatal(err)
			}
			ids := []string{}
			for _, h := range hs {
				ids = append(ids, h.ID+"@"+h.Host)
			}
			return fmt.Sprint(ids)
		}
		try := func(db *store.DB, id string, now int64, next int64) {
			t.Helper()
			if mine, err := db.HoldOutHook(ctx, id, "me", now, now+100); err != nil || !mine {
				t.Fatalf("hold %s: %v, %v", id, mine, err)
			}
			if err := db.OutHookTried(ctx, chat.OutHook{ID: id, Next: next}, "me"); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct{ what, got, want string }{
			{"at first", due(10, 9, nil), "[h1@one.example h2@one.example h3@two.example]"},
			{"some", due(10, 2, nil), "[h1@one.example h2@one.example]"},
			{"but for a maker", due(10, 9, []chat.UserID{ann}), "[h2@one.example]"},
			{"but for a host", due(10, 9, nil, "one.example"), "[h3@two.example]"},
			{"but for both", due(10, 9, []chat.UserID{bob}, "two.example"), "[h1@one.example]"},
		} {
			if c.got != c.want {
				t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
			}
		}
		try(db, "h1", 20, 0)
		try(db, "h3", 30, 40)
		try(db, "h2", 35, 0)
		if got, want := due(39, 9, nil), "[h1@one.example h2@one.example]"; got != want {
			t.Errorf("one may not be tried: %s, want %s", got, want)
		}
		if got, want := due(40, 9, nil), "[h1@one.example h3@two.example h2@one.example]"; got != want {
			t.Errorf("after tries: %s, want %s", got, want)
		}
		if mine, err := db.HoldOutHook(ctx, "h3", "me", 40, 50); err != nil || !mine {
			t.Fatal(mine, err)
		}
		if got, want := due(49, 9, nil), "[h1@one.example h2@one.example]"; got != want {
			t.Errorf("one is held: %s, want %s", got, want)
		}
		if got, want := due(50, 9, nil), "[h1@one.example h2@one.example h3@two.example]"; got != want {
			t.Errorf("one was held: %s, want %s", got, want)
		}
	})
}
