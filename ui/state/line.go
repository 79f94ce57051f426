package state

import (
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// SetLine changes what the person has made of conv in the list: here at once, and
// under ref, a name never used before, with the server as soon as it can be told. What is
// deleted takes posts along that were not sent yet, and the draft. ok is false where
// the server has not listed conv, c says nothing or the outbox is full; then nothing happened.
func (s *State) SetLine(conv chat.ConvID, c chat.LineChange, ref string, now int64) (ch Change, ok bool) {
	cv := s.convs[conv]
	if cv == nil || !cv.listed || c.Validate() != nil || s.outbox.n >= maxOutbox {
		return ch, false
	}
	if c.Clear > 0 {
		s.outbox.drop(conv)
		cv.draft = ""
	}
	if !s.outbox.add(Unsent{Conv: conv, Ref: ref, At: now + s.skew, Epoch: s.epoch, Line: &c}) {
		return ch, false
	}
	s.cut(cv, c.Clear, &ch)
	ch.touch(conv)
	ch.Link = true
	return ch, true
}

// Cleared returns up to which Seq all of conv is deleted for the person, 0 for nothing.
func (s *State) Cleared(conv chat.ConvID) int64 {
	if c, ok := s.convs[conv]; ok {
		return c.log.cleared
	}
	return 0
}

// drop gives the posts of a conversation up, but for one that is under way.
func (o *outbox) drop(id chat.ConvID) {
	q := o.queues[id]
	was := len(q)
	q = slices.DeleteFunc(q, func(p *post) bool { return p.Line == nil && p.tries == 0 })
	o.n -= was - len(q)
	if o.queues[id] = q; len(q) == 0 {
		delete(o.queues, id)
	}
}

// lined takes the server's word for what the person has made of a conversation.
func (s *State) lined(ref string, l wire.Lined, ch *Change) {
	if ref != "" && s.outbox.settle(ref, 0) {
		ch.Link = true
	}
	c, ok := s.convs[l.Conv]
	if !ok {
		s.want(l.Conv)
		return
	}
	c.lined = s.asks.n
	s.setLine(c, l.Line, ch)
	ch.touch(c.id)
}

func (s *State) setLine(c *conv, l chat.Line, ch *Change) {
	c.line = l
	s.cut(c, l.Cleared, ch)
}

// cut forgets the entries of c up to seq, for good.
func (s *State) cut(c *conv, seq int64, ch *Change) {
	if c.log.cut(seq) {
		c.past = nil
		ch.Cleared = append(ch.Cleared, c.id)
	}
}

// uncut has what was cut and stays with the server all the same loaded anew.
func (s *State) uncut(c *conv) {
	if c == nil {
		return
	}
	to := c.line.Cleared
	for _, p := range s.outbox.of(c.id) {
		if p.Line != nil {
			to = max(to, p.Line.Clear)
		}
	}
	c.log.cleared, c.log.floor = 0, 0
	c.log.cut(to)
	s.lineup.wanted[c.id], s.asks.behind = true, true
}

// cut is State.cut of what is held. It reports whether that is news.
func (t *timeline) cut(seq int64) bool {
	if seq = min(seq, unsaid-1); seq <= t.cleared { // nonsense must not overflow
		return false
	}
	t.cleared = seq
	if t.tip != nil && t.tip.Seq <= seq {
		t.tip = nil
	}
	switch {
	case !t.anchored || t.first > seq:
	case t.last() <= seq:
		t.anchor(seq)
	default:
		t.run, t.first = slices.Clone(t.above(seq)), seq+1
	}
	return true
}

// left returns those of es, in rising order, that are not deleted.
func (t *timeline) left(es []chat.Message) []chat.Message {
	n := 0
	for n < len(es) && es[n].Seq <= t.cleared {
		n++
	}
	return es[n:]
}

// lineOf is what the person has made of c, with what the server has not been told yet.
func (s *State) lineOf(c *conv) chat.Line {
	l := c.line
	for _, p := range s.outbox.of(c.id) {
		if p.Line != nil {
			l = l.With(*p.Line, p.At, max(c.log.end, p.Line.Clear))
		}
	}
	return l
}
