package view

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// A catch is what a person had under way in the server's first paint, taken
// before go-app replaces it: the rows to adopt, and the text being written.
type catch struct {
	list     app.Value // the <ol>, kept by boot.js; nil for none
	scroll   float64   // of its box
	text     string
	from, to int // the selection
	writing  bool
	hadText  bool
}

// catchPaint takes what there is.
func catchPaint() (c catch) {
	if !app.IsClient {
		return c
	}
	if kama := app.Window().Get("kama"); kama.Truthy() && kama.Get("log").Truthy() {
		c.list = kama.Get("log")
	} else if l := app.Window().GetElementByID("log"); l.Truthy() {
		c.list = l
	}
	if a := document().Call("querySelector", "#app textarea"); a.Truthy() {
		c.text = a.Get("value").String()
		c.from, c.to = a.Get("selectionStart").Int(), a.Get("selectionEnd").Int()
		c.writing = a.Equal(document().Get("activeElement"))
		c.hadText = c.text != ""
	}
	return c
}

// restore gives the text, its selection and the focus to the composer, once.
func (c *catch) restore(a app.Value) {
	if !a.Truthy() {
		return
	}
	if c.hadText {
		a.Set("value", c.text)
		a.Call("setSelectionRange", c.from, c.to)
		a.Call("dispatchEvent", app.Window().Get("Event").New("input", map[string]any{"bubbles": true}))
	}
	if c.writing {
		focus(a)
	}
	c.hadText, c.writing = false, false
}
