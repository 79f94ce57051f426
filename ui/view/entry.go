package view

import (
	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// An entry is one line of the conversation list, as it is drawn.
type entry struct {
	ID      chat.ConvID
	Title   string
	Avatar  string
	Seed    string // what the colour follows from
	Group   bool
	Online  bool
	Open    bool
	At      int64
	Time    string
	Says    string // who said it: "You", a name in a group, or ""
	Preview string
	Typing  string // instead of the preview, or ""
	Draft   bool   // Preview is what waits in the composer
	Tick    chat.Tick
	Unread  int
	Muted   bool
	chat.Line
}

// entries returns the lines of the list.
func (d *Desk) entries(s *state.State) []entry {
	cs := s.Convs()
	es := make([]entry, len(cs))
	for i, c := range cs {
		es[i] = d.entry(c, s)
	}
	return es
}

func (d *Desk) entry(c state.Conv, s *state.State) entry {
	e := entry{
		ID: c.ID, Title: c.Title, Avatar: c.Avatar, Seed: seed(c), Group: c.ID.IsGroup(),
		Online: c.Online, Open: c.ID == s.Opened(), At: c.LastAt, Tick: c.Tick, Unread: c.Unread, Muted: d.quiet(c.Line),
		Typing: d.typing(c, s), Line: c.Line,
	}
	if c.LastAt > 0 {
		e.Time = d.listTime(c.LastAt)
	}
	switch m := c.Last; {
	case c.Draft != "" && !e.Open:
		e.Draft, e.Tick = true, chat.NoTick
		e.Preview = chat.TextContent(c.Draft).Preview(80)
	case m == nil:
	default:
		e.Preview = d.preview(m, s)
		switch {
		case m.Content.Kind == chat.Event:
			e.Tick = chat.NoTick
		case m.Author == s.Me().ID:
			e.Says = d.say("list.you")
		case e.Group:
			e.Says = s.Name(m.Author)
		}
	}
	return e
}

// seed is what a conversation's colour follows from: the peer, so that a
// person has one colour everywhere, or the group.
func seed(c state.Conv) string {
	if c.Peer != "" {
		return string(c.Peer)
	}
	return string(c.ID)
}

// typing says who types in c, or "".
func (d *Desk) typing(c state.Conv, s *state.State) string {
	switch n := len(c.Typing); {
	case n == 0:
		return ""
	case !c.ID.IsGroup():
		return d.say("typing.peer")
	case n == 1:
		return d.say("typing.one", s.Name(c.Typing[0]))
	default:
		return d.say("typing.many", n)
	}
}
