package view

import (
	"errors"

	"kamachat/shared/chat"
	"kamachat/shared/words"
	"kamachat/ui/state"
)

// say returns the sentence called key in the page's language.
func (d *Desk) say(key string, args ...any) string {
	return words.Say(words.Lang(d.Lang), key, args...)
}

// problem says why something could not be done.
func (d *Desk) problem(err error) string {
	var r *chat.Refusal
	if !errors.As(err, &r) {
		return d.say("problem.offline")
	}
	return words.Problem(words.Lang(d.Lang), string(r.Code), r.Words)
}

// refused says why a message could not be sent.
func (d *Desk) refused(c chat.Code) string {
	return words.Refused(words.Lang(d.Lang), string(c))
}

// below says what waits at the end for someone who reads above it.
func (d *Desk) below(n int) string {
	if n == 0 {
		return d.say("log.end")
	}
	return d.say("log.below", count(n))
}

// preview is a message in one line.
func (d *Desk) preview(m *chat.Message, s *state.State) string {
	switch c := m.Content; {
	case c.Event != nil:
		return d.event(*m, s)
	case c.Kind == chat.Gone:
		return d.say("gone.text")
	case c.Call != nil:
		return d.say("preview.call")
	case c.File != nil && isPicture(c.File):
		return d.say("preview.picture")
	case c.File != nil:
		return d.say("preview.file", c.File.Name)
	}
	return m.Content.Preview(80)
}

// event says how the conversation changed.
func (d *Desk) event(m chat.Message, s *state.State) string {
	e := m.Content.Event
	if e == nil {
		return d.say("event.changed")
	}
	c := words.Change{What: e.What, By: s.Name(m.Author), Asked: e.Asked, Name: e.Name}
	for _, u := range e.Who {
		c.Who = append(c.Who, s.Name(u))
	}
	c.Self = len(e.Who) == 0 || len(e.Who) == 1 && e.Who[0] == m.Author
	if e.Until > 0 && e.Until < chat.Endless {
		c.Until = d.moment(e.Until)
	}
	if r := e.Rules; r != nil {
		c.Joining, c.Slow, c.Announce = string(r.Joining), r.Slow, r.Announce
	}
	return words.Event(words.Lang(d.Lang), c)
}

// shut says why nothing can be written in c, "" where it can.
func (d *Desk) shut(c state.Conv) string {
	now := d.Now().UnixMilli()
	err := c.MayPost(c.ID, now)
	switch {
	case err == nil:
		return ""
	case c.State == chat.InUse && c.Muted > now && c.Muted < chat.Endless:
		return d.say("shut.until", d.moment(c.Muted))
	}
	return d.problem(err)
}

// names joins what people are called.
func (d *Desk) names(ids []chat.UserID, s *state.State) (out string) {
	for i, id := range ids {
		if i > 0 {
			out += d.say("names.join")
		}
		out += s.Name(id)
	}
	return out
}
