package state

import (
	"maps"
	"slices"

	"kamachat/shared/chat"
)

// A Line is what is kept of one conversation over a reload, besides entries,
// posts and the draft. It is the server's line as far as it is known here: Mine
// and All of it are what the server said, so that what it does not know yet is
// told it again.
type Line struct {
	chat.Summary
	Own  chat.Marks `json:"own"`            // one's own marks, known to the server or not
	Low  chat.Marks `json:"low"`            // the lowest of the others
	At   int64      `json:"at"`             // of the last entry, Unix milliseconds
	Told int64      `json:"told,omitempty"` // the log up to here is in Title and Members
}

// Kept is what a State begins with where there is no server: all that was kept.
type Kept struct {
	Me     chat.Person            `json:"me"`
	Epoch  string                 `json:"epoch,omitempty"`
	Whole  bool                   `json:"whole,omitempty"` // Lines are all there are
	Lines  []Line                 `json:"lines"`
	People []chat.Person          `json:"people"`
	Drafts map[chat.ConvID]string `json:"drafts"`
	Unsent []Unsent               `json:"unsent"`
}

// Line returns what to keep of conv. ok is false where the server has not
// told its line, or took it away again.
func (s *State) Line(conv chat.ConvID) (l Line, ok bool) {
	c, ok := s.convs[conv]
	if !ok || !c.listed {
		return l, false
	}
	n, _ := c.unread(s.me.ID)
	l.Summary = chat.Summary{
		Conv: c.id, Title: c.title, Avatar: c.avatar, Members: c.members, LastSeq: c.log.end,
		Last: c.log.tip, Mine: c.sent, All: c.word, Unread: n, Line: c.line, Place: c.place,
	}
	l.Own, l.Low, l.Told = c.mine, c.all, c.told
	if c.log.tip != nil {
		l.At = c.log.tip.At
	}
	return l, true
}

// Whole reports whether the lines of all conversations are here.
func (s *State) Whole() bool { return s.lineup.whole }

// Recall begins with what was kept. It is for a State that knows nothing yet.
func (s *State) Recall(k Kept) {
	s.epoch, s.me = k.Epoch, k.Me
	s.roster.learn(k.People...)
	s.roster.learn(k.Me)
	sums := make([]chat.Summary, len(k.Lines))
	for i, l := range k.Lines {
		sums[i] = l.Summary
	}
	var ch Change
	s.line(sums, always, &ch)
	for _, l := range k.Lines {
		if c := s.convs[l.Conv]; c != nil {
			c.mine, c.all = c.mine.Merge(l.Own), c.all.Merge(l.Low)
			c.count = tally{l.Unread, c.passed(), l.LastSeq}
			c.told = max(c.told, l.Told)
		}
	}
	s.lineup.whole = k.Whole
	s.RecallOwn(k)
}

// RecallOwn takes back only what the person has written: posts that are not
// known to be stored, and drafts where nothing is being written yet.
func (s *State) RecallOwn(k Kept) (ch Change) {
	for conv, text := range k.Drafts {
		if !conv.Valid() {
			continue
		}
		if c, ok := s.convs[conv]; !ok {
			c = s.conv(conv)
			c.fresh, c.draft = true, text
		} else if c.draft == "" {
			c.draft = text
		}
		ch.touch(conv)
	}
	return ch.Merge(s.Restore(k.Unsent))
}

// Held returns the entries of conv that are held: a run without a gap in rising
// Seq order, not to be changed.
func (s *State) Held(conv chat.ConvID) []chat.Message {
	if c, ok := s.convs[conv]; ok {
		return slices.Clip(c.log.run)
	}
	return nil
}

// Remember folds entries of conv that were kept, a run without a gap in rising
// Seq order. They go before the entries held where they join them, and become
// the run where none are held, even where the log is known to go on: what
// follows is then asked for. Otherwise they are of no use and ok is false.
func (s *State) Remember(conv chat.ConvID, es []chat.Message) (ch Change, ok bool) {
	if c := s.convs[conv]; c != nil {
		es = c.log.left(es)
	}
	if len(es) == 0 {
		return ch, false
	}
	s.without(es)
	c := s.conv(conv)
	t := &c.log
	last := es[len(es)-1].Seq
	switch {
	case len(t.run) == 0 && (!t.anchored || last <= t.end):
		end := t.end
		t.anchor(es[0].Seq - 1)
		t.end = max(t.end, end)
	case len(t.run) == 0 || es[0].Seq >= t.first || last < t.first-1:
		return ch, false
	}
	from := t.last()
	t.merge(es, false)
	c.tell(from)
	c.pass()
	s.asks.behind = true
	for _, m := range es {
		s.wonder(m)
	}
	c.amended(&ch)
	ch.touch(conv)
	return ch, true
}

// Learned returns the people who have become known, or known otherwise, since
// it was called before.
func (s *State) Learned() []chat.Person {
	var ps []chat.Person
	for _, id := range s.roster.news {
		ps = append(ps, s.roster.people[id])
	}
	s.roster.news = nil
	return ps
}

// LearnedAll has Learned return everybody known the next time.
func (s *State) LearnedAll() {
	s.roster.news = slices.Collect(maps.Keys(s.roster.people))
}
