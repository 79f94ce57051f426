package view

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// A catch is what a person had under way in the server's first paint, taken
// before go-app replaces it: the rows to adopt, and the text being written.
type catch struct {
	list     app.Value // the <ol>, kept by boot.js; nil for none
	typed    string
	from, to int  // the selection
	writing  bool // the focus was in the text
	pending  bool // typed was not given back yet
}

// catchPaint takes what there is.
func catchPaint() (c catch) {
	if !app.IsClient {
		return c
	}
	c.list = app.Window().GetElementByID("log")
	if kama := app.Window().Get("kama"); kama.Truthy() && kama.Get("log").Truthy() {
		c.list = kama.Get("log")
	}
	if !c.list.Truthy() {
		c.list = nil
	}
	if a := document().Call("querySelector", "#app textarea"); a.Truthy() {
		c.pending = true
		c.typed = a.Get("value").String()
		c.from, c.to = a.Get("selectionStart").Int(), a.Get("selectionEnd").Int()
		c.writing = a.Equal(document().Get("activeElement"))
	}
	return c
}

// text gives what was typed, its selection and the focus to the textarea a,
// once. It reports whether there was a paint to catch from.
func (c *catch) text(a app.Value) bool {
	if !c.pending || !a.Truthy() {
		return false
	}
	c.pending = false
	if c.typed != "" {
		a.Set("value", c.typed)
		a.Call("setSelectionRange", c.from, c.to)
		a.Call("dispatchEvent", app.Window().Get("Event").New("input", map[string]any{"bubbles": true}))
	}
	if c.writing {
		focus(a)
	}
	return true
}
