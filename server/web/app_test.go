package web

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"kamachat"
)

// files are the static files of a small program.
func files(css string) fstest.MapFS {
	out := fstest.MapFS{"app.css": {Data: []byte(css)}, "app.wasm.gz": {Data: gz("the program")}, "sw.js": {Data: []byte("the worker\n")}}
	for _, name := range []string{"app-192", "app-512", "mask-192", "mask-512", "touch-180", "badge-96"} {
		out["icons/"+name+".png"] = &fstest.MapFile{Data: []byte(name)}
	}
	return out
}

// worker returns what the server writes before sw.js, and all of its answer.
func worker(t *testing.T, h *house) (kit, reply) {
	t.Helper()
	got := h.do(http.DefaultClient, "GET", "/sw.js", nil)
	line, rest, _ := strings.Cut(got.body, ";\n")
	var k kit
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "self.kama=")), &k); err != nil || got.status != 200 || rest != "the worker\n" {
		t.Fatalf("sw.js: %d %q %v", got.status, got.body, err)
	}
	return k, got
}

func TestServiceWorkerKeepsAllThatTheShellNeeds(t *testing.T) {
	h := open(t, func(c *Config) { c.Static = files("one") })
	k, got := worker(t, h)
	for name, want := range map[string]string{
		"Cache-Control": "no-cache", "Service-Worker-Allowed": "/", "Content-Type": "text/javascript; charset=utf-8",
	} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if tag := got.header.Get("ETag"); h.do(http.DefaultClient, "GET", "/sw.js", nil, "If-None-Match", tag).status != 304 {
		t.Error("the same again is sent again")
	}
	if len(k.Assets) != 8 {
		t.Errorf("it keeps %v, want all but itself", k.Assets)
	}
	kept := map[string]bool{}
	for _, u := range k.Assets {
		kept[u] = true
		if got := h.do(http.DefaultClient, "GET", u, nil); got.status != 200 {
			t.Errorf("%s: %d", u, got.status)
		}
	}
	for lang, u := range k.Shells {
		shell := h.do(http.DefaultClient, "GET", u, nil)
		if !strings.Contains(shell.body, `<html lang="`+lang+`"`) {
			t.Errorf("%s: %.80s", u, shell.body)
		}
		uses := 0
		for part := range strings.SplitSeq(shell.body, `"`) {
			if strings.HasPrefix(part, "/static/") {
				if uses++; !kept[part] {
					t.Errorf("%s needs %s", u, part)
				}
			}
		}
		if uses == 0 {
			t.Errorf("%s needs nothing", u)
		}
	}
	if !kept[k.Icon] || !kept[k.Badge] {
		t.Errorf("the pictures of notifications, %q and %q, are not kept", k.Icon, k.Badge)
	}
}

func TestServiceWorkerChangesWithTheBuildAndTheFiles(t *testing.T) {
	of := func(css, build string) (string, string) {
		k, got := worker(t, open(t, func(c *Config) { c.Static, c.Build = files(css), build }))
		return k.Build, got.body
	}
	name, text := of("one", "v1")
	if again, same := of("one", "v1"); again != name || same != text {
		t.Error("the same build has two workers")
	}
	for what, c := range map[string][2]string{"another file": {"two", "v1"}, "another build": {"one", "v2"}} {
		if n, s := of(c[0], c[1]); n == name || s == text {
			t.Errorf("%s has the same worker", what)
		}
	}
	if got := open(t).do(http.DefaultClient, "GET", "/sw.js", nil); got.status != 404 {
		t.Errorf("without sw.js: %d", got.status)
	}
}

func TestManifestIsInThePagesLanguage(t *testing.T) {
	h := open(t, func(c *Config) { c.Static = files("one") })
	for lang, about := range map[string]string{"en": "Chat on a server of your own", "zh": "运行在自己服务器上的聊天"} {
		page := h.do(http.DefaultClient, "GET", "/login?lang="+lang, nil)
		at := "/manifest.webmanifest?lang=" + lang
		if !strings.Contains(page.body, `<link rel="manifest" href="`+at+`">`) {
			t.Errorf("the page in %s has no manifest", lang)
		}
		got := h.do(http.DefaultClient, "GET", at, nil)
		m := decode[manifest](t, got)
		if got.header.Get("Content-Type") != "application/manifest+json" || got.header.Get("Cache-Control") != "no-cache" || len(got.header["Set-Cookie"]) > 0 {
			t.Errorf("%s: %v", at, got.header)
		}
		if m.Description != about || m.Lang != lang || m.ID != "/" || m.StartURL != "/" {
			t.Errorf("%s: %+v", at, m)
		}
		purposes := map[string]int{}
		for _, i := range m.Icons {
			purposes[i.Purpose+" "+i.Sizes]++
			if got := h.do(http.DefaultClient, "GET", i.Src, nil); got.status != 200 || got.header.Get("Content-Type") != "image/png" {
				t.Errorf("%s: %d %v", i.Src, got.status, got.header)
			}
		}
		for _, want := range []string{"any 192x192", "any 512x512", "maskable 192x192", "maskable 512x512"} {
			if purposes[want] != 1 {
				t.Errorf("%s: icons are %v", at, purposes)
			}
		}
	}
	if got := h.do(http.DefaultClient, "GET", "/manifest.webmanifest", nil, "Accept-Language", "zh-CN"); decode[manifest](t, got).Lang != "zh" {
		t.Errorf("without a language: %s", got.body)
	}
}

