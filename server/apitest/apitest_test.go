package apitest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tea is a description of one operation.
const tea = `{
 "openapi": "3.1.0",
 "info": {"title": "Tea", "version": "1"},
 "paths": {"/api/v1/tea/{kind}": {"post": {
  "operationId": "brew",
  "parameters": [{"name": "kind", "in": "path", "required": true, "schema": {"type": "string", "enum": ["oolong", "green"]}}],
  "requestBody": {"required": true, "content": {"application/json": {"schema": {
   "type": "object", "required": ["cups"], "additionalProperties": true, "properties": {"cups": {"type": "integer"}}}}}},
  "responses": {
   "200": {"description": "OK", "content": {"application/json": {"schema": {
    "type": "object", "required": ["warm"], "additionalProperties": true, "properties": {"warm": {"type": "boolean"}}}}}},
   "default": {"description": "A problem", "content": {"application/problem+json": {"schema": {
    "type": "object", "required": ["code"], "additionalProperties": true, "properties": {"code": {"type": "string", "enum": ["cold"]}}}}}}
  }
 }}}
}`

// An answer is what a server says.
type answer struct {
	status            int
	kind, cache, body string
}

func (a answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", a.cache)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// What is wrong is found, on either side of the wire, and what is right is not.
func TestWrongAnswersAreFound(t *testing.T) {
	const as, problem, no, path, asked = "application/json", "application/problem+json", "no-store", "/api/v1/tea/oolong", `{"cups":2}`
	for name, c := range map[string]struct {
		path, asked string
		answer      answer
		wrong       string // part of what is said of it
	}{
		"as described":               {path, asked, answer{200, as, no, `{"warm":true}`}, ""},
		"refused as described":       {path, asked, answer{409, problem, no, `{"code":"cold"}`}, ""},
		"refused for what was asked": {"/api/v1/tea/coffee", `{}`, answer{400, problem, no, `{"code":"cold"}`}, ""},
		"asked for more":             {path, `{"cups":2,"sugar":true}`, answer{200, as, no, `{"warm":true}`}, ""},
		"nowhere":                    {"/api/v1/water", asked, answer{404, problem, no, `{"code":"cold"}`}, ""},
		"a page":                     {"/tea", asked, answer{200, "text/html", "", `<p>`}, ""},
		"a field more":               {path, asked, answer{200, as, no, `{"warm":true,"sweet":true}`}, "sweet"},
		"a field less":               {path, asked, answer{200, as, no, `{}`}, "warm"},
		"another type":               {path, asked, answer{200, as, no, `{"warm":"yes"}`}, "warm"},
		"no JSON":                    {path, asked, answer{200, as, no, `{`}, "body"},
		"another kind":               {path, asked, answer{200, "text/plain", no, `{"warm":true}`}, "Content-Type"},
		"to be kept":                 {path, asked, answer{200, as, "", `{"warm":true}`}, "Cache-Control"},
		"a code that is none":        {path, asked, answer{409, problem, no, `{"code":"hot"}`}, "code"},
		"a problem as a page":        {path, asked, answer{503, "text/html", no, `<p>`}, "Content-Type"},
		"granted, and not described": {"/api/v1/water", asked, answer{200, as, no, `{}`}, "not described"},
		"granted a bad path":         {"/api/v1/tea/coffee", asked, answer{200, as, no, `{"warm":true}`}, "kind"},
		"granted a bad body":         {path, `{"cups":"two"}`, answer{200, as, no, `{"warm":true}`}, "cups"},
		"granted nothing":            {path, ``, answer{200, as, no, `{"warm":true}`}, "body"},
	} {
		d, err := Read([]byte(tea))
		if err != nil {
			t.Fatal(err)
		}
		for side, serve := range map[string]func(wrong func(error)) (http.Handler, http.RoundTripper){
			"client": func(wrong func(error)) (http.Handler, http.RoundTripper) {
				return c.answer, &Transport{Base: &http.Transport{}, Describe: func() (*Description, error) { return d, nil }, Wrong: wrong}
			},
			"server": func(wrong func(error)) (http.Handler, http.RoundTripper) {
				return d.Handler(c.answer, wrong), &http.Transport{}
			},
		} {
			t.Run(side+"/"+name, func(t *testing.T) {
				found := make(chan error, 1)
				h, by := serve(func(err error) { found <- err })
				srv := httptest.NewServer(h)
				client := &http.Client{Transport: by}
				var body io.Reader = strings.NewReader(c.asked)
				if side == "client" && len(name)%2 == 0 {
					body = struct{ io.Reader }{body} // which can't be asked for again
				}
				req, err := http.NewRequest("POST", srv.URL+c.path, body)
				if err != nil {
					t.Fatal(err)
				}
				if c.asked != "" {
					req.Header.Set("Content-Type", "application/json")
				}
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				client.CloseIdleConnections()
				srv.Close() // what was answered was held then
				if err != nil || string(got) != c.answer.body || res.StatusCode != c.answer.status {
					t.Errorf("it was answered %d %q, %v", res.StatusCode, got, err)
				}
				close(found)
				switch wrong := <-found; {
				case c.wrong == "" && wrong != nil, c.wrong != "" && (wrong == nil || !strings.Contains(wrong.Error(), c.wrong)):
					t.Errorf("found %v, want %q", wrong, c.wrong)
				}
			})
		}
	}
}

// What is granted, as it is described, counts; what is refused, wrong or elsewhere does not.
func TestUngrantedIsWhatNobodyWasGranted(t *testing.T) {
	const brew = "POST /api/v1/tea/{kind} (brew)"
	for name, c := range map[string]struct {
		path   string
		answer answer
		want   []string
	}{
		"granted":   {"/api/v1/tea/oolong", answer{200, "application/json", "no-store", `{"warm":true}`}, nil},
		"wrong":     {"/api/v1/tea/oolong", answer{200, "application/json", "no-store", `{"warm":"yes"}`}, []string{brew}},
		"asked ill": {"/api/v1/tea/coffee", answer{200, "application/json", "no-store", `{"warm":true}`}, []string{brew}},
		"refused":   {"/api/v1/tea/oolong", answer{409, "application/problem+json", "no-store", `{"code":"cold"}`}, []string{brew}},
		"elsewhere": {"/tea", answer{200, "text/html", "", `<p>`}, []string{brew}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Read([]byte(tea))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Ungranted(); !slices.Equal(got, []string{brew}) {
				t.Errorf("before anything was asked: %q", got)
			}
			h := d.Handler(c.answer, func(error) {})
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", c.path, strings.NewReader(`{"cups":2}`)))
			if got := d.Ungranted(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// An answer that breaks off is for who asked to find, and not held.
func TestAnswersThatBreakOffAreNotHeld(t *testing.T) {
	d, err := Read([]byte(tea))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"warm":`)
	}))
	defer srv.Close()
	by := &Transport{Base: &http.Transport{}, Describe: func() (*Description, error) { return d, nil }, Wrong: func(err error) { t.Error(err) }}
	defer by.CloseIdleConnections()
	res, err := (&http.Client{Transport: by}).Post(srv.URL+"/api/v1/tea/oolong", "application/json", strings.NewReader(`{"cups":1}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err == nil || string(got) != `{"warm":` {
		t.Errorf("read %q, %v", got, err)
	}
}

// All clients are held, and a wrong answer fails the whole package.
func TestHoldFailsThePackage(t *testing.T) {
	srv := httptest.NewServer(answer{200, "application/json", "no-store", `{"warm":"yes"}`})
	defer srv.Close()
	ask := func() {
		res, err := http.Post(srv.URL+"/api/v1/tea/green", "application/json", strings.NewReader(`{"cups":1}`))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	defer http.DefaultClient.CloseIdleConnections()
	end := Hold(func() ([]byte, error) { return []byte(tea), nil })
	if code := end(0); code != 0 {
		t.Errorf("nothing was asked: %d", code)
	}
	end = Hold(func() ([]byte, error) { return []byte(tea), nil })
	ask()
	if code := end(0); code == 0 {
		t.Error("a wrong answer is taken")
	}
	ask() // nobody listens any more
	end = Hold(func() ([]byte, error) { return nil, io.ErrUnexpectedEOF })
	_, err := http.Get(srv.URL + "/api/v1/tea/green")
	if code := end(2); err == nil || code != 2 {
		t.Errorf("without a description: %v, %d", err, code)
	}
}
