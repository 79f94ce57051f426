package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

func TestEveryAnswerIsCareful(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	for _, path := range []string{
		"/", "/c/" + string(h.bob.ID), "/c/nope", "/login", "/register", "/setup", "/shell", "/new", "/nowhere",
		"/api/v1/me", "/healthz", "/static/none.css", "/ws",
	} {
		got := h.do(b, "GET", path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "same-origin",
		} {
			if v := got.header.Get(name); v != want {
				t.Errorf("%s: %s is %q", path, name, v)
			}
		}
		if got.header.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", path)
		}
	}
}

func TestCookieIsHiddenLaxAndSecureOverTLS(t *testing.T) {
	h := open(t)
	for proto, secure := range map[string]bool{"http": false, "https": true} {
		got := h.do(h.browser(), "POST", "/login", form("username", "ann", "password", "password1"), "X-Forwarded-Proto", proto)
		c := got.header.Get("Set-Cookie")
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path=/") || strings.Contains(c, "Secure") != secure {
			t.Errorf("over %s: %q", proto, c)
		}
	}
}

func TestCrossSitePostIsRefused(t *testing.T) {
	h := open(t, func(c *Config) { c.Origins = []string{"https://friend.example"} })
	b := h.signedIn(h.ann)
	for name, c := range map[string]struct {
		headers []string
		want    int
	}{
		"another site":             {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"another site, old":        {[]string{"Origin", "https://evil.example"}, 403},
		"another port":             {[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"}, 403},
		"own page":                 {[]string{"Sec-Fetch-Site", "same-origin"}, 303},
		"no browser":               {nil, 303},
		"listed origin":            {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://friend.example"}, 303},
		"listed host, other proto": {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "http://friend.example"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.do(b, "POST", "/c/"+string(h.bob.ID), form("text", "hi"), c.headers...)
			if got.status != c.want {
				t.Errorf("got %d, want %d", got.status, c.want)
			}
			if c.want != 403 {
				return
			}
			api := h.do(b, "POST", "/api/v1/logout", nil, c.headers...)
			if p := decode[problem](t, api); p.Code != chat.Forbidden {
				t.Errorf("at the API: %s", api.body)
			}
		})
	}
}

func TestSetupLinkWorksOnce(t *testing.T) {
	h := open(t)
	key, err := h.accounts.SetupKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	link := "/setup?key=" + url.QueryEscape(key)
	if got := h.do(h.browser(), "GET", link, nil); got.status != 200 || !strings.Contains(got.body, key) {
		t.Fatalf("the link: %d %s", got.status, got.body)
	}
	fill := func(key, name string) reply {
		return h.do(h.browser(), "POST", "/setup", form("key", key, "username", name, "password", "password1"))
	}
	if got := fill("guess", "eve"); got.status != 403 {
		t.Errorf("a guessed key: %d", got.status)
	}
	got := fill(key, "root")
	if got.status != 303 || !strings.Contains(got.header.Get("Set-Cookie"), loginCookie) {
		t.Errorf("the right key: %d %s", got.status, got.body)
	}
	if got := fill(key, "root2"); got.status != 403 {
		t.Errorf("a second time: %d", got.status)
	}
	if got := h.do(h.browser(), "GET", link, nil); got.status != 403 {
		t.Errorf("the link afterwards: %d", got.status)
	}
}

func TestSignedOutAreSentToSignInAndBack(t *testing.T) {
	h := open(t)
	got := h.do(h.browser(), "GET", "/c/Gx?lang=zh", nil)
	if to := got.header.Get("Location"); got.status != 303 || to != "/login?next=%2Fc%2FGx%3Flang%3Dzh" {
		t.Errorf("got %d to %q", got.status, to)
	}
	for next, want := range map[string]string{
		"/c/Gx": "/c/Gx", "": "/", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/",
	} {
		got := h.do(h.browser(), "POST", "/login", form("username", "ann", "password", "password1", "next", next))
		if to := got.header.Get("Location"); to != want {
			t.Errorf("next=%q leads to %q, want %q", next, to, want)
		}
	}
	if got := h.do(h.browser(), "POST", "/login", form("username", "ann", "password", "wrong")); got.status != 401 || got.header.Get("Set-Cookie") != "" {
		t.Errorf("wrong password: %d", got.status)
	}
}

func TestChatWorksWithoutAScript(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	path := "/c/" + string(h.bob.ID)
	for range 2 {
		if got := h.do(b, "POST", path, form("text", "hello bob", "ref", "r1")); got.status != 303 || got.header.Get("Location") != path {
			t.Fatalf("got %d to %q", got.status, got.header.Get("Location"))
		}
	}
	got := h.do(b, "GET", path, nil)
	if strings.Count(got.body, `">hello bob<`) != 1 || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %q %q", got.body, got.header.Get("Cache-Control"))
	}
	if got := h.do(b, "POST", path, form("text", strings.Repeat("x", chat.MaxText+1))); got.status != 413 || !strings.Contains(got.body, "xxx") {
		t.Errorf("too long a text: %d, and it must be kept", got.status)
	}
	if got := h.do(b, "GET", "/new?q=bo", nil); !strings.Contains(got.body, string(h.bob.ID)) {
		t.Errorf("search: %s", got.body)
	}
	if got := h.do(b, "POST", "/new", form("with", string(h.bob.ID))); got.header.Get("Location") != path {
		t.Errorf("open: %d", got.status)
	}
	if got := h.do(b, "POST", "/new", form("name", "Tea", "member", string(h.bob.ID))); !strings.HasPrefix(got.header.Get("Location"), "/c/G") {
		t.Errorf("make a group: %d %s", got.status, got.body)
	}
	if got := h.do(b, "POST", "/new", form("name", "")); got.status != 400 {
		t.Errorf("a group without a name: %d", got.status)
	}
}

func TestLanguageIsChosenOrTheBrowsers(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "zh-CN,zh;q=0.9,en;q=0.8": "zh", "en-US,zh;q=0.9": "en", "fr,zh;q=0.5,en;q=0.4": "zh", "fr": "en", "zh;q=0": "en", "zh;q=x": "en",
	} {
		if got := string(words.Match(header)); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
	h := open(t)
	b := h.browser()
	if got := h.do(b, "GET", "/shell?lang=zh", nil); !strings.Contains(got.body, `<html lang="zh"`) {
		t.Errorf("asked for: %s", got.body)
	}
	if got := h.do(b, "GET", "/shell", nil, "Accept-Language", "en"); !strings.Contains(got.body, `<html lang="zh"`) {
		t.Errorf("kept: %s", got.body)
	}
}

// shaky panics when it is asked for the setup link.
type shaky struct{ Accounts }

func (shaky) SetupOpen(context.Context, string) (bool, error) { panic("the message said hunter2") }

func TestPanicIsAnsweredAndLoggedWithoutWhatItSaid(t *testing.T) {
	h := open(t, func(c *Config) {
		c.Accounts = shaky{c.Accounts}
	})
	got := h.do(http.DefaultClient, "GET", "/setup", nil)
	if got.status != 500 || strings.Contains(got.body, "hunter2") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if log := h.logs.String(); !strings.Contains(log, "pages_test.go") || strings.Contains(log, "hunter2") {
		t.Errorf("logged %s", log)
	}
}

func TestPagesEscapeWhatPeopleWrite(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	path := "/c/" + string(h.bob.ID)
	h.do(b, "POST", path, form("text", "<script>alert(1)</script>"))
	for p, want := range map[string]string{
		path: "&lt;script&gt;", "/": "Sign out", "/new?q=bo": string(h.bob.ID), "/nowhere": "Not found", "/register": "/register", "/shell": `class="convs"`,
	} {
		if got := h.do(b, "GET", p, nil); !strings.Contains(got.body, want) || strings.Contains(got.body, "<script>") {
			t.Errorf("%s: got %s", p, got.body)
		}
	}
}

func TestOlderMessagesAreAPageAway(t *testing.T) {
	h := openHouse(t, withRealHub)
	b := h.signedIn(h.ann)
	path := "/c/" + string(h.bob.ID)
	for i := range firstEntries + 5 {
		h.do(b, "POST", path, form("text", fmt.Sprintf("word%d.", i), "ref", fmt.Sprint(i)))
	}
	end := h.do(b, "GET", path, nil).body
	if strings.Contains(end, "word4.") || !strings.Contains(end, "word5.") || !strings.Contains(end, `href="?before=6"`) {
		t.Errorf("the end: %s", end)
	}
	old := h.do(b, "GET", path+"?before=6", nil).body
	if !strings.Contains(old, "word4.") || strings.Contains(old, `">word5.`) || strings.Contains(old, "?before=") || !strings.Contains(old, `class="newer"`) {
		t.Errorf("before that: %s", old)
	}
}

func TestPageIsInTheBrowsersZoneAndScheme(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	path := "/c/" + string(h.bob.ID)
	h.do(b, "POST", path, form("text", "hello")) // the hub of these tests says that it is 1970
	for cookies, want := range map[string]string{
		"tz=Asia%2FShanghai": ">08:00<", "tz=Asia/Kathmandu": ">05:30<", "tz=UTC; kamachat_theme=dark": `data-theme="dark"`,
		"tz=..%2F..%2Fetc%2Fpasswd; kamachat_theme=x": `<html lang="en">`, "tz=%zz": `<html lang="en">`,
	} {
		at, _ := url.Parse(h.URL)
		for _, c := range b.Jar.Cookies(at) {
			cookies += "; " + c.String()
		}
		if got := h.do(&http.Client{}, "GET", path, nil, "Cookie", cookies); !strings.Contains(got.body, want) {
			t.Errorf("%s: %s", cookies, got.body)
		}
	}
}
