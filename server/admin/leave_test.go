package admin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/admin"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// entries are what the log of a group says of changes, in short: who, what, whom.
func entries(t *testing.T, db *store.DB, conv chat.ConvID) string {
	t.Helper()
	p, err := db.After(t.Context(), conv, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, m := range p.Entries {
		if e := m.Content.Event; e != nil {
			said = append(said, fmt.Sprint(m.Author, " ", e.What, " ", e.Who))
		}
	}
	return strings.Join(said, ", ")
}

// groupsOfBob makes groups of all kinds that bob is in, and returns what their logs
// say once he is gone.
func groupsOfBob(t *testing.T, db *store.DB) map[chat.ConvID]string {
	t.Helper()
	const dan, eve, fay, bot = chat.UserID("Udan"), chat.UserID("Ueve"), chat.UserID("Ufay"), chat.UserID("Ubot")
	for _, u := range []chat.UserID{dan, eve, fay} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "h", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.AddBot(t.Context(), chat.Person{ID: bot, Username: "helper", Bot: true}, bob, 9, 1); err != nil {
		t.Fatal(err)
	}
	made := func(conv chat.ConvID, owner chat.UserID, members ...chat.UserID) {
		if err := db.CreateGroup(t.Context(), conv, string(conv), owner, append(members, owner), 1); err != nil {
			t.Fatal(err)
		}
	}
	change := func(conv chat.ConvID, by chat.UserID, c chat.Change) {
		rs, err := db.Append(t.Context(), []chat.Draft{{Conv: conv, Author: by, Ref: c.What + string(conv), Content: chat.Content{Kind: chat.Event, Event: &c}}})
		if err == nil {
			err = rs[0].Err
		}
		if err != nil {
			t.Fatal(conv, c, err)
		}
	}
	made("Gadmin", bob, ann, dan, eve)
	change("Gadmin", bob, chat.Change{What: chat.Promoted, Who: []chat.UserID{eve}})
	made("Gfirst", bob, eve, dan)
	made("Galone", bob)
	made("Gmember", ann, bob, dan)
	change("Gmember", ann, chat.Change{What: chat.Hushed, Who: []chat.UserID{bob}, Until: chat.Endless})
	made("Goff", bob, dan)
	change("Goff", ann, chat.Change{What: chat.Disabled})
	made("Gend", bob, dan)
	change("Gend", bob, chat.Change{What: chat.Ended})
	made("Gdisabled", bob, eve)
	change("Gdisabled", eve, chat.Change{What: chat.Left, Who: []chat.UserID{eve}})
	change("Gdisabled", bob, chat.Change{What: chat.Joined, Who: []chat.UserID{fay}})
	if err := db.SetDisabled(t.Context(), chat.Deed{What: chat.ActDisable, By: ann}, fay, true); err != nil {
		t.Fatal(err)
	}
	made("Gbot", bob, bot)
	made("Gtheirs", bot, dan, bob)
	return map[chat.ConvID]string{
		"Gadmin":    "Ubob promoted [Ueve], Ubob handed [Ueve], Ubob left [Ubob]",
		"Gfirst":    "Ubob handed [Udan], Ubob left [Ubob]",
		"Galone":    "Ubob dismissed [], Ubob left [Ubob]",
		"Gmember":   "Uann hushed [Ubob], Ubob left [Ubob]",
		"Goff":      "Uann disabled [], Ubob handed [Udan], Ubob left [Ubob]",
		"Gend":      "Ubob dismissed [], Ubob left [Ubob]",
		"Gdisabled": "Ueve left [Ueve], Ubob joined [Ufay], Ubob dismissed [], Ubob left [Ubob]",
		"Gbot":      "Ubob dismissed [], Ubob left [Ubob], Ubot left [Ubot]",
		"Gtheirs":   "Ubob left [Ubob], Ubot handed [Udan], Ubot left [Ubot]",
	}
}

// Whose account is deleted leaves their groups, by entries: what they owned passes to
// somebody who is there, or ends.
func TestWhoseAccountIsDeletedLeavesTheirGroups(t *testing.T) {
	for name, gone := range map[string]func(*admin.Service) error{
		"by an administrator": func(s *admin.Service) error { return second(s.Do(t.Context(), boss, chat.ActDelete, bob, false)) },
		"by themselves":       func(s *admin.Service) error { return s.Leave(t.Context(), admin.Who{ID: bob, Name: "bob"}, true) },
		"disabled before": func(s *admin.Service) error {
			return errors.Join(second(s.Do(t.Context(), boss, chat.ActDisable, bob, false)), second(s.Do(t.Context(), boss, chat.ActDelete, bob, false)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, db, _ := open(t)
			s.Entries = straight{db}
			want := groupsOfBob(t, db)
			if err := gone(s); err != nil {
				t.Fatal(err)
			}
			for conv, want := range want {
				if got := entries(t, db, conv); got != want {
					t.Errorf("%s says %q, want %q", conv, got, want)
				}
				ms, err := db.Members(t.Context(), conv)
				g, gerr := db.Group(t.Context(), conv)
				if err := errors.Join(err, gerr); err != nil {
					t.Fatal(err)
				}
				if g.Members != len(ms) || slices.ContainsFunc(ms, func(m chat.Marks) bool { return m.User == bob || m.User == "Ubot" }) {
					t.Errorf("%s has %v and says %d", conv, ms, g.Members)
				}
				if g.State != chat.Dismissed && !slices.ContainsFunc(ms, func(m chat.Marks) bool { return m.User == g.Owner }) {
					t.Errorf("%s is owned by %s, who is not in it", conv, g.Owner)
				}
			}
			if seats, err := db.SeatsOf(t.Context(), "Gmember", bob); err != nil || len(seats) != 0 {
				t.Errorf("of their mute there is %+v, %v", seats, err)
			}
			if us, err := db.Leaving(t.Context()); err != nil || len(us) != 0 {
				t.Errorf("%v are leaving still, %v", us, err)
			}
		})
	}
}

// moody is a log that fails so often.
type moody struct {
	straight
	mu    sync.Mutex
	fails int
}

func (m *moody) PostWait(ctx context.Context, d chat.Draft) (chat.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails--; m.fails >= 0 {
		return chat.Message{}, errors.New("the broker is away")
	}
	return m.straight.PostWait(ctx, d)
}

// Where it is interrupted, or done from a shell, a server goes on with it.
func TestWhoLeavesGroupsIsNotForgotten(t *testing.T) {
	s, db, _ := open(t)
	want := groupsOfBob(t, db)
	if _, err := s.Do(t.Context(), boss, chat.ActDelete, bob, false); err != nil { // as a shell does: nobody to tell
		t.Fatal(err)
	}
	if us, err := db.Leaving(t.Context()); err != nil || !slices.Equal(us, []chat.UserID{bob, "Ubot"}) {
		t.Errorf("%v are leaving, %v", us, err)
	}
	for _, fails := range []int{1, 3} {
		s.Entries = &moody{straight: straight{db}, fails: fails}
		if err := s.LeaveAll(t.Context()); err == nil {
			t.Error("it fails, and says that all are gone")
		}
	}
	// Of several nodes at once each may be the one.
	other := admin.New(s.Config)
	s.Entries, other.Entries = straight{db}, straight{db}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	wg.Go(func() { other.Run(ctx) })
	defer wg.Wait()
	defer stop()
	for us := []chat.UserID{bob}; len(us) > 0; time.Sleep(5 * time.Millisecond) {
		var err error
		if us, err = db.Leaving(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for conv, want := range want {
		// Who of the two was first does not matter.
		got, want := strings.Split(entries(t, db, conv), ", "), strings.Split(want, ", ")
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s says %q, want %q", conv, got, want)
		}
	}
}
