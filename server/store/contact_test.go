package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

// isRefused reports whether err refuses with code; "" is for no error at all.
func isRefused(err error, code chat.Code) bool {
	if code == "" || err == nil {
		return code == "" && err == nil
	}
	return errors.Is(err, &chat.Refusal{Code: code})
}

const day = 24 * 60 * 60 * 1000 // milliseconds

func TestRequestsAreAnsweredOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 4)
		ctx := t.Context()
		a, b, c := ps[0].ID, ps[1].ID, ps[2].ID
		ask := func(from, to chat.UserID, text string, at int64, want chat.Code) bool {
			t.Helper()
			_, met, err := db.AskContact(ctx, chat.Request{From: from, To: to, Message: text, At: at})
			if !isRefused(err, want) {
				t.Errorf("%s asks %s: %v, want %q", from, to, err, want)
			}
			return met
		}
		answer := func(from, to chat.UserID, accept bool, want chat.Code) (r chat.Request) {
			t.Helper()
			r, err := db.AnswerContact(ctx, from, to, accept, 5)
			if !isRefused(err, want) {
				t.Errorf("%s answers %s: %v, want %q", to, from, err, want)
			}
			return r
		}
		see := func(u chat.UserID, want string) {
			t.Helper()
			to, from, err := db.Requests(ctx, u, 100)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, r := range to {
				got += fmt.Sprintf("<%s:%s ", r.From, r.Message)
			}
			for _, r := range from {
				got += fmt.Sprintf(">%s:%s ", r.To, r.Message)
			}
			if got = strings.TrimSpace(got); got != want {
				t.Errorf("%s finds %q, want %q", u, got, want)
			}
		}
		bond := func(u, peer chat.UserID) chat.Bond {
			t.Helper()
			l, err := db.Laws(ctx, chat.Direct(u, peer))
			if err != nil {
				t.Fatal(err)
			}
			return l.Bonds[u]
		}

		answer(a, b, true, chat.NotFound)
		ask(a, b, "hello", 1, "")
		ask(a, b, "hello, it is me", 2, "")
		see(b, "<Up00000:hello, it is me")
		see(a, ">Up00001:hello, it is me")
		if n, err := db.Waiting(ctx, b); err != nil || n != 1 {
			t.Errorf("%d wait for b: %v", n, err)
		}
		first := answer(a, b, true, "")
		if again := answer(a, b, true, ""); again != first || first.At != 2 {
			t.Errorf("accepted again: %+v, first %+v", again, first)
		}
		answer(a, b, false, chat.NotFound)
		ask(b, a, "", 3, chat.Taken)
		see(a, "")
		if !bond(a, b).Contacts || !bond(b, a).Contacts {
			t.Error("they are no contacts")
		}
		// Ended, by either, for both; what was accepted before is so no more.
		for range 2 {
			if err := db.Unfriend(ctx, b, a, 4); err != nil {
				t.Fatal(err)
			}
		}
		if bond(a, b).Contacts || bond(b, a).Contacts {
			t.Error("they are contacts still")
		}
		answer(a, b, true, chat.NotFound)
		// Refused: who asked sees no difference, and is not heard for a day.
		ask(a, b, "again", 10, "")
		answer(a, b, false, "")
		answer(a, b, false, "")
		answer(a, b, true, chat.NotFound)
		ask(a, b, "please", 11, "")
		see(a, ">Up00001:again")
		see(b, "")
		if mine, theirs, err := db.RequestsWith(ctx, b, a); err != nil || mine != nil || theirs != nil {
			t.Errorf("b is shown %v %v: %v", mine, theirs, err)
		}
		ask(a, b, "a day later", 10+day, "")
		see(b, "<Up00000:a day later")
		// Who was refused is asked: that accepts.
		answer(a, b, false, "")
		ask(b, a, "sorry", 20+day, "")
		if met := ask(a, b, "", 21+day, ""); !met {
			t.Error("both asked, and are no contacts")
		}
		see(a, "")
		see(b, "")
		// Blocked: nothing waits, and nobody asks.
		ask(c, b, "x", 30, "")
		if err := db.SetBlocked(ctx, b, c, true, 31); err != nil {
			t.Fatal(err)
		}
		see(b, "")
		answer(c, b, true, chat.Blocked)
		ask(c, b, "x", 31+2*day, chat.Blocked)
		ask(b, c, "x", 32, chat.Blocked)
		if l := bond(c, b); !l.Blocked || l.Blocking {
			t.Errorf("c sees %+v", l)
		}
		// Who blocks a contact keeps them: unblocked, all is as before.
		for _, on := range []bool{true, true, false, false} {
			if err := db.SetBlocked(ctx, a, b, on, 33); err != nil {
				t.Fatal(err)
			}
			if l := bond(a, b); l.Blocking != on || !l.Contacts {
				t.Errorf("blocked %v: %+v", on, l)
			}
		}
	})
}

