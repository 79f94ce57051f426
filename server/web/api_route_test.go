package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// bound is Accounts whose every token is bound to scopes.
type bound struct {
	Accounts
	scopes []string
}

func (b *bound) UserByToken(ctx context.Context, token string) (chat.Person, []string, error) {
	p, _, err := b.Accounts.UserByToken(ctx, token)
	return p, b.scopes, err
}

func TestTokensReachAsFarAsTheirScopes(t *testing.T) {
	var b *bound
	h := open(t, func(c *Config) {
		b = &bound{Accounts: c.Accounts}
		c.Accounts = b
	})
	token := h.token(h.ann)
	auth := bearerOf(token)
	for name, c := range map[string]struct {
		method, path string
		scopes       string
		code         chat.Code
	}{
		"all":                       {"GET", "/api/v1/people", "", ""},
		"the right one":             {"GET", "/api/v1/people", "messages:read people:read", ""},
		"another":                   {"GET", "/api/v1/people", "people:write", chat.Forbidden},
		"what every token may do":   {"GET", "/api/v1/me", "people:write", ""},
		"outside the API":           {"GET", "/c/" + string(h.bob.ID), "people:read messages:read", chat.Forbidden},
		"socket by header":          {"GET", "/ws?client_id=" + string(h.ann.ID), "messages:read", chat.Forbidden},
		"socket by address":         {"GET", "/ws?client_id=" + string(h.ann.ID) + "&token=" + token, "messages:read", chat.Forbidden},
		"what no bot may do at all": {"GET", "/api/v1/doctor/server", "people:read any", chat.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			b.scopes = strings.Fields(c.scopes)
			extra := auth
			if strings.HasPrefix(c.path, "/ws") {
				extra = []string{"Connection", "Upgrade", "Upgrade", "websocket"}
			}
			if strings.HasPrefix(c.path, "/ws") && !strings.Contains(c.path, "token=") {
				extra = append(extra, auth...)
			}
			got := h.do(http.DefaultClient, c.method, c.path, nil, extra...)
			if want := statuses[c.code]; c.code == "" && got.status != 200 || c.code != "" && got.status != want {
				t.Errorf("got %d %s, want %d", got.status, got.body, want)
			}
		})
	}
}

func TestBodiesOfOtherTypesAreRefused(t *testing.T) {
	for kind, ok := range map[string]bool{
		"": true, "application/json": true, "application/json; charset=utf-8": true, "application/merge-patch+json": true,
		"text/plain": false, "application/x-www-form-urlencoded": false, "image/svg+json": false, ";": false,
	} {
		r, err := http.NewRequest("POST", "/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		if err := isJSON(r); (err == nil) != ok {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// gone is a connection whose other end is not there any more.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, errBoom }

func TestAnAnswerThatNobodyHearsIsNoPanic(t *testing.T) {
	h := open(t)
	r := httptest.NewRequest("GET", "/api/v1/me", nil)
	r.Header.Set("Authorization", "Bearer "+h.token(h.ann))
	w := httptest.NewRecorder()
	h.Config.Handler.ServeHTTP(gone{w}, r)
	if w.Code != 200 || strings.Contains(h.logs.String(), "panic") {
		t.Errorf("got %d, logged %s", w.Code, h.logs)
	}
}
