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
	case c.Kind == chat.Gone:
		b.Call("append", text("i", "unsent", d.say("gone.text")))
	case c.Kind == chat.Text:
		for _, r := range chat.Runs(c.Text) {
			b.Call("append", drawnRun(r))
		}
	case c.File != nil:
		b.Call("append", shown(c.File))
	case c.Call != nil:
		b.Call("append", text("span", "call", d.call(c.Call)))
	}
}

// drawnRun is a part of a text; a plain one is a mere string.
func drawnRun(r chat.Run) any {
	switch r.Kind {
	case chat.RunCode:
		return text("code", "", r.Text)
	case chat.RunBlock:
		return node("pre", "", text("code", "", r.Text))
	case chat.RunMention:
		return text("span", "at", r.Text)
	case chat.RunLink:
		if !chat.SafeURL(r.Href) {
			break
		}
		a := text("a", "", r.Text)
		a.Set("href", r.Href)
		a.Set("target", "_blank")
		a.Set("rel", "noopener noreferrer nofollow")
		return a
	}
	return r.Text
}

// shown is a file as it is looked at or listened to, or else a card of it. The
// room that it takes is known before it is there, so that nothing moves.
func shown(f *chat.File) app.Value {
	kind := f.Shown()
	switch kind {
	case "":
		return attached(f)
	case "image":
		img := sized(node("img", ""), f)
		img.Set("loading", "lazy")
		img.Set("decoding", "async")
		img.Set("alt", f.Name)
		img.Set("src", f.URL)
		a := node("a", "pic", img)
		a.Set("href", f.URL)
		a.Set("target", "_blank")
		return a
	}
	m := node(kind, "")
	m.Set("controls", true)
	m.Call("setAttribute", "aria-label", f.Name)
	if kind == "audio" {
		m.Set("preload", "none")
		m.Set("src", f.URL)
		s := text("span", "sound", f.Name)
		s.Call("append", m)
		return s
	}
	m.Set("className", "film")
	m.Set("preload", "metadata")
	m.Set("src", f.URL)
	return sized(m, f)
}

func sized(n app.Value, f *chat.File) app.Value {
	w, h := f.Box()
	n.Set("width", w)
	n.Set("height", h)
	return n
}

// attached is a file, to be opened where its address is one that may be.
func attached(f *chat.File) app.Value {
	kind := strings.ToUpper(strings.TrimPrefix(path.Ext(f.Name), "."))
	if n := len(kind); n == 0 || n > 4 {
		kind = "···"
	}
	name := node("span", "names", text("b", "", f.Name), text("small", "", f.Bytes()))
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
