package account_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// under is a service whose policy is *p, over db.
func under(t *testing.T, db *store.DB, p *account.Policy) *account.Service {
	t.Helper()
	return service(t, func(c *account.Config) {
		c.Store, c.Policy = db, func() account.Policy { return *p }
	})
}

func TestRegistrationIsAsAdministratorsSaid(t *testing.T) {
	db, p := open(t), account.Policy{}
	if err := db.AddInvitation(t.Context(), chat.Deed{}, chat.Invitation{Code: "good"}); err != nil {
		t.Fatal(err)
	}
	s := under(t, db, &p)
	for i, c := range []struct {
		way  chat.Registration
		code string
		in   bool
	}{
		{chat.RegisterOpen, "", true}, {chat.RegisterOpen, "good", true}, {chat.RegisterOpen, "bad", true},
		{chat.RegisterInvite, "", false}, {chat.RegisterInvite, "bad", false}, {chat.RegisterInvite, "good", true},
		{chat.RegisterClosed, "", false}, {chat.RegisterClosed, "good", false},
		{"", "", false}, {"opne", "good", false},
	} {
		p.Registration = c.way
		may := s.MayRegister(t.Context(), c.code)
		_, err := s.Join(t.Context(), c.code, fmt.Sprint("user", i), "password1", "")
		for what, err := range map[string]error{"MayRegister": may, "Join": err} {
			if (err == nil) != c.in || err != nil && !errors.Is(err, &chat.Refusal{Code: chat.Forbidden}) {
				t.Errorf("%s, %q with code %q: %v, want in %v", what, c.way, c.code, err, c.in)
			}
		}
	}
	if i, err := db.Invitation(t.Context(), "good"); err != nil || i.Uses != 1 {
		t.Errorf("the invitation was used %d times, %v, want once: where it was needed", i.Uses, err)
	}
}

func TestAUsernameThatIsTakenUsesNoInvitation(t *testing.T) {
	db, p := open(t), account.Policy{Registration: chat.RegisterOpen}
	s := under(t, db, &p)
	register(t, s, "ann")
	if err := db.AddInvitation(t.Context(), chat.Deed{}, chat.Invitation{Code: "one", Most: 1}); err != nil {
		t.Fatal(err)
	}
	p.Registration = chat.RegisterInvite
	if _, err := s.Join(t.Context(), "one", "Ann", "password1", ""); !errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
		t.Errorf("a taken name: %v", err)
	}
	if _, err := s.Join(t.Context(), "one", "bob", "password1", ""); err != nil {
		t.Errorf("the next try: %v", err)
	}
}

func TestTwentyAtOnceOnALinkForThreeAreThree(t *testing.T) {
	db, p := open(t), account.Policy{Registration: chat.RegisterInvite}
	if err := db.AddInvitation(t.Context(), chat.Deed{}, chat.Invitation{Code: "three", Most: 3}); err != nil {
		t.Fatal(err)
	}
	s := under(t, db, &p)
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for i := range cap(errs) {
		wg.Go(func() {
			_, err := s.Join(t.Context(), "three", fmt.Sprint("user", i), "password1", "")
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	in := 0
	for err := range errs {
		switch {
		case err == nil:
			in++
		case !errors.Is(err, &chat.Refusal{Code: chat.Forbidden}):
			t.Error(err)
		}
	}
	if in != 3 {
		t.Errorf("%d came in, want 3", in)
	}
}

func TestGroupsAreAsLargeAsAdministratorsSaid(t *testing.T) {
	p := account.Policy{Registration: chat.RegisterOpen, MaxGroup: 2}
	s := under(t, open(t), &p)
	ann, bob, eve := register(t, s, "ann"), register(t, s, "bob"), register(t, s, "eve")
	if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "two", Members: []chat.UserID{bob.ID}}); err != nil {
		t.Errorf("a group of two: %v", err)
	}
	if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "three", Members: []chat.UserID{bob.ID, eve.ID}}); !errors.Is(err, &chat.Refusal{Code: chat.TooLong}) {
		t.Errorf("a group of three: %v", err)
	}
}
