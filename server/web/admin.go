package web

import (
	"net/http"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

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
// Whoever is not signed in is sent to sign in; everybody else, and every program with
// a token of whatever kind, is told what they would be told of an address that leads
// nowhere.
func (s *server) admin(h func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	browsers := s.signedIn(func(w http.ResponseWriter, r *http.Request, c caller) error {
		if !c.Admin {
			return errNoPage
		}
		return h(w, r, c)
	})
	return func(w http.ResponseWriter, r *http.Request) {
		if bearer(r) != "" {
			w.Header().Set("Cache-Control", "no-store")
			s.pageProblem(w, r, errNoPage)
			return
		}
		browsers(w, r)
	}
}

// adminPage is what a page of the administration begins with. at is its entry
// in the navigation.
func (s *server) adminPage(w http.ResponseWriter, r *http.Request, c caller, at string) page.Admin {
	a := page.Admin{Common: s.common(w, r), Me: c.Person, At: at}
	if s.Board != nil {
		if n, err := s.Board.OpenReports(r.Context()); err == nil { // else the page does without
			a.Waiting = map[string]int{atReports: n}
		}
	}
	return a
}
