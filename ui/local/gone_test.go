package local

import (
	"errors"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// Pages that the State does not hold follow, too, once the Store can be written.
func TestKeptPagesFollowWhatHasExpired(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	fill(s, r, conv, 1, 120)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = state.New()
	r = on(s, m)
	r.Changed(s.Apply(wire.Frame{Body: wire.Welcome{
		Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: conv, LastSeq: 120}}, Expired: chat.Expired{Messages: 1000 + 61},
	}}, 0))
	m.breaks(errors.New("broken"))
	if err := r.Flush(t.Context()); err == nil {
		t.Error("nothing failed")
	}
	m.breaks(nil)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	es := reread(t, m, conv)
	if len(es) != 120 {
		t.Fatalf("%d entries are kept", len(es))
	}
	for _, e := range es {
		if gone := e.Content.Kind == chat.Gone; gone != (e.Seq <= 60) {
			t.Errorf("entry %d is %+v", e.Seq, e.Content)
		}
	}
}
