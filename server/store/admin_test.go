package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

// by is who does it in these tests.
func by(what string) chat.Deed {
	return chat.Deed{By: ann, ByName: "Ann", What: what, Addr: "192.0.2.1"}
}

// codeOf is the code of a refusal, "" for nil.
func codeOf(err error) chat.Code {
	if err == nil {
		return ""
	}
	return chat.AsRefusal(err).Code
}

func deeds(t *testing.T, db *store.DB, ask chat.DeedAsk) []chat.Deed {
	t.Helper()
	ask.Limit = 100
	ds, next, err := db.Deeds(t.Context(), ask)
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	return ds
}

func TestTheLastAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		if err := db.SetAdmin(ctx, by(chat.ActMakeAdmin), ann, true); err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]func() error{
			"removed":  func() error { return db.SetAdmin(ctx, by(chat.ActRemoveAdmin), ann, false) },
			"disabled": func() error { return db.SetDisabled(ctx, by(chat.ActDisable), ann, true) },
			"deleted":  func() error { return db.DeleteAccount(ctx, by(chat.ActDelete), ann, false) },
		} {
			if err := f(); codeOf(err) != chat.Forbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(deeds(t, db, chat.DeedAsk{})); n != 1 {
			t.Errorf("%d deeds are noted, want that which was done", n)
		}
		// One who is disabled is none that could go on.
		if err := errors.Join(db.SetAdmin(ctx, by(chat.ActMakeAdmin), bob, true), db.SetDisabled(ctx, by(chat.ActDisable), bob, true)); err != nil {
			t.Fatal(err)
		}
		if err := db.SetAdmin(ctx, by(chat.ActRemoveAdmin), ann, false); codeOf(err) != chat.Forbidden {
			t.Errorf("beside a disabled one: %v", err)
		}
		if err := db.SetAdmin(ctx, by(chat.ActRemoveAdmin), bob, false); err != nil {
			t.Errorf("the disabled one: %v", err)
		}
	})
}

