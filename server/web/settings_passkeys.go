package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"kamachat/server/account"
	"kamachat/server/page"
	"kamachat/shared/chat"
	"kamachat/shared/words"
)

// keySite is where passkeys of a request are bound to: the name by which the
// browser has reached us, which proxies pass on as Host. Browsers give passkeys
// only to https, and to a developer's own machine.
func (s *server) keySite(r *http.Request) account.Site {
	at := account.Site{Host: hostOf(r), Origins: []string{"https://" + r.Host}}
	if at.Host == "localhost" || strings.HasSuffix(at.Host, ".localhost") {
		at.Origins = append(at.Origins, "http://"+r.Host)
	}
	// A further origin of --origin counts where the passkey may be used there.
	if o, err := url.Parse(strings.ToLower(r.Header.Get("Origin"))); err == nil && o.Scheme == "https" && s.trusted(r.Header.Get("Origin")) {
		if name := o.Hostname(); name == at.Host || strings.HasSuffix(name, "."+at.Host) {
			at.Origins = append(at.Origins, "https://"+o.Host)
		}
	}
	return at
}

// A ceremony is what a script needs to begin one: options for the browser, and a
// state that comes back with its answer.
type ceremony struct {
	Options any    `json:"options"`
	State   string `json:"state"`
}

// A ceremonyEnd is what a script sends back at the end of one.
type ceremonyEnd struct {
	State    string          `json:"state"`
	Response json.RawMessage `json:"response"`
	Name     string          `json:"name"`   // of a new passkey
	Next     string          `json:"next"`   // where to go after sign-in
	Ticket   string          `json:"ticket"` // to begin with, as a second factor
}

// onward tells a script where to go.
type onward struct {
	To string `json:"to"`
}

// scriptProblem tells a script what went wrong, in the person's words.
func (s *server) scriptProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.refuse(w, r, err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(map[string]string{"problem": words.Problem(words.Lang(lang(w, r)), string(p.Code), p.Detail)})
}

func (s *server) keyRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /login/factor", toLogin)
	mux.HandleFunc("POST /login/factor", s.pageFactorDo)
	mux.HandleFunc("POST /login/passkey/begin", s.scripted(s.passkeySignInBegin))
	mux.HandleFunc("POST /login/passkey", s.scripted(s.passkeySignIn))
	mux.HandleFunc("GET /login/phone", s.pagePhoneSignIn)
	mux.HandleFunc("POST /login/phone", s.pagePhoneSignInAsk)
	mux.HandleFunc("GET /login/phone/code", toLogin)
	mux.HandleFunc("POST /login/phone/code", s.pagePhoneSignInDo)
}

// toLogin sends who comes to the middle of a sign-in back to its beginning.
func toLogin(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// scripted makes a route for scripts of h, for anybody.
func (s *server) scripted(h func(http.ResponseWriter, *http.Request, ceremonyEnd) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := s.Accounts.AdmitRequest(address(r))
		var in ceremonyEnd
		if err == nil {
			err = read(r, &in)
		}
		if err == nil {
			err = h(w, r, in)
		}
		if err != nil {
			s.scriptProblem(w, r, err)
		}
	}
}

func (s *server) passkeySignInBegin(w http.ResponseWriter, r *http.Request, in ceremonyEnd) error {
	o, state, err := s.Accounts.BeginPasskeySignIn(r.Context(), s.keySite(r), in.Ticket)
	if err == nil {
		answer(w, ceremony{o, state})
	}
	return err
}

func (s *server) passkeySignIn(w http.ResponseWriter, r *http.Request, in ceremonyEnd) error {
	p, err := s.Accounts.PasskeySignIn(r.Context(), address(r), s.keySite(r), in.State, in.Response)
	if err == nil {
		err = s.signIn(w, r, p)
	}
	if err == nil {
		answer(w, onward{local(in.Next)})
	}
	return err
}

func (s *server) pagePasskeys(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawPasskeys(w, r, c, nil)
}

func (s *server) drawPasskeys(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, err := s.Accounts.Factors(r.Context(), c.ID)
	if err != nil {
		return err
	}
	frame, status := s.frame(w, r, c, atPasskeys, problem)
	s.draw(w, r, status, page.Passkeys(page.PasskeysPage{SettingsFrame: frame, Keys: f.Passkeys, Sure: s.sureness(r, c), Never: s.keySite(r).Never()}))
	return nil
}

func (s *server) pagePasskeysSure(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := s.sure(r, c); err != nil {
		return s.drawPasskeys(w, r, c, err)
	}
	return s.toSettings(w, r, atPasskeys, "")
}

