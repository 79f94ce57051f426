package state

import (
	"maps"
	"math"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// All in milliseconds.
const (
	nextPage  = 1_000  // between two pages of the list that nobody waits for
	syncEvery = 50_000 // from one comparison of the list with the server's to the next, at least
	syncLater = 20_000 // and at most so much later, differently for each session
)

// A lineup is what is known of the list of conversations as a whole. Its lines
// come latest first, page by page, until it is whole. From then on what was lost
// on the way, be it an entry, a mark or a whole conversation, shows in sums that
// differ from the server's, and is asked for.
type lineup struct {
	whole  bool                 // every conversation was told once
	next   string               // where the next page begins
	at     int64                // when to ask for it, or for what differs; 0: not to be asked
	ref    string               // of that question, while it is under way
	parts  int                  // sums in the last hello
	later  int64                // this session's share of syncLater
	wanted map[chat.ConvID]bool // lines to be asked for
	wantAt int64                // and not before
}

func newLineup() lineup { return lineup{wanted: map[chat.ConvID]bool{}} }

// Sums is what hello says of the list: nothing, until it is whole.
func (s *State) Sums() []uint32 {
	s.lineup.parts = 0
	if !s.lineup.whole {
		return nil
	}
	sums := s.sums()
	s.lineup.parts = len(sums)
	return sums
}

func (s *State) sums() []uint32 {
	hs := make([]chat.Head, 0, len(s.convs))
	for id, c := range s.convs {
		if c.listed {
			hs = append(hs, chat.Head{Conv: id, LastSeq: c.log.end, Mine: c.sent, All: c.word, Line: c.line})
		}
	}
	return chat.Sums(hs, min(max(len(hs)/8, 1), chat.MaxSums))
}

// always is since for lines that nothing told before can be newer than.
const always = math.MaxInt64

// line folds the server's lines, and returns whose they are. What the server has
// told of the person's own since the question since is not older than they are.
func (s *State) line(sums []chat.Summary, since int64, ch *Change) map[chat.ConvID]bool {
	named := make(map[chat.ConvID]bool, len(sums))
	for _, sum := range sums {
		if !sum.Conv.Valid() {
			continue
		}
		named[sum.Conv] = true
		delete(s.parted, sum.Conv)
		c := s.conv(sum.Conv)
		if c.lined < since {
			s.setLine(c, sum.Line, ch)
		}
		c.fold(sum)
		c.sent, c.word, c.listed = sum.Mine.Merge(chat.Marks{}), sum.All, true
		delete(s.lineup.wanted, sum.Conv)
		ch.touch(sum.Conv)
	}
	return named
}

// want asks for the line of a conversation that was heard of.
func (s *State) want(id chat.ConvID) {
	c, known := s.convs[id]
	if id.Valid() && (!known || !c.listed && !c.barred && !c.fresh) {
		s.lineup.wanted[id] = true
		s.asks.behind = true
	}
}

// unlist takes a conversation off the list that the server does not name.
func (s *State) unlist(c *conv, ch *Change) {
	if c.fresh {
		return
	}
	if c.id.IsGroup() && c.listed && s.forgettable(c) {
		s.part(c.id, ch)
		return
	}
	ch.touch(c.id)
	delete(s.lineup.wanted, c.id)
	if s.forgettable(c) {
		delete(s.convs, c.id)
		return
	}
	c.listed, c.barred = false, true
}

// gone reports whether c was taken off the list, and nothing of the person's
// own is left in it.
func (s *State) gone(c *conv) bool { return !c.listed && c.barred && s.forgettable(c) }

// differ folds the answer to n sums, asked for as question since: the lines of
// parts, where those not named are gone, unless the server spoke of them
// meanwhile: the answer may be older than that.
func (s *State) differ(parts []int, n int, since int64, sums []chat.Summary, ch *Change) {
	named := s.line(sums, since, ch)
	if len(parts) == 0 || n < 1 {
		return
	}
	for id, c := range s.convs {
		if !named[id] && c.news < since && slices.Contains(parts, chat.Part(id, n)) {
			s.unlist(c, ch)
		}
	}
}

// listing takes the lines in a welcome.
func (s *State) listing(w wire.Welcome, now int64, ch *Change) {
	l := &s.lineup
	l.later = 0
	for _, b := range []byte(w.Session) {
		l.later = (l.later*31 + int64(b)) % syncLater
	}
	for _, c := range s.convs {
		c.barred = false
	}
	switch {
	case w.Known && ch.Anew: // they are compared with what is forgotten
		s.line(w.Convs, always, ch)
		l.at = now
	case w.Known:
		s.differ(w.Differ, l.parts, s.asks.n+1, w.Convs, ch)
		l.at = s.nextSync(now)
		if w.More || !l.whole {
			l.at = now + nextPage
		}
	case w.Next != "":
		s.line(w.Convs, always, ch)
		l.whole, l.next, l.at = false, w.Next, now+nextPage
	default:
		named := s.line(w.Convs, always, ch)
		for id, c := range s.convs {
			if !named[id] {
				s.unlist(c, ch)
			}
		}
		l.whole, l.next, l.at = true, "", s.nextSync(now)
	}
	for id := range s.convs {
		s.want(id)
	}
}

func (s *State) nextSync(now int64) int64 { return now + syncEvery + s.lineup.later }

// listed takes the answer to a question about the list.
func (s *State) listed(ref string, w wire.Listed, now int64, ch *Change) {
	l := &s.lineup
	a, asked := s.asks.answer(ref)
	s.roster.learn(w.People...)
	for _, u := range w.Online {
		if s.roster.setOnline(u, true) {
			s.touchPerson(u, ch)
		}
	}
	if !asked {
		s.line(w.Convs, always, ch)
		return
	}
	s.asks.behind = true
	switch a.kind {
	case askLines:
		named := s.line(w.Convs, a.n, ch)
		for _, id := range a.convs {
			if c := s.convs[id]; c != nil && !named[id] {
				s.unlist(c, ch)
			}
		}
	case askPage:
		s.line(w.Convs, a.n, ch)
		l.ref, l.next, l.at = "", w.Next, now+nextPage
		if w.Next == "" {
			l.whole, l.at = true, now // what moved or went meanwhile shows now
		}
	case askSums:
		before := s.sums()
		s.differ(w.Differ, a.parts, a.n, w.Convs, ch)
		s.expire(w.Expired, ch)
		l.ref, l.at = "", s.nextSync(now)
		switch {
		case w.Next != "":
			l.whole, l.next, l.at = false, w.Next, now+nextPage
		case w.More:
			if !slices.Equal(before, s.sums()) {
				l.at = now + nextPage
			}
		default: // what is still listed is the person's, whatever was refused before
			for _, c := range s.convs {
				c.barred = c.barred && !c.listed
			}
		}
	}
}

// pumpList asks what should be known of the list.
func (s *State) pumpList(now int64, ch *Change) {
	l := &s.lineup
	if len(l.wanted) > 0 && now >= l.wantAt && s.asks.free() {
		ids := slices.Sorted(maps.Keys(l.wanted))
		ids = ids[:min(len(ids), chat.MaxList)]
		for _, id := range ids {
			delete(l.wanted, id)
		}
		s.asks.behind = s.asks.behind || len(l.wanted) > 0
		ref := s.asks.put(ask{kind: askLines, convs: ids, at: now})
		ch.Need = append(ch.Need, wire.Frame{Ref: ref, Body: wire.List{IDs: ids}})
	}
	if l.ref != "" || l.at == 0 || now < l.at || !s.asks.free() {
		return
	}
	if !l.whole {
		l.ref = s.asks.put(ask{kind: askPage, at: now})
		ch.Need = append(ch.Need, wire.Frame{Ref: l.ref, Body: wire.List{After: l.next}})
		return
	}
	sums := s.sums()
	l.ref = s.asks.put(ask{kind: askSums, parts: len(sums), at: now})
	ch.Need = append(ch.Need, wire.Frame{Ref: l.ref, Body: wire.List{Sums: sums}})
	if s.open.IsGroup() { // the sums leave out a group's lowest marks, a page of its log has them
		s.tail(s.convs[s.open], now, ch)
	}
}

// listDenied takes note of a refused question about the list.
func (s *State) listDenied(a ask, r wire.Refused, now int64) {
	at := now + wait(r.RetryAfter)
	l := &s.lineup
	switch {
	case a.kind == askLines && r.RetryAfter > 0:
		s.wantAgain(a.convs)
		l.wantAt = at
	case a.kind == askLines:
	case r.RetryAfter > 0:
		l.ref, l.at = "", at
	default: // no such page: from the beginning
		l.ref, l.next, l.at = "", "", s.nextSync(now)
	}
}

func (s *State) wantAgain(ids []chat.ConvID) {
	for _, id := range ids {
		s.want(id)
	}
}

// More wants the next page of the list now: somebody is about to see its end.
func (s *State) More(now int64) (ch Change) {
	l := &s.lineup
	if s.phase == Live && !l.whole && l.ref == "" {
		l.at = now
		s.pumpList(now, &ch)
	}
	return ch
}

// dropList forgets what was asked over a connection that is gone.
func (s *State) dropList() {
	l := &s.lineup
	l.ref, l.at, l.wantAt = "", 0, 0
	clear(l.wanted)
}
