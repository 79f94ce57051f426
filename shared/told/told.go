// Package told is what KamaChat says of entries that people did not write as they
// stand: how a conversation changed, what is gone, and any entry in one line. The
// server's pages, the files it makes and the program in the browser say the same.
package told

import (
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

// A Teller tells in one language, of people by their names.
type Teller struct {
	Lang   words.Lang
	Name   func(chat.UserID) string
	Moment func(ms int64) string // a time in full; Unix milliseconds
}

// Event says how m, an entry of kind Event, changed its conversation.
func (t Teller) Event(m chat.Message) string {
	e := m.Content.Event
	if e == nil {
		return words.Say(t.Lang, "event.changed")
	}
	c := words.Change{What: e.What, By: t.Name(m.Author), Asked: e.Asked, Name: e.Name}
	for _, u := range e.Who {
		c.Who = append(c.Who, t.Name(u))
	}
	c.Self = len(e.Who) == 0 || len(e.Who) == 1 && e.Who[0] == m.Author
	if e.Until > 0 && e.Until < chat.Endless {
		c.Until = t.Moment(e.Until)
	}
	if r := e.Rules; r != nil {
		c.Joining, c.Slow, c.Announce = string(r.Joining), r.Slow, r.Announce
	}
	return words.Event(t.Lang, c)
}

// Preview says m in one line of at most so many characters of a text.
func (t Teller) Preview(m chat.Message, most int) string {
	switch c := m.Content; {
	case c.Event != nil:
		return t.Event(m)
	case c.Kind == chat.Gone:
		return Gone(t.Lang, c)
	case c.Call != nil:
		return words.Say(t.Lang, "preview.call")
	case c.File != nil && strings.HasPrefix(c.File.Type, "image/"):
		return words.Say(t.Lang, "preview.picture")
	case c.File != nil:
		return words.Say(t.Lang, "preview.file", c.File.Name)
	}
	return m.Content.Preview(most)
}

// Gone says why nothing is left of c.
func Gone(l words.Lang, c chat.Content) string {
	if c.Fate != nil && c.Fate.Expired {
		return words.Say(l, "gone.expired")
	}
	return words.Say(l, "gone.text")
}
