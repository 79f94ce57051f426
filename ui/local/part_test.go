package local

import (
	"errors"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Nothing of a group stays with who was removed from it, also where the browser could
// not write at first.
func TestNothingIsKeptOfAGroupThatOneIsNoLongerIn(t *testing.T) {
	m := newMemory()
	s := live(0, conv, "G2")
	r := on(s, m)
	fill(s, r, conv, 1, 125)
	fill(s, r, "G2", 1, 60)
	s.SetDraft(conv, "half a")
	r.Drafted(conv)
	flush(t, r)
	m.breaks(errors.New("not now"))
	r.Changed(s.Apply(wire.Frame{Body: wire.Parted{Conv: conv}}, 1))
	_ = r.Flush(t.Context())
	m.breaks(nil)
	r.Changed(s.Apply(wire.Frame{Body: wire.Online{User: "U2", Online: true}}, 1))
	flush(t, r)
	for _, prefix := range []string{"p/", "c/", "d/"} {
		for _, key := range m.keys(prefix) {
			if strings.HasPrefix(key, prefix+string(conv)) {
				t.Errorf("%s is kept", key)
			}
		}
	}
	if n := len(keptOf(t, m, "G2")); n != 60 {
		t.Errorf("%d entries of the other are kept", n)
	}
	if _, there := reopened(t, m).Conv(conv); there {
		t.Error("after a reload it is back")
	}
	// Who is added again has what comes then.
	r.Changed(s.Apply(wire.Frame{Body: wire.Opened{Summary: chat.Summary{Conv: conv, LastSeq: 130}}}, 2))
	fill(s, r, conv, 131, 140)
	flush(t, r)
	if es := keptOf(t, m, conv); len(es) != 10 || es[0].Seq != 131 {
		t.Errorf("%d are kept", len(es))
	}
}
