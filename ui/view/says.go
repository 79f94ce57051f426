package view

import (
	"path"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// says puts content into the bubble b. What people wrote is text, whatever it
// looks like.
func says(b app.Value, c chat.Content, d *Desk) {
	switch {
	case c.Kind == chat.Text:
		b.Call("append", c.Text)
	case c.File != nil:
		b.Call("append", attached(c.File))
	case c.Call != nil:
		b.Call("append", text("span", "call", d.call(c.Call)))
	}
}

// attached is a file, to be opened where its address is one that may be.
func attached(f *chat.File) app.Value {
	kind := strings.ToUpper(strings.TrimPrefix(path.Ext(f.Name), "."))
	if n := len(kind); n == 0 || n > 4 {
		kind = "···"
	}
	name := node("span", "names", text("b", "", f.Name), text("small", "", f.Size))
	tag := "span"
	if chat.SafeURL(f.URL) {
		tag = "a"
	}
	a := node(tag, "file", text("span", "t", kind), name)
	if tag == "a" {
		a.Set("href", f.URL)
		a.Call("setAttribute", "download", f.Name)
	}
	return a
}

// call says what happened to a call.
func (d *Desk) call(c *chat.Call) string {
	switch c.What {
	case "start_call":
		return d.say("call.start")
	case "receive_call":
		return d.say("call.answered")
	case "reject_call":
		return d.say("call.declined")
	}
	return d.say("preview.call")
}

func isPicture(f *chat.File) bool { return strings.HasPrefix(f.Type, "image/") }