func TestTwoAdministratorsWhoRemoveEachOtherLeaveOne(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		other := openAt(t, dsn) // as another node
		for round := range 10 {
			for _, u := range []chat.UserID{ann, bob} {
				if err := errors.Join(db.SetDisabled(ctx, by(chat.ActEnable), u, false), db.SetAdmin(ctx, by(chat.ActMakeAdmin), u, true)); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			var errs [2]error
			wg.Go(func() { errs[0] = db.SetAdmin(ctx, by(chat.ActRemoveAdmin), ann, false) })
			wg.Go(func() { errs[1] = other.SetDisabled(ctx, by(chat.ActDisable), bob, true) })
			wg.Wait()
			got := []chat.Code{codeOf(errs[0]), codeOf(errs[1])}
			if slices.Sort(got); !slices.Equal(got, []chat.Code{"", chat.Forbidden}) {
				t.Fatalf("round %d: %v", round, errs)
			}
			as, _, err := db.Accounts(ctx, chat.Ask{Only: chat.OnlyAdmins, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if as = slices.DeleteFunc(as, func(a chat.Account) bool { return a.Disabled }); len(as) != 1 {
				t.Fatalf("round %d: %v are left", round, as)
			}
		}
	})
}

// signIn gives u one of everything that a person is signed in with, and says how
// much of it is there.
func signIn(t *testing.T, db *store.DB, u chat.UserID) (count func() int) {
	t.Helper()
	ctx := t.Context()
	// As scs writes it: gob, with the id behind its length.
	data := append([]byte{1, 2, 3, byte(len(u))}, u...)
	err := errors.Join(
		db.AddToken(ctx, "t"+string(u), u, 1),
		db.Logins().CommitCtx(ctx, "l"+string(u), data, time.Now().Add(time.Hour)),
		db.AddSubscription(ctx, chat.Subscription{User: u, Login: "x", Endpoint: "https://push.example/" + string(u)}, 5),
	)
	if err != nil {
		t.Fatal(err)
	}
	return func() (n int) {
		in, _, err := db.Lasting(ctx, []string{"t" + string(u), "l" + string(u)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ss, err := db.Subscriptions(ctx, u)
		if err != nil {
			t.Fatal(err)
		}
		return len(in) + len(ss)
	}
}

func TestWhoIsDisabledIsSignedInNowhere(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		long := chat.UserID("Ubobby") // another, whose id begins in the same way
		if err := db.AddUser(ctx, chat.Person{ID: long, Username: "bobby"}, "h", 1); err != nil {
			t.Fatal(err)
		}
		his, others := signIn(t, db, bob), signIn(t, db, long)
		if his() != 3 || others() != 3 {
			t.Fatalf("%d and %d before", his(), others())
		}
		if err := db.SetDisabled(ctx, by(chat.ActDisable), bob, true); err != nil {
			t.Fatal(err)
		}
		if his() != 0 || others() != 3 {
			t.Errorf("%d of his are left, %d of another's", his(), others())
		}
		if _, able, err := db.Lasting(ctx, nil, []chat.UserID{bob}); err != nil || able[bob] {
			t.Errorf("he may stay: %v", err)
		}
		rs, err := db.Append(ctx, []chat.Draft{{Conv: group, Author: bob, Ref: "r", Content: chat.TextContent("x")}})
		if err != nil || rs[0].Err == nil {
			t.Errorf("what he says is committed: %v %v", rs, err)
		}
		if err := db.SetDisabled(ctx, by(chat.ActEnable), bob, false); err != nil || his() != 0 {
			t.Errorf("enabled again: %v, %d are back", err, his())
		}
	})
}

func TestAPasswordFromAnAdministratorIsRenewedOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		his := signIn(t, db, bob)
		if err := db.ResetPassword(ctx, by(chat.ActReset), bob, "given"); err != nil {
			t.Fatal(err)
		}
		p, hash, err := db.UserByName(ctx, "ubob")
		if err != nil || hash != "given" || !p.Renew || his() != 0 {
			t.Errorf("%+v has %q, %d sign-ins: %v", p, hash, his(), err)
		}
		his = signIn(t, db, bob) // by whoever has seen what was given
		if ended, err := db.ChangePassword(ctx, bob, "given", "mine", chat.SignIn{}); err != nil || his() != 0 {
			t.Errorf("renewed: %v, %v, %d sign-ins are left", ended, err, his())
		}
		if p, hash, err := db.UserByName(ctx, "ubob"); err != nil || hash != "mine" || p.Renew {
			t.Errorf("%+v has %q: %v", p, hash, err)
		}
		if _, err := db.ChangePassword(ctx, bob, "given", "again", chat.SignIn{}); codeOf(err) != chat.Taken {
			t.Errorf("again: %v", err)
		}
	})
}

