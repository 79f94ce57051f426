package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// However many come at once, on whichever node and by whichever way, a group has no
// more people than a group may have here.
func TestGroupsHoldNoMoreThanTheyMay(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const most, people = 8, 30
		db, _, s, ps := club(t, dsn, people)
		other := openAt(t, dsn)
		for _, d := range []*store.DB{db, other} {
			d.SetMaxGroup(func() int { return most })
		}
		ctx := t.Context()
		conv, err := s.MakeGroup(ctx, ps[0].ID, account.NewGroup{Name: "Few", Joining: chat.JoinDirect, Members: []chat.UserID{ps[1].ID}})
		if err != nil {
			t.Fatal(err)
		}
		joined := func(by chat.UserID, i int, who ...chat.UserID) chat.Draft {
			c := chat.Change{What: chat.Joined, Who: who, Asked: i%3 == 0}
			return chat.Draft{Conv: conv, Author: by, Ref: fmt.Sprint("j", i), Content: chat.Content{Kind: chat.Event, Event: &c}}
		}
		var wg sync.WaitGroup
		errs := make([]error, people)
		for i := 2; i < people; i++ {
			wg.Go(func() {
				by := ps[i].ID // some come by themselves, some are added or let in
				if i%2 == 0 {
					by = ps[i%4/2].ID
				}
				rs, err := []*store.DB{db, other}[i%2].Append(ctx, []chat.Draft{joined(by, i, ps[i].ID)})
				if err == nil {
					err = rs[0].Err
				}
				errs[i] = err
			})
		}
		wg.Wait()
		in := 2
		for i, err := range errs[2:] {
			switch {
			case err == nil:
				in++
			case !errors.Is(err, &chat.Refusal{Code: chat.TooLong}):
				t.Errorf("%d is answered %v", i+2, err)
			}
		}
		g, err := db.Group(ctx, conv)
		ms, merr := db.Members(ctx, conv)
		if err := errors.Join(err, merr); err != nil {
			t.Fatal(err)
		}
		if in != most || g.Members != most || len(ms) != most {
			t.Errorf("%d came in, the group says %d and has %d; want %d of each", in, g.Members, len(ms), most)
		}
		// Nor in one batch, nor by making one.
		err = db.CreateGroupAs(ctx, chat.Group{Conv: "Gmany", Name: "Many", Owner: ps[0].ID, Rules: chat.Rules{Joining: chat.JoinInvite}}, ids(ps[:most+1]), 1)
		if !errors.Is(err, &chat.Refusal{Code: chat.TooLong}) {
			t.Errorf("one that is too large is made: %v", err)
		}
		if err := s.LeaveGroup(ctx, ps[1], conv); err != nil {
			t.Fatal(err)
		}
		rs := appendAll(t, db, joined(ps[0].ID, 90, "Unobody"), joined(ps[0].ID, 91, outside(ps, ms)...), joined(outside(ps, ms)[0], 92, outside(ps, ms)[0]), joined(outside(ps, ms)[1], 93, outside(ps, ms)[1]))
		for i, want := range []chat.Code{chat.Forbidden, chat.TooLong, "", chat.TooLong} {
			if got := codeOf(rs[i].Err); got != want {
				t.Errorf("in a batch, %d: %v, want %q", i, rs[i].Err, want)
			}
		}
	})
}

func ids(ps []chat.Person) (us []chat.UserID) {
	for _, p := range ps {
		us = append(us, p.ID)
	}
	return us
}

// outside are two of those who are not in a group of ms.
func outside(ps []chat.Person, ms []chat.Marks) []chat.UserID {
	us := slices.DeleteFunc(ids(ps), func(u chat.UserID) bool {
		return slices.ContainsFunc(ms, func(m chat.Marks) bool { return m.User == u })
	})
	return us[:2]
}