func TestPeopleAskOnlySoManyAtATime(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, chat.MaxAsks+2)
		for i, p := range ps[1:] {
			_, _, err := db.AskContact(t.Context(), chat.Request{From: ps[0].ID, To: p.ID, At: 1})
			if i < chat.MaxAsks != (err == nil) || err != nil && !isRefused(err, chat.RateLimited) {
				t.Fatalf("request %d: %v", i, err)
			}
		}
		// Those that wait can still be changed, and an answer makes room.
		if _, _, err := db.AskContact(t.Context(), chat.Request{From: ps[0].ID, To: ps[1].ID, Message: "other words", At: 2}); err != nil {
			t.Error(err)
		}
		if _, err := db.AnswerContact(t.Context(), ps[0].ID, ps[1].ID, false, 3); err != nil {
			t.Error(err)
		}
		if _, _, err := db.AskContact(t.Context(), chat.Request{From: ps[0].ID, To: ps[len(ps)-1].ID, At: 4}); err != nil {
			t.Error(err)
		}
	})
}

// Two people who do things with each other at once end up with one state, the
// same for both, whichever came first.
func TestTwoAtOnceAgreeOnWhatTheyAre(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 2)
		ctx := t.Context()
		a, b := ps[0].ID, ps[1].ID
		at := int64(0)
		round := func(acts ...func(int64) error) {
			t.Helper()
			at += 2 * day
			var wg sync.WaitGroup
			for _, act := range acts {
				wg.Go(func() {
					if err := act(at); err != nil && chat.AsRefusal(err).Code == chat.Internal {
						t.Errorf("%+v", err)
					}
				})
			}
			wg.Wait()
			l, err := db.Laws(ctx, chat.Direct(a, b))
			if err != nil {
				t.Fatal(err)
			}
			if l.Bonds[a].Contacts != l.Bonds[b].Contacts {
				t.Errorf("one of the two has the other as a contact: %+v", l.Bonds)
			}
		}
		ask := func(from, to chat.UserID) func(int64) error {
			return func(at int64) error {
				_, _, err := db.AskContact(ctx, chat.Request{From: from, To: to, At: at})
				return err
			}
		}
		accept := func(from, to chat.UserID) func(int64) error {
			return func(at int64) error { _, err := db.AnswerContact(ctx, from, to, true, at); return err }
		}
		block := func(by, peer chat.UserID, on bool) func(int64) error {
			return func(at int64) error { return db.SetBlocked(ctx, by, peer, on, at) }
		}
		end := func(at int64) error { return db.Unfriend(ctx, b, a, at) }
		contacts := func() bool {
			l, err := db.Laws(ctx, chat.Direct(a, b))
			return err == nil && l.Bonds[a].Contacts
		}
		for range 8 {
			round(ask(a, b), ask(b, a))
			if !contacts() {
				t.Fatal("both asked at once, and are no contacts")
			}
			round(end, end)
			round(ask(a, b))
			round(accept(a, b), accept(a, b), accept(a, b))
			if !contacts() {
				t.Fatal("accepted three times at once, and they are no contacts")
			}
			round(end)
			// Whatever of the two came first: nothing waits, and who is blocked asks in vain.
			round(ask(a, b), block(b, a, true))
			if n, err := db.Waiting(ctx, b); err != nil || n != 0 {
				t.Errorf("%d wait for who has blocked them: %v", n, err)
			}
			round(block(b, a, false))
			round(ask(a, b))
			was := contacts()
			round(accept(a, b), block(b, a, true), end)
			if n, err := db.Waiting(ctx, b); err != nil || n != 0 || was {
				t.Errorf("%d wait after all: %v", n, err)
			}
			round(block(b, a, false), end)
			round(end)
		}
	})
}

