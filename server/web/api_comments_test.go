package web

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

var update = flag.Bool("update", false, "write the comments of types into api_comments.json")

// The description says of types what their comments in the source say. A program
// does not have those, so they are kept in api_comments.json.
func TestCommentsAreThoseOfTheTypes(t *testing.T) {
	a, _ := everything(t)
	want := map[string]string{}
	sources := map[string]map[string]string{}
	schemas := a.routed.OpenAPI().Components.Schemas
	for name := range schemas.Map() {
		typ := schemas.TypeFromRef(schemaPrefix + name)
		for f := range fieldsOf(typ) {
			// A field of an embedded type is told where that type is declared.
			owner := typ
			if len(f.Index) > 1 {
				owner = typ.FieldByIndex(f.Index[:len(f.Index)-1]).Type
			}
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if c := commentsOf(t, sources, owner)[owner.Name()+"."+f.Name]; c != "" && tag != "-" && f.Tag.Get("doc") == "" {
				want[name+"."+tag] = c
			}
		}
		if c := commentsOf(t, sources, typ)[typ.Name()]; c != "" {
			want[name] = c
		}
	}
	for key, c := range commentsOf(t, sources, reflect.TypeFor[chat.Refusal]()) {
		if strings.HasPrefix(key, "Code=") {
			want[key] = c
		}
	}
	b, err := json.MarshalIndent(want, "", "\t") // sorted by key
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("api_comments.json", append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := comments()
	if !*update && !maps.Equal(got, want) {
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if got[k] != want[k] {
				t.Errorf("%s is %q, its comment says %q", k, got[k], want[k])
			}
		}
		t.Error("run go test ./server/web -run Comments -update")
	}
	if len(want) < 20 {
		t.Errorf("there are only %d comments", len(want))
	}
}

// commentsOf returns what the package of a type of other rooms says: by Type, by
// Type.Field, and by Type=value of string constants. Our own package uses tags.
func commentsOf(t *testing.T, sources map[string]map[string]string, typ reflect.Type) map[string]string {
	t.Helper()
	dir, other := strings.CutPrefix(typ.PkgPath(), "kamachat/")
	if !other || dir == "server/web" {
		return nil
	}
	if said, ok := sources[dir]; ok {
		return said
	}
	said := map[string]string{}
	sources[dir] = said
	files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v %v", dir, files, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				for _, spec := range d.Specs {
					noteDown(said, d, spec)
				}
			}
		}
	}
	return said
}

// noteDown takes down what the comments of a declaration say.
func noteDown(said map[string]string, d *ast.GenDecl, spec ast.Spec) {
	text := func(gs ...*ast.CommentGroup) string {
		for _, g := range gs {
			if s := strings.Join(strings.Fields(g.Text()), " "); s != "" {
				return s
			}
		}
		return ""
	}
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		said[spec.Name.Name] = text(spec.Doc, d.Doc)
		s, ok := spec.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, f := range s.Fields.List {
			for _, n := range f.Names {
				said[spec.Name.Name+"."+n.Name] = text(f.Comment, f.Doc)
			}
		}
	case *ast.ValueSpec:
		typ, ok := spec.Type.(*ast.Ident)
		if !ok || len(spec.Values) != 1 {
			return
		}
		if v, ok := spec.Values[0].(*ast.BasicLit); ok {
			said[typ.Name+"="+strings.Trim(v.Value, `"`)] = text(spec.Comment, spec.Doc)
		}
	}
}
