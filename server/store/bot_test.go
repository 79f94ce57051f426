package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// addBot stores a bot of owner.
func addBot(t *testing.T, db interface {
	AddBot(ctx context.Context, p chat.Person, by chat.UserID, most int, at int64) error
}, owner chat.UserID, name string) chat.Person {
	t.Helper()
	p := chat.Person{ID: chat.UserID("U" + name), Username: name, Nickname: name, Bot: true, BotOf: owner}
	if err := db.AddBot(t.Context(), p, owner, chat.MaxBots, 1); err != nil {
		t.Fatal(err)
	}
	return p
}

// What people are to a bot's owner counts for the bot: where it is asked at the door
// (Laws, BondsWith) and where it is committed.
func TestBotsStandWhereTheirOwnersDo(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 3)
		owner, peer, third := ps[0].ID, ps[1].ID, ps[2].ID
		bot, other := addBot(t, db, owner, "bot").ID, addBot(t, db, third, "other").ID
		only := false
		db.SetContactsOnly(func() bool { return only })
		block := func(by, whom chat.UserID) func(on bool) {
			return func(on bool) {
				if err := db.SetBlocked(t.Context(), by, whom, on, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		friends := func(x, y chat.UserID) func(on bool) {
			return func(on bool) {
				if !on {
					if err := db.Unfriend(t.Context(), x, y, 2); err != nil {
						t.Fatal(err)
					}
					return
				}
				if _, _, err := db.AskContact(t.Context(), chat.Request{From: x, To: y, At: 1}); err != nil {
					t.Fatal(err)
				}
				if _, err := db.AnswerContact(t.Context(), x, y, true, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		nothing := func(bool) {}
		refs := 0
		for _, c := range []struct {
			name  string
			set   func(on bool)
			only  bool
			x, y  chat.UserID // x writes to y, and y to x
			there chat.Code   // of the first
			back  chat.Code
		}{
			{"nobody has blocked anybody", nothing, false, bot, peer, "", ""},
			{"the peer has blocked the owner", block(peer, owner), false, bot, peer, chat.Blocked, chat.Blocked},
			{"the owner has blocked the peer", block(owner, peer), false, bot, peer, chat.Blocked, chat.Blocked},
			{"the peer has blocked the bot", block(peer, bot), false, bot, peer, chat.Blocked, chat.Blocked},
			{"the peer has blocked the bot alone", block(peer, bot), false, owner, peer, "", ""},
			{"the owner of one has blocked that of another", block(third, owner), false, bot, other, chat.Blocked, chat.Blocked},
			{"the owner has blocked another's bot", block(owner, other), false, bot, other, chat.Blocked, chat.Blocked},
			{"contacts only, and nobody is one", nothing, true, bot, peer, chat.NotContact, chat.NotContact},
			{"contacts only, and the owner is one", friends(owner, peer), true, bot, peer, "", ""},
			{"contacts only, and the bot alone is one", friends(peer, bot), true, bot, peer, chat.NotContact, chat.NotContact},
			{"contacts only, with the owner", nothing, true, bot, owner, "", ""},
		} {
			c.set(true)
			only = c.only
			conv := chat.Direct(c.x, c.y)
			l, err := db.Laws(t.Context(), conv)
			if err != nil {
				t.Fatal(err)
			}
			for author, want := range map[chat.UserID]chat.Code{c.x: c.there, c.y: c.back} {
				to, _ := conv.Peer(author)
				door := l.Of(author, true)
				door.Only = c.only
				if err := door.MayPost(conv, chat.Text, 1); !isRefused(err, want) {
					t.Errorf("%s: at the door %s writes to %s: %v, want %q", c.name, author, to, err, want)
				}
				refs++
				got := appendAll(t, db, text(author, conv, fmt.Sprint("r", refs), "x"))
				if !isRefused(got[0].Err, want) {
					t.Errorf("%s: stored %s writes to %s: %v, want %q", c.name, author, to, got[0].Err, want)
				}
				bonds, err := db.BondsWith(t.Context(), author, to)
				if err != nil {
					t.Fatal(err)
				}
				if err := bonds[to].MayAdd(c.only); !isRefused(err, want) {
					t.Errorf("%s: %s adds %s: %v, want %q", c.name, author, to, err, want)
				}
			}
			c.set(false)
		}
	})
}

// A bot acts, and is written to, only while its owner's account is enabled: also what
// was accepted before and is committed later.
func TestBotsOfWhoIsDisabledWriteNothing(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 3)
		owner, peer := ps[1].ID, ps[2].ID
		bot := addBot(t, db, owner, "bot").ID
		conv, err := s.MakeGroup(t.Context(), ps[0].ID, account.NewGroup{Name: "Few"})
		if err != nil {
			t.Fatal(err)
		}
		event := func(by chat.UserID, ref string, c chat.Change) chat.Draft {
			return chat.Draft{Conv: conv, Author: by, Ref: ref, Content: chat.Content{Kind: chat.Event, Event: &c}}
		}
		appendAll(t, db, event(ps[0].ID, "in", chat.Change{What: chat.Joined, Who: []chat.UserID{bot}}))
		for i, off := range []bool{false, true, false} {
			if err := db.SetDisabled(t.Context(), chat.Deed{What: chat.ActDisable, By: ps[0].ID}, owner, off); err != nil {
				t.Fatal(err)
			}
			d := chat.Direct(bot, peer)
			rs := appendAll(t, db, text(bot, d, fmt.Sprint("d", i), "x"), text(bot, conv, fmt.Sprint("g", i), "x"), text(peer, d, fmt.Sprint("p", i), "x"))
			wants := []chat.Code{"", "", ""}
			if off {
				wants = []chat.Code{chat.Forbidden, chat.Forbidden, chat.NotFound}
			}
			for j, want := range wants {
				if !isRefused(rs[j].Err, want) {
					t.Errorf("owner disabled %v: draft %d: %v, want %q", off, j, rs[j].Err, want)
				}
			}
		}
	})
}

