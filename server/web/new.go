package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kamachat/server/account"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

func (s *server) pageNew(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.new(w, r, c, url.Values{"q": {r.URL.Query().Get("q")}}, nil)
}

// new draws the page that finds people and makes groups, with what was typed into
// it. problem is what was wrong with that, or nil.
func (s *server) new(w http.ResponseWriter, r *http.Request, c caller, typed url.Values, problem error) error {
	p := page.NewPage{
		Me: c.Person, Query: strings.TrimSpace(typed.Get("q")), Name: typed.Get("name"), Notice: typed.Get("notice"),
		Joining: chat.Joining(cmp.Or(typed.Get("joining"), string(chat.JoinInvite))),
	}
	var err error
	if p.Query == "" {
		p.Found, _, err = s.Accounts.ContactList(r.Context(), c.ID, false, "")
	} else {
		p.Found, err = s.Accounts.Search(r.Context(), c.ID, p.Query)
	}
	if refused := chat.AsRefusal(err); err != nil && refused.Code != chat.RateLimited {
		return err
	}
	problem = cmp.Or(problem, err)
	if at := typed.Get("avatar"); s.ownPicture(r, c, at) {
		p.Picture = at
	}
	if ids := members(typed); len(ids) > 0 {
		if p.Chosen, err = s.Accounts.PeopleFor(r.Context(), c.ID, ids[:min(len(ids), chat.MaxList)]...); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if p.Common = s.common(w, r); problem != nil {
		p.Problem = chat.AsRefusal(problem)
		status = s.refuse(w, r, p.Problem).Status
	}
	s.draw(w, r, status, page.New(p))
	return nil
}

// members are the people who were ticked, each once.
func members(typed url.Values) (ids []chat.UserID) {
	for _, m := range typed["member"] {
		if u := chat.UserID(m); u.Valid() && !slices.Contains(ids, u) {
			ids = append(ids, u)
		}
	}
	return ids
}

// pageNewDo opens the chat with the one person of the field "with", looks for more
// people, or makes a group.
func (s *server) pageNewDo(w http.ResponseWriter, r *http.Request, c caller) error {
	typed, err := s.newForm(w, r, c)
	if typed == nil {
		return err
	}
	if with := chat.UserID(typed.Get("with")); with.Valid() {
		http.Redirect(w, r, "/c/"+string(with), http.StatusSeeOther)
		return nil
	}
	if err != nil || typed.Get("act") == "find" {
		return s.new(w, r, c, typed, err)
	}
	id, err := s.Accounts.MakeGroup(r.Context(), c.ID, account.NewGroup{
		Name: typed.Get("name"), Members: members(typed), Notice: typed.Get("notice"), Avatar: typed.Get("avatar"), Joining: chat.Joining(typed.Get("joining")),
	})
	if refused := chat.AsRefusal(err); err != nil && refused.Code != chat.Internal {
		return s.new(w, r, c, typed, refused)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/c/"+string(id), http.StatusSeeOther)
	return nil
}

// newForm reads the form; a picture in it is kept as it comes, and its path is the
// field "avatar" then. Nil values were not understood.
func (s *server) newForm(w http.ResponseWriter, r *http.Request, c caller) (url.Values, error) {
	if !isMultipart(r) {
		if err := r.ParseForm(); err != nil {
			return nil, badBody(err)
		}
		return r.PostForm, nil
	}
	typed := url.Values{}
	at, err := s.pictureForm(w, r, c, typed)
	if err != nil && err != error(errNoPicture) {
		return nil, err
	}
	if at != nil {
		typed.Set("avatar", *at)
	}
	return typed, err
}

// ownPicture reports whether a path that a form brought back is that of a picture
// which the caller sent.
func (s *server) ownPicture(r *http.Request, c caller, path string) bool {
	rest, ok := strings.CutPrefix(path, "/files/")
	id, _, _ := strings.Cut(rest, "/")
	if s.Files == nil || !ok {
		return false
	}
	u, body, err := s.Files.Open(r.Context(), c.ID, id)
	if err != nil {
		return false
	}
	body.Close()
	return u.Owner == c.ID && u.URL() == path
}
