package page

import (
	"cmp"
	"path"
	"strings"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/told"
	"kamachat/shared/words"
)

func (c Common) say(key string, args ...any) string {
	return words.Say(words.Lang(c.Lang), key, args...)
}

func (c Common) at(ms int64) time.Time    { return time.UnixMilli(ms).In(c.Zone) }
func (c Common) clock(ms int64) string    { return words.Clock(words.Lang(c.Lang), c.at(ms)) }
func (c Common) day(ms int64) string      { return words.Day(words.Lang(c.Lang), c.at(ms), c.Now) }
func (c Common) moment(ms int64) string   { return words.Full(words.Lang(c.Lang), c.at(ms)) }
func (c Common) listTime(ms int64) string { return words.ListTime(words.Lang(c.Lang), c.at(ms), c.Now) }

// problem says why something was refused, "" for nil.
func (c Common) problem(r *chat.Refusal) string {
	if r == nil {
		return ""
	}
	return words.Problem(words.Lang(c.Lang), string(r.Code), r.Words)
}

// teller says what people did not write as it stands.
func (p ChatPage) teller() told.Teller {
	return told.Teller{Lang: words.Lang(p.Lang), Name: p.name, Moment: p.moment}
}

// preview is an entry in one line.
func (p ChatPage) preview(m chat.Message) string { return p.teller().Preview(m, previewed) }

// names joins what people are called.
func (p ChatPage) names(us []chat.UserID) string {
	names := make([]string, len(us))
	for i, u := range us {
		names[i] = p.name(u)
	}
	return strings.Join(names, p.say("names.join"))
}

// quoted is what a text says of the message that it answers.
func (p ChatPage) quoted(q *chat.Quote) string { return cmp.Or(q.Text, p.say("gone.text")) }

func edited(c chat.Content) bool { return c.Fate != nil && c.Fate.Edited > 0 }

// event says what the conversation itself did.
func (p ChatPage) event(m chat.Message) string { return p.teller().Event(m) }

// gone says why nothing is left of a message.
func (c Common) gone(of chat.Content) string { return told.Gone(words.Lang(c.Lang), of) }

// shut says why nothing can be written in the open conversation, "" where it can.
func (p ChatPage) shut() string {
	s, now := p.Open.Summary, p.Now.UnixMilli()
	err := s.MayPost(s.Conv, now)
	switch {
	case err == nil:
		return ""
	case s.State == chat.InUse && s.Muted > now && s.Muted < chat.Endless:
		return p.say("shut.until", p.moment(s.Muted))
	}
	return p.problem(chat.AsRefusal(err))
}

// callKey names what a call record says.
func callKey(c *chat.Call) string {
	switch c.What {
	case "receive_call":
		return "call.answered"
	case "reject_call":
		return "call.declined"
	case "start_call":
		return "call.start"
	}
	return "preview.call"
}

// extension is what a file's card shows of its name: "PDF".
func extension(name string) string {
	e := strings.ToUpper(strings.TrimPrefix(path.Ext(name), "."))
	if len(e) == 0 || len(e) > 4 {
		return "···"
	}
	return e
}

// linked is u where it may be a link, else nowhere.
func linked(u string) string {
	if chat.SafeURL(u) {
		return u
	}
	return "#"
}
