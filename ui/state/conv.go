package state

import (
	"maps"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A conv is one conversation.
type conv struct {
	id      chat.ConvID
	title   string
	avatar  string
	members int
	me      chat.UserID
	place   chat.Place
	told    int64 // the log up to here is reflected in title and members
	fresh   bool  // made here, the server may not know it yet
	listed  bool  // the server has told its line
	news    int64 // the number of questions asked when the server last spoke of it by itself
	draft   string
	line    chat.Line // as far as the server knows it
	lined   int64     // the number of questions asked when the server last told it by itself

	log   timeline
	past  *past      // that is looked at instead of the end; nil for none
	mine  chat.Marks // one's own
	sent  chat.Marks // as far as the server knows mine
	all   chat.Marks // the lowest of the others
	word  chat.Marks // the server's last word on all: lower, where it lost marks in a crash
	count tally

	typing map[chat.UserID]int64 // when each one is to be forgotten

	want         bool   // somebody wants an older page
	up, down     string // refs of the questions under way: newer and older entries
	upAt, downAt int64  // not to be asked before
	barred       bool   // the server refuses questions here, until the next welcome
}

// A tally is the server's word on unread: n entries of others after read and up to end.
type tally struct {
	n         int
	read, end int64
}

func newConv(id chat.ConvID, me chat.UserID) *conv {
	c := &conv{id: id, typing: map[chat.UserID]int64{}}
	c.log.first = 1
	if _, direct := id.Peer(me); direct {
		c.members = 2
	}
	return c
}

// fold takes the server's line for the conversation.
func (c *conv) fold(sum chat.Summary) {
	c.fresh, c.barred = false, false
	if sum.LastSeq >= c.told {
		c.title, c.avatar, c.members, c.place, c.told = sum.Title, sum.Avatar, sum.Members, sum.Place, sum.LastSeq
	}
	c.mine = c.mine.Merge(sum.Mine)
	c.pass()
	c.sent = c.sent.Merge(sum.Mine)
	c.all = c.all.Merge(sum.All)
	read := max(sum.Mine.Read, sum.Cleared)
	if sum.LastSeq > c.count.end || sum.LastSeq == c.count.end && read == c.passed() {
		c.count = tally{sum.Unread, read, sum.LastSeq}
	}
	if len(c.log.run) == 0 && (!c.log.anchored || sum.LastSeq > c.log.last()) {
		c.log.anchor(sum.LastSeq)
	}
	c.log.reach(sum.LastSeq)
	if sum.Last != nil {
		last := *sum.Last
		last.Conv = c.id
		c.log.saw(last)
		c.told = max(c.told, sum.Last.Seq)
	}
}

// take folds one committed entry.
func (c *conv) take(m chat.Message) {
	c.fresh, c.barred = false, false
	if !c.log.anchored && c.count.end == 0 {
		c.count.end = m.Seq - 1
	}
	last := c.log.last()
	c.log.add(m)
	c.tell(last)
	c.pass()
}

// page folds a page; jump as in timeline.merge.
func (c *conv) page(p chat.Page, jump bool) {
	last := c.log.last()
	c.log.merge(p.Entries, jump)
	if !c.log.anchored {
		c.log.anchor(p.LastSeq)
	}
	c.log.reach(p.LastSeq)
	c.tell(last)
	c.pass()
}

// pass moves one's read mark past amendments, which nobody reads as such.
func (c *conv) pass() {
	if c.log.first > c.mine.Read+1 {
		return
	}
	for _, m := range c.log.above(c.mine.Read) {
		if !m.Content.Kind.Amends() {
			return
		}
		c.mine = c.mine.Merge(chat.Marks{Read: m.Seq})
	}
}

// amended passes on what has changed of the entries held, and the amendments
// of entries that are not: they may be kept.
func (c *conv) amended(ch *Change) {
	for _, by := range c.log.came {
		held := c.log.held(by.Content.Of) != nil
		if p := c.past; p != nil && p.held(by.Content.Of) != nil {
			held = true
			p.amend(by)
		}
		if !held {
			ch.Amended = append(ch.Amended, by)
		}
	}
	c.log.came = nil
	c.log.take(ch)
	if p := c.past; p != nil {
		for _, by := range p.came {
			if p.held(by.Content.Of) == nil {
				ch.Amended = append(ch.Amended, by)
			}
		}
		p.came = nil
		p.take(ch)
	}
}

// take moves what has changed into ch.
func (t *timeline) take(ch *Change) {
	for _, seq := range slices.Sorted(maps.Keys(t.changed)) {
		if m := t.held(seq); m != nil {
			ch.Amended = append(ch.Amended, *m)
		}
	}
	t.changed = nil
}

// tell lets entries after seq that the server's line did not cover change it.
func (c *conv) tell(seq int64) {
	for _, m := range c.log.above(max(seq, c.told)) {
		c.told = m.Seq
		if e := m.Content.Event; e != nil && c.id.IsGroup() {
			c.change(m.Author, *e)
		}
	}
}

// change lets a change of the group change its line.
func (c *conv) change(by chat.UserID, e chat.Change) {
	if e.What == chat.Ruled && e.Rules == nil {
		return
	}
	g := chat.Group{Name: c.title, Avatar: c.avatar, Members: c.members, State: c.place.State, Rules: chat.Rules{Announce: c.place.Announce}}
	g, seats := g.Apply(by, e, map[chat.UserID]chat.Seat{c.me: {In: true, Role: c.place.Role, Muted: c.place.Muted}})
	c.title, c.avatar, c.members = g.Name, g.Avatar, max(g.Members, 0)
	c.place.State, c.place.Announce = g.State, g.Announce
	if s, about := seats[c.me]; about {
		c.place.Role, c.place.Muted = s.Role, s.Muted
	}
	if e.What == chat.Made && by == c.me {
		c.place.Role = chat.Owner
	}
}

// Runs of conversations that are not open are cut to keep once longer than most.
const most, keep = 600, 200

// trim lets old entries of a long run go.
func (c *conv) trim(open bool, me chat.UserID) {
	n, exact := c.unread(me)
	if open || len(c.log.run) <= most || !exact {
		return
	}
	c.count = tally{n, c.passed(), c.log.last()}
	cut := len(c.log.run) - keep
	c.log.run = append([]chat.Message(nil), c.log.run[cut:]...)
	c.log.first += int64(cut)
}

// passed is up to where there is nothing to be read: the read mark, or what is deleted.
func (c *conv) passed() int64 { return max(c.mine.Read, c.log.cleared) }

// unread counts others' entries after one's read mark. It is exact where the
// run reaches back to the mark, or to the end of the server's own count.
func (c *conv) unread(me chat.UserID) (n int, exact bool) {
	from, base := c.passed(), 0
	exact = c.log.first <= from+1
	if !exact && c.count.end > from {
		exact = c.count.read == from && c.log.first <= c.count.end+1
		base = min(c.count.n, int(c.count.end-from))
		from = c.count.end
	}
	for _, m := range c.log.above(from) {
		if m.Author != me && !m.Content.Kind.Amends() {
			base++
		}
	}
	return base, exact
}

// answered takes note of a page. Without news the log ends there, above or
// below. A stale page answers what was asked about an earlier run.
func (c *conv) answered(k askKind, news, stale bool, now int64) {
	switch k {
	case askNewer:
		c.up = ""
		if !news && c.log.gap() {
			c.upAt = now + pause
		}
	case askOlder:
		c.down, c.want = "", c.want && stale
		if !news {
			c.log.floor = c.log.first
		}
	}
}

// denied takes note of a refused question.
func (c *conv) denied(k askKind, r wire.Refused, now int64) {
	at := now + wait(r.RetryAfter)
	if k == askPast {
		if c.past != nil {
			c.past.ref, c.past.next = "", at
			if r.RetryAfter <= 0 {
				c.past = nil
			}
		}
		return
	}
	if k == askNewer {
		c.up, c.upAt = "", at
	} else {
		c.down, c.downAt = "", at
	}
	if r.RetryAfter <= 0 {
		c.barred, c.want = true, false
		if !c.log.anchored {
			c.log.anchor(0) // nothing was ever written here
		}
	}
}
