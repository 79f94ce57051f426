package web

import (
	"context"
	"net/http"
	"time"

	"kamachat/server/admin"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

func (s *server) adminGroups(w http.ResponseWriter, r *http.Request, c caller) error {
	ask := asked(r)
	groups, next, err := s.Admin.Groups(r.Context(), ask)
	if err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Groups(page.GroupsPage{
		Admin: s.adminPage(w, r, c, atGroups), Ask: ask, Groups: groups, Next: next, Acts: admin.GroupActs(),
	}))
	return nil
}

func (s *server) adminGroup(w http.ResponseWriter, r *http.Request, c caller) error {
	after := r.URL.Query().Get("after")
	f, err := s.Admin.Group(r.Context(), chat.ConvID(r.PathValue("id")), after)
	if err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Group(page.GroupPage{
		Admin: s.adminPage(w, r, c, atGroups), GroupLine: f.GroupLine, OwnerName: f.OwnerName, People: f.People, After: after, More: f.More, Deeds: f.Deeds, Acts: f.Acts,
	}))
	return nil
}

func (s *server) adminGroupAct(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.adminGroupPreview(w, r, c, nil)
}

func (s *server) adminGroupPreview(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	p := page.ActPage{Admin: s.adminPage(w, r, c, atGroups), Group: true, Act: r.Form.Get("act"), Danger: admin.Dangerous(r.Form.Get("act"))}
	p.Sure = s.sureness(r, c)
	cases, err := s.Admin.PreviewGroups(r.Context(), p.Act, idsOf[chat.ConvID](r))
	if err != nil {
		return err
	}
	for _, one := range cases {
		p.Cases = append(p.Cases, page.GroupCase(p.Common, one.GroupLine, one.Why))
	}
	s.drawPreview(w, r, p, problem)
	return nil
}

func (s *server) adminGroupActDo(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	act := r.PostForm.Get("act")
	if admin.Dangerous(act) {
		if err := s.sure(r, c); err != nil {
			return s.adminGroupPreview(w, r, c, err)
		}
	}
	cases, err := s.Admin.PreviewGroups(r.Context(), act, idsOf[chat.ConvID](r))
	if err != nil {
		return err
	}
	p := page.ActPage{Admin: s.adminPage(w, r, c, atGroups), Group: true, Act: act, Over: true}
	ctx := context.WithoutCancel(r.Context())
	for _, one := range cases {
		err := s.Admin.DoGroup(ctx, who(r, c), act, one.ID)
		p.Cases = append(p.Cases, page.GroupCase(p.Common, one.GroupLine, s.whyNot(r, err)))
	}
	s.draw(w, r, http.StatusOK, page.Act(p))
	return nil
}

// adminAudit shows what administrators did. There is no way to change it.
func (s *server) adminAudit(w http.ResponseWriter, r *http.Request, c caller) error {
	q := r.URL.Query()
	p := page.AuditPage{
		Admin: s.adminPage(w, r, c, atAudit), By: q.Get("by"), What: q.Get("what"), Target: q.Get("target"), Since: q.Get("since"), Until: q.Get("until"),
		Whats: admin.Whats(), After: q.Get("after"),
	}
	ask := chat.DeedAsk{By: p.By, What: p.What, After: p.After}
	day := func(s string) (ms int64) {
		if t, err := time.ParseInLocation(time.DateOnly, s, p.Zone); err == nil {
			ms = t.UnixMilli()
		}
		return ms
	}
	ask.Since = day(p.Since)
	if until := day(p.Until); until > 0 { // that day too
		ask.Until = time.UnixMilli(until).In(p.Zone).AddDate(0, 0, 1).UnixMilli()
	}
	var err error
	if ask.Target, err = s.Admin.Target(r.Context(), p.Target); err != nil {
		return err
	}
	if p.Deeds, p.Next, err = s.Admin.Deeds(r.Context(), ask); err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Audit(p))
	return nil
}
