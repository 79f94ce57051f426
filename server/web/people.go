package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// Where the pages about people are.
const (
	atContacts = "/contacts"
	atProfile  = "/settings/profile"
	atPicture  = "/settings/profile/picture"
	atPrivacy  = "/settings/privacy"
)

// maxPicture is the most bytes of somebody's own picture: everybody loads it.
const maxPicture = 4 << 20

func (s *server) peoplePages(mux *http.ServeMux) {
	for route, h := range map[string]func(http.ResponseWriter, *http.Request, caller) error{
		"GET " + atContacts:             s.pageContacts,
		"GET /people/{id}":              s.pagePerson,
		"POST /people/{id}/{act}":       s.pagePersonDo,
		"GET " + atProfile:              s.pageProfile,
		"POST " + atProfile:             s.pageProfileDo,
		"POST " + atPicture:             s.pagePictureDo,
		"POST " + atPicture + "/remove": s.pagePictureRemove,
		"GET " + atPrivacy:              s.pagePrivacy,
		"POST " + atPrivacy:             s.pagePrivacyDo,
	} {
		mux.HandleFunc(route, s.signedIn(h))
	}
}

// personActs are what may be done with a person on the pages.
var personActs = []string{"ask", "accept", "refuse", "end", "block", "unblock"}

// justDone is the key of what was just done with a person, as the address says.
func justDone(r *http.Request) string {
	if d := r.URL.Query().Get("done"); r.Method == http.MethodGet && slices.Contains(personActs, d) {
		return "people.done." + d
	}
	return ""
}

// toDraw returns what of err is to be said on the page that was asked for, nil for
// nothing, and its status; or err where that has a page of its own.
func (s *server) toDraw(w http.ResponseWriter, r *http.Request, err error) (*chat.Refusal, int, error) {
	if err == nil {
		return nil, http.StatusOK, nil
	}
	if !told(err) || chat.AsRefusal(err).Code == chat.NotFound {
		return nil, 0, err
	}
	return chat.AsRefusal(err), s.refuse(w, r, err).Status, nil
}

func (s *server) pageContacts(w http.ResponseWriter, r *http.Request, c caller) error {
	q := r.URL.Query()
	p := page.ContactsPage{
		Common: s.common(w, r), Me: c.Person, Query: strings.TrimSpace(q.Get("q")), Blocked: q.Get("only") == "blocked", After: q.Get("after"),
		Said: justDone(r), Online: map[chat.UserID]bool{},
	}
	var err error
	if p.Query != "" {
		p.Found, err = s.Accounts.Search(r.Context(), c.ID, p.Query)
	}
	problem, status, err := s.toDraw(w, r, err)
	if err != nil {
		return err
	}
	p.Problem = problem
	to, from, err := s.Accounts.Askings(r.Context(), c.ID)
	if err != nil {
		return err
	}
	for _, a := range to {
		p.Asking = append(p.Asking, page.PersonAsk{Person: a.Person, Text: a.Message})
	}
	for _, a := range from {
		p.Asked = append(p.Asked, page.PersonAsk{Person: a.Person, Text: a.Message})
	}
	if p.People, p.Next, err = s.Accounts.ContactList(r.Context(), c.ID, p.Blocked, p.After); err != nil {
		return err
	}
	if !p.Blocked {
		ids := make([]chat.UserID, len(p.People))
		for i, x := range p.People {
			ids[i] = x.ID
		}
		p.Online = s.online(r.Context(), c.ID, ids)
	}
	s.draw(w, r, status, page.Contacts(p))
	return nil
}

func (s *server) pagePerson(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.person(w, r, c, nil)
}

// person draws somebody; problem is what was wrong with what was to be done with them.
func (s *server) person(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	ref, status, err := s.toDraw(w, r, problem)
	if err != nil {
		return err
	}
	k, err := s.Accounts.Card(r.Context(), c.ID, chat.UserID(r.PathValue("id")))
	if err != nil {
		return err
	}
	p := page.PersonCard{
		Common: s.common(w, r), Person: k.Person, Profile: k.Profile, Self: k.ID == c.ID, Contact: k.Bond.Contacts, Blocking: k.Bond.Blocking,
		Asked: k.Asked, Waiting: k.Waiting, Asks: k.Asks, Online: k.Online, SeenAt: k.SeenAt, Groups: k.Common, Reports: s.Board != nil,
		Problem: ref, Said: justDone(r),
	}
	if ref != nil {
		p.Text = r.PostFormValue("message")
	}
	s.draw(w, r, status, page.PersonOf(p))
	return nil
}

func (s *server) pagePersonDo(w http.ResponseWriter, r *http.Request, c caller) error {
	id, act := chat.UserID(r.PathValue("id")), r.PathValue("act")
	if err := s.withPerson(r, c, id, act); err != nil {
		return s.person(w, r, c, err)
	}
	to := "/people/" + string(id)
	if r.PostFormValue("back") == "contacts" {
		to = atContacts
	}
	http.Redirect(w, r, to+"?done="+act, http.StatusSeeOther)
	return nil
}

