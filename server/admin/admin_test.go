package admin_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/admin"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain keeps passwords as they are.
type plain struct{}

func (plain) Hash(_ context.Context, password string) (string, error) {
	return "hash of " + password, nil
}

// sockets remembers whose sockets were closed, and fails where it was told to.
type sockets struct {
	mu     sync.Mutex
	closed []chat.UserID
	fail   error
}

func (s *sockets) CloseUser(ctx context.Context, u chat.UserID, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed = append(s.closed, u); reason != wire.ByeSignedOut || ctx.Err() != nil {
		return errors.New("not as a sign-out")
	}
	return s.fail
}

const ann, bob, cat = chat.UserID("Uann"), chat.UserID("Ubob"), chat.UserID("Ucat")

var boss = admin.Who{ID: ann, Name: "ann", Addr: "192.0.2.1"}

func open(t *testing.T) (*admin.Service, *store.DB, *sockets) {
	t.Helper()
	db := storetest.Open(t, storetest.Lite(t), store.Options{})
	for u, name := range map[chat.UserID]string{ann: "ann", bob: "bob", cat: "cat"} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: name, Nickname: name, Admin: u == ann, Disabled: u == cat}, "h", 1); err != nil {
			t.Fatal(err)
		}
	}
	s := &sockets{}
	return admin.New(admin.Config{Store: db, Passwords: plain{}, Sockets: s}), db, s
}

// code is the code of a refusal, "" for nil.
func code(err error) chat.Code {
	if err == nil {
		return ""
	}
	return chat.AsRefusal(err).Code
}

func second[T any](_ T, err error) error { return err }

// What the preview says will not be done is not done, and the other way round.
func TestThePreviewSaysWhatComesOfIt(t *testing.T) {
	for _, act := range admin.PersonActs() {
		t.Run(act, func(t *testing.T) {
			s, db, _ := open(t)
			if act == chat.ActRemoveAdmin { // two more, since the last one stays, which only doing it tells
				for _, err := range []error{second(s.Do(t.Context(), boss, chat.ActMakeAdmin, bob, false)), second(s.Do(t.Context(), boss, chat.ActEnable, cat, false)),
					second(s.Do(t.Context(), boss, chat.ActMakeAdmin, cat, false)), db.AddUser(t.Context(), chat.Person{ID: "Udan", Username: "dan", Admin: true}, "h", 1)} {
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			cases, err := s.Preview(t.Context(), boss, act, []chat.UserID{cat, bob, ann, bob, "Unobody"})
			if err != nil || len(cases) != 3 || cases[0].ID != cat {
				t.Fatalf("%+v %v", cases, err)
			}
			for _, c := range cases {
				_, err := s.Do(t.Context(), boss, act, c.ID, false)
				if (err == nil) != (c.Why == nil) {
					t.Errorf("%s: said %v, got %v", c.ID, c.Why, err)
				}
			}
		})
	}
	s, _, _ := open(t)
	for name, f := range map[string]func() error{
		"unknown act":       func() error { _, err := s.Preview(t.Context(), boss, "hug", nil); return err },
		"unknown act, done": func() error { _, err := s.Do(t.Context(), boss, "hug", bob, false); return err },
		"of a group":        func() error { _, err := s.Do(t.Context(), boss, chat.ActDismissGroup, bob, false); return err },
		"group act":         func() error { return s.DoGroup(t.Context(), boss, chat.ActDelete, "Gone") },
	} {
		if err := f(); code(err) != chat.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatEndsSignInsClosesSockets(t *testing.T) {
	s, _, socks := open(t)
	socks.fail = errors.New("the other nodes are away") // is logged: they look rights up
	for _, act := range []string{chat.ActDisable, chat.ActEnable, chat.ActReset, chat.ActMakeAdmin, chat.ActRemoveAdmin, chat.ActDelete} {
		ctx, cancel := context.WithCancel(t.Context())
		password, err := s.Do(ctx, boss, act, bob, false)
		cancel()
		if err != nil || (password != "") != (act == chat.ActReset) {
			t.Errorf("%s: %q %v", act, password, err)
		}
	}
	if !slices.Equal(socks.closed, []chat.UserID{bob, bob, bob}) {
		t.Errorf("closed: %v", socks.closed)
	}
}

func TestPasswordsAreByChance(t *testing.T) {
	s, db, _ := open(t)
	seen := map[string]bool{}
	for range 50 {
		p, err := s.Do(t.Context(), boss, chat.ActReset, bob, false)
		if err != nil || len(p) != 17 || seen[p] {
			t.Fatalf("%q %v", p, err)
		}
		seen[p] = true
		if _, hash, err := db.UserByName(t.Context(), "bob"); err != nil || hash != "hash of "+p {
			t.Fatalf("%q is stored: %v", hash, err)
		}
	}
}

func TestRunErasesWhatIsWished(t *testing.T) {
	s, db, _ := open(t)
	conv := chat.Direct(ann, bob)
	if _, err := db.Append(t.Context(), []chat.Draft{{Conv: conv, Author: bob, Ref: "1", Content: chat.TextContent("secret")}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	defer wg.Wait()
	defer stop()
	if _, err := s.Do(t.Context(), boss, chat.ActDelete, bob, true); err != nil {
		t.Fatal(err)
	}
	for {
		ds, _, err := s.Deeds(t.Context(), chat.DeedAsk{What: chat.ActErased})
		if err != nil {
			t.Fatal(err)
		}
		if len(ds) > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	p, err := db.Before(t.Context(), conv, 0, 10)
	if err != nil || len(p.Entries) != 1 || p.Entries[0].Content.Kind != chat.Gone {
		t.Errorf("%+v %v", p.Entries, err)
	}
}

// straight commits at once, as a hub does.
type straight struct{ db *store.DB }

func (s straight) PostWait(ctx context.Context, d chat.Draft) (chat.Message, error) {
	rs, err := s.db.Append(ctx, []chat.Draft{d})
	if err != nil {
		return chat.Message{}, err
	}
	return rs[0].Message, rs[0].Err
}

// What is done to a group stands in its log, where its members find it.
func TestGroupsSayWhatWasDoneToThem(t *testing.T) {
	s, db, _ := open(t)
	s.Entries = straight{db}
	if err := db.CreateGroup(t.Context(), "Gx", "x", bob, []chat.UserID{bob}, 1); err != nil {
		t.Fatal(err)
	}
	for _, act := range []string{chat.ActDisableGroup, chat.ActEnableGroup, chat.ActDismissGroup} {
		if err := s.DoGroup(t.Context(), boss, act, "Gx"); err != nil {
			t.Fatal(act, err)
		}
	}
	p, err := db.After(t.Context(), "Gx", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, m := range p.Entries {
		if m.Author != ann || m.Content.Event == nil {
			t.Fatalf("an entry is %+v", m)
		}
		said = append(said, m.Content.Event.What)
	}
	if want := []string{chat.Disabled, chat.Enabled, chat.Ended}; !slices.Equal(said, want) {
		t.Errorf("the log says %v, want %v", said, want)
	}
	l, err := db.Laws(t.Context(), "Gx")
	if err != nil || l.Group.State != chat.Dismissed {
		t.Errorf("the group is %+v, %v", l.Group, err)
	}
}
