package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// busyPeople lets nobody change anything.
type busyPeople struct{ Accounts }

func (busyPeople) AdmitChange(chat.UserID) error {
	return &chat.Refusal{Code: chat.RateLimited, RetryAfter: time.Second}
}

func TestChangesByHTTPAreLimitedAndReadingIsNot(t *testing.T) {
	h := open(t, func(c *Config) { c.Accounts = busyPeople{c.Accounts} })
	as, c := bearerOf(h.token(h.ann)), h.signedIn(h.ann)
	for _, path := range []string{"/api/v1/conversations/" + string(h.bob.ID) + "/messages", "/api/v1/groups"} {
		if r := h.do(h.browser(), "POST", path, strings.NewReader("{}"), as...); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
			t.Errorf("POST %s: %d, want 429 and when to come back", path, r.status)
		}
	}
	for _, path := range []string{"/c/" + string(h.bob.ID), "/new"} {
		if r := h.do(c, "POST", path, form("text", "x")); r.status != http.StatusTooManyRequests {
			t.Errorf("POST %s: %d, want 429", path, r.status)
		}
		if r := h.do(c, "GET", path, nil); r.status != http.StatusOK {
			t.Errorf("GET %s: %d", path, r.status)
		}
	}
}
