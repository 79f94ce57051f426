package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// An operation is a route of /api/v1 and what its description says of it.
// docs/decisions/024-api.md tells how to add one.
type operation struct {
	Method string // of HTTP
	Path   string // whole, with {name} for parameters
	ID     string // of the description, a verb and a noun: listContacts
	Tag    string // one of apiTags
	Scope  string // what a bot's token needs, noun:verb; anyScope; or empty: no such token will do
	// Summary is one line, About more where there is more to say, in Markdown.
	Summary, About string
	Open           bool // nobody needs to be signed in
	Forms          bool // the body may be a form, too: see readForm
	// Answers are described in place of what the handler's type says, by status.
	Answers map[string]*huma.Response
}

// An api is /api/v1: where its routes are registered and described in one.
type api struct {
	*server
	mux    *http.ServeMux
	routed huma.API // registers and describes
	silent huma.API // only describes, in the same document
	drawn  func() page.APIPage
}

// apiRoutes registers /api/v1, noun by noun.
func (s *server) apiRoutes(mux *http.ServeMux) *api {
	a := s.newAPI(mux)
	a.accountRoutes()
	a.peopleRoutes()
	a.groupRoutes()
	a.convRoutes()
	a.fileRoutes()
	a.pushRoutes()
	a.doctorRoutes()
	a.lineRoutes()
	a.contactRoutes()
	a.exportRoutes()
	a.botRoutes()
	a.hookRoutes()
	a.reportRoutes()
	a.deviceRoutes()
	a.factorRoutes()
	a.document()
	return a
}

// scopeOf is where an operation's metadata has its scope: it is not described but
// by the page.
const scopeOf = "scope"

// none is what operations answer that say nothing but 204 No Content.
type none struct{}

// route registers an operation. In is a struct whose fields are parameters (tags
// path, query, header) and, as Body, what JSON the request has; Out is what JSON
// is answered, or none. Both are described by their types. By the time that h
// is called the caller is known, admitted and has the scope, and the input is
// whole; what it may hold is for h to check. h answers refusals as they are.
func route[In, Out any](a *api, o operation, h func(context.Context, caller, *In) (Out, error)) {
	op := o.described()
	op.Middlewares = huma.Middlewares{a.gate(o)}
	op.MaxBodyBytes = a.Limits.Body + 1 // limit has bounded it already, and says so better
	op.BodyReadTimeout = -1             // that of the server goes for all routes
	op.SkipValidateBody = true          // the rules are those of shared/chat, for all doors
	if reflect.TypeFor[Out]() == reflect.TypeFor[none]() {
		huma.Register(a.routed, op, func(ctx context.Context, in *In) (*struct{}, error) {
			x := exchangeOf(ctx)
			if _, err := h(ctx, x.caller, in); err != nil {
				return nil, x.refusal(err)
			}
			return nil, nil
		})
		return
	}
	huma.Register(a.routed, op, func(ctx context.Context, in *In) (*answered[Out], error) {
		x := exchangeOf(ctx)
		out, err := h(ctx, x.caller, in)
		if err != nil {
			return nil, x.refusal(err)
		}
		return &answered[Out]{out}, nil
	})
}

// raw registers an operation whose bytes the handler reads or writes itself. In
// and Out only describe it, as those of route do, and In with RawBody.
func raw[In, Out any](a *api, o operation, h func(http.ResponseWriter, *http.Request, caller) error) {
	op := o.described()
	if reflect.TypeFor[Out]() == reflect.TypeFor[none]() {
		op.DefaultStatus = http.StatusOK
		huma.Register(a.silent, op, func(context.Context, *In) (*struct{}, error) { return nil, nil })
	} else {
		huma.Register(a.silent, op, func(context.Context, *In) (*answered[Out], error) { return nil, nil })
	}
	a.mux.HandleFunc(o.Method+" "+o.Path, func(w http.ResponseWriter, r *http.Request) {
		c, err := a.enter(r, o)
		if err == nil {
			err = h(w, r, c)
		}
		if err != nil {
			a.problem(w, r, err)
		}
	})
}

// answered is an output as huma wants it.
type answered[T any] struct{ Body T }