// Who has blocked a bot's owner is not asked by its contacts either, and a person is
// told what they themselves have done with a bot, not its owner.
func TestBondsOfOnesOwnAreThoseOfTheRows(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, _, ps := club(t, dsn, 2)
		owner, peer := ps[0].ID, ps[1].ID
		bot := addBot(t, db, owner, "bot").ID
		if err := db.SetBlocked(t.Context(), peer, owner, true, 1); err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.AskContact(t.Context(), chat.Request{From: peer, To: bot, At: 1}); !isRefused(err, chat.Blocked) {
			t.Errorf("who has blocked the owner asks the bot: %v", err)
		}
		if err := db.SetBlocked(t.Context(), peer, owner, false, 2); err != nil {
			t.Fatal(err)
		}
		// They can be contacts also where only contacts write, though the owner is none.
		db.SetContactsOnly(func() bool { return true })
		for _, asks := range [][2]chat.UserID{{peer, bot}, {bot, peer}} {
			if _, _, err := db.AskContact(t.Context(), chat.Request{From: asks[0], To: asks[1], At: 3}); err != nil {
				t.Fatal(err)
			}
		}
		met := text(bot, chat.Direct(peer, bot), "met", "")
		met.Content = chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Befriend, Who: []chat.UserID{peer}}}
		if r := appendAll(t, db, met)[0]; r.Err != nil {
			t.Errorf("that they are contacts can't be said: %v", r.Err)
		}
		if err := db.Unfriend(t.Context(), peer, bot, 4); err != nil {
			t.Fatal(err)
		}
		met.Ref = "again"
		if r := appendAll(t, db, met)[0]; !isRefused(r.Err, chat.NotContact) {
			t.Errorf("that they are contacts is said of strangers: %v", r.Err)
		}
		if err := db.SetBlocked(t.Context(), peer, owner, true, 5); err != nil {
			t.Fatal(err)
		}
		own, err := db.OwnBond(t.Context(), peer, bot)
		if err != nil || own != (chat.Bond{}) {
			t.Errorf("the bot itself is %+v: %v", own, err)
		}
	})
}

