package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// keptOf returns all entries of conv in m.
func keptOf(t *testing.T, m *memory, conv chat.ConvID) (es []chat.Message) {
	t.Helper()
	for _, key := range m.keys("p/" + string(conv) + "/") {
		var page []chat.Message
		if err := json.Unmarshal([]byte(m.vals[key]), &page); err != nil {
			t.Fatal(err)
		}
		es = append(es, page...)
	}
	return es
}

// A log with amendments, as the server folds it.
type amendedLog struct {
	rnd *rand.Rand
	raw []chat.Message
}

func (l *amendedLog) grow() chat.Message {
	seq := int64(len(l.raw) + 1)
	m := msg(conv, seq)
	m.Author = chat.UserID(fmt.Sprint("U", 2+l.rnd.IntN(2)))
	if seq > 1 && l.rnd.IntN(2) == 0 {
		of := 1 + l.rnd.Int64N(seq-1)
		if l.rnd.IntN(2) == 0 { // of the latest
			of = max(1, seq-1-l.rnd.Int64N(20))
		}
		switch l.rnd.IntN(8) {
		case 0:
			m.Content = chat.Content{Kind: chat.Recall, Of: of}
		case 1, 2, 3:
			m.Content = chat.Content{Kind: chat.Edit, Of: of, Text: fmt.Sprint("edit ", seq)}
		default:
			m.Content = chat.Content{Kind: chat.React, Of: of, Text: []string{"👍", "🎉"}[l.rnd.IntN(2)], Off: l.rnd.IntN(3) == 0}
		}
	}
	l.raw = append(l.raw, m)
	return m
}

func (l *amendedLog) folded() []chat.Message {
	es := append([]chat.Message(nil), l.raw...)
	chat.Fold(es)
	return es
}

// Whatever is held when an amendment comes, and however often writing fails:
// what is kept is in the end what the server has.
func TestKeptPagesFollowAmendments(t *testing.T) {
	for seed := range uint64(15) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		l := &amendedLog{rnd: rnd}
		m := newMemory()
		var s *state.State
		var r *Replica
		open := func() {
			s = live(int64(len(l.raw)), conv)
			r = on(s, m)
			s.Open(conv)
			s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Known: true}}, 0)
			if es, err := r.Before(t.Context(), conv, 0); err != nil || len(es) > 0 {
				ch, _ := s.Remember(conv, es)
				r.Changed(ch)
			}
		}
		open()
		for range 100 {
			switch rnd.IntN(12) {
			case 0:
				m.breaks(errors.New("away"))
				_ = r.Flush(t.Context())
				m.breaks(nil)
			case 1, 2:
				if err := r.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			case 3: // a reload: what was there is written, and little of it is held again
				if err := r.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				open()
			default:
				for range 1 + rnd.IntN(12) {
					r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: l.grow()}}, 0))
				}
			}
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := l.folded()
		kept := keptOf(t, m, conv)
		if len(kept) < len(want)*9/10 {
			t.Fatalf("seed %d: %d of %d entries are kept", seed, len(kept), len(want))
		}
		for _, e := range kept {
			if w := want[e.Seq-1]; !reflect.DeepEqual(e.Content, w.Content) {
				t.Fatalf("seed %d: %d is kept as %+v (%+v), and is %+v (%+v)", seed, e.Seq, e.Content, e.Content.Fate, w.Content, w.Content.Fate)
			}
		}
	}
}

func TestWhereThereIsNoRoomAmendedPagesGo(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	for q := range int64(200) {
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, q+1)}}, 0))
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = live(200, conv)
	r = on(s, m)
	full := &tooFull{memory: m}
	r.store = full
	by := msg(conv, 201)
	by.Content = chat.Content{Kind: chat.Recall, Of: 20}
	r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: by}}, 0))
	if err := r.amend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range keptOf(t, m, conv) {
		if e.Seq == 20 {
			t.Errorf("it is kept as %+v", e)
		}
	}
	if len(keptOf(t, m, conv)) != 150 || full.n != 1 {
		t.Errorf("%d entries are left, %d writes were too much", len(keptOf(t, m, conv)), full.n)
	}
}

// tooFull takes no pages.
type tooFull struct {
	*memory
	n int
}

func (f *tooFull) Write(ctx context.Context, b Batch) ([]string, error) {
	for _, r := range b.Put {
		if strings.HasPrefix(r.Key, "p/") {
			f.n++
			return nil, ErrFull
		}
	}
	return f.memory.Write(ctx, b)
}

func TestSearchFindsWhatIsSaidNow(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	for i, c := range []chat.Content{
		chat.TextContent("apples"), chat.TextContent("pears"), {Kind: chat.Edit, Of: 1, Text: "plums"}, {Kind: chat.Recall, Of: 2},
	} {
		e := msg(conv, int64(i+1))
		e.Content = c
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: e}}, 0))
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]int{"apples": 0, "pears": 0, "plums": 1} {
		es, err := r.Find(t.Context(), find.Parse(word), 10)
		if err != nil || len(es) != want || want == 1 && es[0].Seq != 1 {
			t.Errorf("%s: found %+v, %v, want %d", word, es, err, want)
		}
	}
}
