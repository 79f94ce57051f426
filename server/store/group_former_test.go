package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// changing returns what makes a change of conv by p, who may.
func changing(t *testing.T, s *account.Service, p chat.Person, conv chat.ConvID) func(what string, who ...chat.UserID) {
	return func(what string, who ...chat.UserID) {
		t.Helper()
		c := chat.Change{What: what, Who: who}
		if what == chat.Hushed {
			c.Until = time.Now().Add(time.Hour).UnixMilli()
		}
		if _, err := s.ChangeGroup(t.Context(), p, conv, c, ""); err != nil {
			t.Fatal(what, err)
		}
	}
}

// However who is muted comes back after leaving, they are muted.
func TestLeavingAndComingBackLiftsNoMute(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 3)
		owner, other, me := ps[0], ps[1], ps[2]
		ways := map[string]struct {
			joining chat.Joining
			come    func(conv chat.ConvID) error
		}{
			"as anybody may": {chat.JoinDirect, func(conv chat.ConvID) error {
				_, err := s.JoinGroup(t.Context(), me, conv, "")
				return err
			}},
			"by a link": {chat.JoinInvite, func(conv chat.ConvID) error {
				link, err := s.MakeInvite(t.Context(), owner, conv, 0, 0)
				if err == nil {
					_, _, err = s.JoinByInvite(t.Context(), me, link.Code, "")
				}
				return err
			}},
			"by asking": {chat.JoinApproval, func(conv chat.ConvID) error {
				_, err := s.JoinGroup(t.Context(), me, conv, "")
				return errors.Join(err, s.AnswerJoin(t.Context(), owner, conv, me.ID, true))
			}},
			"added by a member": {chat.JoinDirect, func(conv chat.ConvID) error {
				_, err := s.ChangeGroup(t.Context(), other, conv, chat.Change{What: chat.Joined, Who: []chat.UserID{me.ID}}, "")
				return err
			}},
			"added by the owner": {chat.JoinInvite, func(conv chat.ConvID) error {
				_, err := s.ChangeGroup(t.Context(), owner, conv, chat.Change{What: chat.Joined, Who: []chat.UserID{me.ID}}, "")
				return err
			}},
		}
		for name, w := range ways {
			conv, err := s.MakeGroup(t.Context(), owner.ID, account.NewGroup{Name: "Few", Members: []chat.UserID{other.ID, me.ID}, Joining: w.joining})
			if err != nil {
				t.Fatal(err)
			}
			changing(t, s, owner, conv)(chat.Hushed, me.ID)
			if err := s.LeaveGroup(t.Context(), me, conv); err != nil {
				t.Fatal(err)
			}
			if err := w.come(conv); err != nil {
				t.Fatal(name, err)
			}
			rs := appendAll(t, db, text(me.ID, conv, "m"+string(conv), "hello"))
			if !errors.Is(rs[0].Err, &chat.Refusal{Code: chat.Muted}) {
				t.Errorf("%s: what they say is answered %v", name, rs[0].Err)
			}
			l, err := db.Laws(t.Context(), conv)
			if err != nil || l.Seats[me.ID].Muted <= time.Now().UnixMilli() {
				t.Errorf("%s: the law says %+v, %v", name, l.Seats, err)
			}
			// Let speak again they speak, also after coming back once more.
			changing(t, s, owner, conv)(chat.Heard, me.ID)
			if err := errors.Join(s.LeaveGroup(t.Context(), me, conv), w.come(conv)); err != nil {
				t.Fatal(name, err)
			}
			if rs := appendAll(t, db, text(me.ID, conv, "n"+string(conv), "hello")); rs[0].Err != nil {
				t.Errorf("%s, let speak: %v", name, rs[0].Err)
			}
		}
	})
}

// Nor does it in one batch, where nobody reads in between what was written.
func TestLeavingAndComingBackAtOnceLiftsNoMute(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		event := func(by chat.UserID, ref, what string, who ...chat.UserID) chat.Draft {
			c := chat.Change{What: what, Who: who}
			if what == chat.Hushed {
				c.Until = chat.Endless
			}
			return chat.Draft{Conv: group, Author: by, Ref: ref, Content: chat.Content{Kind: chat.Event, Event: &c}}
		}
		rs := appendAll(t, db, event(ann, "1", chat.Hushed, bob), event(bob, "2", chat.Left, bob), event(bob, "3", chat.Joined, bob), text(bob, group, "4", "hello"),
			event(ann, "5", chat.Left, bob), event(bob, "6", chat.Joined, bob), event(ann, "7", chat.Left, cat))
		for i, want := range []chat.Code{"", "", "", chat.Muted, "", chat.Forbidden, ""} {
			if got := codeOf(rs[i].Err); got != want {
				t.Errorf("entry %d: %q, want %q", i+1, got, want)
			}
		}
		// What was written says the same.
		rs = appendAll(t, db, event(bob, "8", chat.Joined, bob), event(cat, "9", chat.Joined, cat), event(ann, "a", chat.Joined, bob, cat), text(bob, group, "b", "hello"), text(cat, group, "c", "hello"))
		for i, want := range []chat.Code{chat.Forbidden, chat.Forbidden, "", chat.Muted, ""} {
			if got := codeOf(rs[i].Err); got != want {
				t.Errorf("then entry %d: %q, want %q", i+1, got, want)
			}
		}
	})
}

