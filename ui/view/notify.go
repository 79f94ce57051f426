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

// Mute has the conversations shown as muted that are in ids, with spaces
// between them, and no others. Any goroutine may call it.
func (d *Desk) Mute(ids string) {
	muted := map[chat.ConvID]bool{}
	for _, id := range strings.Fields(ids) {
		muted[chat.ConvID(id)] = true
	}
	d.mu.Lock()
	d.muted = muted
	d.mu.Unlock()
	d.Changed(state.Change{List: true})
}

func (d *Desk) isMuted(conv chat.ConvID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.muted[conv]
}

// Notice is what a notification of the newest message of c says, "" where there
// is none to be told of.
func (d *Desk) Notice(c state.Conv, s *state.State) (body string) {
	m := c.Last
	if c.Unread == 0 || c.Archived || m == nil || m.Seq < c.Said || m.Content.Kind == chat.Gone || m.Author == s.Me().ID || m.Content.Event != nil {
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
