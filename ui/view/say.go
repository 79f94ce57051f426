package view

import (
	"errors"

	"kamachat/shared/chat"
	"kamachat/shared/told"
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

// teller says what people did not write as it stands.
func (d *Desk) teller(s *state.State) told.Teller {
	return told.Teller{Lang: words.Lang(d.Lang), Name: s.Name, Moment: d.moment}
}

// preview is a message in one line.
func (d *Desk) preview(m *chat.Message, s *state.State) string { return d.teller(s).Preview(*m, 80) }

// event says how the conversation changed.
func (d *Desk) event(m chat.Message, s *state.State) string { return d.teller(s).Event(m) }

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
