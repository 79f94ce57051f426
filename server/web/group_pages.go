package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kamachat/server/account"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

func (s *server) groupRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /g/{id}", s.signedIn(s.pageGroup))
	mux.HandleFunc("GET /g/{id}/members", s.signedIn(s.pageMembers))
	mux.HandleFunc("GET /g/{id}/requests", s.signedIn(s.pageRequests))
	mux.HandleFunc("GET /g/{id}/invites", s.signedIn(s.pageInvites))
	mux.HandleFunc("GET /g/{id}/edit", s.signedIn(s.pageEditGroup))
	mux.HandleFunc("POST /g/{id}/edit", s.signedIn(s.pageEditGroupDo))
	mux.HandleFunc("GET /g/{id}/picture", s.signedIn(s.groupPicture))
	mux.HandleFunc("POST /g/{id}/act", s.signedIn(s.pageGroupAct))
	mux.HandleFunc("GET /join/{code}", s.signedIn(s.pageDoor))
	mux.HandleFunc("POST /join/{code}", s.signedIn(s.pageDoorDo))
	mux.HandleFunc("GET /join/{code}/picture", s.signedIn(s.doorPicture))
}

func groupOf(r *http.Request) chat.ConvID { return chat.ConvID(r.PathValue("id")) }

// groupFrame is what every page of a group begins with. problem is that of the try
// before, or nil.
func (s *server) groupFrame(w http.ResponseWriter, r *http.Request, c caller, problem error) (f page.GroupFrame, err error) {
	v, err := s.Accounts.ViewGroup(r.Context(), c.Person, groupOf(r))
	if err != nil {
		return f, err
	}
	f = page.GroupFrame{
		Common: s.common(w, r), Me: c.Person, Group: v.Group, Picture: v.Avatar, Seat: v.Me.Seat, Waiting: v.Waiting,
		Invites: v.Me.MayInvite() == nil, Hooks: s.Hooks != nil, Said: r.URL.Query().Get("done"),
	}
	f.Adds = v.Me.In && v.State == chat.InUse && (v.Me.Role >= chat.Admin || v.Joining == chat.JoinDirect)
	if !v.Me.In && v.Avatar != "" {
		f.Picture = "/g/" + string(v.Conv) + "/picture"
	}
	if problem != nil {
		f.Problem, f.Said = chat.AsRefusal(problem), ""
	}
	return f, nil
}

// memberFrame is groupFrame of pages for those in the group alone.
func (s *server) memberFrame(w http.ResponseWriter, r *http.Request, c caller, problem error) (page.GroupFrame, error) {
	f, err := s.groupFrame(w, r, c, problem)
	if err == nil && !f.Seat.In {
		err = chat.Refuse(chat.Forbidden, "not a member of this group")
	}
	return f, err
}

// statusOf is that of a page that tells of a problem, or of none.
func (s *server) statusOf(w http.ResponseWriter, r *http.Request, p *chat.Refusal) int {
	if p == nil {
		return http.StatusOK
	}
	return s.refuse(w, r, p).Status
}

func (s *server) pageGroup(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.card(w, r, c, nil)
}

func (s *server) card(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, err := s.groupFrame(w, r, c, problem)
	if err != nil {
		return err
	}
	p := page.GroupCard{GroupFrame: f, Text: r.PostFormValue("message")}
	if f.Seat.In {
		people, err := s.byID(r.Context(), []chat.UserID{f.Group.Owner})
		if err != nil {
			return err
		}
		p.OwnerName = people[f.Group.Owner].Name()
	} else {
		v, err := s.Accounts.ViewGroup(r.Context(), c.Person, f.Group.Conv)
		if err != nil {
			return err
		}
		p.Asked = v.Asked
	}
	s.draw(w, r, s.statusOf(w, r, f.Problem), page.Card(p))
	return nil
}

// pageOfMembers is how many members a page shows.
const pageOfMembers = 50

func (s *server) pageMembers(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.members(w, r, c, nil)
}

