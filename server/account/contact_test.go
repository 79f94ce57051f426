package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// A teller is a poster that remembers what it was to tell.
type teller struct {
	db   *store.DB
	told []string
}

func (p *teller) PostWait(ctx context.Context, d chat.Draft) (chat.Message, error) {
	rs, err := p.db.Append(ctx, []chat.Draft{d})
	if err != nil {
		return chat.Message{}, err
	}
	p.told = append(p.told, "post")
	return rs[0].Message, rs[0].Err
}

func (p *teller) Renew(_ context.Context, conv chat.ConvID, to ...chat.UserID) error {
	p.told = append(p.told, "renew")
	return nil
}

func (p *teller) Unsee(_ context.Context, _ chat.UserID, unseen bool) error {
	p.told = append(p.told, fmt.Sprint("unseen ", unseen))
	return nil
}

func (p *teller) Here(_ context.Context, _ chat.UserID, us ...chat.UserID) []chat.UserID { return us }

// acquainted returns a service, and two people who are to each other what relation
// says: me does things, peer is the other.
func acquainted(t *testing.T, relation string) (s *account.Service, db *store.DB, tell *teller, me, peer chat.UserID) {
	t.Helper()
	db = open(t)
	tell = &teller{db: db}
	s = account.New(account.Config{Store: db, IDs: chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() }), Poster: tell, Cheap: true, Limits: account.NoLimits})
	var ids []chat.UserID
	for _, name := range []string{"me", "peer"} {
		p, err := s.Register(t.Context(), name, "password1", "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	me, peer = ids[0], ids[1]
	ctx := t.Context()
	var err error
	switch relation {
	case "stranger":
	case "asked":
		_, err = s.AskContact(ctx, me, peer, "hello")
	case "asks":
		_, err = s.AskContact(ctx, peer, me, "hello")
	case "refused":
		_, err = s.AskContact(ctx, me, peer, "hello")
		err = errors.Join(err, s.RefuseContact(ctx, peer, me))
	case "contact", "contact blocked":
		_, err = s.AskContact(ctx, me, peer, "hello")
		err = errors.Join(err, s.AcceptContact(ctx, peer, me))
		if relation == "contact blocked" {
			err = errors.Join(err, s.Block(ctx, me, peer, true))
		}
	case "blocking":
		err = s.Block(ctx, me, peer, true)
	case "blocked":
		err = s.Block(ctx, peer, me, true)
	case "disabled":
		err = db.SetDisabled(ctx, chat.Deed{What: chat.ActDisable, By: me}, peer, true)
	case "self":
		peer = me
	case "nobody":
		peer = "Unobody"
	}
	if err != nil {
		t.Fatal(err)
	}
	tell.told = nil
	return s, db, tell, me, peer
}

// Every act with a person in every relation: what is answered, and what the two
// are to each other then: c contacts, b blocking, B blocked, > asked, < asks.
func TestEveryActInEveryRelation(t *testing.T) {
	relations := []string{"stranger", "asked", "asks", "refused", "contact", "contact blocked", "blocking", "blocked", "disabled", "self", "nobody"}
	const (
		ok  = chat.Code("")
		non = chat.NotFound
		blk = chat.Blocked
		inv = chat.Invalid
	)
	for act, want := range map[string][]struct {
		code  chat.Code
		after string
	}{
		"ask":     {{ok, ">"}, {ok, ">"}, {ok, "c"}, {ok, ">"}, {chat.Taken, "c"}, {chat.Taken, "cb"}, {blk, "b"}, {blk, "B"}, {non, ""}, {inv, ""}, {non, ""}},
		"accept":  {{non, ""}, {non, ">"}, {ok, "c"}, {non, ">"}, {non, "c"}, {non, "cb"}, {non, "b"}, {non, "B"}, {non, ""}, {inv, ""}, {non, ""}},
		"refuse":  {{non, ""}, {non, ">"}, {ok, ""}, {non, ">"}, {non, "c"}, {non, "cb"}, {non, "b"}, {non, "B"}, {non, ""}, {inv, ""}, {non, ""}},
		"end":     {{ok, ""}, {ok, ">"}, {ok, "<"}, {ok, ">"}, {ok, ""}, {ok, "b"}, {ok, "b"}, {ok, "B"}, {ok, ""}, {inv, ""}, {non, ""}},
		"block":   {{ok, "b"}, {ok, "b>"}, {ok, "b"}, {ok, "b>"}, {ok, "cb"}, {ok, "cb"}, {ok, "b"}, {ok, "bB"}, {ok, "b"}, {inv, ""}, {non, ""}},
		"unblock": {{ok, ""}, {ok, ">"}, {ok, "<"}, {ok, ">"}, {ok, "c"}, {ok, "c"}, {ok, ""}, {ok, "B"}, {ok, ""}, {inv, ""}, {non, ""}},
	} {
		for i, relation := range relations {
			t.Run(act+" "+relation, func(t *testing.T) {
				s, db, tell, me, peer := acquainted(t, relation)
				ctx := t.Context()
				do := map[string]func() error{
					"ask":     func() error { _, err := s.AskContact(ctx, me, peer, "hello again"); return err },
					"accept":  func() error { return s.AcceptContact(ctx, me, peer) },
					"refuse":  func() error { return s.RefuseContact(ctx, me, peer) },
					"end":     func() error { return s.EndContact(ctx, me, peer) },
					"block":   func() error { return s.Block(ctx, me, peer, true) },
					"unblock": func() error { return s.Block(ctx, me, peer, false) },
				}[act]
				w := want[i]
				err := do()
				code := chat.Code("")
				if err != nil {
					code = chat.AsRefusal(err).Code
				}
				if code != w.code {
					t.Errorf("%v, want %q", err, w.code)
				}
				if relation == "self" || relation == "nobody" {
					return
				}
				l, err := db.Laws(ctx, chat.Direct(me, peer))
				if err != nil {
					t.Fatal(err)
				}
				mine, theirs, err := db.RequestsWith(ctx, me, peer)
				if err != nil {
					t.Fatal(err)
				}
				after, b := "", l.Bonds[me]
				for mark, is := range map[string]bool{"c": b.Contacts, "b": b.Blocking, "B": b.Blocked, ">": mine != nil, "<": theirs != nil} {
					if is {
						after += mark
					}
				}
				if !sameMarks(after, w.after) {
					t.Errorf("they are %q to each other, want %q", after, w.after)
				}
				// Whatever changes a bond is told to all nodes; refusing changes none.
				if changed := code == "" && act != "refuse" && !(act == "ask" && w.after == ">"); changed != (len(tell.told) > 0) {
					t.Errorf("told was %v, want %v", tell.told, changed)
				}
				// Again: the same, and nothing more.
				posts := strings.Count(strings.Join(tell.told, " "), "post")
				err = do()
				if act == "ask" && after == "c" {
					if !errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
						t.Errorf("again: %v", err)
					}
				} else if (err == nil) != (code == "") {
					t.Errorf("again: %v", err)
				}
				page, err := db.Before(ctx, chat.Direct(me, peer), 0, 10)
				if n := len(page.Entries); err != nil && !errors.Is(err, chat.ErrNotFound) || n > 1 || posts == 1 && n != 1 {
					t.Errorf("%d entries tell of it: %v", n, err)
				}
			})
		}
	}
}

