package web

import (
	"net/http"
	"net/url"

	"kamachat/server/account"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

const renewPath = "/renew"

// renewing answers account.ErrRenew where p has first of all to choose another
// password, and this is not the way to do that.
func renewing(r *http.Request, p chat.Person) error {
	if p.Renew && r.URL.Path != renewPath {
		return account.ErrRenew
	}
	return nil
}

// toRenew sends a browser to choose another password and then on.
func (s *server) toRenew(w http.ResponseWriter, r *http.Request) {
	to := renewPath
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *server) pageRenew(w http.ResponseWriter, r *http.Request, c caller) error {
	next := local(r.URL.Query().Get("next"))
	if !c.Renew {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	s.draw(w, r, http.StatusOK, page.Renew(page.RenewPage{Common: s.common(w, r), Next: next, Username: c.Username}))
	return nil
}

func (s *server) pageRenewDo(w http.ResponseWriter, r *http.Request, c caller) error {
	password, next := r.PostFormValue("password"), local(r.PostFormValue("next"))
	var err error
	switch {
	case !c.Renew:
		err = chat.Refuse(chat.Forbidden, "there is no password to renew")
	case password != r.PostFormValue("again"):
		err = chat.Refuse(chat.Invalid, "the two passwords differ")
	default:
		var ended []string
		if ended, err = s.Accounts.Renew(r.Context(), c.Person, password, c.signIn()); err == nil {
			err = s.closeLogins(r.Context(), c, ended)
		}
	}
	if err != nil {
		status := s.refuse(w, r, err).Status
		s.draw(w, r, status, page.Renew(page.RenewPage{Common: s.common(w, r), Next: next, Username: c.Username, Problem: chat.AsRefusal(err)}))
		return nil
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