func TestSharedTextGoesOnUnseen(t *testing.T) {
	h := open(t)
	b := h.browser()
	long := strings.Repeat("好", 5000)
	for name, c := range map[string]struct {
		query url.Values
		want  url.Values // nil: nothing goes on
	}{
		"all":      {url.Values{"title": {"A & B"}, "text": {"#1 你好"}, "url": {"https://example.org/?a=b"}}, url.Values{"title": {"A & B"}, "text": {"#1 你好"}, "url": {"https://example.org/?a=b"}}},
		"too long": {url.Values{"text": {long}}, url.Values{"text": {long[:3*(maxShared/9)]}}},
		"others":   {url.Values{"next": {"//example.org"}}, nil},
		"nothing":  {nil, nil},
	} {
		for method, got := range map[string]reply{
			"GET":  h.do(b, "GET", "/share?"+c.query.Encode(), nil),
			"POST": h.do(b, "POST", "/share", &formBody{strings.NewReader(c.query.Encode())}),
		} {
			to := got.header.Get("Location")
			path, hash, _ := strings.Cut(to, "#")
			told, err := url.ParseQuery(hash)
			want := "/?share=1"
			if c.want == nil {
				want = "/"
			}
			if got.status != 303 || path != want || err != nil || told.Encode() != c.want.Encode() {
				t.Errorf("%s %s: %d %.200s", method, name, got.status, to)
			}
		}
	}
	if got := h.do(b, "POST", "/share", form("text", "x"), "Sec-Fetch-Site", "cross-site"); got.status != 403 {
		t.Errorf("another site shares: %d", got.status)
	}
}

func TestSignOutRemovesWhatTheBrowserKept(t *testing.T) {
	h := open(t)
	const want = `"storage"`
	if got := h.do(h.signedIn(h.ann), "POST", "/logout", form()); got.status != 303 || got.header.Get("Clear-Site-Data") != want {
		t.Errorf("the page: %d %v", got.status, got.header)
	}
	if got := h.do(h.signedIn(h.ann), "POST", "/api/v1/logout", nil); got.header.Get("Clear-Site-Data") != want {
		t.Errorf("the API: %d %v", got.status, got.header)
	}
	b := h.signedIn(h.ann)
	for _, path := range []string{"/", "/login"} {
		if v := h.do(b, "GET", path, nil).header.Get("Clear-Site-Data"); v != "" {
			t.Errorf("%s clears %s", path, v)
		}
	}
	// Signing in ends the sign-in before, but what waits to be sent stays.
	if got := h.do(b, "POST", "/login", form("username", "ann", "password", "password1")); got.status != 303 || got.header.Get("Clear-Site-Data") != "" {
		t.Errorf("signing in again: %d %v", got.status, got.header)
	}
}

// The program is loaded once: the door fetches it ahead, the chat begins to
// before boot.js asks, in both encodings, to be kept for ever.
func TestProgramIsFetchedAheadAndCompressed(t *testing.T) {
	h := open(t, func(c *Config) {
		c.Static = files("one")
		c.Static.(fstest.MapFS)["app.wasm.br"] = &fstest.MapFile{Data: []byte("br")}
	})
	door := h.do(http.DefaultClient, "GET", "/login", nil).body
	chat := h.do(h.signedIn(h.ann), "GET", "/", nil).body
	_, rest, ahead := strings.Cut(door, `<link rel="prefetch" href="/static/app-`)
	at := "/static/app-" + rest[:max(strings.IndexByte(rest, '"'), 0)]
	if !ahead || !strings.Contains(chat, `<link rel="preload" href="`+at+`" as="fetch" crossorigin>`) || !strings.Contains(chat, `data-wasm="`+at+`"`) {
		t.Fatalf("the program is at %q\n%s", at, chat)
	}
	for accept, enc := range map[string]string{"gzip, deflate, br": "br", "gzip": "gzip", "identity": ""} {
		got := h.do(http.DefaultClient, "GET", at, nil, "Accept-Encoding", accept)
		if got.header.Get("Content-Encoding") != enc || got.header.Get("Content-Type") != "application/wasm" ||
			got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %v", accept, got.header)
		}
	}
}

// What the build has put into the binary is complete, where it has been built.
func TestEmbeddedProgramHasBothTwins(t *testing.T) {
	sub, err := fs.Sub(kamachat.Static, "static")
	if err != nil {
		t.Fatal(err)
	}
	st, err := newStatic(sub)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sw.js", "boot.js", "app.css", "favicon.svg"} {
		if st.url(name) == "" {
			t.Errorf("there is no %s", name)
		}
	}
	a := st.byName["app.wasm"]
	if a == nil && os.Getenv("KAMACHAT_REQUIRE") != "all" {
		t.Skip("static/app.wasm.br is not built: run make wasm")
	}
	if a == nil || a.br == nil || a.gz == nil || a.raw != nil {
		t.Fatalf("app.wasm is not there as brotli and gzip alone")
	}
	for _, name := range []string{"wasm_exec.js", "icons/app-192.png", "icons/mask-512.png", "icons/touch-180.png"} {
		if st.url(name) == "" {
			t.Errorf("there is no %s: run make build", name)
		}
	}
}
