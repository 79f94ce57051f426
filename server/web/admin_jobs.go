package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// Jobs is long work, as administrators see it.
type Jobs interface {
	// List returns the latest of u, or where u is empty, of everybody.
	List(ctx context.Context, u chat.UserID, limit int) ([]chat.Job, error)
	// Get answers chat.ErrNotFound where there is none.
	Get(ctx context.Context, u chat.UserID, id int64) (chat.Job, error)
	// Cancel ends one; one that has ended stays as it is.
	Cancel(ctx context.Context, u chat.UserID, id int64) error
}

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
	if p.Jobs, err = s.Jobs.List(r.Context(), "", jobsShown); err != nil {
		return err
	}
	var ids []chat.UserID
	for _, j := range p.Jobs {
		if j.By != "" {
			ids = append(ids, j.By)
		}
	}
	slices.Sort(ids)
	if p.People, err = s.Accounts.People(r.Context(), slices.Compact(ids)...); err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Jobs(p))
	return nil
}

// adminJobCancel notes that a job is cancelled, and cancels it.
func (s *server) adminJobCancel(w http.ResponseWriter, r *http.Request, c caller) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return errNoPage
	}
	j, err := s.Jobs.Get(r.Context(), "", id)
	if err != nil {
		return err
	}
	if j.State == chat.JobRunning {
		d := deed(r, c)
		d.What, d.Target, d.Detail = chat.ActCancel, strconv.FormatInt(id, 10), j.Kind
		if err := s.Board.Note(r.Context(), d); err != nil {
			return err
		}
		if err := s.Jobs.Cancel(r.Context(), "", id); err != nil {
			return err
		}
	}
	http.Redirect(w, r, atJobs+"?cancelled", http.StatusSeeOther)
	return nil
}
