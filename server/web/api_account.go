package web

import (
	"context"
	"time"

	"kamachat/shared/chat"
)

func (a *api) accountRoutes() {
	route(a, operation{
		Method: "POST", Path: "/api/v1/register", ID: "register", Tag: "Signing in", Open: true,
		Summary: "Make an account and sign in",
		About:   "Also sets the cookie of browsers. Where an invitation is needed, `invite` has its code.",
	}, a.apiRegister)
	route(a, operation{
		Method: "POST", Path: "/api/v1/login", ID: "login", Tag: "Signing in", Open: true,
		Summary: "Sign in",
		About:   "Also sets the cookie of browsers. The problem `second_factor` has a `ticket`, which is good for five minutes: send it to `/api/v1/login/factor`.",
	}, a.apiLogin)
	route(a, operation{
		Method: "POST", Path: "/api/v1/login/factor", ID: "loginFactor", Tag: "Signing in", Open: true,
		Summary: "Show a second factor, to sign in",
		About:   "Each code works once.",
	}, a.apiLoginFactor)
	route(a, operation{
		Method: "POST", Path: "/api/v1/login/code", ID: "askCode", Tag: "Signing in", Open: true,
		Summary: "Have a code sent to a phone",
		About:   "The answer is the same whether anybody has that phone or not. Where the server sends no codes it is `not_found`.",
	}, a.apiAskCode)
	route(a, operation{
		Method: "POST", Path: "/api/v1/login/phone", ID: "loginPhone", Tag: "Signing in", Open: true,
		Summary: "Sign in with a code that was sent to a phone",
		About:   "It works once, for five minutes and five tries.",
	}, a.apiLoginCode)
	route(a, operation{
		Method: "POST", Path: "/api/v1/logout", ID: "logout", Tag: "Signing in", Open: true,
		Summary: "End the login that the request comes with",
		About:   "Its sockets are closed. A login that has ended already is fine.",
	}, a.apiLogout)
	route(a, operation{
		Method: "GET", Path: "/api/v1/me", ID: "getMe", Tag: "Signing in", Scope: anyScope,
		Summary: "Who one is",
	}, a.apiMe)
}

// credentials are what a person types to sign in.
type credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// A registration is what a person types to register.
type registration struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Nickname string `json:"nickname,omitempty" doc:"What others call one; the username where it is empty"`
	Invite   string `json:"invite,omitempty" doc:"Code of an invitation, where one is needed"`
}

// An entered is who came in, and a token to come again.
type entered struct {
	User  chat.Person `json:"user"`
	Token string      `json:"token" doc:"For the header Authorization: Bearer …"`
}

func (s *server) apiRegister(ctx context.Context, _ caller, in *struct{ Body registration }) (entered, error) {
	if err := s.Accounts.Admit(ctx, address(exchangeOf(ctx).r)); err != nil {
		return entered{}, err
	}
	b := in.Body
	p, err := s.Accounts.Join(ctx, b.Invite, b.Username, b.Password, b.Nickname)
	return s.apiEntered(ctx, p, err)
}

func (s *server) apiLogin(ctx context.Context, _ caller, in *struct{ Body credentials }) (entered, error) {
	p, err := s.Accounts.SignIn(ctx, address(exchangeOf(ctx).r), in.Body.Username, in.Body.Password)
	return s.apiEntered(ctx, p, err)
}

// apiEntered lets p in, unless err says no, with a bearer token and a cookie.
func (s *server) apiEntered(ctx context.Context, p chat.Person, err error) (entered, error) {
	if err != nil {
		return entered{}, err
	}
	token, err := s.Accounts.IssueToken(ctx, p.ID)
	if err != nil {
		return entered{}, err
	}
	x := exchangeOf(ctx)
	if err := s.Accounts.NoteSignIn(ctx, p.ID, token, chat.Program, x.r.UserAgent(), address(x.r)); err != nil {
		return entered{}, err
	}
	if err := s.endCookie(x.r); err != nil {
		return entered{}, err
	}
	setLoginCookie(x.w, x.r, token, time.Now().Add(s.Sessions.Lifetime))
	return entered{p, token}, nil
}

func (s *server) apiLogout(ctx context.Context, _ caller, _ *struct{}) (none, error) {
	x := exchangeOf(ctx)
	return none{}, s.signOut(x.w, x.r)
}

type userAnswer struct {
	User chat.Person `json:"user"`
}

func (s *server) apiMe(_ context.Context, c caller, _ *struct{}) (userAnswer, error) {
	return userAnswer{c.Person}, nil
}

// orEmpty makes JSON say [] rather than null.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
