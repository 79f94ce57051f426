package state

import (
	"cmp"
	"slices"

	"kamachat/shared/chat"
)

// maxParked is how many entries wait beyond a gap. More are let go: the pages
// that close the gap bring them again.
const maxParked = 500

// A timeline is the part of one log that is held: a run without a gap, which
// ends at the newest entry that nothing is missing before.
//
// An empty run still has a place, first: everything below is known to exist
// on the server only. Before even that is known the timeline isn't anchored.
type timeline struct {
	run      []chat.Message
	first    int64 // Seq of run[0]; where run is empty, the Seq that would start it
	end      int64 // the highest Seq known to exist
	floor    int64 // the server has nothing below this Seq
	cleared  int64 // up to here all is deleted for the person, and never held
	anchored bool
	parked   map[int64]chat.Message // beyond a gap, never shown
	tip      *chat.Message          // the newest message seen anywhere, for lists

	came    []chat.Message // amendments that have entered the run, until they are taken
	changed map[int64]bool // entries of the run that have changed since, until they are taken
}

func (t *timeline) last() int64   { return t.first + int64(len(t.run)) - 1 }
func (t *timeline) atStart() bool { return t.anchored && t.first <= max(t.floor, t.cleared+1) }
func (t *timeline) gap() bool     { return t.anchored && t.end > t.last() }

// anchor empties the run and places it behind seq.
func (t *timeline) anchor(seq int64) {
	t.run, t.first, t.anchored = nil, seq+1, true
	t.end = max(t.end, seq)
	for s := range t.parked {
		if s <= seq {
			delete(t.parked, s)
		}
	}
	t.drain()
}

// reach notes that the log goes at least to seq.
func (t *timeline) reach(seq int64) { t.end = max(t.end, seq) }

// saw notes that m exists.
func (t *timeline) saw(m chat.Message) {
	t.reach(m.Seq)
	switch amends := m.Content.Kind.Amends(); {
	case m.Seq <= t.cleared:
	case !amends && (t.tip == nil || t.tip.Seq < m.Seq):
		t.tip = &m
	case t.tip != nil: // whoever has the old one keeps it
		tip := *t.tip
		if amends && chat.Amend(&tip, m) || chat.Merge(&tip, m) {
			t.tip = &tip
		}
	}
}

// held returns the entry seq of the run, nil where it is not in it.
func (t *timeline) held(seq int64) *chat.Message {
	if seq < t.first || seq > t.last() {
		return nil
	}
	return &t.run[seq-t.first]
}

// push puts the next entry at the end of the run. An amendment is applied.
func (t *timeline) push(m chat.Message) {
	t.run = append(t.run, m)
	if m.Content.Kind.Amends() {
		t.came = append(t.came, m)
		t.amend(m)
	}
}

// amend applies an amendment to the run.
func (t *timeline) amend(by chat.Message) {
	if m := t.held(by.Content.Of); m != nil && chat.Amend(m, by) {
		t.note(m.Seq)
	}
}

// note says that the entry seq has changed.
func (t *timeline) note(seq int64) {
	if t.changed == nil {
		t.changed = map[int64]bool{}
	}
	t.changed[seq] = true
}

// add folds one entry: at the end of the run, parked beyond a gap, or as what
// is news in another copy of one that is held. Older ones are let go.
func (t *timeline) add(m chat.Message) {
	t.saw(m)
	if m.Seq <= t.cleared {
		return
	}
	if !t.anchored {
		t.anchor(m.Seq - 1)
	}
	switch next := t.last() + 1; {
	case m.Seq == next:
		t.push(m)
		t.drain()
	case m.Seq < next:
		if old := t.held(m.Seq); old != nil && chat.Merge(old, m) {
			t.note(m.Seq)
		}
	case m.Seq > next && len(t.parked) < maxParked:
		if t.parked == nil {
			t.parked = map[int64]chat.Message{}
		}
		t.parked[m.Seq] = m
	}
}

// drain moves parked entries that have become next into the run.
func (t *timeline) drain() {
	for len(t.parked) > 0 {
		m, ok := t.parked[t.last()+1]
		if !ok {
			break
		}
		delete(t.parked, m.Seq)
		t.push(m)
	}
	for s := range t.parked {
		if s <= t.last() {
			delete(t.parked, s)
		}
	}
}

// merge folds a page. Older entries that join the run are put before it,
// newer ones behind it. Where jump is set and the page begins beyond a gap,
// the page becomes the run: the absence was long, and what lies between is
// loaded again when someone scrolls there.
func (t *timeline) merge(page []chat.Message, jump bool) {
	page = slices.DeleteFunc(slices.Clone(page), func(m chat.Message) bool { return m.Seq <= t.cleared })
	slices.SortStableFunc(page, func(a, b chat.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	page = slices.CompactFunc(page, func(a, b chat.Message) bool { return a.Seq == b.Seq })
	if len(page) == 0 {
		return
	}
	if !t.anchored || jump && page[0].Seq > t.last()+1 {
		t.anchor(page[0].Seq - 1)
	}
	n, _ := slices.BinarySearchFunc(page, t.first, func(m chat.Message, seq int64) int { return cmp.Compare(m.Seq, seq) })
	from := n
	for want := t.first - 1; from > 0 && page[from-1].Seq == want; want-- {
		from--
	}
	if from < n {
		t.run = slices.Concat(page[from:n], t.run)
		t.first = page[from].Seq
		for i, m := range t.run {
			if i < n-from {
				t.saw(m)
			}
			if m.Content.Kind.Amends() && m.Content.Of <= page[n-1].Seq {
				if i < n-from {
					t.came = append(t.came, m)
				}
				t.amend(m)
			}
		}
	}
	for _, m := range page[n:] {
		t.add(m)
	}
}

// above returns the held entries with a Seq higher than seq.
func (t *timeline) above(seq int64) []chat.Message {
	return t.run[min(max(seq+1-t.first, 0), int64(len(t.run))):]
}
