package view

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// noticeFor is how long it is said that an amendment was refused.
const noticeFor = 8 * time.Second

// A subject is the message that what is written in the composer is about: one
// that it answers, or an own one whose text it is to be.
type subject struct {
	conv  chat.ConvID
	seq   int64 // 0: none
	edits bool
	name  string
	text  string
	quote *chat.Quote
}

// about is the strip over the composer that says so.
type about struct {
	app.Compo
	desk *Desk

	Subject subject
}

func (a *about) Render() app.UI {
	d, s := a.desk, a.Subject
	title := d.say("about.reply", s.name)
	if s.edits {
		title = d.say("about.edit")
	}
	return el("div").Class("about").Body(
		icon(choose("reply", "pen", s.edits)),
		el("p").Body(el("b").Text(title), el("span").Text(s.text)),
		button("close", d.say("about.cancel"), a.onCancel),
	)
}

func (a *about) onCancel(ctx app.Context, e app.Event) { a.desk.drop() }

// discuss has the composer write about a message.
func (d *Desk) discuss(r chat.Row, edits bool) {
	m := r.Message
	s := subject{conv: m.Conv, seq: m.Seq, edits: edits, quote: chat.QuoteOf(m)}
	d.Do(func(st *state.State) { s.name, s.text = st.Name(m.Author), d.preview(&m, st) })
	was := d.subject
	d.subject = s
	if c := d.composer; c != nil {
		switch {
		case edits:
			c.fill(m.Content.Text)
		case was.edits:
			c.fill(c.draft())
		}
		focus(c.area())
	}
	d.Changed(state.Change{Link: true})
}

// drop has the composer write about nothing any more.
func (d *Desk) drop() {
	was := d.subject
	d.subject = subject{}
	if c := d.composer; c != nil && was.seq != 0 {
		if was.edits {
			c.fill(c.draft())
		}
		focus(c.area())
	}
	d.Changed(state.Change{Link: true})
}

// editing reports whether what is written in conv is the new text of a message.
func (d *Desk) editing(conv chat.ConvID) bool { return d.subject.edits && d.subject.conv == conv }

// editLast edits the last own text of those that are shown. It reports whether there is one.
func (l *log) editLast() bool {
	for i := len(l.rows) - 1; i >= 0; i-- {
		if r := l.rows[i]; r.Mine && r.Message.Seq > 0 && r.Message.Content.Kind == chat.Text {
			l.desk.discuss(r, true)
			return true
		}
	}
	return false
}

// edited takes content as the new text of the message that is edited. It
// reports false where none is.
func (c *composer) edited(content chat.Content) bool {
	d := c.desk
	if !d.editing(c.Conv) {
		return false
	}
	seq, same := d.subject.seq, false
	for _, r := range d.log.rows {
		same = same || r.Message.Seq == seq && r.Message.Content.Text == content.Text
	}
	d.drop()
	if !same {
		d.Intents.Post(c.Conv, chat.Content{Kind: chat.Edit, Of: seq, Text: content.Text})
		d.log.sync()
	}
	return true
}

// answering adds to content what it answers.
func (c *composer) answering(content *chat.Content) {
	if d := c.desk; d.subject.seq != 0 && d.subject.conv == c.Conv {
		content.Re = d.subject.quote
		d.drop()
	}
}

// amendKey does what a key means beside writing; true where it meant something.
func (c *composer) amendKey(key string, empty bool) bool {
	switch {
	case key == "Escape" && c.desk.subject.seq != 0:
		c.desk.drop()
		return true
	case key == "ArrowUp" && empty:
		return c.desk.log.editLast()
	}
	return false
}

// refuse says why an amendment came to nothing.
func (r *Root) refuse(n *state.Denied) {
	words := choose("amend.failed", "line.failed", n.Line)
	if n.Code == chat.TooLong {
		words = choose("amend.full", "line.full", n.Line)
	}
	r.notice, r.noticed = r.desk.say(words), r.desk.Now()
	time.AfterFunc(noticeFor, func() { r.desk.Changed(state.Change{Link: true}) })
}

// blank reports whether there is nothing in the textarea.
func blank(a app.Value) bool { return strings.TrimSpace(a.Get("value").String()) == "" }
