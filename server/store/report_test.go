package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"kamachat/shared/chat"
)

func TestReportsAreOpenUntilSomebodyClosesThemOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		about := func(by chat.UserID, seq int64) chat.Report {
			return chat.Report{By: by, Conv: group, Seq: seq, User: cat, Reason: "rude 🥾", Said: "you\nfool"}
		}
		for i, r := range []chat.Report{about(ann, 1), about(ann, 1), about(ann, 2), {By: ann, User: cat, Reason: "x"}, about(bob, 1)} {
			if err := db.AddReport(t.Context(), r, 3); err != nil {
				t.Fatalf("report %d: %v", i, err)
			}
		}
		if err := db.AddReport(t.Context(), about(ann, 3), 3); !errors.Is(err, &chat.Refusal{Code: chat.RateLimited}) {
			t.Errorf("one too many: %v", err)
		}
		open, err := db.Reports(t.Context(), false, 0, 10)
		if err != nil || len(open) != 4 { // the same twice is one
			t.Fatalf("%d are open, %v, want 4", len(open), err)
		}
		if n, err := db.OpenReports(t.Context()); n != 4 || err != nil {
			t.Errorf("%d are counted, %v", n, err)
		}
		oldest := open[3]
		if got, err := db.Report(t.Context(), oldest.ID); err != nil || got != oldest || got.Reason != "rude 🥾" || got.Said != "you\nfool" || got.At == 0 {
			t.Errorf("got %+v %v", got, err)
		}
		if more, err := db.Reports(t.Context(), false, open[1].ID, 1); err != nil || len(more) != 1 || more[0] != open[2] {
			t.Errorf("the next page is %+v %v", more, err)
		}
		boss := chat.Deed{By: "Uboss", What: chat.ActClose, Target: fmt.Sprint(oldest.ID)}
		if err := db.CloseReport(t.Context(), boss, oldest.ID, chat.OutcomeSettled); err != nil {
			t.Fatal(err)
		}
		if err := db.CloseReport(t.Context(), boss, oldest.ID, chat.OutcomeDismissed); !errors.Is(err, &chat.Refusal{Code: chat.Invalid}) {
			t.Errorf("closed twice: %v", err)
		}
		closed, err := db.Reports(t.Context(), true, 0, 10)
		if err != nil || len(closed) != 1 || closed[0].ClosedBy != "Uboss" || closed[0].ClosedAt == 0 || closed[0].Outcome != chat.OutcomeSettled {
			t.Errorf("closed are %+v %v", closed, err)
		}
		if deeds, _, err := db.Deeds(t.Context(), chat.DeedAsk{Limit: 10}); err != nil || len(deeds) != 1 {
			t.Errorf("noted are %v %v, want one", deeds, err)
		}
		if err := db.AddReport(t.Context(), about(ann, 3), 3); err != nil {
			t.Errorf("when one was closed: %v", err)
		}
		if _, err := db.Report(t.Context(), 1); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("one that is not there: %v", err)
		}
	})
}

func TestSamplesAreThoseOfTheTimeAndOldOnesGo(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		add := func(node string, at, before int64) {
			t.Helper()
			if err := db.AddSample(t.Context(), node, at, fmt.Sprint(node, at), before); err != nil {
				t.Fatal(err)
			}
		}
		const every = 30_000
		for i := range int64(20) {
			add("1", i*every+7, 0)
			add("2", i*every+11, 0)
		}
		add("1", 7, 0) // again
		read := func(since int64, node string, one int64) (got []string) {
			t.Helper()
			if err := db.Samples(t.Context(), since, node, one, func(node string, at int64, data string) {
				if data != fmt.Sprint(node, at) {
					t.Errorf("%s at %d has %q", node, at, data)
				}
				got = append(got, data)
			}); err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got, want := read(18*every, "", 1), []string{"1540007", "2540011", "1570007", "2570011"}; !slices.Equal(got, want) {
			t.Errorf("the newest are %v, want %v", got, want)
		}
		if got, want := read(0, "2", 10), []string{"211", "2300011"}; !slices.Equal(got, want) {
			t.Errorf("one in ten of a node are %v, want %v", got, want)
		}
		add("3", 20*every, 19*every)
		if got := read(0, "", 1); len(got) != 3 {
			t.Errorf("after the old ones are gone %v are there", got)
		}
		if database, files, err := db.Size(t.Context()); err != nil || database <= 0 || files != 0 {
			t.Errorf("sizes %d and %d, %v", database, files, err)
		}
	})
}

func TestAnAdministratorRemovesAMessageOfWhoeverWroteIt(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		direct := chat.Direct(ann, dan)
		appendAll(t, db, text(ann, group, "1", "a"), text(bob, group, "2", "b"), text(dan, direct, "3", "c"))
		if err := db.SetDisabled(t.Context(), chat.Deed{What: "x"}, dan, true); err != nil {
			t.Fatal(err)
		}
		remove := func(conv chat.ConvID, author chat.UserID, seq int64, super bool) chat.Draft {
			return chat.Draft{Conv: conv, Author: author, Ref: fmt.Sprint("r", conv, author, seq, super), Super: super, Content: chat.Content{Kind: chat.Recall, Of: seq}}
		}
		other := text(dan, direct, "5", "d")
		other.Super = true
		for i, c := range []struct {
			draft chat.Draft
			code  chat.Code // empty: stored
		}{
			{remove(direct, dan, 1, false), chat.Forbidden}, {remove(direct, dan, 1, true), ""}, {remove(group, ann, 1, true), ""},
			{remove(group, ann, 2, true), chat.Forbidden}, // bob wrote it: who removes names the author
			{remove(group, ann, 1, true), chat.Invalid}, {other, chat.Forbidden},
		} {
			if c.code == chat.Invalid {
				c.draft.Ref += "again"
			}
			r := appendAll(t, db, c.draft)[0]
			if got := chat.AsRefusal(r.Err); r.Err == nil && c.code != "" || r.Err != nil && got.Code != c.code {
				t.Errorf("%d: %v, want %q", i, r.Err, c.code)
			}
		}
		for conv, want := range map[chat.ConvID]chat.Kind{direct: chat.Gone, group: chat.Gone} {
			p, err := db.Before(t.Context(), conv, 2, 1)
			if err != nil || len(p.Entries) != 1 || p.Entries[0].Content.Kind != want || p.Entries[0].Content.Text != "" {
				t.Errorf("%s is %+v %v, want it gone", conv, p.Entries, err)
			}
		}
	})
}