func (s *server) members(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, err := s.memberFrame(w, r, c, problem)
	if err != nil {
		return err
	}
	p := page.GroupMembers{GroupFrame: f, Query: r.FormValue("q"), After: r.FormValue("after"), Find: r.FormValue("find")}
	p.Members, p.Next, err = s.Accounts.MembersOf(r.Context(), c.Person, f.Group.Conv, chat.MemberAsk{Query: p.Query, After: p.After, Limit: pageOfMembers})
	if err != nil {
		return err
	}
	if f.Adds && p.Find != "" {
		if p.Found, err = s.Accounts.Search(r.Context(), c.ID, p.Find); err != nil {
			return err
		}
		if p.Within, err = s.within(r.Context(), c, f.Group.Conv, p.Found); err != nil {
			return err
		}
	}
	s.draw(w, r, s.statusOf(w, r, f.Problem), page.Members(p))
	return nil
}

// within tells which of ps are in a group that the caller is in.
func (s *server) within(ctx context.Context, c caller, conv chat.ConvID, ps []chat.Person) (map[chat.UserID]bool, error) {
	in := map[chat.UserID]bool{}
	if len(ps) == 0 {
		return in, nil
	}
	ask := chat.MemberAsk{Limit: len(ps)}
	for _, p := range ps {
		ask.IDs = append(ask.IDs, p.ID)
	}
	ms, _, err := s.Accounts.MembersOf(ctx, c.Person, conv, ask)
	for _, m := range ms {
		in[m.ID] = true
	}
	return in, err
}

func (s *server) pageRequests(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.requests(w, r, c, nil)
}

func (s *server) requests(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, err := s.memberFrame(w, r, c, problem)
	if err != nil {
		return err
	}
	p := page.GroupRequests{GroupFrame: f}
	js, next, err := s.Accounts.AsksOf(r.Context(), c.Person, f.Group.Conv, r.URL.Query().Get("after"), pageOfMembers)
	if err != nil {
		return err
	}
	people, err := s.peopleOf(r.Context(), js)
	if err != nil {
		return err
	}
	for _, j := range js {
		p.Requests = append(p.Requests, page.GroupRequest{Person: people[j.User], Message: j.Message, At: j.At, Removed: j.Removed})
	}
	p.Next = next
	s.draw(w, r, s.statusOf(w, r, f.Problem), page.Requests(p))
	return nil
}

func (s *server) pageInvites(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.invites(w, r, c, nil)
}

func (s *server) invites(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, err := s.memberFrame(w, r, c, problem)
	if err != nil {
		return err
	}
	is, err := s.Accounts.InvitesInto(r.Context(), c.Person, f.Group.Conv)
	if err != nil {
		return err
	}
	ids := make([]chat.UserID, len(is))
	for i, v := range is {
		ids[i] = v.By
	}
	people, err := s.byID(r.Context(), ids)
	if err != nil {
		return err
	}
	p := page.GroupInvites{GroupFrame: f}
	for _, v := range is {
		l := linkOf(r, v)
		p.Links = append(p.Links, page.GroupLink{GroupInvite: v, URL: l.URL, ByName: people[v.By].Name(), Works: l.Valid})
	}
	s.draw(w, r, s.statusOf(w, r, f.Problem), page.Invites(p))
	return nil
}

