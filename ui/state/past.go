package state

import (
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A past is a part of a log far above its end that the person looks at, while
// the end goes on being held beside it. Where the two meet they become one.
type past struct {
	timeline
	at   int64  // the entry that was jumped to
	want int    // the page that is wanted: wantNone, wantAround, wantOlder or wantNewer
	ref  string // of the question under way
	what int    // that is about
	next int64  // not to be asked before
	// Entries that were kept, and may have been amended since, are asked for once
	// more: n of them before this Seq, 0 for none.
	check int64
	n     int
}

const (
	wantNone = iota
	wantAround
	wantOlder
	wantNewer
	wantCheck
)

// Jump shows conv around the entry seq, which is held or has to be loaded.
func (s *State) Jump(conv chat.ConvID, seq, now int64) (ch Change) {
	c, ok := s.convs[conv]
	if !ok || seq < 1 {
		return ch
	}
	seq = max(seq, c.log.cleared+1)
	ch.touch(conv)
	if shown := c.shown(); len(shown.run) > 0 && seq >= shown.first && seq <= shown.last() {
		return ch
	}
	c.past = nil
	if len(c.log.run) > 0 && seq >= c.log.first && seq <= c.log.last() {
		return ch
	}
	c.past = &past{timeline: timeline{first: seq, cleared: c.log.cleared}, at: seq, want: wantAround}
	return ch.Merge(s.pumped(c, now))
}

// Latest goes back from what Jump showed to the end of conv.
func (s *State) Latest(conv chat.ConvID) (ch Change) {
	if c, ok := s.convs[conv]; ok && c.past != nil {
		c.past = nil
		ch.touch(conv)
	}
	return ch
}

// Around asks for more of what Jump shows: the entries behind it (newer) or before it.
func (s *State) Around(conv chat.ConvID, newer bool, now int64) (ch Change) {
	c, ok := s.convs[conv]
	if !ok || c.past == nil || c.past.want != wantNone {
		return ch
	}
	c.past.want = wantOlder
	if newer {
		c.past.want = wantNewer
	}
	return s.pumped(c, now)
}

func (s *State) pumped(c *conv, now int64) (ch Change) {
	if s.phase == Live {
		s.pumpConv(c, now, &ch)
	}
	return ch
}

// pumpPast asks what Jump and Around want.
func (s *State) pumpPast(c *conv, now int64, ch *Change) {
	p := c.past
	if p == nil || p.want == wantNone && p.check == 0 || p.ref != "" || now < p.next || !s.asks.free() {
		return
	}
	if p.what = p.want; p.what == wantNone {
		p.what = wantCheck
	}
	b := wire.Before{Conv: c.id, Limit: pageSize}
	switch p.what {
	case wantAround:
		b.Seq = p.at + pageSize/2
	case wantOlder:
		b.Seq = p.first
	case wantNewer:
		b.Seq = p.last() + pageSize + 1
	case wantCheck:
		b.Seq, b.Limit = p.check, p.n
	}
	p.ref = s.asks.put(ask{kind: askPast, conv: c.id, at: now})
	ch.Need = append(ch.Need, wire.Frame{Ref: p.ref, Body: b})
}

// looked folds a page that was asked for by pumpPast.
func (c *conv) looked(ref string, page chat.Page, now int64) {
	p := c.past
	if p == nil || p.ref != ref {
		return
	}
	first, last := p.first, p.last()
	p.ref = ""
	if p.join(page.Entries); len(p.run) == 0 {
		c.past = nil // there is nothing to jump to
		return
	}
	if p.what == wantOlder && p.first == first {
		p.floor = p.first
	}
	if p.what == wantNewer && p.last() == last {
		p.next = now + pause
	}
	switch p.what {
	case wantCheck:
		p.check = 0
	case p.want:
		p.want = wantNone
	}
	c.catchUp()
	c.meet()
}

// join adds entries that contain what was jumped to, or touch what is there.
func (p *past) join(es []chat.Message) bool {
	if es = p.left(es); len(es) == 0 {
		return false
	}
	if !p.anchored {
		if at := p.at; es[0].Seq > at || es[len(es)-1].Seq < at {
			p.at = min(max(at, es[0].Seq), es[len(es)-1].Seq) // as near as there is
		}
		p.anchor(es[0].Seq - 1)
	}
	n := len(p.run)
	p.merge(es, false)
	p.parked = nil
	return len(p.run) > n
}

// recheck wants n entries before seq from the server.
func (p *past) recheck(seq int64, n int) { p.check, p.n = seq, n }

// part returns, of kept entries, those that one question to the server is about.
func (p *past) part(es []chat.Message) []chat.Message {
	n, first := int64(len(es)), es[0].Seq
	lo, hi := int64(0), n
	switch {
	case !p.anchored: // as is asked around an entry
		lo, hi = p.at-first-pageSize/2, p.at-first+pageSize/2
	case first < p.first:
		hi = min(p.first-first, n)
		lo = hi - chat.MaxPage
	default:
		lo = p.last() + 1 - first
		hi = lo + chat.MaxPage
	}
	lo = min(max(lo, 0), n)
	return es[lo:max(min(hi, n), lo)]
}

// catchUp applies the amendments at the end of the log to the past.
func (c *conv) catchUp() {
	if c.past == nil {
		return
	}
	for _, by := range c.log.run {
		if by.Content.Kind.Amends() {
			c.past.amend(by)
		}
	}
}

// meet makes one of the past and the end, where nothing is missing between them.
func (c *conv) meet() {
	p, t := c.past, &c.log
	if p == nil || len(p.run) == 0 || len(t.run) == 0 || p.last() < t.first-1 {
		return
	}
	if p.first < t.first {
		t.run = append(p.run[:t.first-p.first:t.first-p.first], t.run...)
		t.first, t.floor = p.first, max(t.floor, p.floor)
		t.came = append(t.came, p.came...)
		for seq := range p.changed {
			t.note(seq)
		}
	}
	c.past = nil
}

// shown is what the person looks at: the end, or the past.
func (c *conv) shown() *timeline {
	if c.past != nil && len(c.past.run) > 0 {
		return &c.past.timeline
	}
	return &c.log
}

// Shown returns the entries of conv that the person looks at, and, where Jump
// waits for them, the entry jumped to. They are not to be changed.
func (s *State) Shown(conv chat.ConvID) (es []chat.Message, waits int64) {
	c, ok := s.convs[conv]
	if !ok {
		return nil, 0
	}
	if c.past != nil && len(c.past.run) == 0 {
		waits = c.past.at
	}
	return c.shown().run, waits
}

// RememberPast folds entries that were kept into what Jump shows, a run without
// a gap in rising Seq order. ok is false where they are of no use there.
func (s *State) RememberPast(conv chat.ConvID, es []chat.Message) (ch Change, ok bool) {
	c, known := s.convs[conv]
	if !known || c.past == nil {
		return ch, false
	}
	p := c.past
	if es = p.left(es); len(es) == 0 {
		return ch, false
	}
	if !p.anchored && (es[0].Seq > p.at || es[len(es)-1].Seq < p.at) {
		return ch, false
	}
	s.without(es)
	if s.phase == Live {
		es = p.part(es)
	}
	if ok = p.join(es); !ok {
		return ch, false
	}
	for _, m := range es {
		s.wonder(m)
	}
	p.want = wantNone
	if s.phase == Live && p.ref == "" { // else they are asked for already
		p.recheck(es[len(es)-1].Seq+1, len(es))
		s.asks.behind = true
	}
	c.catchUp()
	c.meet()
	c.amended(&ch)
	ch.touch(conv)
	return ch, true
}
