package web

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var adminRoute = regexp.MustCompile(`"(GET|POST) (/admin[^"]*)"`)

// Every route of administrators, and whatever will be: nobody is sent to sign in, and
// for all others, as for programs of administrators, it is an address that leads nowhere,
// to the byte.
func TestNobodyElseFindsAnyRouteOfAdministrators(t *testing.T) {
	h, boss, _, _ := overseen(t)
	own, member := bearerOf(h.token(boss)), h.signedIn(h.ann)
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
			if got := ask(h.browser(), path); got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/login") {
				t.Errorf("%s %s as nobody: %d to %q", method, path, got.status, got.header.Get("Location"))
			}
			for who, do := range map[string]func(path string) reply{
				"somebody":                   func(path string) reply { return ask(member, path) },
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
