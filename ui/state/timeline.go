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
	anchored bool
	parked   map[int64]chat.Message // beyond a gap, never shown
	tip      *chat.Message          // the newest entry seen anywhere, for lists
}

func (t *timeline) last() int64   { return t.first + int64(len(t.run)) - 1 }
func (t *timeline) atStart() bool { return t.anchored && t.first <= max(t.floor, 1) }
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
	if t.tip == nil || t.tip.Seq < m.Seq {
		t.tip = &m
	}
}

// add folds one entry: at the end of the run, parked beyond a gap, or not at
// all where it is held already or older than the run.
func (t *timeline) add(m chat.Message) {
	t.saw(m)
	if !t.anchored {
		t.anchor(m.Seq - 1)
	}
	switch next := t.last() + 1; {
	case m.Seq == next:
		t.run = append(t.run, m)
		t.drain()
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
		t.run = append(t.run, m)
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
	page = slices.DeleteFunc(slices.Clone(page), func(m chat.Message) bool { return m.Seq < 1 })
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
		t.saw(page[n-1])
	}
	for _, m := range page[n:] {
		t.add(m)
	}
}

// above returns the held entries with a Seq higher than seq.
func (t *timeline) above(seq int64) []chat.Message {
	return t.run[min(max(seq+1-t.first, 0), int64(len(t.run))):]
}