// pageGroupAct does what one of the small forms of the group's pages says, and
// shows the page that it was on.
func (s *server) pageGroupAct(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	conv, act, f := groupOf(r), r.PostForm.Get("act"), r.PostForm
	var who []chat.UserID
	for _, u := range f["user"] {
		who = append(who, chat.UserID(u))
	}
	change := func(ch chat.Change) error {
		ch.Who = who
		_, err := s.Accounts.ChangeGroup(r.Context(), c.Person, conv, ch, "")
		return err
	}
	one := append(who, "")[0]
	at, done := "/g/"+string(conv), ""
	again := s.members
	var err error
	switch act {
	case "add", "remove", "promote", "demote", "hand", "mute", "unmute":
		at, done = at+"/members", map[string]string{"add": "added", "remove": "removed", "mute": "mute", "unmute": "unmute"}[act]
		if done == "" {
			done = "role"
		}
		err = change(actChange(act, f.Get("for"), time.Now()))
	case "accept", "refuse":
		at, done, again = at+"/requests", act, s.requests
		err = s.Accounts.AnswerJoin(r.Context(), c.Person, conv, one, act == "accept")
	case "link":
		at, done, again = at+"/invites", act, s.invites
		most, merr := strconv.Atoi(f.Get("most"))
		n, herr := strconv.ParseInt(f.Get("hours"), 10, 64)
		if merr != nil || herr != nil {
			return chat.Refuse(chat.Invalid, "a link lets in at most 10,000 people, and for a year")
		}
		_, err = s.Accounts.MakeInvite(r.Context(), c.Person, conv, most, hours(n))
	case "revoke":
		at, done, again = at+"/invites", act, s.invites
		err = s.Accounts.RevokeInvite(r.Context(), c.Person, conv, f.Get("code"))
	case "join":
		again = s.card
		var in bool
		if in, err = s.Accounts.JoinGroup(r.Context(), c.Person, conv, f.Get("message")); in {
			at = "/c/" + string(conv)
		}
	case "withdraw":
		again, err = s.card, s.Accounts.WithdrawJoin(r.Context(), c.Person, conv)
	case "leave":
		at, again, err = "/", s.card, s.Accounts.LeaveGroup(r.Context(), c.Person, conv)
	case "dismiss":
		again = s.card
		err = change(chat.Change{What: chat.Ended})
	default:
		return chat.Refuse(chat.Invalid, "there is no such act")
	}
	if refused := chat.AsRefusal(err); err != nil && refused.Code != chat.Internal {
		return again(w, r, c, refused)
	}
	if err != nil {
		return err
	}
	if done != "" {
		at += "?done=" + done
	}
	http.Redirect(w, r, at, http.StatusSeeOther)
	return nil
}

// actChange is the change that an act on members makes; seconds are how long a mute lasts.
func actChange(act, seconds string, now time.Time) (ch chat.Change) {
	switch act {
	case "add":
		ch.What = chat.Joined
	case "remove":
		ch.What = chat.Left
	case "promote":
		ch.What = chat.Promoted
	case "demote":
		ch.What = chat.Demoted
	case "hand":
		ch.What = chat.Handed
	case "unmute":
		ch.What = chat.Heard
	case "mute":
		ch.What, ch.Until = chat.Hushed, chat.Endless
		if n, err := strconv.ParseInt(seconds, 10, 32); err == nil && n != 0 {
			ch.Until = now.UnixMilli() + n*1000
		}
	}
	return ch
}

func (s *server) pageEditGroup(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.edit(w, r, c, nil, nil)
}

// edit draws the form that changes a group; typed is what was typed into it, nil
// for nothing.
func (s *server) edit(w http.ResponseWriter, r *http.Request, c caller, typed *account.GroupEdit, problem error) error {
	f, err := s.memberFrame(w, r, c, problem)
	if err == nil && f.Seat.Role < chat.Admin {
		err = chat.Refuse(chat.Forbidden, "not yours to do in this group")
	}
	if err != nil {
		return err
	}
	p := page.GroupEdit{GroupFrame: f, Edited: f.Group}
	if typed != nil {
		p.Edited.Name, p.Edited.Notice, p.Edited.Joining, p.Edited.Slow, p.Edited.Announce = *typed.Name, *typed.Notice, *typed.Joining, *typed.Slow, *typed.Announce
	}
	s.draw(w, r, s.statusOf(w, r, f.Problem), page.Edit(p))
	return nil
}

