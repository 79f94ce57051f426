package web

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kamachat/server/export"
	"kamachat/server/jobs"
	"kamachat/shared/chat"
)

// exporting is a house in which files are made of conversations.
func exporting(t *testing.T) (*house, *export.Service) {
	t.Helper()
	var x *export.Service
	h := openHouse(t, func(h *house, c *Config) {
		js := jobs.New(jobs.Config{Store: h.db, ID: h.ids.Next})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); js.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		x = &export.Service{Log: h.hub, Rows: h.db, Jobs: js, Folder: filepath.Join(t.TempDir(), "exports")}
		c.Exports = x
	})
	conv := chat.Direct(h.ann.ID, h.bob.ID)
	for i, by := range []chat.UserID{h.ann.ID, h.bob.ID} {
		if _, err := h.hub.PostWait(t.Context(), chat.Draft{Conv: conv, Author: by, Ref: string(rune('a' + i)), Content: chat.TextContent("said by " + string(by) + " <i>")}); err != nil {
			t.Fatal(err)
		}
	}
	return h, x
}

// made waits until nothing is being made for u in conv, and returns the latest job.
func made(t *testing.T, x *export.Service, u chat.UserID, conv chat.ConvID) chat.Job {
	t.Helper()
	for {
		js, err := x.List(t.Context(), u, conv)
		if err != nil || len(js) == 0 {
			t.Fatalf("%v, %v", js, err)
		}
		if stored, err := x.Jobs.Store.Job(t.Context(), js[0].ID); err == nil && stored.State != chat.JobRunning {
			return stored
		}
		time.Sleep(time.Millisecond)
	}
}

func TestFileOfAConversationIsMadeWithoutAScript(t *testing.T) {
	h, x := exporting(t)
	b, conv := h.signedIn(h.ann), chat.Direct(h.ann.ID, h.bob.ID)
	path := "/c/" + string(h.bob.ID) + "/export"
	if got := h.do(b, "GET", path, nil); got.status != 200 || !strings.Contains(got.body, "of “bob”") || strings.Contains(got.body, "/exports/") {
		t.Fatalf("at first %d:\n%s", got.status, got.body)
	}
	for format, want := range map[string]string{"json": `said by `, "html": "&lt;i&gt;"} {
		if got := h.do(b, "POST", path, form("format", format)); got.status != 303 || got.header.Get("Location") != path {
			t.Fatalf("asked for %s: %d, %v", format, got.status, got.header)
		}
		j := made(t, x, h.ann.ID, conv)
		got := h.do(b, "GET", path, nil)
		if j.State != chat.JobDone || !strings.Contains(got.body, exportPath(j)) || got.header.Get("Refresh") != "" {
			t.Fatalf("%s is made: %+v\n%s", format, j, got.body)
		}
		file := exportPath(j)
		got = h.do(b, "GET", file, nil)
		if got.status != 200 || !strings.Contains(got.body, want) || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment; filename=\"kamachat bob ") ||
			!strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox; default-src 'none'") || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v\n%s", format, got.status, got.header, got.body)
		}
		for who, c := range map[string]int{"bob": 404, "nobody": 303} {
			other := h.browser()
			if who == "bob" {
				other = h.signedIn(h.bob)
			}
			if got := h.do(other, "GET", file, nil); got.status != c || strings.Contains(got.body, "said by") {
				t.Errorf("%s gets %d %s", who, got.status, got.body)
			}
			if got := h.do(other, "POST", file+"/cancel", form()); got.status != c {
				t.Errorf("%s cancels with %d", who, got.status)
			}
		}
	}
	if got := h.do(b, "POST", path, form("format", "pdf")); got.status != 400 || !strings.Contains(got.body, "Choose a form.") {
		t.Errorf("another format: %d %s", got.status, got.body)
	}
}

func TestPageOfAFileComesAgainWhileItIsMade(t *testing.T) {
	h, x := exporting(t)
	b := h.signedIn(h.ann)
	began := make(chan struct{})
	j, err := x.Jobs.Start(t.Context(), export.Kind, h.ann.ID, map[string]string{export.What: export.OfAccount, export.Format: "json"}, func(ctx context.Context, p *jobs.Progress) error {
		p.Total(10)
		p.Add(4)
		close(began)
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	<-began
	got := h.do(b, "GET", "/settings/export", nil)
	if got.header.Get("Refresh") != "2; url=/settings/export" || !strings.Contains(got.body, `value="40"`) || !strings.Contains(got.body, "4 of 10") {
		t.Errorf("%v\n%s", got.header, got.body)
	}
	if got := h.do(b, "POST", exportPath(j)+"/cancel", form()); got.status != 303 || got.header.Get("Location") != "/settings/export" {
		t.Errorf("cancelled: %d %v", got.status, got.header)
	}
	if j = made(t, x, h.ann.ID, ""); j.State != chat.JobCancelled {
		t.Errorf("%+v", j)
	}
	if got := h.do(b, "GET", exportPath(j), nil); got.status != 404 {
		t.Errorf("what was cancelled: %d", got.status)
	}
}

func TestAccountIsAFileOfOnesOwn(t *testing.T) {
	h, x := exporting(t)
	b := h.signedIn(h.ann)
	if got := h.do(b, "POST", "/settings/export", form()); got.status != 303 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	j := made(t, x, h.ann.ID, "")
	got := h.do(b, "GET", exportPath(j), nil)
	if got.status != 200 || !strings.Contains(got.body, "said by "+string(h.ann.ID)) || strings.Contains(got.body, "said by "+string(h.bob.ID)) || strings.Contains(got.body, "argon") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestExportOverTheAPI(t *testing.T) {
	h, _ := exporting(t)
	path := "/api/v1/conversations/" + string(h.bob.ID) + "/export"
	got := h.do(h.browser(), "GET", path, nil, bearerOf(h.token(h.ann))...)
	f := decode[struct {
		Format  string
		Entries []chat.Message
	}](t, got)
	if got.status != 200 || f.Format != "kamachat.conversation.1" || len(f.Entries) != 2 || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v %+v", got.status, got.header, f)
	}
	if got := h.do(h.browser(), "GET", path+"?format=html", nil, bearerOf(h.token(h.ann))...); got.status != 200 || !strings.Contains(got.body, "<!DOCTYPE html>") {
		t.Errorf("html: %d %s", got.status, got.body)
	}
	for name, c := range map[string]struct {
		path, token string
		want        int
	}{
		"nobody":          {path, "", 401},
		"another's":       {"/api/v1/conversations/" + string(chat.Direct(h.bob.ID, "U2f8k1xq0c1dk")) + "/export", h.token(h.ann), 403},
		"another format":  {path + "?format=pdf", h.token(h.ann), 400},
		"no conversation": {"/api/v1/conversations/nope/export", h.token(h.ann), 404},
		"with an unknown": {"/api/v1/conversations/U2f8k1xq0c1dk/export", h.token(h.ann), 404},
	} {
		var extra []string
		if c.token != "" {
			extra = bearerOf(c.token)
		}
		if got := h.do(h.browser(), "GET", c.path, nil, extra...); got.status != c.want {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// exportPath is where the file of a job is.
func exportPath(j chat.Job) string { return "/exports/" + strconv.FormatInt(j.ID, 10) }
