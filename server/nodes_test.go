package main

import (
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"testing"

	"kamachat/server/redis"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

// What is in the cache when it expires is not read from there.
func TestCacheGivesNothingThatHasExpired(t *testing.T) {
	r, err := redis.Open(t.Context(), redis.Config{URL: "redis://" + servicetest.Redis(t).Addr, Prefix: "test:", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "k.db"), store.Options{})
	const conv = chat.ConvID("Gall")
	if err := db.AddUser(t.Context(), chat.Person{ID: "Ua", Username: "ann"}, "", 1); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateGroup(t.Context(), conv, "all", "Ua", []chat.UserID{"Ua"}, 1); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		d := chat.Draft{Conv: conv, Author: "Ua", Ref: fmt.Sprint("r", i), Content: chat.TextContent("a secret")}
		if rs, err := db.Append(t.Context(), []chat.Draft{d}); err != nil || rs[0].Err != nil {
			t.Fatal(rs, err)
		}
	}
	var gone chat.Expired
	cache := redis.NewCache(r, db, "life")
	t.Cleanup(cache.Close)
	cached := cachedStore{db, cache, func() chat.Expired { return gone }}
	read := func() (kinds string) {
		t.Helper()
		for _, f := range []func() (chat.Page, error){
			func() (chat.Page, error) { return cached.Before(t.Context(), conv, 0, 10) },
			func() (chat.Page, error) { return cached.After(t.Context(), conv, 0, 10) },
		} {
			p, err := f()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range p.Entries {
				kinds += string(m.Content.Kind) + m.Content.Text + " "
			}
		}
		return kinds
	}
	if got, all := read(), "texta secret texta secret texta secret "; got != all+all {
		t.Errorf("the log is %q", got)
	}
	e := chat.Expiry{Kinds: []chat.Kind{chat.Text}, Until: math.MaxInt64}
	if _, n, err := db.ExpireSome(t.Context(), e, ""); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	gone.Messages = math.MaxInt64
	if got, all := read(), "gone gone gone "; got != all+all {
		t.Errorf("the log is %q", got)
	}
}
