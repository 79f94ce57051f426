package web

import (
	"net/http"
	"strings"

	"kamachat/shared/chat"
)

// api makes a handler of one that needs a caller and may answer an error.
func (s *server) api(h func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := s.caller(r)
		if err == nil {
			err = s.admit(r, c)
		}
		if err == nil {
			err = h(w, r, c)
		}
		if err != nil {
			s.problem(w, r, err)
		}
	}
}

// credentials are what a person types to register or sign in.
type credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Nickname string `json:"nickname"`
	Invite   string `json:"invite,omitempty"` // code of an invitation, to register where one is needed
}

func (s *server) apiRegister(w http.ResponseWriter, r *http.Request) {
	s.apiEnter(w, r, func(c credentials) (chat.Person, error) {
		if err := s.Accounts.Admit(r.Context(), address(r)); err != nil {
			return chat.Person{}, err
		}
		return s.Accounts.Join(r.Context(), c.Invite, c.Username, c.Password, c.Nickname)
	})
}

func (s *server) apiLogin(w http.ResponseWriter, r *http.Request) {
	s.apiEnter(w, r, func(c credentials) (chat.Person, error) {
		return s.Accounts.SignIn(r.Context(), address(r), c.Username, c.Password)
	})
}

// apiEnter lets a person in by way of enter, with a bearer token and a cookie.
func (s *server) apiEnter(w http.ResponseWriter, r *http.Request, enter func(credentials) (chat.Person, error)) {
	var c credentials
	if err := read(r, &c); err != nil {
		s.problem(w, r, err)
		return
	}
	p, err := enter(c)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	token, err := s.Accounts.IssueToken(r.Context(), p.ID)
	if err == nil {
		err = s.signIn(w, r, p)
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	answer(w, map[string]any{"user": p, "token": token})
}

func (s *server) apiLogout(w http.ResponseWriter, r *http.Request) {
	if err := s.signOut(w, r); err != nil {
		s.problem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) apiMakeGroup(w http.ResponseWriter, r *http.Request, c caller) error {
	var in struct {
		Name    string        `json:"name"`
		Members []chat.UserID `json:"members"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := s.Accounts.MakeGroup(r.Context(), c.ID, in.Name, in.Members)
	if err != nil {
		return err
	}
	answer(w, map[string]any{"group": map[string]any{"id": id, "name": strings.TrimSpace(in.Name)}})
	return nil
}

// orEmpty makes JSON say [] rather than null.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
