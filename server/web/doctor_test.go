package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

func TestDoctorIsForEverybodyAndSaysWhoIsAsked(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		browser *http.Client
		link    string
	}{
		"a stranger": {h.browser(), `href="/login?next=%2Fdoctor"`},
		"ann":        {h.signedIn(h.ann), `<a href="/">`},
	} {
		got := h.do(c.browser, "GET", "/doctor", nil)
		if got.status != 200 || !strings.Contains(got.body, c.link) || strings.Contains(got.body, `data-check="disk"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if cache := got.header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("%s: it may be kept: %q", name, cache)
		}
	}
}

func TestProbeTellsHowARequestLooksFromHere(t *testing.T) {
	h := open(t, func(c *Config) { c.Origins = []string{"https://friend.example"} })
	ann := h.signedIn(h.ann)
	for name, c := range map[string]struct {
		browser *http.Client
		headers []string
		want    probe
	}{
		"a stranger's page":  {h.browser(), []string{"Origin", h.URL}, probe{Site: "same"}},
		"ann's page":         {ann, []string{"Origin", h.URL}, probe{Site: "same", SignedIn: true}},
		"behind TLS":         {ann, []string{"Origin", h.URL, "X-Forwarded-Proto", "https"}, probe{Site: "same", SignedIn: true, Secure: true}},
		"a listed site":      {ann, []string{"Origin", "https://friend.example"}, probe{Site: "same", SignedIn: true}},
		"the host rewritten": {ann, []string{"Origin", "https://chat.example.org", "Sec-Fetch-Site", "same-origin"}, probe{Site: "other", SignedIn: true}},
		"no origin":          {ann, nil, probe{Site: "dumb", SignedIn: true}},
	} {
		reply := h.do(c.browser, "POST", "/api/v1/doctor", nil, c.headers...)
		got := decode[probe](t, reply)
		if reply.status != 200 || got.At == 0 || got.Build != "test" {
			t.Errorf("%s: %d %s", name, reply.status, reply.body)
		}
		got.At, got.Build = 0, ""
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestHealthIsForAdministratorsAlone(t *testing.T) {
	h := openHouse(t, func(h *house, c *Config) {
		c.Health = func() Health { return Health{Version: "test", Connections: 3} }
		c.Ready = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"ready":false,"checks":{"store":{"ok":false}}}`))
		})
	})
	const path = "/api/v1/doctor/server"
	if got := h.do(h.browser(), "GET", path, nil); got.status != 401 {
		t.Errorf("a stranger: %d %s", got.status, got.body)
	}
	if got := h.do(h.signedIn(h.ann), "GET", path, nil); got.status != 403 || strings.Contains(got.body, "store") {
		t.Errorf("ann: %d %s", got.status, got.body)
	}
	root := h.signedIn(h.admin())
	got := h.do(root, "GET", path, nil)
	out := decode[struct {
		Health Health
		Ready  struct {
			Ready  bool
			Checks map[string]struct{ OK bool }
		}
	}](t, got)
	if _, told := out.Ready.Checks["store"]; got.status != 200 || out.Health.Connections != 3 || out.Ready.Ready || !told {
		t.Errorf("an administrator: %d %s", got.status, got.body)
	}
	if page := h.do(root, "GET", "/doctor", nil); !strings.Contains(page.body, `data-check="disk"`) {
		t.Error("an administrator's page has nothing about the server")
	}
	if p := decode[probe](t, h.do(root, "POST", "/api/v1/doctor", nil, "Origin", "https://chat.example.org", "Sec-Fetch-Site", "same-origin")); p.Host != h.Listener.Addr().String() {
		t.Errorf("an administrator is told that %q was asked for", p.Host)
	}
}

func TestHealthDoesWithoutReadiness(t *testing.T) {
	h := open(t)
	got := h.do(h.signedIn(h.admin()), "GET", "/api/v1/doctor/server", nil)
	if got.status != 200 || !json.Valid([]byte(got.body)) || strings.Contains(got.body, "ready") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// admin is somebody who looks after the server, with the usual password.
func (h *house) admin() chat.Person {
	h.t.Helper()
	key, err := h.accounts.SetupKey(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.accounts.Setup(h.t.Context(), key, "root", "password1", "")
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}
