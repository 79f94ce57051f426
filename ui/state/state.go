// Package state is what the browser knows: people, conversations and their
// logs, marks, and the posts that wait to be stored. It folds the server's
// frames and the person's own acts, and says what to redraw and what to ask.
//
// It is pure: no DOM, no socket, no clock, no goroutine. Times come in as Unix
// milliseconds. A State is not safe for concurrent use; ui/link guards it.
package state

import (
	"maps"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A State is everything one signed-in browser tab knows.
type State struct {
	me      chat.Person
	phase   Phase
	since   int64 // when phase began
	epoch   string
	expired chat.Expired // what the server keeps no longer
	skew    int64        // the server's clock minus ours
	open    chat.ConvID
	after   int64 // Seq above which open has its divider; negative for none
	convs   map[chat.ConvID]*conv
	roster  roster
	lineup  lineup
	outbox  outbox
	asks    asks
	parted  map[chat.ConvID]bool // groups that the person is no longer in: what is still said of them is late
	denied  *Denied              // the last amendment that the server refused, until it is taken
}

// New returns a State that knows nothing.
func New() *State {
	return &State{
		after:  -1,
		convs:  map[chat.ConvID]*conv{},
		parted: map[chat.ConvID]bool{},
		roster: newRoster(),
		lineup: newLineup(),
		outbox: newOutbox(),
		asks:   newAsks(),
	}
}

// Boot starts from the data that the server rendered into the page: the first
// page of the list, and the open conversation's newest page, or nil.
func (s *State) Boot(me chat.Person, convs []chat.Summary, people []chat.Person, page *chat.Page) {
	s.me = me
	s.roster.learn(people...)
	s.roster.learn(me)
	var ch Change
	s.line(convs, always, &ch)
	s.lineup.whole = len(convs) < chat.MaxList
	if page != nil {
		s.roster.learn(page.People...)
		c := s.conv(page.Conv)
		es := slices.Clone(page.Entries)
		for i := range es {
			es[i].Conv = page.Conv // the page leaves it out
		}
		c.log.merge(es, true)
		c.log.reach(page.LastSeq)
	}
}

// Apply folds one frame from the server.
func (s *State) Apply(f wire.Frame, now int64) Change {
	var ch Change
	switch b := f.Body.(type) {
	case wire.Welcome:
		s.welcome(b, now, &ch)
	case wire.Posted:
		s.posted(f.Ref, b.Message, &ch)
	case wire.History:
		s.history(f.Ref, b.Page, now, &ch)
	case wire.People:
		s.people(f.Ref, b.People, &ch)
	case wire.Lined:
		s.lined(f.Ref, b, &ch)
	case wire.Seen:
		s.seen(b.Marks, &ch)
	case wire.Typing:
		s.typing(b, now, &ch)
	case wire.Online:
		if s.roster.setOnline(b.User, b.Online) {
			s.touchPerson(b.User, &ch)
		}
	case wire.Presence:
		s.roster.onlyOnline(b.Online)
		s.roster.blind = !b.Known
		s.touchPeers(&ch)
	case wire.Parted:
		s.part(b.Conv, &ch)
	case wire.Turned:
		if c := s.convs[b.Conv]; c != nil && c.listed {
			s.lineup.wanted[b.Conv], s.asks.behind = true, true
			ch.touch(b.Conv)
		}
	case wire.Asked:
		ch.Asked = true
	case wire.Opened:
		s.roster.learn(b.People...)
		delete(s.parted, b.Summary.Conv)
		c := s.conv(b.Summary.Conv)
		c.fold(b.Summary)
		c.listed, c.news = true, s.asks.n
		ch.touch(b.Summary.Conv)
	case wire.Listed:
		s.listed(f.Ref, b, now, &ch)
	case wire.Refused:
		s.refused(f.Ref, b, now, &ch)
	}
	for _, id := range s.touched(ch) {
		if c := s.convs[id]; c != nil {
			c.amended(&ch)
		}
	}
	s.pump(s.touched(ch), now, &ch)
	return ch
}

// welcome takes the server's word for what there is, and goes live.
func (s *State) welcome(w wire.Welcome, now int64, ch *Change) {
	if s.me.ID != "" && s.me.ID != w.Me.ID {
		*s = *New() // somebody else signed in: nothing here is theirs
	}
	s.enter(w.Epoch, ch)
	s.drop()
	s.me, s.skew = w.Me, w.Now-now
	s.setPhase(Live, now)
	s.roster.learn(w.People...)
	s.roster.learn(w.Me)
	s.roster.onlyOnline(w.Online)
	s.roster.blind = w.Unknown
	s.listing(w, now, ch)
	for _, c := range s.convs {
		if p := c.past; p != nil && len(p.run) > 0 { // what was amended meanwhile?
			p.recheck(min(p.last()+1, p.at+pageSize/2), pageSize)
		}
	}
	if ch.Anew && s.open != "" {
		s.conv(s.open).want = true
	}
	s.expire(w.Expired, ch)
	s.asks.behind = true
	ch.List, ch.Link, ch.Me = true, true, true
}

func (s *State) forgettable(c *conv) bool {
	return !c.fresh && c.id != s.open && c.draft == "" && len(s.outbox.of(c.id)) == 0
}

// posted folds a committed entry and settles the post it came from.
func (s *State) posted(ref string, m chat.Message, ch *Change) {
	if m.Seq < 1 {
		return
	}
	m.Ref = ""
	settled := m.Author == s.me.ID && ref != "" && s.outbox.settle(ref, m.Seq)
	ch.Link = ch.Link || settled
	if s.parted[m.Conv] { // or the person is in it again
		s.lineup.wanted[m.Conv], s.asks.behind = true, true
		ch.touch(m.Conv)
		return
	}
	c := s.conv(m.Conv)
	// Who writes has read what is above. The server knows, too, unless it was
	// stopped before it could note it. Who amends something old need not have.
	if settled && !m.Content.Kind.Amends() {
		c.mine = c.mine.Merge(chat.Marks{Read: m.Seq})
	}
	c.fresh, c.news = false, s.asks.n
	c.take(m)
	delete(c.typing, m.Author)
	c.trim(s.open == c.id, s.me.ID)
	s.wonder(m)
	s.want(m.Conv)
	ch.touch(m.Conv)
}

// history folds a page, whether or not it was asked for just now.
func (s *State) history(ref string, p chat.Page, now int64, ch *Change) {
	if s.parted[p.Conv] {
		if c := s.convs[p.Conv]; c == nil || ref == "" || ref != c.down && ref != c.up && (c.past == nil || ref != c.past.ref) {
			s.asks.answer(ref)
			return
		}
		delete(s.parted, p.Conv) // asked since then: the person is in it again
		s.lineup.wanted[p.Conv], s.asks.behind = true, true
	}
	c := s.conv(p.Conv)
	a, asked := s.asks.answer(ref)
	asked = asked && a.conv == p.Conv
	if asked && a.kind == askPast {
		for _, m := range p.Entries {
			s.wonder(m)
		}
		s.roster.learn(p.People...)
		s.asks.behind = true
		c.looked(ref, p, now)
		ch.touch(p.Conv)
		return
	}
	for _, m := range p.Entries {
		s.wonder(m)
	}
	s.roster.learn(p.People...)
	last, first, held := c.log.last(), c.log.first, c.log.anchored
	c.page(p, asked && a.kind == askNewer)
	if len(p.Entries) > 0 {
		c.fresh = false
	}
	if asked {
		s.asks.behind = true
		stale := held && a.seq != first && a.kind == askOlder
		c.answered(a.kind, stale || c.log.last() > last || c.log.first != first, stale, now)
	}
	if p.All != nil {
		c.all = c.all.Merge(*p.All)
	}
	s.want(p.Conv)
	ch.touch(p.Conv)
}

func (s *State) people(ref string, ps []chat.Person, ch *Change) {
	s.asks.answer(ref)
	s.roster.learn(ps...)
	for _, p := range ps {
		s.touchPerson(p.ID, ch)
	}
	if s.open != "" {
		ch.touch(s.open)
	}
}

// seen moves marks forward: our own from another device, or everybody else's.
func (s *State) seen(m chat.Marks, ch *Change) {
	c, ok := s.convs[m.Conv]
	if !ok {
		s.want(m.Conv)
		return
	}
	switch peer, _ := m.Conv.Peer(s.me.ID); m.User {
	case s.me.ID:
		c.mine = c.mine.Merge(m)
		c.pass()
		c.sent = c.sent.Merge(m)
	case "", peer:
		c.all, c.word = c.all.Merge(m), c.word.Merge(m)
	}
	ch.touch(m.Conv)
}

// refused settles, delays or gives up what was asked under ref.
func (s *State) refused(ref string, r wire.Refused, now int64, ch *Change) {
	if id, ok := s.outbox.refuse(ref, r, now); ok {
		s.deny(ref)
		ch.touch(id)
		ch.Link = true
		return
	}
	a, ok := s.asks.answer(ref)
	if !ok {
		return
	}
	switch a.kind {
	case askWho:
		if r.RetryAfter > 0 {
			s.roster.unknown(a.ids...)
			s.asks.whoAt = now + wait(r.RetryAfter)
		}
		return
	case askLines, askPage, askSums:
		s.listDenied(a, r, now)
		return
	}
	if c, ok := s.convs[a.conv]; ok {
		c.denied(a.kind, r, now)
		ch.touch(c.id)
	}
}

// conv returns the conversation, making it where it is new.
func (s *State) conv(id chat.ConvID) *conv {
	c, ok := s.convs[id]
	if !ok {
		c = newConv(id, s.me.ID)
		s.convs[id] = c
	}
	c.me = s.me.ID
	return c
}

// wonder notes people of m that nobody has introduced yet.
func (s *State) wonder(m chat.Message) {
	s.roster.unknown(m.Author)
	if m.Content.Event != nil {
		s.roster.unknown(m.Content.Event.Who...)
	}
	if m.Content.Re != nil {
		s.roster.unknown(m.Content.Re.Author)
	}
	for _, r := range m.Content.Reactions() {
		s.roster.unknown(r.People...)
	}
}

// touchPerson marks what shows u.
func (s *State) touchPerson(u chat.UserID, ch *Change) {
	ch.List = true
	if id := chat.Direct(s.me.ID, u); s.convs[id] != nil {
		ch.touch(id)
	}
}

// touchPeers notes that it may be shown otherwise who is online.
func (s *State) touchPeers(ch *Change) {
	ch.List = true
	for id := range s.convs {
		if _, direct := id.Peer(s.me.ID); direct {
			ch.touch(id)
		}
	}
}

// touched returns the conversations of ch with the open one first.
func (s *State) touched(ch Change) []chat.ConvID {
	ids := slices.Sorted(maps.Keys(ch.Convs))
	if i, ok := slices.BinarySearch(ids, s.open); ok {
		ids = slices.Insert(slices.Delete(ids, i, i+1), 0, s.open)
	}
	return ids
}

// ids returns the conversations with the open one first, then in the order of their names.
func (s *State) ids() []chat.ConvID {
	ids := slices.Sorted(maps.Keys(s.convs))
	if i, ok := slices.BinarySearch(ids, s.open); ok {
		ids = slices.Insert(slices.Delete(ids, i, i+1), 0, s.open)
	}
	return ids
}
