package state

import (
	"reflect"
	"slices"
	"strconv"
	"time"

	"kamachat/shared/chat"
)

// Open shows conv. The line above its first unread entry is fixed now and
// stays until Close or another Open. Opening what is open changes nothing, and
// opening "" is Close.
func (s *State) Open(conv chat.ConvID) (ch Change) {
	if s.open == conv {
		return ch
	}
	ch = s.Close()
	if conv == "" {
		return ch
	}
	if c, ok := s.convs[conv]; ok && s.gone(c) {
		delete(s.convs, conv) // as if never heard of: the server says whether it is the person's again
	}
	s.open, s.after = conv, -1
	if c, ok := s.convs[conv]; ok {
		if n, _ := c.unread(s.me.ID); n > 0 {
			s.after = c.mine.Read
		}
	}
	ch.touch(conv)
	return ch
}

// Close shows no conversation.
func (s *State) Close() (ch Change) {
	if s.open == "" {
		return ch
	}
	ch.touch(s.open)
	if c, ok := s.convs[s.open]; ok {
		c.past = nil
	}
	s.open, s.after = "", -1
	return ch
}

// Opened returns the conversation shown, or "".
func (s *State) Opened() chat.ConvID { return s.open }

// Rows lays the held part of conv out: committed entries, then the outbox. What
// amends an entry shows at it, stored or not.
func (s *State) Rows(conv chat.ConvID, zone *time.Location) []chat.Row {
	c, ok := s.convs[conv]
	if !ok {
		return nil
	}
	shown := c.shown()
	rows := make([]chat.Row, 0, len(shown.run)+len(s.outbox.of(conv)))
	for _, m := range shown.run {
		if m.Content.Kind.Amends() {
			continue
		}
		r := chat.Row{Key: "s" + strconv.FormatInt(m.Seq, 10), Message: m, Mine: m.Author == s.me.ID}
		if r.Mine {
			r.Tick = chat.TickOf(m.Seq, c.all)
		}
		r.Waits = s.pending(conv, &r.Message)
		rows = append(rows, r)
	}
	head := s.outbox.head(conv)
	for _, p := range s.outbox.of(conv) {
		if shown != &c.log {
			break // the end is elsewhere
		}
		if p.quiet() || p == head && s.stored(c, p) {
			continue
		}
		rows = append(rows, s.row(p))
	}
	after := int64(-1)
	if conv == s.open {
		after = s.after
	}
	chat.Layout(rows, after, zone)
	return rows
}

// stored reports whether p looks stored already, with only word of it missing,
// as after a reload: drawing it as well would show it twice for a moment.
func (s *State) stored(c *conv, p *post) bool {
	return slices.ContainsFunc(c.log.above(p.After), func(m chat.Message) bool {
		if m.Author != s.me.ID || (m.Content.Re == nil) != (p.Content.Re == nil) {
			return false
		}
		said := m.Content
		said.Re, said.Fate = p.Content.Re, nil // the server's part
		return reflect.DeepEqual(said, p.Content)
	})
}

// row draws a post that waits.
func (s *State) row(p *post) chat.Row {
	r := chat.Row{
		Key:     "r" + p.Ref,
		Message: chat.Message{Conv: p.Conv, Author: s.me.ID, Ref: p.Ref, At: p.At, Content: p.Content},
		Mine:    true, Tick: chat.Queued, Why: p.Why,
	}
	if p.Why != "" {
		r.Tick = chat.Failed
	}
	return r
}
