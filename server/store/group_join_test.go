package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// straight posts to the store itself.
type straight struct {
	db   *store.DB
	fail error
}

func (s *straight) PostWait(ctx context.Context, d chat.Draft) (chat.Message, error) {
	if s.fail != nil {
		return chat.Message{}, s.fail
	}
	rs, err := s.db.Append(ctx, []chat.Draft{d})
	if err != nil {
		return chat.Message{}, err
	}
	return rs[0].Message, rs[0].Err
}

func (s *straight) Renew(context.Context, chat.ConvID, ...chat.UserID) error { return nil }

func (s *straight) Unsee(context.Context, chat.UserID, bool) error { return nil }

func (s *straight) Here(context.Context, chat.UserID, ...chat.UserID) []chat.UserID { return nil }

// club makes so many people and a service of groups for them.
func club(t *testing.T, dsn string, n int) (*store.DB, *straight, *account.Service, []chat.Person) {
	t.Helper()
	db := openAt(t, dsn)
	ps, hashes := make([]chat.Person, n), make([]string, n)
	for i := range ps {
		name := fmt.Sprintf("p%05d", i)
		ps[i] = chat.Person{ID: chat.UserID("U" + name), Username: name, Nickname: "Person " + name}
		hashes[i] = name
	}
	if err := db.AddUsers(t.Context(), ps, hashes, 1); err != nil {
		t.Fatal(err)
	}
	poster := &straight{db: db}
	ids := chat.NewIDs(1, func() int64 { return time.Now().UnixMilli() })
	return db, poster, account.New(account.Config{Store: db, IDs: ids, Poster: poster, Cheap: true, Limits: account.NoLimits}), ps
}

func TestLinkLetsInAsManyAsItSaysHoweverManyCome(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, poster, s, ps := club(t, dsn, 21)
		ctx := t.Context()
		conv, err := s.MakeGroup(ctx, ps[0].ID, account.NewGroup{Name: "Few"})
		if err != nil {
			t.Fatal(err)
		}
		link, err := s.MakeInvite(ctx, ps[0], conv, 3, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		// What comes to nothing does not count.
		poster.fail = chat.Refuse(chat.Busy, "not now")
		if _, in, err := s.JoinByInvite(ctx, ps[1], link.Code, ""); err == nil || in {
			t.Fatal("it was refused, and is in")
		}
		poster.fail = nil
		if _, _, err := s.JoinByInvite(ctx, ps[0], link.Code, ""); !errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
			t.Errorf("who is in: %v", err)
		}
		var wg sync.WaitGroup
		ins, errs := make([]bool, len(ps)), make([]error, len(ps))
		for i, p := range ps[1:] {
			wg.Go(func() { _, ins[i+1], errs[i+1] = s.JoinByInvite(ctx, p, link.Code, "") })
		}
		wg.Wait()
		let := 0
		for i, err := range errs[1:] {
			switch {
			case err == nil && ins[i+1]:
				let++
			case !errors.Is(err, chat.ErrNotFound):
				t.Errorf("%d was answered %v", i, err)
			}
		}
		g, err := db.Group(ctx, conv)
		ms, merr := db.Members(ctx, conv)
		is, lerr := db.GroupInvites(ctx, conv)
		if err := errors.Join(err, merr, lerr); err != nil {
			t.Fatal(err)
		}
		if let != 3 || g.Members != 4 || len(ms) != 4 || is[0].Uses != 3 {
			t.Errorf("%d were let in, the group says %d and has %d, the link says %d; want 3, 4, 4, 3", let, g.Members, len(ms), is[0].Uses)
		}
	})
}

func TestLinkDiesWithItsTimeAndWithTheRightToInvite(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 5)
		ctx := t.Context()
		conv, err := s.MakeGroup(ctx, ps[0].ID, account.NewGroup{Name: "Few", Members: []chat.UserID{ps[1].ID}, Joining: chat.JoinApproval})
		if err != nil {
			t.Fatal(err)
		}
		old := chat.GroupInvite{Code: "old", Conv: conv, By: ps[0].ID, CreatedAt: 1, ExpiresAt: 2}
		if err := db.AddGroupInvite(ctx, old); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.JoinByInvite(ctx, ps[2], "old", ""); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("an old one: %v", err)
		}
		if err := db.UseGroupInvite(ctx, "old", 3); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("an old one, at the store: %v", err)
		}
		// Of a plain member it leads to a request, of an administrator into the group.
		link, err := s.MakeInvite(ctx, ps[1], conv, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, in, err := s.JoinByInvite(ctx, ps[2], link.Code, "please"); err != nil || in {
			t.Errorf("by a plain member's: %v %v", in, err)
		}
		if j, err := db.JoinRequest(ctx, conv, ps[2].ID); err != nil || j.Message != "please" || j.State != chat.JoinWaits {
			t.Errorf("asked %+v %v", j, err)
		}
		change := func(c chat.Change) {
			t.Helper()
			if _, err := s.ChangeGroup(ctx, ps[0], conv, c, ""); err != nil {
				t.Fatal(err)
			}
		}
		change(chat.Change{What: chat.Promoted, Who: []chat.UserID{ps[1].ID}})
		if _, in, err := s.JoinByInvite(ctx, ps[2], link.Code, ""); err != nil || !in {
			t.Errorf("by an administrator's: %v %v", in, err)
		}
		if _, err := db.JoinRequest(ctx, conv, ps[2].ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("the request stays: %v", err)
		}
		change(chat.Change{What: chat.Left, Who: []chat.UserID{ps[1].ID}})
		if _, _, err := s.JoinByInvite(ctx, ps[3], link.Code, ""); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("by that of one who is gone: %v", err)
		}
	})
}

func TestRequestIsAnsweredOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, poster, s, ps := club(t, dsn, 8)
		ctx := t.Context()
		conv, err := s.MakeGroup(ctx, ps[0].ID, account.NewGroup{Name: "Few", Members: []chat.UserID{ps[1].ID, ps[2].ID, ps[3].ID}, Joining: chat.JoinApproval})
		if err != nil {
			t.Fatal(err)
		}
		admins := ps[:4]
		if _, err := s.ChangeGroup(ctx, ps[0], conv, chat.Change{What: chat.Promoted, Who: []chat.UserID{ps[1].ID, ps[2].ID, ps[3].ID}}, ""); err != nil {
			t.Fatal(err)
		}
		ask := func(p chat.Person) {
			t.Helper()
			if in, err := s.JoinGroup(ctx, p, conv, "hello"); in || err != nil {
				t.Fatal(in, err)
			}
		}
		ask(ps[4])
		var wg sync.WaitGroup
		errs := make([]error, len(admins))
		for i, p := range admins {
			wg.Go(func() { errs[i] = s.AnswerJoin(ctx, p, conv, ps[4].ID, i%2 == 0) })
		}
		wg.Wait()
		ok := 0
		for _, err := range errs {
			if err == nil {
				ok++
			} else if !errors.Is(err, chat.ErrNotFound) {
				t.Error(err)
			}
		}
		j, err := db.JoinRequest(ctx, conv, ps[4].ID)
		if err != nil || ok != 1 {
			t.Fatalf("%d answered, %v", ok, err)
		}
		seats, err := db.SeatsOf(ctx, conv, ps[4].ID)
		if err != nil || seats[ps[4].ID].In != (j.State == chat.JoinLetIn) {
			t.Errorf("the request is %v, and they are %+v (%v)", j.State, seats, err)
		}
		// What could not be carried out waits still.
		ask(ps[5])
		poster.fail = errors.New("the broker is away")
		if err := s.AnswerJoin(ctx, ps[0], conv, ps[5].ID, true); err == nil {
			t.Error("let in by nobody")
		}
		poster.fail = nil
		js, next, err := s.AsksOf(ctx, ps[0], conv, "", 10)
		if err != nil || next != "" || len(js) != 1 || js[0].User != ps[5].ID {
			t.Errorf("waiting: %+v %q %v", js, next, err)
		}
		if err := s.AnswerJoin(ctx, ps[0], conv, ps[5].ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.JoinGroup(ctx, ps[5], conv, "again"); !errors.Is(err, &chat.Refusal{Code: chat.RateLimited}) {
			t.Errorf("asking again at once: %v", err)
		}
		if _, err := s.JoinGroup(ctx, ps[6], conv, strings.Repeat("字", 101)); !errors.Is(err, &chat.Refusal{Code: chat.TooLong}) {
			t.Errorf("a long message: %v", err)
		}
	})
}

func TestMembersComePageByPage(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const n = 10_000
		db, _, s, ps := club(t, dsn, n)
		ctx := t.Context()
		ids := make([]chat.UserID, n)
		for i, p := range ps {
			ids[i] = p.ID
		}
		owner := ps[n-1]
		if err := db.CreateGroupAs(ctx, chat.Group{Conv: "Gbig", Name: "Big", Owner: owner.ID, Rules: chat.Rules{Joining: chat.JoinInvite}}, ids, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangeGroup(ctx, owner, "Gbig", chat.Change{What: chat.Promoted, Who: []chat.UserID{ps[70].ID}}, ""); err != nil {
			t.Fatal(err)
		}
		want := append([]chat.UserID{owner.ID, ps[70].ID}, append(append([]chat.UserID{}, ids[:70]...), ids[71:n-1]...)...)
		at, began, pages := 0, time.Now(), 0
		for after := ""; ; pages++ {
			ms, next, err := s.MembersOf(ctx, ps[1], "Gbig", chat.MemberAsk{After: after, Limit: 50})
			if err != nil || len(ms) > 50 {
				t.Fatal(len(ms), err)
			}
			for _, m := range ms {
				if m.ID != want[at] || m.Username == "" {
					t.Fatalf("at %d there is %+v, want %s", at, m, want[at])
				}
				at++
			}
			if after = next; next == "" {
				break
			}
		}
		t.Logf("a page takes %v", time.Since(began)/time.Duration(pages+1))
		if at != n {
			t.Errorf("%d are listed", at)
		}
		began = time.Now()
		ms, next, err := s.MembersOf(ctx, ps[1], "Gbig", chat.MemberAsk{Query: " P0007 ", Limit: 50})
		if err != nil || next != "" || len(ms) != 10 || ms[0].ID != ps[70].ID {
			t.Errorf("found %d, first %+v, %v", len(ms), ms, err)
		}
		if ms, _, err := s.MembersOf(ctx, ps[1], "Gbig", chat.MemberAsk{Query: "%", Limit: 50}); err != nil || len(ms) != 0 {
			t.Errorf("a sign found %d, %v", len(ms), err)
		}
		t.Logf("two searches take %v", time.Since(began))
	})
}