func TestWhoIsBarredFromWhom(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		bot := chat.Person{ID: "Ubot", Username: "bot", Bot: true, BotOf: ann}
		if err := db.AddUser(t.Context(), bot, "", 1); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][2]chat.UserID{{ann, bob}, {cat, ann}, {dan, bot.ID}} {
			if err := db.SetBlocked(t.Context(), b[0], b[1], true, 1); err != nil {
				t.Fatal(err)
			}
		}
		for u, want := range map[chat.UserID][]chat.UserID{ann: {bob, cat}, bob: {ann}, cat: {ann}, dan: {bot.ID}, bot.ID: {bob, cat, dan}, "Unobody": nil} {
			got, err := db.Barred(t.Context(), u)
			slices.Sort(got)
			if slices.Sort(want); err != nil || !slices.Equal(got, want) {
				t.Errorf("barred from %s are %v, want %v: %v", u, got, want, err)
			}
		}
		if err := db.SetBlocked(t.Context(), ann, bob, false, 2); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Barred(t.Context(), bob); err != nil || len(got) > 0 {
			t.Errorf("barred from who is blocked no longer are %v: %v", got, err)
		}
	})
}

// A bot is no way around what was decided of its owner in a group.
func TestBotsAreHeldToWhatWasDecidedOfTheirOwners(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 3)
		owner, mine := ps[0], ps[1]
		bot, stays := addBot(t, db, mine.ID, "bot"), addBot(t, db, mine.ID, "stays")
		conv, err := s.MakeGroup(t.Context(), owner.ID, account.NewGroup{Name: "Few", Joining: chat.JoinDirect, Members: []chat.UserID{mine.ID, bot.ID, stays.ID}})
		if err != nil {
			t.Fatal(err)
		}
		change := changing(t, s, owner, conv)
		refs := 0
		say := func(when string, by chat.Person, want chat.Code) {
			t.Helper()
			refs++
			if got := appendAll(t, db, text(by.ID, conv, fmt.Sprint("r", refs), "x"))[0]; !isRefused(got.Err, want) {
				t.Errorf("%s: %s: %v, want %q", when, by.Username, got.Err, want)
			}
		}
		say("at first", bot, "")
		if _, err := s.ChangeGroup(t.Context(), owner, conv, chat.Change{What: chat.Hushed, Who: []chat.UserID{mine.ID}, Until: chat.Endless}, ""); err != nil {
			t.Fatal(err)
		}
		say("the owner is muted", bot, chat.Muted)
		change(chat.Heard, mine.ID)
		say("and may speak again", bot, "")
		slow := 3600
		if err := s.EditGroup(t.Context(), owner, conv, account.GroupEdit{Slow: &slow}); err != nil {
			t.Fatal(err)
		}
		say("the group is slow", bot, "")
		say("the bot has spoken", bot, chat.RateLimited)
		say("the bot has spoken", mine, chat.RateLimited)
		say("the bot has spoken", stays, chat.RateLimited)
		slow = 0
		if err := s.EditGroup(t.Context(), owner, conv, account.GroupEdit{Slow: &slow}); err != nil {
			t.Fatal(err)
		}
		// Whoever removes a person removes their bots; one that an administrator made one stays, and is silent.
		change(chat.Promoted, stays.ID)
		second := ps[2]
		if _, err := s.ChangeGroup(t.Context(), owner, conv, chat.Change{What: chat.Joined, Who: []chat.UserID{second.ID}}, ""); err != nil {
			t.Fatal(err)
		}
		change(chat.Promoted, second.ID)
		changing(t, s, second, conv)(chat.Left, mine.ID)
		seats, err := db.SeatsOf(t.Context(), conv, mine.ID, bot.ID, stays.ID)
		if err != nil || seats[mine.ID].In || seats[bot.ID].In || !seats[stays.ID].In {
			t.Errorf("after the removal: %+v, %v", seats, err)
		}
		say("removed", bot, chat.Forbidden)
		say("removed", stays, chat.Forbidden)
		change(chat.Joined, mine.ID)
		say("back", stays, "")
	})
}