// Making a group puts nobody into it who could not be added to it.
func TestNobodyIsInANewGroupWhoCouldNotBeAdded(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 5)
		maker, blocker, contact, off, plain := ps[0], ps[1], ps[2], ps[3], ps[4]
		ctx, only := t.Context(), false
		db.SetContactsOnly(func() bool { return only })
		bot, err := s.MakeBot(ctx, maker, "helper", "")
		if err != nil {
			t.Fatal(err)
		}
		strange, err := s.MakeBot(ctx, plain, "strange", "")
		if err != nil {
			t.Fatal(err)
		}
		befriend(t, db, maker.ID, contact.ID)
		if err := errors.Join(db.SetBlocked(ctx, blocker.ID, maker.ID, true, 1), db.SetDisabled(ctx, by(chat.ActDisable), off.ID, true)); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, r := range []struct {
			only bool
			who  chat.Person
			want chat.Code
		}{
			{false, plain, ""}, {false, blocker, chat.Blocked}, {false, off, chat.Forbidden}, {false, contact, ""}, {false, bot, ""}, {false, strange, ""},
			{true, plain, chat.NotContact}, {true, blocker, chat.Blocked}, {true, contact, ""}, {true, bot, ""}, {true, strange, chat.NotContact},
		} {
			only = r.only
			n++
			conv := chat.ConvID(fmt.Sprint("Gmade", n))
			g := chat.Group{Conv: conv, Name: "Made", Owner: maker.ID, Rules: chat.Rules{Joining: chat.JoinInvite}}
			if err := db.CreateGroupAs(ctx, g, []chat.UserID{maker.ID, r.who.ID}, 1); codeOf(err) != r.want {
				t.Errorf("only %v, with %s: %v, want %q", only, r.who.Username, err, r.want)
			}
			if ms, err := db.Members(ctx, conv); err != nil || (len(ms) > 0) != (r.want == "") {
				t.Errorf("only %v, with %s: %v are in it, %v", only, r.who.Username, ms, err)
			}
			// Adding says the same.
			g.Conv += "a"
			if err := db.CreateGroupAs(ctx, g, []chat.UserID{maker.ID}, 1); err != nil {
				t.Fatal(err)
			}
			c := chat.Change{What: chat.Joined, Who: []chat.UserID{r.who.ID}}
			rs := appendAll(t, db, chat.Draft{Conv: g.Conv, Author: maker.ID, Ref: string(g.Conv), Content: chat.Content{Kind: chat.Event, Event: &c}})
			if codeOf(rs[0].Err) != r.want {
				t.Errorf("only %v, adding %s: %v, want %q", only, r.who.Username, rs[0].Err, r.want)
			}
		}
	})
}

// A group begins with a picture that its maker may show, as it is given one later.
func TestAGroupBeginsWithAPictureOfItsMakers(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 3)
		maker, member, stranger := ps[0], ps[1], ps[2]
		ctx := t.Context()
		mine, theirs := uploaded(t, db, maker.ID, 1), uploaded(t, db, stranger.ID, 1)
		book := chat.Upload{ID: theirs.ID[:25] + "A", Owner: maker.ID, Name: "b.pdf", Size: 9, At: 1}
		if err := db.BeginUpload(ctx, book, 0, plenty, 100); err != nil {
			t.Fatal(err)
		}
		if book.Type = "application/pdf"; db.EndUpload(ctx, book) != nil {
			t.Fatal("no book")
		}
		make := func(avatar string) (chat.ConvID, error) {
			return s.MakeGroup(ctx, maker.ID, account.NewGroup{Name: "Few", Members: []chat.UserID{member.ID}, Avatar: avatar})
		}
		conv, err := make("")
		if err != nil {
			t.Fatal(err)
		}
		for name, avatar := range map[string]string{
			"another's":   theirs.URL(),
			"no picture":  book.URL(),
			"not there":   "/files/" + mine.ID[:25] + "B/x.png",
			"no upload":   "/files/x",
			"not of here": "https://example.com/x.png",
		} {
			if got, err := make(avatar); err == nil {
				t.Errorf("%s is the picture of %s", name, got)
			} else if chat.AsRefusal(err).Code == chat.Internal {
				t.Errorf("%s: %v", name, err)
			}
			if ss, err := db.Summaries(ctx, maker.ID, 10); err != nil || len(ss) != 1 {
				t.Errorf("%s: there are %d groups, %v", name, len(ss), err)
			}
			if _, err := s.ChangeGroup(ctx, maker, conv, chat.Change{What: chat.Pictured, Name: avatar}, ""); err == nil {
				t.Errorf("%s is its picture later", name)
			}
		}
		conv, err = make(mine.URL())
		if err != nil {
			t.Fatal(err)
		}
		if g, err := db.Group(ctx, conv); err != nil || g.Avatar != mine.URL() {
			t.Errorf("made as %+v, %v", g, err)
		}
		// It is kept, and its members see it.
		if _, err := db.StaleUploads(ctx, 1000, 10); err != nil {
			t.Fatal(err)
		}
		for _, p := range ps {
			if _, err := db.UploadFor(ctx, mine.ID, p.ID); (err == nil) != (p.ID != stranger.ID) {
				t.Errorf("%s reads it: %v", p.Username, err)
			}
		}
	})
}

// befriend makes x and y contacts of each other.
func befriend(t *testing.T, db *store.DB, x, y chat.UserID) {
	t.Helper()
	_, _, err := db.AskContact(t.Context(), chat.Request{From: x, To: y, At: 1})
	if err == nil {
		_, err = db.AnswerContact(t.Context(), x, y, true, 2)
	}
	if err != nil {
		t.Fatal(err)
	}
}
