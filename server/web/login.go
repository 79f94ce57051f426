package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kamachat/server/account"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// loginCookie holds the token of a browser's sign-in.
const loginCookie = "kamachat_login"

// userKey is where a sign-in keeps whose it is.
const userKey = "user"

var errSignedOut = chat.Refuse(chat.SignedOut, "not signed in")

// A caller is who makes a request.
type caller struct {
	chat.Person
	login  string    // what CloseLogin knows the login by
	proof  string    // and the store
	until  time.Time // when it ends; zero: only by sign-out
	scopes []string  // all that a bot's token may do; none: what the person may
}

// signIn is the sign-in that the caller has come with.
func (c caller) signIn() chat.SignIn { return chat.SignIn{ID: c.login, Hash: c.proof, User: c.ID} }

// anyScope is the scope of what every token may do.
const anyScope = "any"

// may says that the caller's token does not reach as far as scope. An empty
// scope is for people alone: no token that is bound to scopes has it.
func (c caller) may(scope string) error {
	switch {
	case len(c.scopes) == 0 || scope == anyScope || scope != "" && slices.Contains(c.scopes, scope):
		return nil
	case scope == "":
		return chat.Refuse(chat.Forbidden, "this is not for tokens that are bound to scopes")
	}
	return chat.Refuse(chat.Forbidden, "the token lacks the scope "+scope)
}

// caller tells who makes the request, who must be free to do all that they may:
// what is open to bots asks callerFor.
func (s *server) caller(r *http.Request) (caller, error) { return s.callerFor(r, "") }

// callerFor tells who makes the request, and that their token reaches as far as scope.
func (s *server) callerFor(r *http.Request, scope string) (caller, error) {
	c, err := s.anyCaller(r)
	if err == nil {
		err = c.may(scope)
	}
	return c, err
}

// anyCaller tells who makes the request: by bearer token, or by cookie. The error
// is chat.SignedOut when it is nobody.
func (s *server) anyCaller(r *http.Request) (caller, error) {
	if t := bearer(r); t != "" {
		return s.byToken(r, t)
	}
	c, err := r.Cookie(loginCookie)
	if err != nil || c.Value == "" {
		return caller{}, errSignedOut
	}
	ctx, err := s.Sessions.Load(r.Context(), c.Value)
	if err != nil {
		return caller{}, err
	}
	id := s.Sessions.GetString(ctx, userKey)
	if id == "" {
		return s.byTokenCookie(r, c.Value)
	}
	p, err := s.Accounts.Person(r.Context(), chat.UserID(id))
	if errors.Is(err, chat.ErrNotFound) || p.Disabled {
		return caller{}, errSignedOut
	}
	if err == nil {
		err = renewing(r, p)
	}
	if err != nil {
		return caller{}, err
	}
	who := caller{Person: p, login: account.LoginID(c.Value), proof: account.StoredLogin(c.Value), until: s.Sessions.Deadline(ctx)}
	s.saw(r, who, chat.Browser)
	return who, nil
}

// byTokenCookie tells who makes a request with a bearer token for a cookie, as the
// API's sign-in gives it: one sign-in, by whichever it is shown.
func (s *server) byTokenCookie(r *http.Request, token string) (caller, error) {
	c, err := s.byToken(r, token)
	if err == nil && len(c.scopes) > 0 {
		return caller{}, errSignedOut
	}
	return c, err
}

// admit counts a request that changes something, or says that the caller has
// made too many.
func (s *server) admit(r *http.Request, c caller) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	err := s.Accounts.AdmitChange(c.ID)
	if r.Pattern == postRoute {
		s.countPost(err)
	}
	return err
}

// socketCaller is caller for sockets, whose browsers can't set headers: they
// may give the bearer token in the address.
func (s *server) socketCaller(r *http.Request) (caller, error) {
	if t := r.URL.Query().Get("token"); t != "" && bearer(r) == "" {
		c, err := s.byToken(r, t)
		if err == nil {
			err = c.may("")
		}
		return c, err
	}
	return s.caller(r)
}

func (s *server) byToken(r *http.Request, token string) (caller, error) {
	p, scopes, err := s.Accounts.UserByToken(r.Context(), token)
	if err == nil {
		err = renewing(r, p)
	}
	who := caller{Person: p, scopes: scopes, login: account.LoginID(token), proof: account.StoredLogin(token)}
	if err == nil && len(scopes) == 0 {
		s.saw(r, who, chat.Program)
	}
	return who, err
}

// saw notes that a sign-in was used.
func (s *server) saw(r *http.Request, c caller, kind string) {
	d := c.signIn()
	d.Kind, d.Agent, d.Addr = kind, account.Agent(r.UserAgent()), address(r)
	s.Accounts.Saw(d)
}

func bearer(r *http.Request) string {
	scheme, t, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(t)
}

// signIn starts a browser's sign-in, always with a fresh token, and ends the
// one before.
func (s *server) signIn(w http.ResponseWriter, r *http.Request, p chat.Person) error {
	if err := s.endCookie(r); err != nil {
		return err
	}
	ctx, err := s.Sessions.Load(r.Context(), "")
	if err != nil {
		return err
	}
	s.Sessions.Put(ctx, userKey, string(p.ID))
	token, expiry, err := s.Sessions.Commit(ctx)
	if err != nil {
		return err
	}
	if err := s.Accounts.NoteSignIn(r.Context(), p.ID, token, chat.Browser, r.UserAgent(), address(r)); err != nil {
		return err
	}
	setLoginCookie(w, r, token, expiry)
	return nil
}

// signOut ends every login that the request came with, cookie and bearer
// token, and closes their sockets. The browser is told to remove all that its
// pages kept here, and the service worker with it.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	if t := bearer(r); t != "" {
		if err := s.endToken(r, t); err != nil {
			return err
		}
	}
	setLoginCookie(w, r, "", time.Unix(0, 0))
	if err := s.endCookie(r); err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"storage"`)
	return nil
}

// endToken ends the sign-in of a bearer token, if it is one, and closes its sockets.
func (s *server) endToken(r *http.Request, token string) error {
	c, err := s.byToken(r, token)
	if err != nil {
		return nil
	}
	err = s.Accounts.RevokeToken(r.Context(), token)
	return errors.Join(err, s.closeLogin(r.Context(), c.ID, c.login))
}

// signedOut is the reason of wire.Bye with which sign-out closes sockets.
const signedOut = wire.ByeSignedOut

// endCookie ends the browser's sign-in, if there is one, and closes its sockets.
func (s *server) endCookie(r *http.Request) error {
	c, err := r.Cookie(loginCookie)
	if err != nil || c.Value == "" {
		return nil
	}
	ctx, err := s.Sessions.Load(r.Context(), c.Value)
	if err != nil {
		return err
	}
	id := s.Sessions.GetString(ctx, userKey)
	if id == "" {
		return s.endToken(r, c.Value)
	}
	if err := s.Sessions.Destroy(ctx); err != nil {
		return err
	}
	return s.closeLogin(r.Context(), chat.UserID(id), account.LoginID(c.Value))
}

func setLoginCookie(w http.ResponseWriter, r *http.Request, token string, expiry time.Time) {
	c := &http.Cookie{
		Name: loginCookie, Value: token, Path: "/", Expires: expiry,
		HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
	w.Header().Set("Cache-Control", "no-store")
}

// overTLS reports whether the browser came by https, here or at a proxy.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
