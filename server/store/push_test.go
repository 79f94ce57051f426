package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

func subscribed(t *testing.T, db *store.DB, u chat.UserID, login, endpoint string, until int64) chat.Subscription {
	t.Helper()
	s := chat.Subscription{User: u, Login: login, Endpoint: endpoint, P256dh: "key", Auth: "auth", Site: "https://chat.example", Lang: "zh", Until: until}
	if err := db.AddSubscription(t.Context(), s, 3); err != nil {
		t.Fatal(err)
	}
	return s
}

// endpoints are those of us, in the order of the store.
func endpoints(t *testing.T, db *store.DB, us ...chat.UserID) []string {
	t.Helper()
	ss, err := db.Subscriptions(t.Context(), us...)
	if err != nil {
		t.Fatal(err)
	}
	var es []string
	for _, s := range ss {
		es = append(es, s.Endpoint)
	}
	slices.Sort(es)
	return es
}

func TestSubscriptionsComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		if some, err := db.HasSubscriptions(t.Context()); err != nil || some {
			t.Fatalf("at first there are some: %v %v", some, err)
		}
		want := subscribed(t, db, ann, "l1", "https://push/1", 0)
		subscribed(t, db, ann, "l2", "https://push/2", 0)
		subscribed(t, db, bob, "l3", "https://push/3", 0)
		ss, err := db.Subscriptions(t.Context(), ann)
		if err != nil || len(ss) != 2 || !slices.Contains(ss, want) {
			t.Errorf("got %+v, %v, want %+v among two", ss, err, want)
		}
		// A browser in which another signs in is theirs.
		subscribed(t, db, bob, "l3", "https://push/1", 0)
		if got := endpoints(t, db, ann); !slices.Equal(got, []string{"https://push/2"}) {
			t.Errorf("ann still has %v", got)
		}
		if err := db.DeleteSubscription(t.Context(), ann, "https://push/3"); err != nil {
			t.Fatal(err)
		}
		if got := endpoints(t, db, ann, bob, cat); len(got) != 3 {
			t.Errorf("bob's was deleted for ann: left are %v", got)
		}
		if err := db.DeleteSubscription(t.Context(), bob, "https://push/3"); err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteSubscriptionsOf(t.Context(), ann, "l2"); err != nil {
			t.Fatal(err)
		}
		if got := endpoints(t, db, ann, bob, cat); !slices.Equal(got, []string{"https://push/1"}) {
			t.Errorf("left are %v", got)
		}
		if some, err := db.HasSubscriptions(t.Context()); err != nil || !some {
			t.Errorf("one is left, but %v %v", some, err)
		}
	})
}

func TestSubscriptionsAreBoundedAndExpire(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		for i := range 5 {
			subscribed(t, db, ann, "l", fmt.Sprint("https://push/", i), 0)
			time.Sleep(2 * time.Millisecond) // they are told apart by the millisecond
		}
		if got := endpoints(t, db, ann); !slices.Equal(got, []string{"https://push/2", "https://push/3", "https://push/4"}) {
			t.Errorf("of five the newest three should be left, not %v", got)
		}
		subscribed(t, db, bob, "l", "https://push/old", time.Now().Add(-time.Minute).UnixMilli())
		subscribed(t, db, bob, "l", "https://push/new", time.Now().Add(time.Hour).UnixMilli())
		if got := endpoints(t, db, bob); !slices.Equal(got, []string{"https://push/new"}) {
			t.Errorf("bob has %v", got)
		}
		if err := db.DeleteExpiredSubscriptions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := endpoints(t, db, ann, bob); len(got) != 4 {
			t.Errorf("left are %v", got)
		}
	})
}

func TestListenersAreMembersWithSubscriptions(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(ann, dan)
		appendAll(t, db, text(ann, group, "1", "a"), text(ann, group, "2", "b"), text(ann, direct, "3", "c"),
			chat.Draft{Conv: group, Author: ann, Ref: "4", Content: chat.Content{Kind: chat.React, Of: 1, Text: "👍"}})
		subscribed(t, db, bob, "l", "https://push/1", 0)
		subscribed(t, db, bob, "l", "https://push/2", 0)
		subscribed(t, db, dan, "l", "https://push/3", 0)
		subscribed(t, db, cat, "l", "https://push/4", 1) // expired
		if err := db.SaveMarks(t.Context(), []chat.Marks{{Conv: group, User: bob, Delivered: 2, Read: 1}}); err != nil {
			t.Fatal(err)
		}
		setLine(t, db, bob, group, hush(chat.Forever))
		ls, err := db.Listeners(t.Context(), group, direct, "Gnone")
		want := []chat.Listener{
			{Marks: chat.Marks{Conv: direct, User: dan}},
			{Marks: chat.Marks{Conv: group, User: bob, Delivered: 2, Read: 1}, Muted: chat.Forever},
		}
		if err != nil || !slices.Equal(ls, want) {
			t.Errorf("got %+v, %v, want %+v", ls, err, want)
		}
		un, err := db.UnreadTotals(t.Context(), ann, bob, cat, dan)
		if want := map[chat.UserID]int64{bob: 1, cat: 2, dan: 1}; err != nil || !maps.Equal(un, want) {
			t.Errorf("unread: got %v, %v, want %v", un, err, want)
		}
	})
}

func TestMutesAndQuietTimesAreKept(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(ann, bob) // it need not exist yet
		for _, m := range []chat.Mute{{Conv: group, Until: 5}, {Conv: group, Until: 7}, {Conv: direct, Until: chat.Forever}} {
			setLine(t, db, bob, m.Conv, hush(m.Until))
		}
		all, err := db.Mutes(t.Context(), bob)
		if want := []chat.Mute{{Conv: direct, Until: chat.Forever}, {Conv: group, Until: 7}}; err != nil || !slices.Equal(all, want) {
			t.Errorf("got %v, %v, want %v", all, err, want)
		}
		setLine(t, db, bob, group, hush(0))
		if ms, err := db.Mutes(t.Context(), bob, group); err != nil || len(ms) != 0 {
			t.Errorf("no longer muted: got %v, %v", ms, err)
		}
		for _, conv := range []chat.ConvID{group, direct} {
			if _, err := db.SetLine(t.Context(), dan, conv, hush(5)); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("a stranger's mute of %s: %v", conv, err)
			}
		}

		q := chat.Quiet{Until: 9, From: "22:00", To: "07:30", Zone: "Asia/Shanghai"}
		for _, set := range []chat.Quiet{{Until: 1}, q} {
			if err := db.SetQuiet(t.Context(), bob, set); err != nil {
				t.Fatal(err)
			}
		}
		qs, err := db.Quiet(t.Context(), ann, bob)
		if want := map[chat.UserID]chat.Quiet{bob: q}; err != nil || !maps.Equal(qs, want) {
			t.Errorf("got %v, %v, want %v", qs, err, want)
		}
	})
}

func TestSettingOnceIsTheSameForAll(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		got := make([]string, 8)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				v, err := db.SettingOnce(t.Context(), "once", fmt.Sprint(i))
				if err != nil {
					t.Error(err)
				}
				got[i] = v
			})
		}
		wg.Wait()
		if vs := slices.Compact(got); len(vs) != 1 || vs[0] == "" {
			t.Errorf("got %v", got)
		}
	})
}
