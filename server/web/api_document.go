package web

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kamachat/server/page"
)

// apiTags are the chapters of the description, in the order of the page.
var apiTags = []*huma.Tag{
	{Name: "Signing in", Description: "Accounts, and who one is."},
	{Name: "People", Description: "Who else is there."},
	{Name: "Contacts", Description: "Whom one knows, who asks to be known, and who is kept away."},
	{Name: "Groups", Description: "Conversations of many, and who is in them."},
	{Name: "Conversations", Description: "The list of what one takes part in."},
	{Name: "Messages", Description: "What was said, and saying something."},
	{Name: "Files", Description: "What messages point at."},
	{Name: "Notifications", Description: "What a browser is told that is not open, and when not."},
	{Name: "Devices", Description: "Where one is signed in."},
	{Name: "Bots", Description: "Accounts of programs, and addresses to which others post."},
	{Name: "Administration", Description: "For administrators alone."},
	{Name: "Server", Description: "The server about itself."},
}

// apiAbout is what the description says before all operations.
const apiAbout = `Everything here is JSON in UTF-8. Times are milliseconds since 1970 (UTC) unless it says otherwise; ids are opaque.

**Who you are.** Sign in for a token and send it as ` + "`Authorization: Bearer …`" + `. Browsers use the cookie that signing in sets, too.
A bot's token is bound to scopes; an operation says which one it needs.

**Errors** are ` + "`application/problem+json`" + ` (RFC 9457). Decide by ` + "`code`" + `, not by the words. Where trying again is worth it there are ` +
	"`retry_after`" + ` in milliseconds and the header Retry-After in seconds.

**New fields** may come at any time: ignore those you do not know.`

// newAPI returns an api without routes.
func (s *server) newAPI(mux *http.ServeMux) *api {
	doc := &huma.OpenAPI{
		Info: &huma.Info{Title: "KamaChat", Version: s.Build, Description: apiAbout},
		Tags: apiTags,
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "A token from signing in, or a bot's."},
				"cookie": {Type: "apiKey", In: "cookie", Name: loginCookie, Description: "Of a browser that signed in."},
			},
		},
	}
	c := huma.Config{OpenAPI: doc, Formats: map[string]huma.Format{"application/json": jsonOnly, "json": jsonOnly}, DefaultFormat: "application/json"}
	c.AllowAdditionalPropertiesByDefault = true
	return &api{server: s, mux: mux, routed: humago.New(mux, c), silent: huma.NewAPI(c, nowhere{})}
}

// document serves the description of all routes that were registered before.
func (a *api) document() {
	doc := a.routed.OpenAPI()
	for kind, as := range map[string]struct {
		mime  string
		write func() ([]byte, error)
	}{
		"json": {"application/json", func() ([]byte, error) { return json.MarshalIndent(doc, "", " ") }},
		"yaml": {"application/yaml", doc.YAML},
	} {
		write := sync.OnceValues(as.write)
		answer := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{as.mime: {Schema: &huma.Schema{}}}}
		raw[struct{}, none](a, operation{
			Method: "GET", Path: "/api/v1/openapi." + kind, ID: "describe" + strings.ToUpper(kind), Tag: "Server", Open: true,
			Summary: "This description, as " + strings.ToUpper(kind),
			Answers: map[string]*huma.Response{"200": answer},
		}, func(w http.ResponseWriter, r *http.Request, _ caller) error {
			b, err := write()
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", as.mime)
			w.Header().Set("Cache-Control", "no-cache")
			w.Write(b)
			return nil
		})
	}
	a.finish()
	a.drawn = sync.OnceValue(func() page.APIPage { return drawnAPI(doc) })
	a.mux.HandleFunc("GET /api/docs", a.pageAPI)
}

// jsonType is the type of all bodies but files.
const jsonType = "application/json"

// schemaPrefix is what references to types begin with.
const schemaPrefix = "#/components/schemas/"

// commentsFile holds what the comments of our types say: a test keeps it true.
//
//go:embed api_comments.json
var commentsFile []byte

// comments are by name of a type, Type.field, and Code=code.
func comments() (cs map[string]string) {
	if err := json.Unmarshal(commentsFile, &cs); err != nil {
		panic(err) // it was built wrong
	}
	return cs
}

// finish mends what huma does not know of our types, and tells of headers.
func (a *api) finish() {
	doc := a.routed.OpenAPI()
	said := comments()
	for name, schema := range doc.Components.Schemas.Map() {
		schema.Description = cmp.Or(schema.Description, said[name])
		for f := range fieldsOf(doc.Components.Schemas.TypeFromRef(schemaPrefix + name)) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := schema.Properties[tag]
			if p == nil {
				continue
			}
			p.Description = cmp.Or(p.Description, said[name+"."+tag])
			if slices.Contains(strings.Split(options, ","), "string") {
				p.Type, p.Format, p.Minimum, p.Pattern = huma.TypeString, "", nil, "^-?[0-9]+$"
			}
		}
	}
	wrong := &huma.Response{
		Description: "A problem",
		Headers:     map[string]*huma.Header{"Retry-After": {Description: "Seconds, where trying again is worth it", Schema: &huma.Schema{Type: huma.TypeInteger}}},
		Content: map[string]*huma.MediaType{"application/problem+json": {
			Schema: doc.Components.Schemas.Schema(reflect.TypeFor[problem](), true, ""),
		}},
	}
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op != nil {
				op.Responses["default"] = wrong
			}
		}
	}
}

// fieldsOf are the fields of a struct and of those embedded in it.
func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if !f.Anonymous && !yield(f) {
				return
			}
		}
	}
}

// TransformSchema tells all codes of problems.
func (problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["code"].Enum = nil
	for _, c := range slices.Sorted(maps.Keys(statuses)) {
		s.Properties["code"].Enum = append(s.Properties["code"].Enum, string(c))
	}
	return s
}
