package state

import (
	"strconv"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

const (
	maxAsks  = 16     // questions under way at once
	pageSize = 50     // entries asked for when a person scrolls
	patience = 15_000 // ms until a question or post without an answer is repeated
	pause    = 5_000  // ms until a question that brought nothing is repeated
	maxWait  = 60_000 // ms, the longest retry-after that is believed
	maxCount = 1_000  // entries that are loaded only to count them
)

// wait bounds a retry-after.
func wait(ms int64) int64 { return min(max(ms, 50), maxWait) }

type askKind uint8

const (
	askNewer askKind = iota
	askOlder
	askWho
	askLines // of conversations
	askPage  // of the list
	askSums  // what differs
	askPast  // a part of a log far above its end
)

// An ask is a question under way.
type ask struct {
	n     int64 // which one
	kind  askKind
	conv  chat.ConvID
	seq   int64 // that older entries were asked before
	ids   []chat.UserID
	convs []chat.ConvID // whose lines
	parts int           // sums sent
	at    int64         // when it was asked
}

// asks are the questions under way over the present connection.
type asks struct {
	n      int64
	open   map[string]ask
	whoAt  int64 // people are not to be asked for before
	wake   int64 // when to look at all conversations again, 0 for never
	behind bool  // some conversation may have a question that could not be asked yet
}

func newAsks() asks { return asks{open: map[string]ask{}} }

// put registers a and returns its Ref, unique for the life of the State.
func (q *asks) put(a ask) string {
	q.n++
	a.n = q.n
	ref := "q" + strconv.FormatInt(q.n, 36)
	q.open[ref] = a
	return ref
}

// answer takes the question under ref off the list.
func (q *asks) answer(ref string) (ask, bool) {
	a, ok := q.open[ref]
	delete(q.open, ref)
	return a, ok
}

// free reports whether another question may be asked now.
func (q *asks) free() bool {
	if len(q.open) < maxAsks {
		return true
	}
	q.behind = true
	return false
}

func (q *asks) clear() {
	clear(q.open)
	q.whoAt, q.wake, q.behind = 0, 0, true
}

// pump asks what should be known of ids, as far as questions may be under way.
func (s *State) pump(ids []chat.ConvID, now int64, ch *Change) {
	if s.phase != Live {
		return
	}
	for _, id := range ids {
		if c := s.convs[id]; c != nil {
			s.pumpConv(c, now, ch)
		}
	}
	if len(s.roster.wanted) > 0 && now >= s.asks.whoAt && s.asks.free() {
		ids := s.roster.takeUnknown(100)
		ref := s.asks.put(ask{kind: askWho, ids: ids, at: now})
		ch.Need = append(ch.Need, wire.Frame{Ref: ref, Body: wire.Who{IDs: ids}})
	}
	s.pumpList(now, ch)
}

func (s *State) pumpConv(c *conv, now int64, ch *Change) {
	if c.barred {
		return
	}
	s.pumpPast(c, now, ch)
	t := &c.log
	if t.gap() && c.up == "" && now >= c.upAt && s.asks.free() {
		c.up = s.asks.put(ask{kind: askNewer, conv: c.id, at: now})
		ch.Need = append(ch.Need, wire.Frame{Ref: c.up, Body: wire.Resume{Conv: c.id, After: t.last()}})
	}
	if c.down != "" || now < c.downAt || t.atStart() {
		return
	}
	b := wire.Before{Conv: c.id, Limit: pageSize}
	switch _, exact := c.unread(s.me.ID); {
	case !t.anchored && !c.want:
		return
	case t.anchored && !exact && t.first-c.passed() <= maxCount:
		b.Seq, b.Limit = t.first, chat.MaxPage
	case !c.want:
		return
	case t.anchored:
		b.Seq = t.first
	}
	if !s.asks.free() {
		return
	}
	c.down = s.asks.put(ask{kind: askOlder, conv: c.id, seq: b.Seq, at: now})
	ch.Need = append(ch.Need, wire.Frame{Ref: c.down, Body: b})
}

// Due returns what has come due by now: posts whose turn it is, and questions
// that were refused, forgotten or held back. next is when to call again, 0
// for never. It is to be called after every Apply as well.
func (s *State) Due(now int64) (frames []wire.Frame, next int64) {
	if s.phase != Live {
		return nil, 0
	}
	var ch Change
	if s.asks.behind || s.asks.wake != 0 && now >= s.asks.wake {
		s.asks.behind = false
		for ref, a := range s.asks.open {
			if now-a.at >= patience {
				s.giveUp(ref, a)
			}
		}
		s.pump(s.ids(), now, &ch)
	}
	s.asks.wake = s.nextAsk(now)
	posts, next := s.outbox.due(now)
	return append(ch.Need, posts...), soonest(next, s.asks.wake)
}

// giveUp stops waiting for an answer, so that the question is asked again.
func (s *State) giveUp(ref string, a ask) {
	delete(s.asks.open, ref)
	c := s.convs[a.conv]
	switch {
	case a.kind == askWho:
		s.roster.unknown(a.ids...)
	case a.kind == askLines:
		s.wantAgain(a.convs)
	case ref == s.lineup.ref:
		s.lineup.ref = ""
	case c == nil:
	case a.kind == askNewer && c.up == ref:
		c.up = ""
	case a.kind == askOlder && c.down == ref:
		c.down = ""
	case c.past != nil && c.past.ref == ref:
		c.past.ref = ""
	}
}

// nextAsk returns when the questions need attention again, 0 for never.
func (s *State) nextAsk(now int64) (next int64) {
	for _, a := range s.asks.open {
		next = soonest(next, a.at+patience)
	}
	if s.asks.whoAt > now {
		next = soonest(next, s.asks.whoAt)
	}
	if l := s.lineup; l.ref == "" {
		next = soonest(next, l.at)
	}
	if s.lineup.wantAt > now {
		next = soonest(next, s.lineup.wantAt)
	}
	for _, c := range s.convs {
		for _, at := range []int64{c.upAt, c.downAt} {
			if at > now && !c.barred {
				next = soonest(next, at)
			}
		}
		if p := c.past; p != nil && p.next > now {
			next = soonest(next, p.next)
		}
		for _, at := range c.typing {
			next = soonest(next, at)
		}
	}
	return next
}

// soonest returns the earlier of two times, where 0 is never.
func soonest(a, b int64) int64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return min(a, b)
}

