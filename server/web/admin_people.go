package web

import (
	"context"
	"net/http"

	"kamachat/server/admin"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

// Admin is what the pages of administrators show and do with people and groups.
type Admin interface {
	People(ctx context.Context, ask chat.Ask) ([]chat.Account, string, error)
	Person(ctx context.Context, u chat.UserID, after string) (admin.Dossier, error)
	Preview(ctx context.Context, who admin.Who, act string, ids []chat.UserID) ([]admin.Case, error)
	Do(ctx context.Context, who admin.Who, act string, u chat.UserID, erase bool) (password string, err error)
	// Leave deletes the account of who asks.
	Leave(ctx context.Context, who admin.Who, erase bool) error
	Groups(ctx context.Context, ask chat.Ask) ([]chat.GroupLine, string, error)
	Group(ctx context.Context, conv chat.ConvID, after string) (admin.Folder, error)
	PreviewGroups(ctx context.Context, act string, ids []chat.ConvID) ([]admin.GroupCase, error)
	DoGroup(ctx context.Context, who admin.Who, act string, conv chat.ConvID) error
	Deeds(ctx context.Context, ask chat.DeedAsk) ([]chat.Deed, string, error)
	Target(ctx context.Context, name string) (string, error)
}

// Where the entries of the navigation lead.
const (
	atPeople = "/admin/people"
	atGroups = "/admin/groups"
	atAudit  = "/admin/audit"
)

func (s *server) adminPeopleRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/people", s.admin(s.adminPeople))
	mux.HandleFunc("GET /admin/people/act", s.admin(s.adminAct))
	mux.HandleFunc("POST /admin/people/act", s.admin(s.adminActDo))
	mux.HandleFunc("GET /admin/people/{id}", s.admin(s.adminPerson))
	mux.HandleFunc("GET /admin/groups", s.admin(s.adminGroups))
	mux.HandleFunc("GET /admin/groups/act", s.admin(s.adminGroupAct))
	mux.HandleFunc("POST /admin/groups/act", s.admin(s.adminGroupActDo))
	mux.HandleFunc("GET /admin/groups/{id}", s.admin(s.adminGroup))
	mux.HandleFunc("GET /admin/audit", s.admin(s.adminAudit))
}

// who is c as the audit log names them.
func who(r *http.Request, c caller) admin.Who {
	return admin.Who{ID: c.ID, Name: c.Username, Addr: address(r)}
}

// asked is which page of a list a request is for.
func asked(r *http.Request) chat.Ask {
	q := r.URL.Query()
	return chat.Ask{Query: q.Get("q"), Sort: q.Get("sort"), Only: q.Get("only"), After: q.Get("after")}
}

func (s *server) adminPeople(w http.ResponseWriter, r *http.Request, c caller) error {
	ask := asked(r)
	people, next, err := s.Admin.People(r.Context(), ask)
	if err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.People(page.PeoplePage{
		Admin: s.adminPage(w, r, c, atPeople), Ask: ask, People: people, Next: next, Acts: admin.PersonActs(),
	}))
	return nil
}

func (s *server) adminPerson(w http.ResponseWriter, r *http.Request, c caller) error {
	after := r.URL.Query().Get("after")
	d, err := s.Admin.Person(r.Context(), chat.UserID(r.PathValue("id")), after)
	if err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Person(page.PersonPage{
		Admin: s.adminPage(w, r, c, atPeople), Account: d.Account, SignIns: d.SignIns, Groups: d.Groups, After: after, More: d.More, Deeds: d.Deeds, Acts: d.Acts,
	}))
	return nil
}

// idsOf are the ids in a form.
func idsOf[T ~string](r *http.Request) []T {
	var ids []T
	for _, id := range r.Form["id"] {
		ids = append(ids, T(id))
	}
	return ids
}

// adminAct shows whom an act is about and what it does, and asks whether it is meant.
func (s *server) adminAct(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.adminPreview(w, r, c, nil)
}

func (s *server) adminPreview(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	p := page.ActPage{Admin: s.adminPage(w, r, c, atPeople), Act: r.Form.Get("act"), Danger: admin.Dangerous(r.Form.Get("act")), Erase: r.Form.Get("erase") != ""}
	p.Sure = s.sureness(r, c)
	cases, err := s.Admin.Preview(r.Context(), who(r, c), p.Act, idsOf[chat.UserID](r))
	if err != nil {
		return err
	}
	for _, one := range cases {
		p.Cases = append(p.Cases, page.PersonCase(p.Common, one.Person, one.Why, ""))
	}
	s.drawPreview(w, r, p, problem)
	return nil
}

// drawPreview asks whether p is meant, and says what was wrong with the try before.
func (s *server) drawPreview(w http.ResponseWriter, r *http.Request, p page.ActPage, problem error) {
	status := http.StatusOK
	if problem != nil {
		status, p.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	}
	s.draw(w, r, status, page.Act(p))
}

// adminActDo does an act to those who are named, one by one, and tells what came of each.
func (s *server) adminActDo(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	act := r.PostForm.Get("act")
	if admin.Dangerous(act) {
		if err := s.sure(r, c); err != nil {
			return s.adminPreview(w, r, c, err)
		}
	}
	cases, err := s.Admin.Preview(r.Context(), who(r, c), act, idsOf[chat.UserID](r))
	if err != nil {
		return err
	}
	p := page.ActPage{Admin: s.adminPage(w, r, c, atPeople), Act: act, Over: true}
	// Once begun it is done to all: a browser that goes away stops nothing halfway.
	ctx := context.WithoutCancel(r.Context())
	for _, one := range cases {
		password, err := s.Admin.Do(ctx, who(r, c), act, one.ID, r.PostForm.Get("erase") != "")
		p.Cases = append(p.Cases, page.PersonCase(p.Common, one.Person, s.whyNot(r, err), password))
	}
	s.draw(w, r, http.StatusOK, page.Act(p))
	return nil
}

// whyNot is what may be told of err, nil for none. What is our fault is logged.
func (s *server) whyNot(r *http.Request, err error) *chat.Refusal {
	if err == nil {
		return nil
	}
	ref := chat.AsRefusal(err)
	if ref.Code == chat.Internal {
		s.Log.Error("request failed", "method", r.Method, "route", r.Pattern, "err", err)
	}
	return ref
}