func sameMarks(a, b string) bool {
	for _, m := range a + b {
		if strings.Count(a, string(m)) != strings.Count(b, string(m)) {
			return false
		}
	}
	return true
}

// What somebody is shown of another follows from what the two are to each other.
func TestCardTellsWhatItMay(t *testing.T) {
	for relation, want := range map[string]string{
		"stranger": "sig online", "asked": "sig online asked", "asks": "sig online waits", "refused": "sig online asked", "contact": "sig online contact",
		"blocking": "sig blocking", "blocked": "", "self": "sig phone",
	} {
		t.Run(relation, func(t *testing.T) {
			s, db, _, me, peer := acquainted(t, relation)
			ctx := t.Context()
			p := chat.Profile{Signature: "hi", Email: "p@example.org", Phone: "+4912345"}
			show := func(want string) {
				t.Helper()
				c, err := s.Card(ctx, me, peer)
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				for _, f := range []struct {
					name string
					is   bool
				}{
					{"sig", c.Profile.Signature != ""}, {"phone", c.Profile.Phone != "" || c.Profile.Email != ""}, {"online", c.Online && c.SeenAt == 7}, {"asked", c.Asked}, {"waits", c.Waiting && c.Asks == "hello"},
					{"contact", c.Bond.Contacts}, {"blocking", c.Bond.Blocking}, {"blocked", c.Bond.Blocked},
				} {
					if f.is {
						got += f.name + " "
					}
				}
				if got = strings.TrimSpace(got); got != want {
					t.Errorf("shown is %q, want %q", got, want)
				}
			}
			if err := db.SaveProfile(ctx, peer, "P", "", p, 1); err != nil {
				t.Fatal(err)
			}
			if err := db.Saw(ctx, 7, peer); err != nil {
				t.Fatal(err)
			}
			show(want)
			// Unseen, by either of the two: that alone is not told.
			p.Unseen = true
			if err := db.SaveProfile(ctx, peer, "P", "", p, 1); err != nil {
				t.Fatal(err)
			}
			show(strings.Join(strings.Fields(strings.Replace(want, "online", "", 1)), " "))
			p.Unseen = false
			if err := errors.Join(db.SaveProfile(ctx, peer, "P", "", p, 1), db.SaveProfile(ctx, me, "M", "", chat.Profile{Signature: p.Signature, Phone: p.Phone, Unseen: true}, 1)); err != nil {
				t.Fatal(err)
			}
			show(strings.Join(strings.Fields(strings.Replace(want, "online", "", 1)), " "))
		})
	}
}

