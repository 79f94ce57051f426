package web

import (
	"net/http"
	"slices"
	"strconv"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

func (s *server) adminReportRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/reports", s.admin(s.adminReports))
	mux.HandleFunc("GET /admin/reports/{id}", s.admin(s.adminReport))
	mux.HandleFunc("POST /admin/reports/{id}/remove", s.admin(s.adminReportRemove))
	mux.HandleFunc("POST /admin/reports/{id}/close", s.admin(s.adminReportClose))
}

func (s *server) complainRoutes(mux *http.ServeMux) {
	if s.Board == nil {
		return
	}
	mux.HandleFunc("GET /report", s.signedIn(s.pageReport))
	mux.HandleFunc("POST /report", s.signedIn(s.pageReportDo))
}

func (s *server) adminReports(w http.ResponseWriter, r *http.Request, c caller) (err error) {
	q := r.URL.Query()
	p := page.ReportsPage{Admin: s.adminPage(w, r, c, atReports), Closed: q.Has("closed")}
	if q.Has("after") {
		if p.Behind, err = strconv.ParseInt(q.Get("after"), 10, 64); err != nil {
			return errNoPage
		}
	}
	if q.Has("done") {
		p.Said = "report.done"
	}
	if p.Reports, p.People, p.Next, err = s.Board.Reports(r.Context(), p.Closed, p.Behind); err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Reports(p))
	return nil
}

// reportOf is the id in the path.
func reportOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 0 {
		return 0, errNoPage
	}
	return id, nil
}

func (s *server) adminReport(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawReport(w, r, c, nil)
}

// drawReport shows a report, and what was wrong with the try before.
func (s *server) drawReport(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	id, err := reportOf(r)
	if err != nil {
		return err
	}
	k, err := s.Board.Look(r.Context(), deed(r, c), id)
	if err != nil {
		return err
	}
	p := page.ReportPage{Admin: s.adminPage(w, r, c, atReports), Report: k.Report, Title: k.Title, Entries: k.Entries, People: k.People}
	p.Sure = s.sureness(r, c)
	status := http.StatusOK
	if problem != nil {
		status, p.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	}
	s.draw(w, r, status, page.Report(p))
	return nil
}

// reportDone does something with the report of the path, and goes back to the list.
func (s *server) reportDone(w http.ResponseWriter, r *http.Request, c caller, do func(id int64) error) error {
	id, err := reportOf(r)
	if err == nil {
		err = do(id)
	}
	if code := chat.AsRefusal(err).Code; told(err) && code != chat.NotFound {
		return s.drawReport(w, r, c, err)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, atReports+"?done", http.StatusSeeOther)
	return nil
}

func (s *server) adminReportRemove(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.reportDone(w, r, c, func(id int64) error {
		if err := s.sure(r, c); err != nil {
			return err
		}
		return s.Board.Remove(r.Context(), deed(r, c), id)
	})
}

func (s *server) adminReportClose(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.reportDone(w, r, c, func(id int64) error {
		return s.Board.Close(r.Context(), deed(r, c), id, r.PostFormValue("outcome"))
	})
}

// reported is what a request names: a message, or a person. A conversation may
// be named by the other person, as in addresses.
func reported(c caller, conv, seq, user string) chat.Report {
	r := chat.Report{By: c.ID, Conv: chat.ConvID(conv), User: chat.UserID(user)}
	if u := chat.UserID(conv); u.Valid() {
		r.Conv = chat.Direct(c.ID, u)
	}
	r.Seq, _ = strconv.ParseInt(seq, 10, 64)
	return r
}

func (s *server) pageReport(w http.ResponseWriter, r *http.Request, c caller) error {
	q := r.URL.Query()
	if q.Has("sent") {
		s.draw(w, r, http.StatusOK, page.Complain(page.ComplainPage{Common: s.common(w, r), Sent: true}))
		return nil
	}
	return s.drawComplain(w, r, c, reported(c, q.Get("conv"), q.Get("seq"), q.Get("user")), nil)
}

// drawComplain draws the form to report what r names: where that is a
// conversation alone, a message of others near its end is to be chosen.
func (s *server) drawComplain(w http.ResponseWriter, r *http.Request, c caller, about chat.Report, problem error) error {
	p := page.ComplainPage{Common: s.common(w, r), Conv: about.Conv, Seq: about.Seq, User: about.User, Reason: about.Reason}
	status := http.StatusOK
	if problem != nil {
		status, p.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	}
	ids := []chat.UserID{about.User}
	switch {
	case about.Conv == "":
		if !about.User.Valid() {
			return errNoPage
		}
	case about.Seq > 0:
		m, err := s.Board.Readable(r.Context(), c.ID, about.Conv, about.Seq)
		if err != nil {
			return err
		}
		p.Entries = []chat.Message{m}
	default:
		if !about.Conv.Valid() {
			return errNoPage
		}
		log, err := s.Hub.Before(r.Context(), c.ID, about.Conv, 0, firstEntries)
		if err != nil {
			return err
		}
		for _, m := range slices.Backward(log.Entries) {
			if k := m.Content.Kind; m.Author != c.ID && (k == chat.Text || k == chat.FileK) {
				p.Entries = append(p.Entries, m)
			}
		}
	}
	for _, m := range p.Entries {
		ids = append(ids, m.Author)
	}
	ids = slices.DeleteFunc(ids, func(u chat.UserID) bool { return !u.Valid() })
	slices.Sort(ids)
	var err error
	if p.People, err = s.Accounts.PeopleFor(r.Context(), c.ID, slices.Compact(ids)...); err != nil {
		return err
	}
	if about.Conv == "" && len(p.People) == 0 {
		return errNoPage
	}
	s.draw(w, r, status, page.Complain(p))
	return nil
}

func (s *server) pageReportDo(w http.ResponseWriter, r *http.Request, c caller) error {
	about := reported(c, r.PostFormValue("conv"), r.PostFormValue("seq"), r.PostFormValue("user"))
	about.Reason = r.PostFormValue("reason")
	err := s.Board.Report(r.Context(), about)
	if code := chat.AsRefusal(err).Code; told(err) && code != chat.NotFound && code != chat.Forbidden {
		return s.drawComplain(w, r, c, about, err)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/report?sent", http.StatusSeeOther)
	return nil
}
