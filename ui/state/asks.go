package state

import (
	"slices"
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
)

// An ask is a question under way.
type ask struct {
	kind askKind
	conv chat.ConvID
	ids  []chat.UserID
	at   int64 // when it was asked
}

// asks are the questions under way over the present connection.
type asks struct {
	n     int64
	open  map[string]ask
	whoAt int64 // who is not to be asked before
}

func newAsks() asks { return asks{open: map[string]ask{}} }

// put registers a and returns its Ref, unique for the life of the State.
func (q *asks) put(a ask) string {
	q.n++
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

func (q *asks) clear() { clear(q.open); q.whoAt = 0 }

// pump asks what should be known, as far as questions may be under way.
func (s *State) pump(now int64, ch *Change) {
	if s.phase != Live {
		return
	}
	for _, id := range s.ids() {
		s.pumpConv(s.convs[id], now, ch)
	}
	if len(s.roster.wanted) > 0 && now >= s.asks.whoAt && len(s.asks.open) < maxAsks {
		ids := s.roster.takeUnknown(100)
		ref := s.asks.put(ask{kind: askWho, ids: ids, at: now})
		ch.Need = append(ch.Need, wire.Frame{Ref: ref, Body: wire.Who{IDs: ids}})
	}
}

func (s *State) pumpConv(c *conv, now int64, ch *Change) {
	if c.barred {
		return
	}
	t := &c.log
	if t.gap() && c.up == "" && now >= c.upAt && len(s.asks.open) < maxAsks {
		c.up = s.asks.put(ask{kind: askNewer, conv: c.id, at: now})
		ch.Need = append(ch.Need, wire.Frame{Ref: c.up, Body: wire.Resume{Conv: c.id, After: t.last()}})
	}
	if c.down != "" || now < c.downAt || t.atStart() || len(s.asks.open) >= maxAsks {
		return
	}
	b := wire.Before{Conv: c.id, Limit: pageSize}
	switch _, exact := c.unread(s.me.ID); {
	case !t.anchored && !c.want:
		return
	case t.anchored && !exact && t.first-c.mine.Read <= maxCount:
		b.Seq, b.Limit = t.first, chat.MaxPage
	case !c.want:
		return
	case t.anchored:
		b.Seq = t.first
	}
	c.down = s.asks.put(ask{kind: askOlder, conv: c.id, at: now})
	ch.Need = append(ch.Need, wire.Frame{Ref: c.down, Body: b})
}

// Due returns what has come due by now: posts whose turn it is, and questions
// that were refused, forgotten or held back. next is when to call again, 0
// for never. It is to be called after every Apply as well.
func (s *State) Due(now int64) (frames []wire.Frame, next int64) {
	if s.phase != Live {
		return nil, 0
	}
	for ref, a := range s.asks.open {
		if now-a.at >= patience {
			s.giveUp(ref, a)
		}
	}
	var ch Change
	s.pump(now, &ch)
	posts, next := s.outbox.due(now)
	return append(ch.Need, posts...), soonest(next, s.nextAsk(now))
}

// giveUp stops waiting for an answer, so that the question is asked again.
func (s *State) giveUp(ref string, a ask) {
	delete(s.asks.open, ref)
	c := s.convs[a.conv]
	switch {
	case a.kind == askWho:
		s.roster.unknown(a.ids...)
	case c == nil:
	case a.kind == askNewer && c.up == ref:
		c.up = ""
	case a.kind == askOlder && c.down == ref:
		c.down = ""
	}
}

// nextAsk returns when the questions need attention again, 0 for never.
func (s *State) nextAsk(now int64) (next int64) {
	for _, a := range s.asks.open {
		next = soonest(next, a.at+patience)
	}
	for _, at := range []int64{s.asks.whoAt} {
		if at > now {
			next = soonest(next, at)
		}
	}
	for _, c := range s.convs {
		for _, at := range []int64{c.upAt, c.downAt} {
			if at > now && !c.barred {
				next = soonest(next, at)
			}
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
	c := s.conv(conv)
	if len(c.log.run) >= pageSize/2 {
		return Change{}
	}
	return s.Older(conv, now)
}

// Older wants the page before the oldest entry held.
func (s *State) Older(conv chat.ConvID, now int64) Change {
	var ch Change
	c := s.conv(conv)
	c.want = !c.log.atStart() && !c.barred
	s.pump(now, &ch)
	return ch
}

// Check asks whether conv has anything newer than is held, in case word of it was lost.
func (s *State) Check(conv chat.ConvID, now int64) Change {
	var ch Change
	c, ok := s.convs[conv]
	if ok && s.phase == Live && c.up == "" && c.log.anchored && !c.barred && !c.fresh && len(s.asks.open) < maxAsks {
		c.up = s.asks.put(ask{kind: askNewer, conv: c.id, at: now})
		ch.Need = slices.Clip([]wire.Frame{{Ref: c.up, Body: wire.Resume{Conv: c.id, After: c.log.last()}}})
	}
	return ch
}