func (s *server) pageEditGroupDo(w http.ResponseWriter, r *http.Request, c caller) error {
	in, err := s.editForm(w, r, c)
	if err == nil {
		err = s.Accounts.EditGroup(r.Context(), c.Person, groupOf(r), in)
	}
	if refused := chat.AsRefusal(err); err != nil && refused.Code != chat.Internal && in.Name != nil {
		return s.edit(w, r, c, &in, refused)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/g/"+string(groupOf(r))+"/edit?done=saved", http.StatusSeeOther)
	return nil
}

// pageDoor shows where a link into a group leads. Who is not signed in is sent to
// do so, and comes back.
func (s *server) pageDoor(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.door(w, r, c, nil)
}

func (s *server) door(w http.ResponseWriter, r *http.Request, c caller, problem *chat.Refusal) error {
	code := r.PathValue("code")
	d, err := s.Accounts.InviteDoor(r.Context(), c.Person, code)
	if err != nil {
		return err
	}
	p := page.GroupDoor{
		Common: s.common(w, r), Code: code, Group: d.Group, Inviter: d.Inviter.Name(), In: d.In, Asks: d.Asks, Asked: d.Waits && d.Asks, Removed: d.Removed,
		Text: r.PostFormValue("message"), Problem: problem,
	}
	if d.Avatar != "" {
		p.Picture = "/join/" + code + "/picture"
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	s.draw(w, r, s.statusOf(w, r, problem), page.Door(p))
	return nil
}

func (s *server) pageDoorDo(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, in, err := s.Accounts.JoinByInvite(r.Context(), c.Person, r.PathValue("code"), r.PostFormValue("message"))
	switch refused := chat.AsRefusal(err); {
	case err != nil && refused.Code == chat.Taken:
		in = true // by another way, or with another click
	case err != nil && refused.Code != chat.Internal && refused.Code != chat.NotFound:
		return s.door(w, r, c, refused)
	case err != nil:
		return err
	}
	at := "/join/" + r.PathValue("code")
	if in {
		at = "/c/" + string(conv)
	}
	http.Redirect(w, r, at, http.StatusSeeOther)
	return nil
}

// editForm reads the form that changes a group; a picture in it is kept as it comes.
func (s *server) editForm(w http.ResponseWriter, r *http.Request, c caller) (e account.GroupEdit, err error) {
	values := url.Values{}
	if !isMultipart(r) {
		for _, name := range []string{"name", "notice", "joining", "slow", "announce", "unpicture"} {
			values.Set(name, r.PostFormValue(name))
		}
	} else if e.Avatar, err = s.pictureForm(w, r, c, values); err != nil && err != error(errNoPicture) {
		return e, err
	}
	slow, serr := strconv.Atoi(values.Get("slow"))
	if serr != nil {
		return e, chat.Refuse(chat.Invalid, "these can't be the rules of a group")
	}
	name, notice, joining, announce, none := values.Get("name"), values.Get("notice"), chat.Joining(values.Get("joining")), values.Get("announce") != "", ""
	e.Name, e.Notice, e.Joining, e.Slow, e.Announce = &name, &notice, &joining, &slow, &announce
	if e.Avatar == nil && values.Get("unpicture") != "" {
		e.Avatar = &none
	}
	return e, err
}

// pictureForm reads the fields of a form into values and returns where the picture
// that came with it is, nil for none.
func (s *server) pictureForm(w http.ResponseWriter, r *http.Request, c caller, values url.Values) (at *string, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, badBody(err)
	}
	var wrong error // told once all is read: what else was typed stays in the form
	for {
		p, err := parts.NextPart()
		if err != nil {
			return at, cmp.Or(ended(err), wrong)
		}
		if p.FormName() != "picture" {
			text, err := field(p)
			if err != nil {
				return nil, err
			}
			values.Add(p.FormName(), text)
			continue
		}
		if p.FileName() == "" || s.Files == nil || at != nil {
			continue // nothing was chosen
		}
		u, err := s.take(w, r, chat.Upload{Owner: c.ID, Name: p.FileName(), Type: p.Header.Get("Content-Type")}, -1, p)
		if err != nil {
			return nil, err
		}
		if chat.Media(u.Type) != "image" {
			wrong = errNoPicture
			continue
		}
		path := u.URL()
		at = &path
	}
}