// described is o as huma describes it.
func (o operation) described() huma.Operation {
	op := huma.Operation{
		Method: o.Method, Path: o.Path, OperationID: o.ID, Tags: []string{o.Tag}, Summary: o.Summary, Description: o.About,
		Responses: o.Answers, Metadata: map[string]any{scopeOf: o.Scope},
	}
	if o.Forms {
		op.RequestBody = formsDescribed()
	}
	if !o.Open {
		scopes := []string{}
		if o.Scope != "" && o.Scope != anyScope {
			scopes = append(scopes, o.Scope)
		}
		op.Security = []map[string][]string{{"bearer": scopes}, {"cookie": {}}}
	}
	return op
}

// enter tells who asks for o, and whether they may ask now.
func (a *api) enter(r *http.Request, o operation) (caller, error) {
	if o.Open {
		return caller{}, nil
	}
	c, err := a.callerFor(r, o.Scope)
	if err == nil {
		err = a.admit(r, c)
	}
	return c, err
}

// gate lets those through who may ask for o, with a body that can be JSON.
func (a *api) gate(o operation) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		c, err := a.enter(r, o)
		var form []byte
		isForm := false
		if err == nil && o.Forms {
			form, isForm, err = readForm(r)
		}
		if err == nil && !isForm {
			err = isJSON(r)
		}
		if err != nil {
			a.problem(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		in := steady{huma.WithValue(hc, exchangeKey{}, &exchange{a.server, w, r, c})}
		if isForm {
			next(asJSON{in, form})
			return
		}
		next(in)
	}
}

// isJSON refuses a body that says it is something else.
func isJSON(r *http.Request) error {
	said := r.Header.Get("Content-Type")
	if said == "" || r.ContentLength == 0 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(said)
	if err != nil || kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		return chat.Refuse(chat.Invalid, "the body must be application/json")
	}
	return nil
}

// An exchange is the request that a handler of an operation works on, for those
// that need more of it than their input.
type exchange struct {
	s      *server
	w      http.ResponseWriter
	r      *http.Request
	caller caller
}

type exchangeKey struct{}

// exchangeOf returns the exchange of the context that handlers of operations get.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// refusal is an error as it is answered; its headers are set.
func (x *exchange) refusal(err error) *problem {
	p := x.s.refuse(x.w, x.r, err)
	return &p
}

// steady leaves deadlines alone, since one that is for the body alone would end
// handlers that take longer, and answers JSON whatever is asked for.
type steady struct{ inner }

type inner huma.Context // by another name than that of one of its methods

func (steady) SetReadDeadline(time.Time) error { return nil }

func (s steady) Header(name string) string {
	if name == "Accept" {
		return ""
	}
	return s.inner.Header(name)
}

// Errors that huma itself finds in a request become ours; the document tells of
// no others.
func init() {
	huma.NewError = func(int, string, ...error) huma.StatusError { return &problem{} }
	huma.NewErrorWithContext = func(hc huma.Context, _ int, _ string, errs ...error) huma.StatusError {
		return exchangeOf(hc.Context()).refusal(badInput(errs))
	}
	huma.DefaultArrayNullable = false // none of ours is: see orEmpty
}

// badInput says what was wrong with a request, by what huma found.
func badInput(errs []error) error {
	var at *huma.ErrorDetail
	err := errors.Join(errs...)
	if errors.As(err, &at) && !strings.HasPrefix(at.Location, "body") {
		return chat.Refuse(chat.Invalid, at.Location[strings.Index(at.Location, ".")+1:]+": "+at.Message)
	}
	return badBody(err)
}

// jsonOnly is the one format of bodies. That who asked is gone by the time of the
// answer is no error, of which huma would make a panic.
var jsonOnly = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		b, err := json.Marshal(v)
		if err == nil {
			_, _ = w.Write(append(b, '\n'))
		}
		return err
	},
	Unmarshal: json.Unmarshal,
}

// nowhere is where routes go that are only described.
type nowhere struct{}

func (nowhere) Handle(*huma.Operation, func(huma.Context))   {}
func (nowhere) ServeHTTP(http.ResponseWriter, *http.Request) {}
