package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"kamachat/shared/chat"
)

func membersOfMany(t *testing.T, n int) []chat.UserID {
	t.Helper()
	us := make([]chat.UserID, n)
	for i := range us {
		us[i] = chat.UserID(fmt.Sprint("Umember", i))
	}
	return append([]chat.UserID{ann}, us...)
}

// A large group is made in steps, between which others are committed.
func TestOthersPostWhileALargeGroupIsMade(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		var made atomic.Bool
		done := make(chan error, 1)
		go func() {
			err := db.CreateGroup(t.Context(), "Gbig", "Big", ann, membersOfMany(t, 9_999), 1)
			made.Store(true)
			done <- err
		}()
		between := 0
		for i := 0; !made.Load(); i++ {
			ms, err := db.Members(t.Context(), "Gbig")
			if err != nil {
				t.Fatal(err)
			}
			appendAll(t, db, text(ann, chat.Direct(ann, bob), fmt.Sprint(i), "x"))
			if len(ms) > 0 && len(ms) < 10_000 {
				between++
				if ss, err := db.Summaries(t.Context(), ann, 10, "Gbig"); err != nil || len(ss) > 0 && !made.Load() {
					if ms, _ := db.Members(t.Context(), "Gbig"); len(ms) < 10_000 {
						t.Errorf("half a group is listed: %+v, %v", ss, err)
					}
				}
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if between == 0 {
			t.Error("nobody could post while the group was made")
		}
		if ms, err := db.Members(t.Context(), "Gbig"); err != nil || len(ms) != 10_000 {
			t.Errorf("%d members, %v", len(ms), err)
		}
	})
}

func TestGroupThatCannotBeMadeLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		if err := db.CreateGroup(t.Context(), "Gold", "Old", ann, []chat.UserID{ann, bob}, 1); err != nil {
			t.Fatal(err)
		}
		for conv, members := range map[chat.ConvID][]chat.UserID{
			"Gtwice": append(membersOfMany(t, 1200), "Umember0"), // at the end it turns out that one is in twice
			"Gold":   membersOfMany(t, 1200)[1:],                 // it exists
		} {
			if err := db.CreateGroup(t.Context(), conv, "x", ann, members, 1); err == nil {
				t.Errorf("%s was made", conv)
			}
			ms, err := db.Members(t.Context(), conv)
			if want := map[chat.ConvID]int{"Gold": 2}[conv]; err != nil || len(ms) != want {
				t.Errorf("%s: %d members, %v, want %d", conv, len(ms), err, want)
			}
		}
	})
}