func TestContactsArePagedByName(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 120)
		ctx := t.Context()
		me := ps[0].ID
		for i, p := range ps[1:] {
			// Names of which many are alike, in another order than their ids.
			if err := db.SaveProfile(ctx, p.ID, fmt.Sprintf("Name %d", (i*7)%20), "", chat.Profile{}, 1); err != nil {
				t.Fatal(err)
			}
			if _, _, err := db.AskContact(ctx, chat.Request{From: p.ID, To: me, At: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := db.AnswerContact(ctx, p.ID, me, true, 2); err != nil {
				t.Fatal(err)
			}
		}
		var all []chat.Person
		pages := 0
		for after := ""; pages == 0 || after != ""; pages++ {
			page, next, err := s.ContactList(ctx, me, false, after)
			if err != nil {
				t.Fatal(err)
			}
			all, after = append(all, page...), next
		}
		sorted := slices.IsSortedFunc(all, func(x, y chat.Person) int {
			return strings.Compare(strings.ToLower(x.Nickname)+" "+string(x.ID), strings.ToLower(y.Nickname)+" "+string(y.ID))
		})
		ids := map[chat.UserID]bool{}
		for _, p := range all {
			ids[p.ID] = true
		}
		if len(all) != 119 || len(ids) != 119 || pages != 3 || !sorted {
			t.Errorf("%d contacts, %d of them others, on %d pages, sorted %v", len(all), len(ids), pages, sorted)
		}
		for _, bad := range []string{"x", "!!", "VSAA"} {
			if _, _, err := s.ContactList(ctx, me, false, bad); !isRefused(err, chat.Invalid) {
				t.Errorf("page %q: %v", bad, err)
			}
		}
		if blocked, next, err := s.ContactList(ctx, me, true, ""); err != nil || len(blocked) != 0 || next != "" {
			t.Errorf("blocked are %v %q: %v", blocked, next, err)
		}
	})
}

func TestSearchFindsThoseWhoWantToBeFound(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 3)
		ctx := t.Context()
		a, b, c := ps[0], ps[1], ps[2]
		if err := db.SaveProfile(ctx, b.ID, "Bea", "", chat.Profile{Unlisted: true}, 1); err != nil {
			t.Fatal(err)
		}
		find := func(by chat.Person, q string, want ...chat.UserID) {
			t.Helper()
			got, err := s.Search(ctx, by.ID, q)
			var ids []chat.UserID
			for _, p := range got {
				ids = append(ids, p.ID)
			}
			if err != nil || !slices.Equal(ids, want) {
				t.Errorf("%s looks for %q and finds %v, want %v: %v", by.ID, q, ids, want, err)
			}
		}
		find(a, "P0000", c.ID) // not oneself, and not b
		find(a, "bea")
		find(a, string(b.ID))
		find(a, string(c.ID), c.ID)
		find(a, " "+strings.ToUpper(c.Username)+" ", c.ID)
		if _, _, err := db.AskContact(ctx, chat.Request{From: a.ID, To: b.ID, At: 1}); err != nil {
			t.Fatal(err)
		}
		find(a, "bea")
		if _, err := db.AnswerContact(ctx, a.ID, b.ID, true, 2); err != nil {
			t.Fatal(err)
		}
		find(a, "BEA", b.ID)
		find(a, string(b.ID), b.ID)
		find(c, "bea")
	})
}

// picture stores that u has uploaded a file of a kind, and returns it.
func picture(t *testing.T, db *store.DB, u chat.UserID, n int, kind string) chat.Upload {
	t.Helper()
	up := chat.Upload{ID: strings.Repeat("A", 24) + fmt.Sprintf("%c%c", 'A'+n/26, 'A'+n%26), Owner: u, Name: "p.png", Type: kind, Size: 3, At: 1}
	if err := db.BeginUpload(t.Context(), up, 0, 1<<40, 1000); err != nil {
		t.Fatal(err)
	}
	if err := db.EndUpload(t.Context(), up); err != nil {
		t.Fatal(err)
	}
	return up
}

func TestAvatarIsSeenByAllAndKept(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 3)
		ctx := t.Context()
		a, b, c := ps[0].ID, ps[1].ID, ps[2].ID
		first, second, text := picture(t, db, a, 0, "image/png"), picture(t, db, a, 1, "image/jpeg"), picture(t, db, a, 2, "text/plain")
		theirs := picture(t, db, b, 3, "image/png")
		wear := func(path string, want chat.Code) string {
			t.Helper()
			err := db.SaveProfile(ctx, a, "Ann", path, chat.Profile{}, 1)
			if !isRefused(err, want) {
				t.Errorf("%q: %v, want %q", path, err, want)
			}
			people, err := db.People(ctx, a)
			if err != nil {
				t.Fatal(err)
			}
			return people[0].Avatar
		}
		sees := func(u chat.UserID, up chat.Upload, want bool) {
			t.Helper()
			if _, err := db.UploadFor(ctx, up.ID, u); (err == nil) != want {
				t.Errorf("%s reads %s: %v, want %v", u, up.ID, err, want)
			}
		}
		stale := func() []string {
			t.Helper()
			ids, err := db.StaleUploads(ctx, 1000, 100)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(ids)
			return ids
		}
		sees(c, first, false)
		wear(first.URL(), "")
		at := wear(first.URL(), "")
		if at != "/files/"+first.ID+"/avatar" {
			t.Errorf("the path is %q", at)
		}
		wear(at, "")
		sees(c, first, true)
		for _, bad := range []string{text.URL(), theirs.URL(), "/files/nothing/x", "/c/x", "/files/" + strings.Repeat("B", 26) + "/x"} {
			if got := wear(bad, chat.Invalid); got != at {
				t.Errorf("%q changed it to %q", bad, got)
			}
		}
		// Posted as well and unsent: it stays what it is.
		d := chat.Draft{Conv: chat.Direct(a, b), Author: a, Ref: "1", Content: chat.Content{Kind: chat.FileK, File: &chat.File{URL: first.URL(), Name: "p.png", Type: "image/png", Size: "3"}}}
		for _, d := range []chat.Draft{d, {Conv: d.Conv, Author: a, Ref: "2", Content: chat.Content{Kind: chat.Recall, Of: 1}}} {
			if rs, err := db.Append(ctx, []chat.Draft{d}); err != nil || rs[0].Err != nil {
				t.Fatal(rs, err)
			}
		}
		if got, want := stale(), []string{second.ID, text.ID, theirs.ID}; !slices.Equal(got, want) {
			t.Errorf("stale are %v, want %v", got, want)
		}
		sees(c, first, true)
		third := picture(t, db, a, 4, "image/webp")
		wear(third.URL(), "")
		sees(c, first, false)
		sees(c, third, true)
		if got := stale(); !slices.Contains(got, first.ID) || slices.Contains(got, third.ID) {
			t.Errorf("stale are %v, of which the one before is to be", got)
		}
		wear("", "")
		sees(c, third, false)
		if got := stale(); !slices.Contains(got, third.ID) {
			t.Errorf("stale are %v", got)
		}
	})
}

