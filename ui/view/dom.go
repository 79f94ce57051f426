package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

func document() app.Value { return app.Window().Get("document") }

// node makes an element of our own, outside go-app's tree.
func node(tag, class string, children ...app.Value) app.Value {
	n := document().Call("createElement", tag)
	if class != "" {
		n.Set("className", class)
	}
	for _, c := range children {
		n.Call("appendChild", c)
	}
	return n
}

// text makes an element that holds s, as text.
func text(tag, class, s string) app.Value {
	n := node(tag, class)
	n.Set("textContent", s)
	return n
}

// watching reports whether the person looks at the page.
func watching() bool {
	d := document()
	return d.Get("visibilityState").String() == "visible" && d.Call("hasFocus").Truthy()
}

// focus moves the focus to n, without scrolling to it.
func focus(n app.Value) {
	if n != nil && n.Truthy() {
		n.Call("focus", map[string]any{"preventScroll": true})
	}
}
