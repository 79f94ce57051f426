package state

import (
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Seen says that the person has read conv up to seq. Word of it leaves with
// the next TakeSeen.
func (s *State) Seen(conv chat.ConvID, seq int64) (ch Change) {
	c, ok := s.convs[conv]
	seq = min(seq, s.lastOf(conv))
	if !ok || seq <= c.mine.Read {
		return ch
	}
	c.mine = c.mine.Merge(chat.Marks{Read: seq})
	c.pass()
	ch.touch(conv)
	return ch
}

// lastOf returns the Seq up to which conv is known without a gap.
func (s *State) lastOf(conv chat.ConvID) int64 {
	if c, ok := s.convs[conv]; ok {
		return c.log.last()
	}
	return 0
}

// TakeSeen returns the marks that the server does not know yet, one frame a
// conversation however much happened. While not Live it returns nothing and
// keeps them.
func (s *State) TakeSeen() (frames []wire.Frame) {
	if s.phase != Live {
		return nil
	}
	for _, id := range s.ids() {
		c := s.convs[id]
		if c.fresh || c.barred || !c.log.anchored {
			continue
		}
		m := c.mine.Merge(chat.Marks{Delivered: c.log.last()})
		if m.Delivered <= c.sent.Delivered && m.Read <= c.sent.Read {
			continue
		}
		c.mine = m
		c.sent = c.sent.Merge(m)
		frames = append(frames, wire.Frame{Body: wire.Seen{Marks: chat.Marks{Conv: id, Delivered: m.Delivered, Read: m.Read}}})
	}
	return frames
}

// Marks returns one's own marks in conv, and the lowest of the others.
func (s *State) Marks(conv chat.ConvID) (mine, all chat.Marks) {
	if c, ok := s.convs[conv]; ok {
		return c.mine, c.all
	}
	return chat.Marks{}, chat.Marks{}
}

// Unread returns the unread entries of all conversations that are not archived, and
// whether one of those is marked as unread.
func (s *State) Unread() (n int, marked bool) {
	for _, c := range s.convs {
		l := s.lineOf(c)
		if s.gone(c) || l.Archived {
			continue
		}
		k, _ := c.unread(s.me.ID)
		n, marked = n+k, marked || l.Marked
	}
	return n, marked
}
