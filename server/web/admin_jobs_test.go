package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kamachat/server/jobs"
	"kamachat/shared/chat"
)

func TestJobsAreSeenAndCancelledByAdministrators(t *testing.T) {
	var work *jobs.Service
	h, _, b, _ := overseen(t, func(h *house, c *Config) {
		work = jobs.New(jobs.Config{Store: h.db, ID: h.ids.Next})
		c.Board.Work = work
	})
	ended := make(chan error, 1)
	j, err := work.Start(t.Context(), "export", h.ann.ID, nil, func(ctx context.Context, p *jobs.Progress) error {
		p.Total(10)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	cancel := fmt.Sprintf("/admin/jobs/%d/cancel", j.ID)
	if got := h.do(b, "GET", "/admin/jobs", nil); got.status != 200 || !strings.Contains(got.body, "Export of a conversation") || !strings.Contains(got.body, cancel) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, route := range []string{"GET /admin/jobs", "POST " + cancel} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(h.signedIn(h.ann), method, path, form()); got.status != 404 {
			t.Errorf("%s as somebody: %d", route, got.status)
		}
		if got := h.do(h.browser(), method, path, form()); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login") {
			t.Errorf("%s as nobody: %d", route, got.status)
		}
	}
	for path, want := range map[string]int{"/admin/jobs/x/cancel": 404, "/admin/jobs/12/cancel": 404, cancel: 303} {
		if got := h.do(b, "POST", path, form()); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if err := <-ended; err == nil {
		t.Error("the work was not told to end")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	work.Run(ctx) // returns when all have ended
	if got := h.do(b, "GET", "/admin/jobs?cancelled", nil); !strings.Contains(got.body, "cancelled</span>") || strings.Contains(got.body, cancel) {
		t.Errorf("afterwards: %s", got.body)
	}
	if deeds := h.deeds(); !slices.Contains(deeds, "cancel export") {
		t.Errorf("noted are %q", deeds)
	}
	if got, err := work.Get(t.Context(), "", j.ID); err != nil || got.State != chat.JobCancelled {
		t.Errorf("the job is %+v, %v", got, err)
	}
}
