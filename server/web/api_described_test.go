package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"kamachat/server/apitest"
)

// everything is a server with all routes that may be there, to describe them.
func everything(t *testing.T) (*api, *http.ServeMux) {
	t.Helper()
	s := &server{Config: Config{Build: "test", Files: struct{ Files }{}, Push: struct{ Push }{}, Hooks: noHooks{}}}
	mux := http.NewServeMux()
	return s.apiRoutes(mux), mux
}

var (
	describeOnce sync.Once
	described    *apitest.Description
)

// describe reads the description that the server gives of itself.
func describe(t *testing.T) *apitest.Description {
	t.Helper()
	describeOnce.Do(func() {
		_, mux := everything(t)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/openapi.json", nil))
		d, err := apitest.Read(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		described = d
	})
	if described == nil {
		t.Fatal("the description can't be read")
	}
	return described
}

// held is h with every answer of the API held against the description, and every
// request that was granted.
func held(t *testing.T, h http.Handler) http.Handler {
	return describe(t).Handler(h, func(err error) { t.Error(err) })
}

func TestDescriptionIsValid(t *testing.T) {
	d := describe(t)
	if !d.Open.IsOpenAPI31OrLater() {
		t.Errorf("it says OpenAPI %s", d.Open.OpenAPI)
	}
	if err := d.Open.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for path, item := range d.Open.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Summary == "" || len(op.Tags) != 1 || d.Open.Tags.Get(op.Tags[0]) == nil || strings.HasSuffix(op.Summary, ".") {
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
	for path, item := range describe(t).Open.Paths.Map() {
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