func TestWhoWasRemovedComesBackOnlyByAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 3)
		owner, other, me := ps[0], ps[1], ps[2]
		ctx := t.Context()
		bot, err := s.MakeBot(ctx, me, "helper", "")
		if err != nil {
			t.Fatal(err)
		}
		type way func(conv chat.ConvID) (in bool, err error)
		join := func(conv chat.ConvID) (bool, error) { return s.JoinGroup(ctx, me, conv, "sorry") }
		link := func(by chat.Person) way {
			return func(conv chat.ConvID) (bool, error) {
				l, err := s.MakeInvite(ctx, by, conv, 1, 0)
				if err != nil {
					return false, err
				}
				d, err := s.InviteDoor(ctx, me, l.Code)
				if err != nil || !d.Asks {
					t.Errorf("the link's door says %+v, %v", d, err)
				}
				_, in, err := s.JoinByInvite(ctx, me, l.Code, "sorry")
				return in, err
			}
		}
		rows := map[string]struct {
			joining chat.Joining
			way
			want chat.Code // "": it is a request
		}{
			"into an open group":                     {chat.JoinDirect, join, ""},
			"by a member's link":                     {chat.JoinDirect, link(other), ""},
			"by the owner's link":                    {chat.JoinDirect, link(owner), ""},
			"where everybody asks":                   {chat.JoinApproval, join, ""},
			"by the owner's link where one asks":     {chat.JoinApproval, link(owner), ""},
			"where nobody comes without being asked": {chat.JoinInvite, join, chat.NotFound},
			"by the owner's link, invited":           {chat.JoinInvite, link(owner), ""},
			"added by a member": {chat.JoinDirect, func(conv chat.ConvID) (bool, error) {
				_, err := s.ChangeGroup(ctx, other, conv, chat.Change{What: chat.Joined, Who: []chat.UserID{me.ID}}, "")
				return err == nil, err
			}, chat.Forbidden},
		}
		in := func(conv chat.ConvID) bool {
			t.Helper()
			seats, err := db.SeatsOf(ctx, conv, me.ID)
			if err != nil {
				t.Fatal(err)
			}
			return seats[me.ID].In
		}
		for name, r := range rows {
			conv, err := s.MakeGroup(ctx, owner.ID, account.NewGroup{Name: "Few", Members: []chat.UserID{other.ID, me.ID}, Joining: r.joining})
			if err != nil {
				t.Fatal(err)
			}
			change := changing(t, s, owner, conv)
			change(chat.Left, me.ID)
			if got, err := r.way(conv); got || codeOf(err) != r.want || in(conv) {
				t.Errorf("%s: in %v, %v", name, got, err)
			}
			asks, _, err := s.AsksOf(ctx, owner, conv, "", 10)
			if err != nil || (len(asks) == 1) != (r.want == "") {
				t.Errorf("%s: %v ask, %v", name, asks, err)
			}
			// Nor do they by a bot of theirs.
			if got, err := s.JoinGroup(ctx, bot, conv, ""); got || r.joining == chat.JoinDirect && err != nil {
				t.Errorf("%s: their bot is in %v, %v", name, got, err)
			}
			if err := s.WithdrawJoin(ctx, bot, conv); err != nil {
				t.Fatal(err)
			}
			if r.joining == chat.JoinDirect {
				for i, by := range []chat.UserID{bot.ID, other.ID, owner.ID} {
					c := chat.Change{What: chat.Joined, Who: []chat.UserID{bot.ID}}
					d := chat.Draft{Conv: conv, Author: by, Ref: fmt.Sprint("bot", i, conv), Content: chat.Content{Kind: chat.Event, Event: &c}}
					if rs := appendAll(t, db, d); (codeOf(rs[0].Err) == chat.Forbidden) != (by != owner.ID) {
						t.Errorf("%s: their bot, brought by %s: %v", name, by, rs[0].Err)
					}
				}
			}
			// The commit knows as well, where the door had not.
			d := chat.Draft{Conv: conv, Author: me.ID, Ref: "race" + string(conv), Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Joined, Who: []chat.UserID{me.ID}}}}
			if rs := appendAll(t, db, d); codeOf(rs[0].Err) != chat.Forbidden {
				t.Errorf("%s: the commit says %v", name, rs[0].Err)
			}
			// An administrator's yes clears it, whichever it is.
			if r.want == "" {
				err = s.AnswerJoin(ctx, owner, conv, me.ID, true)
			} else {
				change(chat.Joined, me.ID)
			}
			if err != nil || !in(conv) {
				t.Errorf("%s: let in: %v", name, err)
			}
			if err := s.LeaveGroup(ctx, me, conv); err != nil {
				t.Fatal(err)
			}
			if r.joining == chat.JoinDirect {
				if got, err := join(conv); !got || err != nil {
					t.Errorf("%s: after leaving by themselves: %v %v", name, got, err)
				}
			}
		}
	})
}
