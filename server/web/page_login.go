package web

import (
	"net/http"
	"net/url"
	"strings"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// toSignIn sends a browser to sign in and then back, where that can be repeated.
func (s *server) toSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// local returns next when it is a path on this server, else "/".
func local(next string) string {
	if !strings.HasPrefix(next, "/") || !chat.SafeURL(next) || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

func (s *server) pageSignIn(w http.ResponseWriter, r *http.Request) {
	if _, err := s.caller(r); err == nil {
		http.Redirect(w, r, local(r.URL.Query().Get("next")), http.StatusSeeOther)
		return
	}
	s.drawSignIn(w, r, local(r.URL.Query().Get("next")), "", nil)
}

// drawSignIn draws the form to sign in; problem is what was wrong with the try before.
func (s *server) drawSignIn(w http.ResponseWriter, r *http.Request, next, name string, problem error) {
	p, status := page.SignInPage{
		Common: s.common(w, r), Next: next, Username: name, Codes: s.Accounts.CodesOn(), Passkeys: !s.keySite(r).Never(),
	}, http.StatusOK
	if problem != nil {
		status, p.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	}
	s.draw(w, r, status, page.SignIn(p))
}

func (s *server) pageSignInDo(w http.ResponseWriter, r *http.Request) {
	name, next := r.PostFormValue("username"), local(r.PostFormValue("next"))
	p, err := s.Accounts.SignIn(r.Context(), address(r), name, r.PostFormValue("password"))
	if done, err := s.entered(w, r, next, p, err); !done {
		s.drawSignIn(w, r, next, name, err)
	}
}

func (s *server) pageRegister(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("invite")
	p := page.RegisterPage{Common: s.common(w, r), Next: local(r.URL.Query().Get("next")), Invite: code}
	if err := s.mayRegister(r, code); err != nil {
		refused := chat.AsRefusal(err)
		if refused.Code != chat.Forbidden {
			s.pageProblem(w, r, err)
			return
		}
		p.Closed, p.Invite = refused, ""
	}
	if code != "" {
		w.Header().Set("Referrer-Policy", "no-referrer")
	}
	s.draw(w, r, http.StatusOK, page.Register(p))
}

// mayRegister counts a try to find out whether a code is an invitation, and says
// why who has it may not register.
func (s *server) mayRegister(r *http.Request, code string) error {
	if code != "" {
		if err := s.Accounts.Admit(r.Context(), address(r)); err != nil {
			return err
		}
	}
	return s.Accounts.MayRegister(r.Context(), code)
}

func (s *server) pageRegisterDo(w http.ResponseWriter, r *http.Request) {
	code := r.PostFormValue("invite")
	s.register(w, r, page.RegisterPage{Invite: code}, func(username, password, nickname string) (chat.Person, error) {
		return s.Accounts.Join(r.Context(), code, username, password, nickname)
	})
}

// pageSetup is where the first start's link leads: its holder may create the
// administrator.
func (s *server) pageSetup(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	open, err := s.Accounts.SetupOpen(r.Context(), key)
	if err == nil && !open {
		err = chat.Refuse(chat.Forbidden, "the setup link is not valid")
	}
	if err != nil {
		s.pageProblem(w, r, err)
		return
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	s.draw(w, r, http.StatusOK, page.Register(page.RegisterPage{Common: s.common(w, r), Next: "/", SetupKey: key}))
}

func (s *server) pageSetupDo(w http.ResponseWriter, r *http.Request) {
	key := r.PostFormValue("key")
	s.register(w, r, page.RegisterPage{SetupKey: key}, func(username, password, nickname string) (chat.Person, error) {
		return s.Accounts.Setup(r.Context(), key, username, password, nickname)
	})
}

// register makes an account by way of enter and signs the browser in. again is the
// page that is shown, filled in, where that fails.
func (s *server) register(w http.ResponseWriter, r *http.Request, again page.RegisterPage, enter func(username, password, nickname string) (chat.Person, error)) {
	name, nick, next := r.PostFormValue("username"), r.PostFormValue("nickname"), local(r.PostFormValue("next"))
	var p chat.Person
	err := s.Accounts.Admit(r.Context(), address(r))
	if err == nil {
		p, err = enter(name, r.PostFormValue("password"), nick)
	}
	if err == nil {
		err = s.signIn(w, r, p)
	}
	if err != nil {
		status := s.refuse(w, r, err).Status
		again.Common, again.Next, again.Username, again.Nickname, again.Problem = s.common(w, r), next, name, nick, chat.AsRefusal(err)
		s.draw(w, r, status, page.Register(again))
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *server) pageSignOut(w http.ResponseWriter, r *http.Request) {
	if err := s.signOut(w, r); err != nil {
		s.pageProblem(w, r, err)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
