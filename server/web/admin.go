package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// sureKey is where a sign-in keeps until when its person need not say the
// password again, in Unix seconds.
const sureKey = "sure"

// sureFor is how long a password that was said again counts.
const sureFor = 10 * time.Minute

func (s *server) adminRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /renew", s.signedIn(s.pageRenew))
	mux.HandleFunc("POST /renew", s.signedIn(s.pageRenewDo))
	if s.Admin == nil {
		return
	}
	s.adminPeopleRoutes(mux)
	if s.Board != nil {
		s.adminBoardRoutes(mux)
		if s.Board.Work != nil {
			s.adminJobRoutes(mux)
		}
	}
	mux.HandleFunc("GET /admin", s.admin(func(w http.ResponseWriter, r *http.Request, _ caller) error {
		http.Redirect(w, r, page.AdminHome(), http.StatusSeeOther)
		return nil
	}))
	mux.HandleFunc("/admin/", s.admin(func(http.ResponseWriter, *http.Request, caller) error { return errNoPage }))
}

// errNoPage is the answer to an address that leads nowhere.
var errNoPage = chat.Refuse(chat.NotFound, "there is no such page")

// admin makes a page of one that is for administrators, signed in with a browser.
// Whoever is not signed in is sent to sign in; everybody else is told what they
// would be told of an address that leads nowhere.
func (s *server) admin(h func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, c caller) error {
		if !c.Admin || bearer(r) != "" {
			return errNoPage
		}
		return h(w, r, c)
	})
}

// adminPage is what a page of the administration begins with. at is its entry
// in the navigation.
func (s *server) adminPage(w http.ResponseWriter, r *http.Request, c caller, at string) page.Admin {
	a := page.Admin{Common: s.common(w, r), Me: c.Person, At: at, Sure: s.isSure(r)}
	if s.Board != nil {
		if n, err := s.Board.OpenReports(r.Context()); err == nil { // else the page does without
			a.Waiting = map[string]int{atReports: n}
		}
	}
	return a
}

// isSure reports whether the password was said again in this sign-in a moment ago.
func (s *server) isSure(r *http.Request) bool {
	c, err := r.Cookie(loginCookie)
	if err != nil || c.Value == "" {
		return false
	}
	ctx, err := s.Sessions.Load(r.Context(), c.Value)
	return err == nil && time.Now().Unix() < s.Sessions.GetInt64(ctx, sureKey)
}

// sure lets c do what is not easily taken back: where the password was said again
// a moment ago, or is right in the field "password" of the form, which then counts
// for ten minutes in this sign-in. Tries are limited as those of signing in are.
func (s *server) sure(r *http.Request, c caller) error {
	if s.isSure(r) {
		return nil
	}
	if err := s.Accounts.Knows(r.Context(), address(r), c.Person, r.PostFormValue("password")); err != nil {
		return err
	}
	cookie, err := r.Cookie(loginCookie)
	if err != nil {
		return errSignedOut
	}
	ctx, err := s.Sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		return err
	}
	was, err := s.listed(r.Context(), c)
	if err != nil {
		return err
	}
	s.Sessions.Put(ctx, sureKey, time.Now().Add(sureFor).Unix())
	if _, _, err = s.Sessions.Commit(ctx); err != nil || !was {
		return err
	}
	// Who was signed out meanwhile from another device stays so: what is stored
	// above would let them in again.
	if is, err := s.listed(r.Context(), c); err != nil || is {
		return err
	}
	return errors.Join(s.Sessions.Destroy(ctx), errSignedOut)
}

// listed reports whether the sign-in that c came with is among c's devices.
func (s *server) listed(ctx context.Context, c caller) (bool, error) {
	ds, err := s.Accounts.Devices(ctx, c.ID)
	return slices.ContainsFunc(ds, func(d chat.SignIn) bool { return d.ID == c.login }), err
}