func (s *server) pagePasskeysRemove(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.sure(r, c)
	if err == nil {
		err = s.Accounts.DeletePasskey(r.Context(), c.ID, r.PostFormValue("id"))
	}
	if err != nil {
		return s.drawPasskeys(w, r, c, err)
	}
	return s.toSettings(w, r, atPasskeys, "no-passkey")
}

// passkeyBegin begins to make a passkey, for a script of somebody who said the password.
func (s *server) passkeyBegin(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.sure(r, c)
	if err == nil {
		var in ceremony
		if in.Options, in.State, err = s.Accounts.BeginPasskey(r.Context(), s.keySite(r), c.Person); err == nil {
			answer(w, in)
		}
	}
	if err != nil {
		s.scriptProblem(w, r, err)
	}
	return nil
}

func (s *server) passkeyAdd(w http.ResponseWriter, r *http.Request, c caller) error {
	var in ceremonyEnd
	err := s.sure(r, c)
	if err == nil {
		err = read(r, &in)
	}
	if err == nil {
		err = s.Accounts.AddPasskey(r.Context(), s.keySite(r), c.Person, in.Name, in.State, in.Response)
	}
	if err != nil {
		s.scriptProblem(w, r, err)
		return nil
	}
	answer(w, onward{atPasskeys + "?done=passkey"})
	return nil
}

// entered ends a sign-in that went well, or goes on to its second step. It
// reports whether it has answered.
func (s *server) entered(w http.ResponseWriter, r *http.Request, next string, p chat.Person, err error) (bool, error) {
	if t := ticketOf(err); t != "" {
		s.draw(w, r, http.StatusOK, page.Factor(page.FactorPage{Common: s.common(w, r), Next: next, Ticket: t, Passkey: passkeyOf(err) && !s.keySite(r).Never()}))
		return true, nil
	}
	if err == nil {
		err = s.signIn(w, r, p)
	}
	if err != nil {
		return false, err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return true, nil
}

// pageFactorDo ends a sign-in by a code.
func (s *server) pageFactorDo(w http.ResponseWriter, r *http.Request) {
	next, ticket := local(r.PostFormValue("next")), r.PostFormValue("ticket")
	p, err := s.Accounts.SignInFactor(r.Context(), address(r), ticket, r.PostFormValue("code"))
	done, err := s.entered(w, r, next, p, err)
	switch {
	case done:
	case chat.AsRefusal(err).Code == chat.SignedOut: // the ticket is void
		s.drawSignIn(w, r, next, "", err)
	default:
		status := s.refuse(w, r, err).Status
		s.draw(w, r, status, page.Factor(page.FactorPage{
			Common: s.common(w, r), Next: next, Ticket: ticket, Passkey: r.PostFormValue("passkey") != "", Problem: chat.AsRefusal(err),
		}))
	}
}

func (s *server) pagePhoneSignIn(w http.ResponseWriter, r *http.Request) {
	if !s.Accounts.CodesOn() {
		s.pageProblem(w, r, errNoPage)
		return
	}
	s.draw(w, r, http.StatusOK, page.PhoneSignIn(page.PhoneSignInPage{Common: s.common(w, r), Next: local(r.URL.Query().Get("next"))}))
}

func (s *server) pagePhoneSignInAsk(w http.ResponseWriter, r *http.Request) {
	p := page.PhoneSignInPage{Common: s.common(w, r), Next: local(r.PostFormValue("next")), Phone: r.PostFormValue("phone")}
	status := http.StatusOK
	if err := s.Accounts.AskCode(r.Context(), address(r), p.Phone); err != nil {
		status, p.Problem = s.refuse(w, r, err).Status, chat.AsRefusal(err)
	}
	p.Asked = p.Problem == nil
	s.draw(w, r, status, page.PhoneSignIn(p))
}

func (s *server) pagePhoneSignInDo(w http.ResponseWriter, r *http.Request) {
	p := page.PhoneSignInPage{Common: s.common(w, r), Next: local(r.PostFormValue("next")), Phone: r.PostFormValue("phone"), Asked: true}
	who, err := s.Accounts.SignInCode(r.Context(), address(r), p.Phone, r.PostFormValue("code"))
	if done, err := s.entered(w, r, p.Next, who, err); !done {
		status := s.refuse(w, r, err).Status
		p.Problem = chat.AsRefusal(err)
		s.draw(w, r, status, page.PhoneSignIn(p))
	}
}
