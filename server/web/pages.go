package web

import (
	"context"
	"io"
	"net/http"

	"kamachat/shared/chat"
)

// A Component is something that can be drawn, as templ makes them.
type Component interface {
	Render(ctx context.Context, w io.Writer) error
}

// Pages draw. They get plain values and decide nothing.
type Pages struct {
	SignIn   func(SignInPage) Component
	Register func(RegisterPage) Component
	Chat     func(ChatPage) Component // without Me it is the user-neutral shell
	New      func(NewPage) Component
	Error    func(ErrorPage) Component
}

// Common is what every page gets.
type Common struct {
	Lang  string                   // "en" or "zh"
	Build string                   // of this program
	Asset func(name string) string // the address of a static file
}

// What each page gets besides.
type (
	// SignInPage is the form to sign in.
	SignInPage struct {
		Common
		Next     string // where to go then
		Username string
		Problem  *chat.Refusal // of the try before, or nil
	}
	// RegisterPage is the form to register, and with a SetupKey to create the administrator.
	RegisterPage struct {
		Common
		Next, Username, Nickname, SetupKey string
		Problem                            *chat.Refusal
	}
	// ChatPage is the chat: the list and, with Open, a conversation.
	ChatPage struct {
		Common
		Me     *chat.Person
		Convs  []chat.Summary
		People []chat.Person // those that Convs and Open name
		Open   *OpenConv
	}
	// OpenConv is the conversation that is shown.
	OpenConv struct {
		Summary chat.Summary
		Page    chat.Page
		Ref     string // of the form to write, so that sending it twice stores it once
		Text    string // what was typed and could not be sent
		Problem *chat.Refusal
	}
	// NewPage finds people and makes groups without a script.
	NewPage struct {
		Common
		Me      chat.Person
		Query   string
		Found   []chat.Person
		Name    string // of the group
		Problem *chat.Refusal
	}
	// ErrorPage tells what went wrong.
	ErrorPage struct {
		Common
		Status  int
		Title   string
		Problem *chat.Refusal
	}
)

func (s *server) common(w http.ResponseWriter, r *http.Request) Common {
	return Common{Lang: lang(w, r), Build: s.Build, Asset: s.static.url}
}

// draw answers a page.
func (s *server) draw(w http.ResponseWriter, r *http.Request, status int, c Component) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	if err := c.Render(r.Context(), w); err != nil && r.Context().Err() == nil {
		s.Log.Error("page not drawn", "route", r.Pattern, "err", err)
	}
}

// pageProblem answers an error as a page.
func (s *server) pageProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.refuse(w, r, err)
	s.draw(w, r, p.Status, s.Pages.Error(ErrorPage{s.common(w, r), p.Status, p.Title, chat.AsRefusal(err)}))
}

// signedIn makes a page of one that needs a caller and may answer an error.
// Those who are not signed in are sent to sign in.
func (s *server) signedIn(h func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		c, err := s.caller(r)
		if chat.AsRefusal(err).Code == chat.SignedOut && err != nil {
			s.toSignIn(w, r)
			return
		}
		if err == nil {
			err = h(w, r, c)
		}
		if err != nil {
			s.pageProblem(w, r, err)
		}
	}
}
