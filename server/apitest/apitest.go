// Package apitest holds what /api/v1 answers against the description that the server
// gives of itself, as an independent reader understands it: kin-openapi, which has
// nothing in common with what writes the description. For tests alone.
package apitest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// A Description is the document as it was read. It is safe for concurrent use.
type Description struct {
	Open   *openapi3.T    // as it is served
	closed *openapi3.T    // allows no fields but those that it names
	at     *http.ServeMux // finds the operation of a request
	wrong  operation      // whose answers are those of requests to nowhere

	mu      sync.Mutex
	granted map[operation]bool // those that were answered 2xx, and as described
}

type operation struct{ method, path string }

// Read reads a description in JSON, as the server indents it.
func Read(doc []byte) (*Description, error) {
	d := &Description{at: http.NewServeMux(), granted: map[operation]bool{}}
	var err error
	if d.Open, err = openapi3.NewLoader().LoadFromData(doc); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	if d.closed, err = openapi3.NewLoader().LoadFromData(bytes.ReplaceAll(doc, []byte(`"additionalProperties": true`), []byte(`"additionalProperties": false`))); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	for _, path := range slices.Sorted(maps.Keys(d.Open.Paths.Map())) {
		for method, op := range d.Open.Paths.Value(path).Operations() {
			d.at.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) { w.(*finder).found = r })
			if op.Responses.Default() != nil && (d.wrong == operation{} || method == http.MethodGet) {
				d.wrong = operation{method, path}
			}
		}
	}
	return d, nil
}

// Fetch returns the description that the server at an address gives of itself.
func Fetch(url string) ([]byte, error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	res, err := client.Get(url + "/api/v1/openapi.json")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", res.Status)
	}
	return io.ReadAll(res.Body)
}

// A finder is told which request an operation is for.
type finder struct {
	http.ResponseWriter
	found *http.Request
}

// find returns the operation that r asks for, and the parameters in its path.
func (d *Description) find(r *http.Request) (op operation, params map[string]string, ok bool) {
	f := &finder{ResponseWriter: nowhere{}}
	d.at.ServeHTTP(f, &http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header})
	if f.found == nil {
		return op, nil, false
	}
	op.method, op.path, _ = strings.Cut(f.found.Pattern, " ")
	params = map[string]string{}
	for _, m := range holes.FindAllStringSubmatch(op.path, -1) {
		params[m[1]] = f.found.PathValue(m[1])
	}
	return op, params, true
}

var holes = regexp.MustCompile(`\{(\w+)\}`)

// nowhere is where the answers go that a ServeMux makes itself.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// An Exchange is a request and its answer.
type Exchange struct {
	Request *http.Request // its Body is not read
	Sent    []byte        // what that was
	Status  int
	Header  http.Header // of the answer
	Body    []byte      // of the answer; not looked at where Held says so
}

// Held reports whether what path answers is described: all but the pages.
func Held(path string) bool {
	return (strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/files/")) && path != "/api/docs"
}

// whole reports whether an answer's body is held against its schema: bytes of files,
// pages to be kept and parts of them are not.
func whole(r *http.Request, status int, h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return r.Method != http.MethodHead && h.Get("Content-Encoding") == "" && status != http.StatusRequestedRangeNotSatisfiable &&
		!(status < 400 && (strings.HasPrefix(r.URL.Path, "/files/") || kind == "text/html"))
}

// Check says what is wrong with an answer, or with the request that it grants: an
// answer may have no field that is not described, a request may.
func (d *Description) Check(x Exchange) error {
	r := x.Request
	op, params, ok := d.find(r)
	if !ok {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			return nil // a page
		}
		if x.Status < 400 {
			return errors.New("not described")
		}
		op = d.wrong
	}
	if cache := x.Header.Get("Cache-Control"); strings.HasPrefix(r.URL.Path, "/api/v1/") && !strings.HasPrefix(r.URL.Path, "/api/v1/openapi") && cache != "no-store" {
		return fmt.Errorf("Cache-Control is %q", cache)
	}
	in := d.input(d.closed, op, params, x)
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: x.Status, Header: x.Header, Options: in.Options}
	if err := openapi3filter.ValidateResponse(r.Context(), out.SetBodyBytes(x.Body)); err != nil || x.Status >= 300 {
		return err
	}
	if err := openapi3filter.ValidateRequest(r.Context(), d.input(d.Open, op, params, x)); err != nil {
		return err
	}
	if x.Status >= 200 {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.granted[op] = true
	}
	return nil
}

// Ungranted returns the operations that no answer checked so far has granted, with a
// status of 2xx and as described: "POST /api/v1/tea/{kind} (brew)", in order.
func (d *Description) Ungranted() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var never []string
	for path, item := range d.Open.Paths.Map() {
		for method, op := range item.Operations() {
			if !d.granted[operation{method, path}] {
				never = append(never, method+" "+path+" ("+op.OperationID+")")
			}
		}
	}
	slices.Sort(never)
	return never
}

// input is x as kin-openapi wants it.
func (d *Description) input(doc *openapi3.T, op operation, params map[string]string, x Exchange) *openapi3filter.RequestValidationInput {
	item := doc.Paths.Value(op.path)
	route := &routers.Route{Spec: doc, Path: op.path, PathItem: item, Method: op.method, Operation: item.GetOperation(op.method)}
	again := x.Request.Clone(x.Request.Context())
	again.Body, again.ContentLength, again.GetBody = http.NoBody, int64(len(x.Sent)), nil
	if len(x.Sent) > 0 {
		again.Body = io.NopCloser(bytes.NewReader(x.Sent))
		again.Header.Set("Content-Type", cmp.Or(again.Header.Get("Content-Type"), "application/json")) // what is not said is taken for that
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		ExcludeResponseBody: !whole(x.Request, x.Status, x.Header),
	}
	if b := route.Operation.RequestBody; b != nil && b.Value.Content["application/json"] == nil {
		options.ExcludeRequestBody = true // bytes of files
	}
	return &openapi3filter.RequestValidationInput{Request: again, PathParams: params, Route: route, Options: options}
}

// told is what is said of an answer that is wrong.
func (x Exchange) told(err error) error {
	return fmt.Errorf("%s %s, answered %d %.300s: %w", x.Request.Method, x.Request.URL, x.Status, x.Body, err)
}
