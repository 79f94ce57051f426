package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func gz(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.Bytes()
}

func TestStaticTwinIsChosenByAcceptEncoding(t *testing.T) {
	wasm := gz("the program")
	st, err := newStatic(fstest.MapFS{
		".gitkeep":     {},
		"app.css":      {Data: []byte("the raw style of it all")},
		"app.css.br":   {Data: []byte("br style")},
		"app.css.gz":   {Data: []byte("gz style..")},
		"app.wasm.gz":  {Data: wasm},
		"app.wasm.br":  {Data: []byte("br program")},
		"only.js.br":   {Data: []byte("br only")},
		"icons/me.svg": {Data: []byte("<svg/>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file, accept   string
		status         int
		encoding, body string
		kind           string
	}{
		"both":             {"app.css", "gzip, deflate, br", 200, "br", "br style", "text/css; charset=utf-8"},
		"gzip":             {"app.css", "gzip", 200, "gzip", "gz style..", "text/css; charset=utf-8"},
		"neither":          {"app.css", "", 200, "", "the raw style of it all", "text/css; charset=utf-8"},
		"br refused":       {"app.css", "br;q=0, gzip;q=0.5", 200, "gzip", "gz style..", "text/css; charset=utf-8"},
		"anything":         {"app.css", "*", 200, "br", "br style", "text/css; charset=utf-8"},
		"wasm, br":         {"app.wasm", "br", 200, "br", "br program", "application/wasm"},
		"wasm, unpacked":   {"app.wasm", "identity", 200, "", "the program", "application/wasm"},
		"brotli only":      {"only.js", "gzip", 406, "", "this file is there in brotli only\n", "text/plain; charset=utf-8"},
		"in a folder, raw": {"icons/me.svg", "br", 200, "", "<svg/>", "image/svg+xml"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", st.url(c.file), nil)
			r.Header.Set("Accept-Encoding", c.accept)
			w := httptest.NewRecorder()
			st.ServeHTTP(w, r)
			h := w.Header()
			if w.Code != c.status || h.Get("Content-Encoding") != c.encoding || w.Body.String() != c.body || h.Get("Content-Type") != c.kind {
				t.Errorf("got %d %q %q %q", w.Code, h.Get("Content-Encoding"), w.Body, h.Get("Content-Type"))
			}
			if c.status == 200 && (h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Vary") != "Accept-Encoding") {
				t.Errorf("headers are %v", h)
			}
		})
	}
}

func TestStaticNamesChangeWithTheContent(t *testing.T) {
	url := func(body string) string {
		st, err := newStatic(fstest.MapFS{"app.css": {Data: []byte(body)}})
		if err != nil {
			t.Fatal(err)
		}
		return st.url("app.css")
	}
	a, b := url("one"), url("two")
	if a == b || !regexp.MustCompile(`^/static/app-[0-9a-f]{16}\.css$`).MatchString(a) {
		t.Errorf("got %q and %q", a, b)
	}
	h := open(t, func(c *Config) {
		c.Static = fstest.MapFS{"app.css": {Data: []byte("one")}}
	})
	if got := h.do(http.DefaultClient, "GET", a, nil); got.status != 200 || got.body != "one" {
		t.Errorf("got %d %q", got.status, got.body)
	}
	for _, path := range []string{b, "/static/app.css", "/static/../web.go", "/static/"} {
		if got := h.do(http.DefaultClient, "GET", path, nil); got.status != 404 {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
	tag := h.do(http.DefaultClient, "GET", a, nil).header.Get("ETag")
	if got := h.do(http.DefaultClient, "GET", a, nil, "If-None-Match", tag); got.status != 304 {
		t.Errorf("the same again: %d", got.status)
	}
}

func TestTextIsCompressedEvenWhereNobodyBuiltATwin(t *testing.T) {
	css := strings.Repeat(".m { color: red }\n", 200)
	st, err := newStatic(fstest.MapFS{"app.css": {Data: []byte(css)}, "a.png": {Data: []byte(css)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"app.css": "gzip", "a.png": ""} {
		r := httptest.NewRequest("GET", st.url(name), nil)
		r.Header.Set("Accept-Encoding", "gzip, br")
		w := httptest.NewRecorder()
		st.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); got != want || want == "gzip" && w.Body.Len() > len(css)/10 {
			t.Errorf("%s: encoding %q, %d bytes", name, got, w.Body.Len())
		}
	}
	r := httptest.NewRequest("GET", st.url("app.css"), nil)
	w := httptest.NewRecorder()
	st.ServeHTTP(w, r)
	if w.Body.String() != css {
		t.Error("who takes no compression gets something else")
	}
}