// texts are what is said in a conversation, by author.
func texts(t *testing.T, db *store.DB, conv chat.ConvID) map[chat.UserID][]string {
	t.Helper()
	p, err := db.Before(t.Context(), conv, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	out := map[chat.UserID][]string{}
	for _, m := range p.Entries {
		out[m.Author] = append(out[m.Author], string(m.Content.Kind)+" "+m.Content.Text)
	}
	return out
}

func say(t *testing.T, db *store.DB, ds ...chat.Draft) {
	t.Helper()
	for i := range ds {
		ds[i].Ref = fmt.Sprint("say", i, ds[i].Conv, ds[i].Author)
		rs, err := db.Append(t.Context(), ds[i:i+1])
		if err != nil || rs[0].Err != nil {
			t.Fatal(err, rs)
		}
	}
}

func TestADeletedAccountIsEmptyAndItsMessagesStay(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		direct := chat.Direct(ann, bob)
		alone := chat.ConvID("Galone")
		if err := db.CreateGroup(ctx, alone, "Alone", ann, []chat.UserID{ann}, 1); err != nil {
			t.Fatal(err)
		}
		say(t, db, chat.Draft{Conv: group, Author: ann, Content: chat.TextContent("one")}, chat.Draft{Conv: group, Author: bob, Content: chat.TextContent("two")},
			chat.Draft{Conv: direct, Author: ann, Content: chat.TextContent("three")})
		hers := signIn(t, db, ann)
		if err := db.DeleteAccount(ctx, by(chat.ActDelete), ann, false); err != nil {
			t.Fatal(err)
		}
		a, err := db.Account(ctx, ann)
		if err != nil || !a.Gone() || !a.Disabled || a.Admin || a.Nickname != "Deleted account" || hers() != 0 {
			t.Errorf("left: %+v, %d sign-ins, %v", a, hers(), err)
		}
		if _, _, err := db.UserByName(ctx, "uann"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("the username is not free: %v", err)
		}
		if got := texts(t, db, group)[ann]; len(got) != 1 || !strings.HasSuffix(got[0], "one") {
			t.Errorf("what she wrote: %q", got)
		}
		// Her groups hear of it by entries, which others post.
		us, err := db.Leaving(ctx)
		ds, derr := db.Departures(ctx, ann, 10)
		if err := errors.Join(err, derr); err != nil || !slices.Equal(us, []chat.UserID{ann}) ||
			!slices.Equal(ds, []chat.Departure{{Conv: alone, User: ann, Owns: true}, {Conv: group, User: ann, Owns: true, Heir: bob}}) {
			t.Errorf("%v leave %+v, %v", us, ds, err)
		}
		if ds, err := db.Departures(ctx, ann, 1); err != nil || len(ds) != 1 || ds[0].Conv != alone {
			t.Errorf("one at a time: %+v, %v", ds, err)
		}
		if ds, err := db.Departures(ctx, bob, 10); err != nil || len(ds) != 1 || ds[0] != (chat.Departure{Conv: group, User: bob}) {
			t.Errorf("of another: %+v, %v", ds, err)
		}
		if err := db.Departed(ctx, ann); err != nil {
			t.Fatal(err)
		}
		if us, err := db.Leaving(ctx); err != nil || len(us) != 0 {
			t.Errorf("%v leave still, %v", us, err)
		}
		for what, err := range map[string]error{
			"delete":  db.DeleteAccount(ctx, by(chat.ActDelete), ann, false),
			"enable":  db.SetDisabled(ctx, by(chat.ActEnable), ann, false),
			"unknown": db.SetDisabled(ctx, by(chat.ActEnable), "Unobody", false),
		} {
			if codeOf(err) != chat.NotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, more, err := db.EraseSome(ctx); more || err != nil {
			t.Errorf("something is to be erased: %v", err)
		}
	})
}

func TestWhatADeletedPersonWroteIsErasedOnWish(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		direct := chat.Direct(ann, bob)
		say(t, db, chat.Draft{Conv: group, Author: ann, Content: chat.TextContent("one")}, chat.Draft{Conv: group, Author: bob, Content: chat.TextContent("two")},
			chat.Draft{Conv: direct, Author: ann, Content: chat.TextContent("three")}, chat.Draft{Conv: chat.Direct(bob, cat), Author: bob, Content: chat.TextContent("four")},
			chat.Draft{Conv: group, Author: ann, Content: chat.Content{Kind: chat.Edit, Of: 1, Text: "once"}})
		var many []chat.Draft
		for i := range 600 { // more than one transaction erases
			many = append(many, chat.Draft{Conv: chat.Direct(ann, dan), Author: ann, Ref: fmt.Sprint("m", i), Content: chat.TextContent("secret")})
		}
		if _, err := db.Append(ctx, many); err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteAccount(ctx, by(chat.ActDelete), ann, true); err != nil {
			t.Fatal(err)
		}
		if us, err := db.ErasingOf(ctx); err != nil || !slices.Equal(us, []chat.UserID{ann}) {
			t.Errorf("%v wait: %v", us, err)
		}
		n := 0
		for more := true; more; {
			var k int
			var err error
			if k, more, err = db.EraseSome(ctx); err != nil {
				t.Fatal(err)
			}
			n += k
		}
		if n != 600+3 {
			t.Errorf("%d are erased", n)
		}
		for _, c := range []chat.ConvID{group, direct, chat.Direct(ann, dan)} {
			for _, s := range texts(t, db, c)[ann] {
				if s != "gone " && s != "edit " {
					t.Errorf("%s: %q is left", c, s)
				}
			}
		}
		if got := texts(t, db, group)[bob]; !slices.Equal(got, []string{"text two"}) {
			t.Errorf("of another: %q", got)
		}
		if ds := deeds(t, db, chat.DeedAsk{What: chat.ActErased}); len(ds) != 1 || ds[0].Target != string(ann) {
			t.Errorf("noted: %v", ds)
		}
	})
}
