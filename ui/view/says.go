package view

import (
	"path"
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/told"
	"kamachat/shared/words"
)

// says puts content into the bubble b. What people wrote is text, whatever it
// looks like.
func says(b *tree, c chat.Content, d *Desk) {
	switch {
	case c.Kind == chat.Gone:
		b.add(grown("i", "unsent", told.Gone(words.Lang(d.Lang), c)))
	case c.Kind == chat.Text:
		for _, r := range chat.Runs(c.Text) {
			b.add(drawnRun(r))
		}
	case c.File != nil:
		b.add(shown(c.File))
	case c.Call != nil:
		b.add(grown("span", "call", d.call(c.Call)))
	}
}

// drawnRun is a part of a text; a plain one is a mere string.
func drawnRun(r chat.Run) any {
	switch r.Kind {
	case chat.RunCode:
		return grown("code", "", r.Text)
	case chat.RunBlock:
		return grown("pre", "", grown("code", "", r.Text))
	case chat.RunMention:
		return grown("span", "at", r.Text)
	case chat.RunLink:
		if !chat.SafeURL(r.Href) {
			break
		}
		return grown("a", "", r.Text).set("href", r.Href).set("rel", "noopener noreferrer nofollow").set("target", "_blank")
	}
	return r.Text
}

// shown is a file as it is looked at or listened to, or else a card of it. The
// room that it takes is known before it is there, so that nothing moves.
func shown(f *chat.File) *tree {
	kind := f.Shown()
	switch kind {
	case "":
		return attached(f)
	case "image":
		img := sized(grown("img", ""), f).set("loading", "lazy").set("decoding", "async").set("alt", f.Name).set("src", f.URL)
		return grown("a", "pic", img).set("href", f.URL).set("target", "_blank")
	case "audio":
		m := grown(kind, "").set("controls", "").set("preload", "none").set("aria-label", f.Name).set("src", f.URL)
		return grown("span", "sound", f.Name, m)
	}
	m := grown(kind, "film").set("controls", "").set("preload", "metadata").set("aria-label", f.Name)
	return sized(m, f).set("src", f.URL)
}

func sized(n *tree, f *chat.File) *tree {
	w, h := f.Box()
	return n.set("width", itoa(w)).set("height", itoa(h))
}

// attached is a file, to be opened where its address is one that may be.
func attached(f *chat.File) *tree {
	kind := strings.ToUpper(strings.TrimPrefix(path.Ext(f.Name), "."))
	if n := len(kind); n == 0 || n > 4 {
		kind = "···"
	}
	t, name := grown("span", "t", kind), grown("span", "names", grown("b", "", f.Name), grown("small", "", f.Bytes()))
	if !chat.SafeURL(f.URL) {
		return grown("span", "file", t, name)
	}
	return grown("a", "file", t, name).set("href", f.URL).set("download", f.Name)
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