func TestWhoIsUnseenAndWhenOthersWereHere(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 3)
		ctx := t.Context()
		for i, p := range ps {
			if err := db.SaveProfile(ctx, p.ID, "x", "", chat.Profile{Unseen: i != 1}, 1); err != nil {
				t.Fatal(err)
			}
		}
		us, err := db.Unseen(ctx)
		slices.Sort(us)
		if want := []chat.UserID{ps[0].ID, ps[2].ID}; err != nil || !slices.Equal(us, want) {
			t.Errorf("unseen are %v, want %v: %v", us, want, err)
		}
		for _, at := range []int64{50, 70, 60} {
			if err := db.Saw(ctx, at, ps[0].ID, ps[1].ID, "Unobody"); err != nil {
				t.Fatal(err)
			}
		}
		for u, want := range map[chat.UserID]int64{ps[0].ID: 70, ps[1].ID: 70, ps[2].ID: 0, "Unobody": 0} {
			if at, err := db.SeenAt(ctx, u); err != nil || at != want {
				t.Errorf("%s was here at %d, want %d: %v", u, at, want, err)
			}
		}
	})
}

func TestStoreKnowsWhoIsHidden(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 8)
		ctx := t.Context()
		id := func(i int) chat.UserID { return ps[i].ID }
		for _, i := range []int{1, 2, 3, 4, 5} {
			if err := db.SaveProfile(ctx, id(i), "x", "", chat.Profile{Unlisted: i != 5}, 1); err != nil {
				t.Fatal(err)
			}
		}
		alone := chat.Person{ID: "Ualone", Username: "alone"}
		if err := db.AddUser(ctx, alone, "", 1); err != nil {
			t.Fatal(err)
		}
		hidden := func(u chat.UserID, ids ...chat.UserID) string {
			t.Helper()
			us, err := db.Hidden(ctx, u, ids...)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(us)
			return fmt.Sprint(us)
		}
		all := []chat.UserID{id(1), id(2), id(3), id(4), id(5), id(6), "Unobody", alone.ID}
		if got, want := hidden(alone.ID, all...), fmt.Sprint(all[:4]); got != want {
			t.Errorf("for a stranger %s are hidden, want %s", got, want)
		}
		if _, _, err := db.AskContact(ctx, chat.Request{From: alone.ID, To: id(1), At: 2}); err != nil {
			t.Fatal(err)
		}
		if err := db.SetBlocked(ctx, alone.ID, id(2), true, 3); err != nil {
			t.Fatal(err)
		}
		if err := db.SetBlocked(ctx, id(3), alone.ID, true, 3); err != nil {
			t.Fatal(err)
		}
		if got, want := hidden(alone.ID, all...), fmt.Sprint(all[2:4]); got != want {
			t.Errorf("%s are hidden, want %s: one was asked, one is blocked", got, want)
		}
		// What a person's bots are told follows from the person.
		bot := chat.Person{ID: "Ubot", Username: "bot", Bot: true, BotOf: alone.ID}
		if err := db.AddBot(ctx, bot, alone.ID, 10, 4); err != nil {
			t.Fatal(err)
		}
		if got, want := hidden(bot.ID, all...), fmt.Sprint(all[2:4]); got != want {
			t.Errorf("for a bot %s are hidden, want %s", got, want)
		}
	})
}
