package local

import (
	"errors"
	"slices"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

func TestRoomIsMadeByOldPages(t *testing.T) {
	m := newMemory()
	s := live(0, "G1", "G2", "G3")
	r := on(s, m)
	fill := func(c chat.ConvID, from, to int64) {
		for ; from <= to; from++ {
			r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(c, from)}}, 0))
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fill("G3", 1, 100)
	fill("G2", 1, 101)
	s.Open("G1")
	m.room = 6
	fill("G1", 1, 102)
	got := m.keys("p/")
	want := []string{"p/G1/00000000", "p/G1/00000001", "p/G1/00000002", "p/G2/00000001", "p/G2/00000002", "p/G3/00000001"}
	if len(got) > m.room || !slices.Contains(got, "p/G1/00000000") || !slices.Contains(got, "p/G2/00000002") || slices.Contains(got, "p/G3/00000000") {
		t.Errorf("%v, want about %v", got, want)
	}

	// Where nothing helps, what the person wrote is kept all the same.
	m.room = 1
	ch, _ := s.Add("G1", chat.TextContent("x"), "r1", 1)
	r.Changed(ch)
	r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg("G1", 103)}}, 0))
	if err := r.Flush(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want that there is no room", err)
	}
	m.room = 100
	if err := r.Flush(t.Context()); err != nil || len(reopened(t, m).Unsent()) != 1 || len(rows(reopened(t, m), "G1")) != 54 {
		t.Errorf("%v: %v", err, rows(reopened(t, m), "G1"))
	}
}

// More may come at once than there is room for at all: the newest is kept.
func TestMoreThanThereIsRoomForLeavesTheNewest(t *testing.T) {
	m := newMemory()
	m.room = 5
	s := live(0, conv)
	s.Open(conv)
	r := on(s, m)
	for i := range int64(20 * PageSize) {
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, i+1)}}, 0))
		if i == 3*PageSize {
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := m.keys("p/")
	if len(keys) > m.room || !slices.Contains(keys, pageKey(conv, 19)) || slices.Contains(keys, pageKey(conv, 0)) {
		t.Errorf("kept are %v", keys)
	}
}

// fill has entries of c come.
func fill(s *state.State, r *Replica, c chat.ConvID, from, to int64) {
	for ; from <= to; from++ {
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(c, from)}}, 0))
	}
}

// Of what is new those pages are left out whose conversations sleep the
// longest, whatever they are called.
func TestWhatIsLeftOutIsOfConversationsThatSleep(t *testing.T) {
	m := newMemory()
	s := live(0, "G1", "G2")
	r := on(s, m)
	fill(s, r, "G2", 1, 4*PageSize)
	fill(s, r, "G1", 1, 4*PageSize) // G1 and G2 are of one time, then G1 is awake
	fill(s, r, "G1", 4*PageSize+1, 6*PageSize)
	m.room = 3
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := m.keys("p/")
	if want := []string{pageKey("G1", 4), pageKey("G1", 5)}; len(got) == 0 || len(got) > 3 || !slices.Equal(got, want[2-min(len(got), 2):]) {
		t.Errorf("kept are %v, want the last of %v", got, want)
	}
}

// What was given up is written again once its conversation is opened, and not
// with every entry that comes: that would only push others out.
func TestWhatWasGivenUpIsWrittenWhenItIsOpened(t *testing.T) {
	m := newMemory()
	s := live(0, "G1", "G2")
	r := on(s, m)
	flush := func() {
		t.Helper()
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fill(s, r, "G2", 1, 2*PageSize+10)
	flush()
	s.Open("G1")
	m.room = 3
	fill(s, r, "G1", 1, 2*PageSize+10)
	flush()
	if got := m.keys("p/G2"); len(got) == 3 {
		t.Fatalf("nothing was given up: %v", got)
	}
	m.room = 0
	before := m.keys("p/G2")
	fill(s, r, "G2", 2*PageSize+11, 2*PageSize+12)
	flush()
	if got, es := m.keys("p/G2"), reread(t, m, "G2"); !slices.Equal(got[:len(got)-1], without(before, pageKey("G2", 2))) || es[len(es)-1].Seq != 2*PageSize+12 {
		t.Errorf("with an entry that came: %v, to %d, want %v and the last page", got, es[len(es)-1].Seq, before)
	}
	r.Changed(s.Open("G2"))
	flush()
	if got, es := m.keys("p/G2"), reread(t, m, "G2"); len(got) != 3 || len(es) != 2*PageSize+12 {
		t.Errorf("opened, kept are %v with %d entries in a run, want all", got, len(es))
	}
}

// What another page gave up is not taken for kept, whether its conversation is
// opened before or after this page hears of it.
func TestWhatAnotherPageGaveUpIsWrittenAgain(t *testing.T) {
	for _, before := range []bool{true, false} {
		anotherGivesUp(t, before)
	}
}

func anotherGivesUp(t *testing.T, before bool) {
	m := newMemory()
	s := live(0, "G1", "G2")
	r := on(s, m)
	fill(s, r, "G2", 1, 2*PageSize)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range m.keys("p/G2") {
		delete(m.vals, key)
		m.gone = append(m.gone, key)
	}
	if before {
		r.Changed(s.Open("G2"))
	}
	fill(s, r, "G1", 1, 1)
	if err := r.Flush(t.Context()); err != nil { // hears of it
		t.Fatal(err)
	}
	if !before {
		if got := m.keys("p/G2"); len(got) != 0 {
			t.Errorf("written again though nobody reads there: %v", got)
		}
		r.Changed(s.Open("G2"))
	}
	if err := r.Flush(t.Context()); err != nil || len(reread(t, m, "G2")) != 2*PageSize {
		t.Errorf("%v: kept are %v", err, m.keys("p/"))
	}
}

// reread returns the run of the newest entries that is there.
func reread(t *testing.T, m *memory, c chat.ConvID) []chat.Message {
	t.Helper()
	pages, err := m.Pages(t.Context(), c, -1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return Before(pages, 0)
}

func without(keys []string, key string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == key })
}
