package store_test

import (
	"fmt"
	"slices"
	"testing"

	"kamachat/shared/chat"
)

// TestLinesOfBigGroupsAndLongAbsences: a line costs the same however much is
// unread and however large the group is.
func TestLinesOfBigGroupsAndLongAbsences(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		members := []chat.UserID{ann, bob}
		var people []chat.Person
		var hashes []string
		for i := range chat.MaxLow - 1 {
			u := chat.UserID(fmt.Sprint("Um", i))
			people, hashes = append(people, chat.Person{ID: u, Username: fmt.Sprint("m", i)}), append(hashes, fmt.Sprint("h", i))
			members = append(members, u)
		}
		if err := db.AddUsers(t.Context(), people, hashes, 1); err != nil {
			t.Fatal(err)
		}
		for c, ms := range map[chat.ConvID][]chat.UserID{"Gbig": members, "Gfits": members[:chat.MaxLow]} {
			if err := db.CreateGroup(t.Context(), c, "many", ann, ms, 1); err != nil {
				t.Fatal(err)
			}
		}
		var marks []chat.Marks
		for _, u := range members {
			for _, c := range []chat.ConvID{"Gbig", "Gfits"} {
				marks = append(marks, chat.Marks{Conv: c, User: u, Delivered: 2, Read: 1})
			}
		}
		var ds []chat.Draft
		for i := range 130 {
			ds = append(ds, text(ann, "Gbig", fmt.Sprint("b", i), "x"))
			if i < 90 {
				ds = append(ds, text(ann, "Gfits", fmt.Sprint("f", i), "x"))
			}
		}
		ds = append(ds, text(bob, "Gbig", "own", "x"), text(bob, "Gfits", "own2", "x"))
		appendAll(t, db, ds...)
		if err := db.SaveMarks(t.Context(), marks); err != nil {
			t.Fatal(err)
		}
		ss, err := db.Summaries(t.Context(), bob, 10, "Gfits", "Gbig", "Gnone")
		if err != nil || len(ss) != 2 {
			t.Fatalf("%d lines, %v, want 2", len(ss), err)
		}
		big, fits := ss[0], ss[1]
		if big.Conv != "Gbig" {
			big, fits = fits, big
		}
		if fits.Unread != 89 || fits.All != (chat.Marks{Conv: "Gfits", Delivered: 2, Read: 1}) {
			t.Errorf("in a group of %d: %d unread, the others at %+v; want 89 without the own one, and 2 and 1", fits.Members, fits.Unread, fits.All)
		}
		if big.Unread != 130 || big.All != (chat.Marks{Conv: "Gbig"}) {
			t.Errorf("in a group of %d: %d unread, the others at %+v; want 130, which is all after the mark, and nothing", big.Members, big.Unread, big.All)
		}
		if big.Last == nil || big.Last.Seq != 131 || big.At != big.Last.At {
			t.Errorf("the line ends with %+v at %d", big.Last, big.At)
		}
	})
}

func TestHeadsAreWhatLinesSay(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(bob, cat)
		appendAll(t, db, text(cat, direct, "1", "x"), text(cat, direct, "2", "x"), text(ann, group, "3", "x"), text(ann, chat.Direct(ann, cat), "4", "x"))
		if err := db.SaveMarks(t.Context(), []chat.Marks{{Conv: direct, User: bob, Delivered: 2, Read: 1}, {Conv: direct, User: cat, Delivered: 2, Read: 2}}); err != nil {
			t.Fatal(err)
		}
		hs, err := db.Heads(t.Context(), bob)
		if err != nil || len(hs) != 2 {
			t.Fatalf("heads %+v, %v", hs, err)
		}
		ss, err := db.Summaries(t.Context(), bob, 10)
		if err != nil || len(ss) != 2 {
			t.Fatalf("lines %+v, %v", ss, err)
		}
		for i, s := range ss {
			want := chat.Head{Conv: s.Conv, At: s.At, LastSeq: s.LastSeq, Mine: s.Mine, All: s.All}
			if s.Conv.IsGroup() {
				want.All = chat.Marks{Conv: s.Conv}
			}
			if hs[i] != want {
				t.Errorf("the head is %+v, the line says %+v", hs[i], want)
			}
		}
		i := slices.IndexFunc(hs, func(h chat.Head) bool { return h.Conv == direct })
		if hs[i].All.Read != 2 || hs[i].Mine.Read != 1 || hs[i].LastSeq != 2 {
			t.Errorf("head %+v", hs[i])
		}
		if hs, err := db.Heads(t.Context(), dan); err != nil || len(hs) != 0 {
			t.Errorf("somebody without conversations has heads %+v, %v", hs, err)
		}
	})
}
