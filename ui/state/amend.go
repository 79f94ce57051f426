package state

import (
	"math"

	"kamachat/shared/chat"
)

// A Denied is an amendment, or a change of a line, that the server refused for
// good. It is undone.
type Denied struct {
	Conv    chat.ConvID
	Content chat.Content
	Code    chat.Code
	Line    bool
}

// Denied returns the last one that was refused since it was called before, nil for none.
func (s *State) Denied() *Denied {
	d := s.denied
	s.denied = nil
	return d
}

// deny gives an amendment or a change of a line up that was refused for good: nothing of it is shown
// that could be sent again.
func (s *State) deny(ref string) {
	if p, _ := s.outbox.find(ref); p != nil && p.Why != "" && p.quiet() {
		s.denied = &Denied{p.Conv, p.Content, p.Why, p.Line != nil}
		s.outbox.settle(ref, 0)
		if p.Line != nil && p.Line.Clear > 0 {
			s.uncut(s.convs[p.Conv])
		}
	}
}

// unsaid is a Seq of a pending amendment: later than all that is stored.
const unsaid = math.MaxInt64 / 2

// pending applies the amendments that wait to be stored to m, an entry of conv,
// and reports whether there are any.
func (s *State) pending(conv chat.ConvID, m *chat.Message) (waits bool) {
	for i, p := range s.outbox.of(conv) {
		if !p.Content.Kind.Amends() || p.Content.Of != m.Seq {
			continue
		}
		waits = true
		chat.Amend(m, chat.Message{Conv: conv, Seq: unsaid + int64(i), Author: s.me.ID, Content: p.Content})
	}
	return waits
}
