package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/server/jobs"
	"kamachat/shared/chat"
)

var adminRoute = regexp.MustCompile(`"([A-Z]+) (/admin[^"]*)"`)

// Every route of administrators, and whatever will be: nobody is sent to sign in, and
// for all others, as for programs of administrators, it is an address that leads nowhere,
// to the byte.
func TestNobodyElseFindsAnyRouteOfAdministrators(t *testing.T) {
	var conf Config
	h, boss, _, _ := overseen(t, func(h *house, c *Config) {
		c.Board.Work = jobs.New(jobs.Config{Store: h.db, ID: h.ids.Next})
		conf = *c
	})
	routed := http.NewServeMux()
	(&server{Config: conf}).adminRoutes(routed)
	own, member, owner := bearerOf(h.token(boss)), h.signedIn(h.bob), h.signedIn(h.ann)
	if _, err := h.accounts.MakeGroup(t.Context(), h.ann.ID, account.NewGroup{Name: "Tea", Members: []chat.UserID{h.bob.ID}}); err != nil {
		t.Fatal(err)
	}
	bot, err := h.accounts.MakeBot(t.Context(), boss, "helper", "")
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := h.accounts.MakeToken(t.Context(), boss.ID, bot.ID, "", []string{"people:read"})
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range adminRoute.FindAllStringSubmatch(string(src), -1) {
			n++
			method, path := m[1], regexp.MustCompile(`\{\w+\}`).ReplaceAllString(m[2], "1")
			ask := func(c *http.Client, path string, extra ...string) reply {
				var body io.Reader
				if method == http.MethodPost {
					body = form("act", "disable", "id", string(h.bob.ID))
				}
				return h.do(c, method, path, body, extra...)
			}
			if _, at := routed.Handler(httptest.NewRequest(method, path, nil)); at != method+" "+m[2] {
				t.Errorf("%s %s is not routed here, but %q", method, m[2], at)
			}
			if got := ask(h.browser(), path); got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/login") {
				t.Errorf("%s %s as nobody: %d to %q", method, path, got.status, got.header.Get("Location"))
			}
			for who, do := range map[string]func(path string) reply{
				"somebody":                   func(path string) reply { return ask(member, path) },
				"the owner of a group":       func(path string) reply { return ask(owner, path) },
				"an administrator's bot":     func(path string) reply { return ask(http.DefaultClient, path, bearerOf(secret)...) },
				"a token that is none":       func(path string) reply { return ask(http.DefaultClient, path, bearerOf("none")...) },
				"an administrator's program": func(path string) reply { return ask(http.DefaultClient, path, own...) },
			} {
				got, nowhere := do(path), do("/admin/nowhere")
				if got.status != http.StatusNotFound || got.status != nowhere.status || got.body != nowhere.body {
					t.Errorf("%s %s as %s: %d, %.80q; nowhere answers %d, %.80q", method, path, who, got.status, got.body, nowhere.status, nowhere.body)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d routes found", n)
	}
}
