package backup

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// Whoever was signed out, or whose account was disabled, after a backup was made
// must not come back in with it. Bots are programs: they go on, unless that is said.
func TestRestoreEndsSignIns(t *testing.T) {
	each(t, func(t *testing.T, from, to site) {
		db := from.open(t)
		from.filled(t, db)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		ctx := t.Context()
		must(db.AddBot(ctx, chat.Person{ID: "Ubot", Username: "bot"}, "U0", 9, 1))
		must(db.AddBotToken(ctx, "Ubot", chat.Token{ID: "of a bot", Name: "x", Scopes: []string{"read"}}, 9))
		must(db.AddToken(ctx, "of a person", "U0", 1))
		now := time.Now().UnixMilli()
		for _, hash := range []string{"login", "of a person"} {
			must(db.AddDevice(ctx, chat.SignIn{Hash: hash, ID: "l", User: "U0", Kind: chat.Browser, CreatedAt: now, SeenAt: now}))
		}
		must(db.AddSubscription(ctx, chat.Subscription{User: "U0", Login: "l", Endpoint: "https://push.example/1"}, 9))
		must(db.SaveCode(ctx, "phone", "hash", now+time.Hour.Milliseconds()))
		before, err := db.Epoch(ctx, "first")
		must(err)
		out := filepath.Join(t.TempDir(), "b.tar.zst")
		_, err = Make(ctx, Making{DB: db, Files: from.files, Out: out, Progress: &silent{}})
		must(err)
		must(db.Close())

		epochs := map[string]bool{before: true}
		for _, all := range []bool{false, true} {
			c := to.restoring(t, out)
			c.Force, c.EndTokens = true, all
			_, err = Restore(ctx, c)
			must(err)
			again := to.open(t)
			if _, found, err := again.Logins().FindCtx(ctx, "login"); err != nil || found {
				t.Errorf("a browser's sign-in is there %v, %v", found, err)
			}
			if _, _, err := again.TokenUser(ctx, "of a person"); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("a person's token: %v", err)
			}
			switch _, _, err := again.TokenUser(ctx, "of a bot"); {
			case all && !errors.Is(err, chat.ErrNotFound), !all && err != nil:
				t.Errorf("all %v: a bot's token: %v", all, err)
			}
			if ds, err := again.Devices(ctx, "U0"); err != nil || len(ds) > 0 {
				t.Errorf("devices %+v, %v", ds, err)
			}
			if _, err := again.TryCode(ctx, "phone", 9, now); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("a code: %v", err)
			}
			if ss, err := again.Subscriptions(ctx, "U0"); err != nil || len(ss) > 0 {
				t.Errorf("notified are %+v, %v", ss, err)
			}
			now, err := again.Epoch(ctx, "not wanted")
			if err != nil || now == "" || now == "not wanted" || epochs[now] {
				t.Errorf("the epoch is %q (%v), was %v", now, err, epochs)
			}
			epochs[now] = true
			must(again.Close())
		}
	})
}