// withPerson does an act with somebody.
func (s *server) withPerson(r *http.Request, c caller, id chat.UserID, act string) error {
	ctx := r.Context()
	switch do := s.Accounts; act {
	case "ask":
		_, err := do.AskContact(ctx, c.ID, id, r.PostFormValue("message"))
		return err
	case "accept":
		return do.AcceptContact(ctx, c.ID, id)
	case "refuse":
		return do.RefuseContact(ctx, c.ID, id)
	case "end":
		return do.EndContact(ctx, c.ID, id)
	case "block":
		return do.Block(ctx, c.ID, id, true)
	case "unblock":
		return do.Block(ctx, c.ID, id, false)
	}
	return errNoPage
}

// mine is what the pages about oneself begin with.
func (s *server) mine(w http.ResponseWriter, r *http.Request, c caller, at string, problem error) (f page.SettingsFrame, p chat.Profile, status int, err error) {
	ref, status, err := s.toDraw(w, r, problem)
	if err == nil {
		p, err = s.Accounts.Profile(r.Context(), c.ID)
	}
	f = page.SettingsFrame{Common: s.common(w, r), Me: c.Person, At: at, Problem: ref}
	if r.Method == http.MethodGet && r.URL.Query().Get("done") == "saved" {
		f.Said = "profile.saved"
	}
	return f, p, status, err
}

func saved(w http.ResponseWriter, r *http.Request, at string) error {
	http.Redirect(w, r, at+"?done=saved", http.StatusSeeOther)
	return nil
}

func (s *server) pageProfile(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.profile(w, r, c, nil)
}

// profile draws what somebody says of themselves: as it is stored, or as it was
// typed where that was refused.
func (s *server) profile(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, stored, status, err := s.mine(w, r, c, atProfile, problem)
	if err != nil {
		return err
	}
	p := page.ProfilePage{SettingsFrame: f, Nickname: c.Nickname, Profile: stored}
	if f.Problem != nil && r.URL.Path == atProfile {
		p.Nickname, p.Profile = typedProfile(r, stored)
	}
	s.draw(w, r, status, page.Profile(p))
	return nil
}

// typedProfile is a profile with what a form says.
func typedProfile(r *http.Request, p chat.Profile) (nickname string, _ chat.Profile) {
	p.Signature, p.Gender, p.Birthday = r.PostFormValue("signature"), r.PostFormValue("gender"), r.PostFormValue("birthday")
	p.Email, p.Phone = r.PostFormValue("email"), r.PostFormValue("phone")
	return r.PostFormValue("nickname"), p
}

func (s *server) pageProfileDo(w http.ResponseWriter, r *http.Request, c caller) error {
	p, err := s.Accounts.Profile(r.Context(), c.ID)
	if err != nil {
		return err
	}
	nickname, p := typedProfile(r, p)
	if err := s.Accounts.SaveProfile(r.Context(), c.ID, nickname, c.Avatar, p); err != nil {
		return s.profile(w, r, c, err)
	}
	return saved(w, r, atProfile)
}

func (s *server) pagePictureDo(w http.ResponseWriter, r *http.Request, c caller) error {
	if s.Files == nil || !isMultipart(r) {
		return errNoPage
	}
	at, err := s.pictureForm(w, r, c, url.Values{})
	if err == nil && at == nil {
		err = errNoPicture
	}
	if err != nil {
		return s.profile(w, r, c, err)
	}
	return s.wear(w, r, c, *at)
}

func (s *server) pagePictureRemove(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.wear(w, r, c, "")
}

// wear has the caller look like the picture at a path; "" is for none.
func (s *server) wear(w http.ResponseWriter, r *http.Request, c caller, path string) error {
	p, err := s.Accounts.Profile(r.Context(), c.ID)
	if err == nil {
		err = s.Accounts.SaveProfile(r.Context(), c.ID, c.Name(), path, p)
	}
	if err != nil {
		return s.profile(w, r, c, err)
	}
	return saved(w, r, atProfile)
}

func (s *server) pagePrivacy(w http.ResponseWriter, r *http.Request, c caller) error {
	f, p, status, err := s.mine(w, r, c, atPrivacy, nil)
	if err != nil {
		return err
	}
	s.draw(w, r, status, page.Privacy(page.PrivacyPage{SettingsFrame: f, Profile: p}))
	return nil
}

func (s *server) pagePrivacyDo(w http.ResponseWriter, r *http.Request, c caller) error {
	p, err := s.Accounts.Profile(r.Context(), c.ID)
	if err != nil {
		return err
	}
	p.Unlisted, p.Unseen = r.PostFormValue("unlisted") != "", r.PostFormValue("unseen") != ""
	if err := s.Accounts.SaveProfile(r.Context(), c.ID, c.Name(), c.Avatar, p); err != nil {
		return err
	}
	return saved(w, r, atPrivacy)
}

// online are those of ids of whom u may know that they are here.
func (s *server) online(ctx context.Context, u chat.UserID, ids []chat.UserID) map[chat.UserID]bool {
	on := make(map[chat.UserID]bool, len(ids))
	for _, id := range s.Hub.Here(ctx, u, ids...) {
		on[id] = true
	}
	return on
}
