package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// everything is a server with all routes that may be there, to describe them.
func everything(t *testing.T) (*api, *http.ServeMux) {
	t.Helper()
	s := &server{Config: Config{Build: "test", Files: struct{ Files }{}, Push: struct{ Push }{}, Hooks: noHooks{}}}
	mux := http.NewServeMux()
	return s.apiRoutes(mux), mux
}

// A description is the document as an independent reader understands it.
type description struct {
	open   *openapi3.T // as it is served
	closed *openapi3.T // allows no fields but those that it names
}

var (
	describeOnce sync.Once
	described    description
)

// describe reads the description that the server gives of itself.
func describe(t *testing.T) description {
	t.Helper()
	describeOnce.Do(func() {
		_, mux := everything(t)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/openapi.json", nil))
		load := func(b []byte) *openapi3.T {
			doc, err := openapi3.NewLoader().LoadFromData(b)
			if err != nil {
				t.Fatal(err)
			}
			return doc
		}
		b := w.Body.Bytes()
		described.open = load(b)
		described.closed = load(regexp.MustCompile(`"additionalProperties": true`).ReplaceAll(b, []byte(`"additionalProperties": false`)))
	})
	if described.closed == nil {
		t.Fatal("the description can't be read")
	}
	return described
}

// held is h with every answer of the API held against the description, and every
// request that was granted.
func held(t *testing.T, h http.Handler) http.Handler {
	d := describe(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/files/") {
			h.ServeHTTP(w, r)
			return
		}
		said, heard := &overheard{ResponseWriter: w, status: http.StatusOK}, &bytes.Buffer{}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, heard), r.Body}
		h.ServeHTTP(said, r)
		if err := d.check(r, heard.Bytes(), said); err != nil && r.Context().Err() == nil {
			t.Errorf("%s %s, answered %d %.300s: %v", r.Method, r.URL, said.status, said.body.String(), err)
		}
	})
}

// overheard takes down what is answered.
type overheard struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (o *overheard) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

func (o *overheard) Write(p []byte) (int, error) {
	o.body.Write(p)
	return o.ResponseWriter.Write(p)
}

func (o *overheard) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// at returns the operation that a pattern of net/http is described as.
func (d description) at(doc *openapi3.T, pattern string) *routers.Route {
	method, path, _ := strings.Cut(pattern, " ")
	item := doc.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		return nil
	}
	return &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)}
}

// check says what is wrong with an answer, or with the request that it grants.
func (d description) check(r *http.Request, body []byte, said *overheard) error {
	pattern := r.Pattern
	switch pattern {
	case "/", "GET /api/docs":
		return nil // pages
	case "/api/", "":
		pattern = "GET /api/v1/me" // nowhere, or refused before: a problem like any other
	}
	path := r.URL.Path
	if cache := said.Header().Get("Cache-Control"); strings.HasPrefix(path, "/api/v1/") && !strings.HasPrefix(path, "/api/v1/openapi") && cache != "no-store" {
		return errors.New("Cache-Control is " + cache)
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		ExcludeResponseBody: said.status < 400 && (strings.HasPrefix(path, "/files/") || said.Header().Get("Content-Type") == "text/html; charset=utf-8") || said.status == 416,
		ExcludeRequestBody:  path == uploadPath,
	}
	ask := func(doc *openapi3.T) (*openapi3filter.RequestValidationInput, error) {
		route := d.at(doc, pattern)
		if route == nil {
			return nil, errors.New("not described: " + pattern)
		}
		params := map[string]string{}
		for _, p := range route.Operation.Parameters {
			if p.Value.In == "path" {
				params[p.Value.Name] = r.PathValue(p.Value.Name)
			}
		}
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if len(body) == 0 {
			again.Body = http.NoBody
		} else if again.Header.Get("Content-Type") == "" {
			again.Header.Set("Content-Type", jsonType) // what is not said is taken for that
		}
		return &openapi3filter.RequestValidationInput{Request: again, PathParams: params, Route: route, Options: options}, nil
	}
	in, err := ask(d.closed)
	if err != nil {
		return err
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: said.status, Header: said.Header(), Options: options}
	if err := openapi3filter.ValidateResponse(r.Context(), out.SetBodyBytes(said.body.Bytes())); err != nil {
		return err
	}
	if said.status >= 300 {
		return nil
	}
	if in, err = ask(d.open); err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(r.Context(), in)
}

func TestDescriptionIsValid(t *testing.T) {
	d := describe(t)
	if !d.open.IsOpenAPI31OrLater() {
		t.Errorf("it says OpenAPI %s", d.open.OpenAPI)
	}
	if err := d.open.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for path, item := range d.open.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Summary == "" || len(op.Tags) != 1 || d.open.Tags.Get(op.Tags[0]) == nil || strings.HasSuffix(op.Summary, ".") {
				t.Errorf("%s %s: summary %q, tags %v", method, path, op.Summary, op.Tags)
			}
			for _, p := range op.Parameters {
				if p.Value.In == "path" {
					continue
				}
				if p.Value.Description == "" {
					t.Errorf("%s %s: %s is not described", method, path, p.Value.Name)
				}
			}
		}
	}
}

func TestWhatIsDescribedIsRoutedAndTheReverse(t *testing.T) {
	_, mux := everything(t)
	for path, item := range describe(t).open.Paths.Map() {
		for method := range item.Operations() {
			r := httptest.NewRequest(method, path, nil)
			if _, pattern := mux.Handler(r); pattern != method+" "+path {
				t.Errorf("%s %s is described and goes to %q", method, path, pattern)
			}
		}
	}
	// What is registered in another way than by route or raw is not described.
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	direct := regexp.MustCompile(`Handle(Func)?\("[A-Z ]*/api/v1`)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := direct.Find(b); found != nil && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s: %s…: use route or raw", name, found)
		}
	}
}

func TestDescriptionIsServedInBothWritings(t *testing.T) {
	h := open(t)
	var doc struct{ Paths map[string]any }
	got := h.do(http.DefaultClient, "GET", "/api/v1/openapi.json", nil)
	if err := json.Unmarshal([]byte(got.body), &doc); err != nil || got.status != 200 || doc.Paths["/api/v1/me"] == nil {
		t.Errorf("%d %v %.100s", got.status, err, got.body)
	}
	if doc.Paths[uploadPath] != nil {
		t.Error("uploads are described, and there are none")
	}
	got = h.do(http.DefaultClient, "GET", "/api/v1/openapi.yaml", nil)
	y, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
	if err != nil || got.status != 200 || y.Paths.Value("/api/v1/me") == nil {
		t.Errorf("%d %v %.100s", got.status, err, got.body)
	}
}
