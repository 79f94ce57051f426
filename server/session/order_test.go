package session_test

import (
	"fmt"
	"strings"
	"testing"

	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// tell tells the node of entries of conv, as a fan-out may: not of all, late, and again.
func (w *world) tell(conv chat.ConvID, seqs ...int64) {
	w.t.Helper()
	for _, seq := range seqs {
		p, err := w.db.Before(w.t.Context(), conv, seq+1, 1)
		if err != nil || len(p.Entries) != 1 {
			w.t.Fatalf("entry %d of %s: %+v, %v", seq, conv, p, err)
		}
		e := wire.Event{Conv: conv, Author: p.Entries[0].Author, Frame: wire.Frame{Body: wire.Posted{Message: p.Entries[0]}}}
		if err := w.hub.Fanout.Publish(w.t.Context(), e); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A client that can't resume gets each entry once and in order, whatever becomes
// of the word that a node has of them.
func TestSeedsClientGetsEachEntryOnceAndInOrder(t *testing.T) {
	for name, told := range map[string][]int64{
		"one is lost":                    {1, 2, 4, 5, 250},
		"the first are lost":             {5, 250},
		"many are lost":                  {250},
		"they come backwards":            {250, 5, 4, 3, 2, 1},
		"some come again":                {1, 2, 1, 2, 3, 1, 250, 250, 3},
		"one is lost, and comes at last": {1, 3, 2, 4, 2, 250},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 250
			w := newWorld(t, session.Config{}, 64)
			w.store(1, "old", direct)
			b := w.classic(bob)
			if got := b.text(); !strings.Contains(got, "old 0.") {
				t.Fatalf("at first comes %s", got)
			}
			w.store(n, "x", group)
			w.slow.away.Store(2) // and the store does not say at once what is missing
			w.tell(group, told...)
			for i := range n {
				if got := b.text(); !strings.Contains(got, fmt.Sprintf(`"x %d."`, i)) {
					t.Fatalf("frame %d is %.200s", i, got)
				}
			}
			w.store(1, "y", chat.Direct(ann, cat)) // not bob's
			a := w.native(ann)
			a.send(post("last", direct, "the last"))
			if got := b.text(); !strings.Contains(got, "the last") {
				t.Errorf("at last comes %s", got)
			}
		})
	}
}

// Entries for which the dialect has no words, and own calls, are no gaps.
func TestWhatTheSeedHasNoWordsForIsNotMissed(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.native(ann), w.classic(bob)
	reads := w.slow.before.Load()
	for i := range 3 {
		event := chat.Draft{Conv: group, Author: ann, Ref: fmt.Sprint("made", i), Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: "made"}}}
		if _, err := w.hub.PostWait(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		a.send(post(fmt.Sprint("r", i), group, fmt.Sprint("text ", i)))
		if got := b.text(); !strings.Contains(got, fmt.Sprint("text ", i)) {
			t.Fatalf("got %s", got)
		}
	}
	if n := w.slow.before.Load() - reads; n != 0 {
		t.Errorf("%d pages were read of the store", n)
	}
}
