package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

// There are never more than the most, however many are made at once.
func TestNoMoreThanTheMostAtOnce(t *testing.T) {
	const most, tries = 3, 16
	type maker = func(ctx context.Context, db *store.DB, i int) error
	none := func(*testing.T, *store.DB) {}
	for name, c := range map[string]struct {
		before func(*testing.T, *store.DB)
		make   maker
		code   chat.Code
	}{
		"bots of a person": {none, func(ctx context.Context, db *store.DB, i int) error {
			p := chat.Person{ID: chat.UserID(fmt.Sprint("Ubot", i)), Username: fmt.Sprint("bot", i), Nickname: "Bot", Bot: true}
			return db.AddBot(ctx, p, ann, most, 1)
		}, chat.Full},
		"tokens of a bot": {none, func(ctx context.Context, db *store.DB, i int) error {
			return db.AddBotToken(ctx, ann, chat.Token{ID: fmt.Sprint("t", i), Scopes: []string{"files:read"}, At: 1}, most)
		}, chat.Full},
		"incoming webhooks of a group": {none, func(ctx context.Context, db *store.DB, i int) error {
			return db.AddInHook(ctx, chat.InHook{ID: fmt.Sprint("h", i), Hash: "x", Conv: group, Bot: "Ubot", By: ann, At: 1}, most)
		}, chat.Full},
		"outgoing webhooks of a group": {none, func(ctx context.Context, db *store.DB, i int) error {
			return db.AddOutHook(ctx, chat.OutHook{ID: fmt.Sprint("h", i), Conv: group, URL: "https://example.org/", Host: "example.org", Secret: "s", By: ann, At: 1}, most)
		}, chat.Full},
		"passkeys of a person": {none, func(ctx context.Context, db *store.DB, i int) error {
			return db.AddPasskey(ctx, ann, chat.Passkey{ID: fmt.Sprint("k", i), Name: "Key", Data: []byte("{}"), CreatedAt: 1}, most)
		}, chat.Forbidden},
		"jobs of a person": {none, func(ctx context.Context, db *store.DB, i int) error {
			return db.AddJob(ctx, chat.Job{ID: int64(i + 1), Kind: "export", By: ann, State: chat.JobRunning, At: 1, Updated: 1}, most)
		}, chat.RateLimited},
		"invite links of a group": {func(t *testing.T, db *store.DB) {
			for i := range 50 - most {
				if err := db.AddGroupInvite(t.Context(), chat.GroupInvite{Code: fmt.Sprint("old", i), Conv: group, By: ann, CreatedAt: 1}); err != nil {
					t.Fatal(err)
				}
			}
		}, func(ctx context.Context, db *store.DB, i int) error {
			return db.AddGroupInvite(ctx, chat.GroupInvite{Code: fmt.Sprint("c", i), Conv: group, By: ann, CreatedAt: 1})
		}, chat.TooLong},
		"what a person has pinned": {func(t *testing.T, db *store.DB) {
			for i := range chat.MaxPinned - most + tries {
				conv := chat.ConvID(fmt.Sprintf("G%010d", i))
				if err := db.CreateGroup(t.Context(), conv, "group", ann, []chat.UserID{ann}, 1); err != nil {
					t.Fatal(err)
				}
				if i >= tries {
					setLine(t, db, ann, conv, chat.LineChange{Pin: &yes})
				}
			}
		}, func(ctx context.Context, db *store.DB, i int) error {
			_, err := db.SetLine(ctx, ann, chat.ConvID(fmt.Sprintf("G%010d", i)), chat.LineChange{Pin: &yes})
			return err
		}, chat.TooLong},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, dsn string) {
				db := withPeople(t, dsn)
				c.before(t, db)
				var made atomic.Int64
				var all sync.WaitGroup
				begin := make(chan struct{})
				for i := range tries {
					all.Go(func() {
						<-begin
						switch err := c.make(t.Context(), db, i); {
						case err == nil:
							made.Add(1)
						case !isRefused(err, c.code):
							t.Errorf("%d: %v", i, err)
						}
					})
				}
				close(begin)
				all.Wait()
				if n := made.Load(); n != most {
					t.Errorf("%d were made, want %d", n, most)
				}
			})
		})
	}
}
