package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// sureKey is where a sign-in keeps until when its person need not prove again who
// they are, in Unix seconds.
const sureKey = "sure"

// sureFor is how long a proof counts.
const sureFor = 10 * time.Minute

// sureness is whether c is to prove once more who they are, and by what they can.
func (s *server) sureness(r *http.Request, c caller) page.Sure {
	if s.isSure(r) {
		return page.Sure{Said: true}
	}
	return s.unsure(r, c)
}

// unsure is sureness of an act before which it is asked each time.
func (s *server) unsure(r *http.Request, c caller) page.Sure {
	if s.keySite(r).Never() {
		return page.Sure{}
	}
	has, err := s.Accounts.HasPasskey(r.Context(), c.ID)
	if err != nil { // the password does all the same
		s.Log.Error("passkeys are not read", "user", c.ID, "err", err)
	}
	return page.Sure{Key: has}
}

// isSure reports whether c proved in this sign-in a moment ago who they are.
func (s *server) isSure(r *http.Request) bool {
	c, err := r.Cookie(loginCookie)
	if err != nil || c.Value == "" {
		return false
	}
	ctx, err := s.Sessions.Load(r.Context(), c.Value)
	return err == nil && time.Now().Unix() < s.Sessions.GetInt64(ctx, sureKey)
}

// proven answers nil where the form of r proves that it is c who sends it: by the
// field "password", or by what a passkey answered in "passkey". Tries are limited
// as those of signing in are.
func (s *server) proven(r *http.Request, c caller) error {
	if answer := r.PostFormValue("passkey"); answer != "" {
		var in ceremonyEnd
		if err := json.Unmarshal([]byte(answer), &in); err != nil {
			return badBody(err)
		}
		return s.Accounts.Prove(r.Context(), address(r), s.keySite(r), c.Person, c.login, in.State, in.Response)
	}
	return s.Accounts.Knows(r.Context(), address(r), c.Person, r.PostFormValue("password"))
}

// proofBegin begins to prove by a passkey who c is, for the script of a form.
func (s *server) proofBegin(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.Accounts.AdmitRequest(address(r))
	var in ceremony
	if err == nil {
		in.Options, in.State, err = s.Accounts.BeginProof(r.Context(), s.keySite(r), c.Person, c.login)
	}
	if err != nil {
		s.scriptProblem(w, r, err)
		return nil
	}
	answer(w, in)
	return nil
}

// sure lets c do what is not easily taken back: where it was proven a moment ago who
// they are, or is by the form, which then counts for ten minutes in this sign-in.
func (s *server) sure(r *http.Request, c caller) error {
	if s.isSure(r) {
		return nil
	}
	if err := s.proven(r, c); err != nil {
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
	if s.Sessions.GetString(ctx, userKey) == "" {
		return nil // a token for a cookie keeps nothing: it is asked each time
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