func TestAskingAndSearchingAreLimited(t *testing.T) {
	db := open(t)
	now := time.Now()
	limits := account.NoLimits
	limits.Ask, limits.AskBurst, limits.Find, limits.FindBurst = 1, 3, 1, 2
	s := account.New(account.Config{Store: db, IDs: chat.NewIDs(0, func() int64 { return 0 }), Poster: &teller{db: db}, Cheap: true, Limits: limits, Now: func() time.Time { return now }})
	var ids []chat.UserID
	for i := range 3 {
		p, err := s.Register(t.Context(), fmt.Sprint("person", i), "password1", "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	tries := func(f func() error) (n int) {
		for range 10 {
			if err := f(); err == nil || errors.Is(err, chat.ErrNotFound) {
				n++
			} else if !errors.Is(err, &chat.Refusal{Code: chat.RateLimited}) {
				t.Fatal(err)
			}
		}
		return n
	}
	ask := func(by chat.UserID) func() error {
		return func() error { _, err := s.AskContact(t.Context(), by, ids[2], "x"); return err }
	}
	find := func(by chat.UserID) func() error {
		return func() error { _, err := s.Search(t.Context(), by, "person"); return err }
	}
	if n, m, o := tries(ask(ids[0])), tries(ask(ids[1])), tries(find(ids[0])); n != 3 || m != 3 || o != 2 {
		t.Errorf("%d and %d requests and %d searches, want 3, 3 and 2", n, m, o)
	}
	now = now.Add(time.Second)
	if n, m := tries(ask(ids[0])), tries(find(ids[0])); n != 1 || m != 1 {
		t.Errorf("a second later %d requests and %d searches, want one each", n, m)
	}
	look := func(by, at chat.UserID) func() error {
		return func() error { _, err := s.Card(t.Context(), by, at); return err }
	}
	if n, m, o := tries(look(ids[2], "Unobody")), tries(look(ids[2], ids[2])), tries(look(ids[2], ids[0])); n != 2 || m != 10 || o != 10 {
		t.Errorf("%d looks at nobody, %d at oneself and %d at who has asked, want 2, and ten each", n, m, o)
	}
	now = now.Add(10 * time.Second)
	if n, m := tries(look(ids[0], ids[1])), tries(find(ids[0])); n != 2 || m != 0 {
		t.Errorf("%d looks at a stranger and %d searches, want 2 and then none", n, m)
	}
	var none rate.Limit
	if d := account.DefaultLimits; d.Ask == none || d.Find == none {
		t.Error("there is no limit where nothing is said of it")
	}
}
