package view

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// quick are the reactions that are one click away.
var quick = [...]string{"👍", "❤️", "😂", "😮", "😢", "🎉"}

// quote is the message that a text answers, as a button that leads to it.
func quote(k look, d *Desk) *tree {
	return grown("button", "re", grown("b", "", k.quoted), grown("span", "", k.quote)).set("type", "button").set("data-act", "jump")
}

// chips are the reactions at a message; each one is a switch.
func chips(c chat.Content, k look, d *Desk) *tree {
	box := grown("div", "reacts")
	who := strings.Split(k.who, "\n")
	for i, r := range c.Reactions() {
		n := itoa(len(r.People))
		box.add(grown("button", "react", grown("span", "", r.Text), grown("span", "n", n)).
			set("type", "button").set("title", who[i]).set("data-act", "react").set("data-emoji", r.Text).
			set("aria-pressed", boolean(r.Has(k.me))).set("aria-label", d.say("react.count", r.Text, n)))
	}
	return box
}

// fate notes in k what became of the message of r.
func (k *look) fate(r chat.Row, s *state.State, d *Desk) {
	c := r.Message.Content
	k.kind, k.waits = c.Kind, r.Waits
	if c.Re != nil {
		k.quoted, k.quote = s.Name(c.Re.Author), c.Re.Text
		if k.quote == "" {
			k.quote = d.say("gone.text")
		}
	}
	if c.Fate == nil {
		return
	}
	k.edited = c.Fate.Edited > 0
	k.text, k.me = c.Text, s.Me().ID
	for i, react := range c.Reactions() {
		if i > 0 {
			k.who += "\n"
		}
		k.who += react.Text + " " + d.names(react.People, s)
	}
}

// react puts an emoji at a message, or takes it back.
func (l *log) react(r chat.Row, emoji string) {
	c := chat.Content{Kind: chat.React, Of: r.Message.Seq, Text: emoji}
	l.desk.Do(func(s *state.State) {
		for _, x := range r.Message.Content.Reactions() {
			c.Off = c.Off || x.Text == emoji && x.Has(s.Me().ID)
		}
	})
	l.amend(c)
}

// amend posts an amendment and shows it.
func (l *log) amend(c chat.Content) {
	at := document().Get("activeElement")
	bar := at.Call("closest", ".rowbar")
	li := at.Call("closest", "li[data-key]")
	l.bar.hide()
	l.desk.Intents.Post(l.conv, c)
	l.sync()
	if !bar.Truthy() {
		return
	}
	if n := l.byKey[li.Get("dataset").Get("key").String()]; n != nil {
		refocus(n.el, at)
	}
}

// refocus moves the focus, which was on at in a row that was drawn anew as li, to
// what is most like it there.
func refocus(li, at app.Value) {
	if emoji := at.Get("dataset").Get("emoji"); emoji.Truthy() {
		for i, chips := 0, li.Call("querySelectorAll", ".react"); i < chips.Length(); i++ {
			if chips.Index(i).Get("dataset").Get("emoji").String() == emoji.String() {
				focus(chips.Index(i))
				return
			}
		}
	}
	focus(li)
}

// rowOf returns the row of a key, where something can be done about it.
func (l *log) rowOf(key string) (r chat.Row, ok bool) {
	for _, r := range l.rows {
		if r.Key == key {
			k := r.Message.Content.Kind
			return r, r.Message.Seq > 0 && (k == chat.Text || k == chat.FileK)
		}
	}
	return r, false
}
