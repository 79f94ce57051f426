package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/icons"
)

// A tree is an element that is not made yet. A call into the browser costs as
// much as a few elements do, and so rows cross over as one text: boot.js makes
// what it says, and puts words into text nodes only.
type tree struct {
	tag   string
	attrs []string // names and values
	kids  []any    // trees and strings
}

// grown is an element to be made, outside go-app's tree.
func grown(tag, class string, kids ...any) *tree {
	t := &tree{tag: tag, kids: kids}
	if class != "" {
		t.attrs = []string{"class", class}
	}
	return t
}

// set sets an attribute, once.
func (t *tree) set(name, value string) *tree {
	t.attrs = append(t.attrs, name, value)
	return t
}

func (t *tree) add(kids ...any) { t.kids = append(t.kids, kids...) }

// grownIcon is one of the house's icons.
func grownIcon(name string) *tree {
	return grown("svg", "", grown("path", "").set("d", icons.Paths(name))).set("viewBox", icons.Box(name)).set("aria-hidden", "true")
}

// plant makes trees, and returns their elements, and all of them in a fragment.
func plant(ts []*tree) (els []app.Value, all app.Value) {
	text := []byte{'['}
	for i, t := range ts {
		if i > 0 {
			text = append(text, ',')
		}
		text = t.append(text)
	}
	made := app.Window().Get("kama").Call("plant", string(append(text, ']')))
	nodes := made.Get("nodes")
	els = make([]app.Value, len(ts))
	for i := range els {
		els[i] = nodes.Index(i)
	}
	return els, made.Get("all")
}

// append writes t as JSON: ["tag", {"name": "value"}, kid, …].
func (t *tree) append(p []byte) []byte {
	p = append(append(append(p, `["`...), t.tag...), `",{`...)
	for i := 0; i < len(t.attrs); i += 2 {
		if i > 0 {
			p = append(p, ',')
		}
		p = append(quoted(p, t.attrs[i]), ':')
		p = quoted(p, t.attrs[i+1])
	}
	p = append(p, '}')
	for _, k := range t.kids {
		p = append(p, ',')
		switch k := k.(type) {
		case *tree:
			p = k.append(p)
		case string:
			p = quoted(p, k)
		}
	}
	return append(p, ']')
}

// quoted appends s as a JSON string. What is not UTF-8 the browser replaces.
func quoted(p []byte, s string) []byte {
	const hex = "0123456789abcdef"
	p = append(p, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			p = append(p, '\\', c)
		case c < ' ':
			p = append(p, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			p = append(p, c)
		}
	}
	return append(p, '"')
}
