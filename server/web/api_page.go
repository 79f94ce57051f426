package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kamachat/server/page"
)

// pageAPI draws the description as a page.
func (a *api) pageAPI(w http.ResponseWriter, r *http.Request) {
	p := a.drawn()
	p.Common = a.common(w, r)
	a.draw(w, r, http.StatusOK, page.API(p))
}

// drawnAPI is the description as the page draws it.
func drawnAPI(doc *huma.OpenAPI) page.APIPage {
	p, said := page.APIPage{About: doc.Info.Description}, comments()
	for _, c := range slices.Sorted(maps.Keys(statuses)) {
		status := strconv.Itoa(statuses[c]) + " " + http.StatusText(statuses[c])
		p.Codes = append(p.Codes, page.APICode{Code: string(c), Status: status, About: said["Code="+string(c)]})
	}
	d := drawing{doc}
	for _, tag := range doc.Tags {
		c := page.APIChapter{Name: tag.Name, About: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			i := doc.Paths[path]
			for _, op := range []*huma.Operation{i.Get, i.Post, i.Put, i.Patch, i.Delete} {
				if op != nil && slices.Contains(op.Tags, tag.Name) {
					c.Operations = append(c.Operations, d.operation(op))
				}
			}
		}
		if len(c.Operations) > 0 {
			p.Chapters = append(p.Chapters, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas.Map())) {
		p.Types = append(p.Types, d.typ(name, doc.Components.Schemas.Map()[name]))
	}
	return p
}

// A drawing turns parts of a document into those of the page.
type drawing struct{ doc *huma.OpenAPI }

func (d drawing) operation(op *huma.Operation) page.APIOperation {
	o := page.APIOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: op.Description, Access: page.APIPeople,
		Curl: d.curl(op),
	}
	switch scope, ok := op.Metadata[scopeOf].(string); {
	case len(op.Security) == 0:
		o.Access = page.APIOpen
	case ok && scope == anyScope:
		o.Access = page.APIAny
	case ok && scope != "":
		o.Access, o.Scope = page.APIScoped, scope
	}
	for _, p := range op.Parameters {
		f := d.field(p.Name, p.Schema, p.Required)
		f.In, f.About = p.In, cmp.Or(p.Description, f.About)
		o.Params = append(o.Params, f)
	}
	if mime, s := d.content(op); s != nil {
		t := d.typ("", s)
		if s.Ref != "" {
			t = d.typ(d.ref(s).Type, d.doc.Components.Schemas.SchemaFromRef(s.Ref))
		}
		if mime != jsonType {
			t.Is.Words = cmp.Or(t.Is.Words, mime)
		}
		o.Body = &t
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		a := page.APIAnswer{Status: status, About: r.Description}
		for mime, m := range r.Content {
			a.Mime, a.Is = mime, d.ref(m.Schema)
		}
		o.Answers = append(o.Answers, a)
	}
	return o
}

// content is the body of a request, nil for none.
func (d drawing) content(op *huma.Operation) (mime string, s *huma.Schema) {
	if op.RequestBody != nil {
		if m := op.RequestBody.Content[jsonType]; m != nil {
			return jsonType, m.Schema
		}
		for mime, m := range op.RequestBody.Content {
			return mime, m.Schema
		}
	}
	return "", nil
}

func (d drawing) typ(name string, s *huma.Schema) page.APIType {
	t := page.APIType{Name: name, About: s.Description, Is: d.ref(s)}
	for _, f := range slices.Sorted(maps.Keys(s.Properties)) {
		t.Fields = append(t.Fields, d.field(f, s.Properties[f], slices.Contains(s.Required, f)))
	}
	return t
}

func (d drawing) field(name string, s *huma.Schema, required bool) page.APIField {
	f := page.APIField{Name: name, About: s.Description, Is: d.ref(s), Required: required}
	var rules []string
	say := func(format string, given bool, v any) {
		if given {
			rules = append(rules, fmt.Sprintf(format, v))
		}
	}
	number := func(n *float64) any {
		if n == nil {
			return nil
		}
		return *n
	}
	length := func(n *int) any {
		if n == nil {
			return nil
		}
		return *n
	}
	say("at least %v", s.Minimum != nil, number(s.Minimum))
	say("at most %v", s.Maximum != nil, number(s.Maximum))
	say("at most %v characters", s.MaxLength != nil, length(s.MaxLength))
	say("matches %v", s.Pattern != "", s.Pattern)
	say("%v by default", s.Default != nil, s.Default)
	if len(s.Enum) > 0 {
		var words []string
		for _, e := range s.Enum {
			words = append(words, fmt.Sprint(e))
		}
		rules = append(rules, "one of "+strings.Join(words, ", "))
	}
	f.Rules = strings.Join(rules, "; ")
	return f
}

// ref says in words what a schema is.
func (d drawing) ref(s *huma.Schema) (r page.APIRef) {
	switch {
	case s.Ref != "":
		return page.APIRef{Type: strings.TrimPrefix(s.Ref, schemaPrefix)}
	case s.Format == "binary":
		r.Words = "bytes"
	case s.Type == huma.TypeArray:
		r = d.ref(s.Items)
		r.Words = strings.TrimSpace("list of " + r.Words)
	case s.Type == huma.TypeObject && len(s.Properties) == 0:
		r.Words = "object"
		if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
			r = d.ref(values)
			r.Words = strings.TrimSpace("object of " + r.Words)
		}
	default:
		r.Words = cmp.Or(s.Type, "any JSON")
	}
	if s.Nullable {
		r.Words += " or null"
	}
	return r
}

// curl is a command that does op.
func (d drawing) curl(op *huma.Operation) string {
	var b strings.Builder
	b.WriteString("curl")
	if op.Method != http.MethodGet {
		b.WriteString(" -X " + op.Method)
	}
	b.WriteString(` "$KAMACHAT` + op.Path + `"`)
	if len(op.Security) > 0 {
		b.WriteString(" \\\n  -H \"Authorization: Bearer $TOKEN\"")
	}
	switch mime, s := d.content(op); {
	case s == nil:
	case mime == jsonType:
		body, err := json.Marshal(d.example(s, 0))
		if err != nil {
			return ""
		}
		b.WriteString(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '" + string(body) + "'")
	default:
		b.WriteString(" \\\n  -H 'Content-Disposition: attachment; filename=\"picture.png\"' \\\n  --data-binary @picture.png")
	}
	return b.String()
}

// example is a value of a schema: what is required, and what has an example.
func (d drawing) example(s *huma.Schema, depth int) any {
	if s.Ref != "" {
		s = d.doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject:
		o := map[string]any{}
		for name, p := range s.Properties {
			if depth < 3 && (slices.Contains(s.Required, name) || len(p.Examples) > 0) {
				o[name] = d.example(p, depth+1)
			}
		}
		return o
	case huma.TypeArray:
		return []any{}
	case huma.TypeInteger, huma.TypeNumber:
		return 0
	case huma.TypeBoolean:
		return false
	}
	return "…"
}
