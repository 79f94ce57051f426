package web

import (
	"net/http"
	"strconv"

	"kamachat/server/page"
)

const atJobs = "/admin/jobs"

// jobsShown is how many jobs are listed.
const jobsShown = 100

func (s *server) adminJobRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/jobs", s.admin(s.adminJobs))
	mux.HandleFunc("POST /admin/jobs/{id}/cancel", s.admin(s.adminJobCancel))
}

func (s *server) adminJobs(w http.ResponseWriter, r *http.Request, c caller) (err error) {
	p := page.JobsPage{Admin: s.adminPage(w, r, c, atJobs)}
	if r.URL.Query().Has("cancelled") {
		p.Said = "job.cancelled"
	}
	if p.Jobs, p.People, err = s.Board.Jobs(r.Context(), jobsShown); err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Jobs(p))
	return nil
}

func (s *server) adminJobCancel(w http.ResponseWriter, r *http.Request, c caller) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return errNoPage
	}
	if _, err := s.Board.CancelJob(r.Context(), deed(r, c), id); err != nil {
		return err
	}
	http.Redirect(w, r, atJobs+"?cancelled", http.StatusSeeOther)
	return nil
}
