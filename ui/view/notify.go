package view

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/shared/icons"
	"kamachat/ui/state"
)

// What is beside the conversations, static/aside.js draws by itself into places
// that the components leave for it: here it would make the program too large.

// slot is such a place.
func slot(id string) app.HTMLElem { return el("div").ID(id) }

// Speak returns what aside.js says: a sentence by its key and up to two
// arguments, or the path of an icon.
func (d *Desk) Speak(key string, args ...app.Value) string {
	if name, ok := strings.CutPrefix(key, "icon."); ok {
		return icons.Paths(name)
	}
	said := make([]any, len(args))
	for i, a := range args {
		said[i] = a.String()
	}
	return d.say(key, said...)
}

// Hush has the person get no notifications of conv until a time, and closes the
// menu that it was chosen in.
func (d *Desk) Hush(conv string, until int64) {
	(&tidy{desk: d, Conv: state.Conv{ID: chat.ConvID(conv)}}).set(chat.LineChange{Hush: &until})
}

// quiet reports whether the person wants no notifications of a line.
func (d *Desk) quiet(l chat.Line) bool { return l.Quiet(d.Now().UnixMilli()) }

// Notice is what a notification of the newest message of c says, "" where there
// is none to be told of.
func (d *Desk) Notice(c state.Conv, s *state.State) (body string) {
	m := c.Last
	if c.Unread == 0 || c.Archived || d.quiet(c.Line) || m == nil || m.Seq < c.Said || m.Content.Kind == chat.Gone || m.Author == s.Me().ID || m.Content.Event != nil {
		return ""
	}
	if c.ID.IsGroup() {
		body = d.say("list.says", s.Name(m.Author))
	}
	return body + d.preview(m, s)
}

// titled is a title, and marks behind it where the conversation is pinned or muted.
func titled(title string, pinned, muted bool, d *Desk) []app.UI {
	ui := []app.UI{app.Text(title)}
	mark := func(name, label string) {
		ui = append(ui, el("span").Class("hushed").Role("img").Aria("label", d.say(label)).Body(icon(name)))
	}
	if pinned {
		mark("pin", "line.pinned")
	}
	if muted {
		mark("hush", "mute.muted")
	}
	return ui
}