// Ask wants the newest page of conv, where too little is held to fill a screen.
func (s *State) Ask(conv chat.ConvID, now int64) Change {
	if c, ok := s.convs[conv]; ok && len(c.log.run) >= pageSize/2 {
		return Change{}
	}
	return s.Older(conv, now)
}

// Older wants the page before the oldest entry held.
func (s *State) Older(conv chat.ConvID, now int64) Change {
	var ch Change
	if !conv.Valid() {
		return ch
	}
	if s.convs[conv] == nil {
		s.conv(conv).fresh = true
	}
	c := s.convs[conv]
	c.want = !c.log.atStart() && !c.barred
	ch.touch(conv)
	s.pump([]chat.ConvID{conv}, now, &ch)
	return ch
}

// Probe asks the server something small whose answer proves that the
// connection lives: whether the open conversation has anything newer than is
// held, in case word of it was lost, or else who one is.
func (s *State) Probe(now int64) (ch Change) {
	if s.phase != Live || !s.asks.free() {
		return ch
	}
	if s.tail(s.convs[s.open], now, &ch) {
		return ch
	}
	ids := []chat.UserID{s.me.ID}
	ref := s.asks.put(ask{kind: askWho, ids: ids, at: now})
	ch.Need = []wire.Frame{{Ref: ref, Body: wire.Who{IDs: ids}}}
	return ch
}

// tail asks for what is newer in c than is held, where that can be asked.
func (s *State) tail(c *conv, now int64, ch *Change) bool {
	if c == nil || c.up != "" || !c.log.anchored || c.barred || c.fresh || !s.asks.free() {
		return false
	}
	c.up = s.asks.put(ask{kind: askNewer, conv: c.id, at: now})
	ch.Need = append(ch.Need, wire.Frame{Ref: c.up, Body: wire.Resume{Conv: c.id, After: c.log.last()}})
	return true
}
