package state

import (
	"slices"
	"testing"

	"kamachat/shared/chat"
)

// TestCopyOfARefusedPostComesBeforeTheNext: a post is sent again, since its answer
// is late, and that says no. The next one leaves, but the copy is before it, and
// may be stored by then: who was out of the group is in again.
func TestCopyOfARefusedPostComesBeforeTheNext(t *testing.T) {
	m := newModel(2, 1)
	p := m.join("U2")
	m.connect(p)
	p.apply(p.acks[0], 0)
	p.acks = nil
	m.left["G2"]["U2"] = true
	for _, ref := range []string{"r1", "r2"} {
		p.st.Add("G2", chat.TextContent(ref), ref, 0)
	}
	p.due(0)
	m.serve(p)
	p.due(patience)
	no := p.acks[0]
	p.acks = nil
	p.apply(no, patience)
	if us := p.st.Unsent(); len(us) != 2 || us[0].Why != chat.Forbidden || us[1].Why != "" || len(p.toSrv) != 2 {
		t.Fatalf("unsent are %+v, under way %+v", us, p.toSrv)
	}
	m.left["G2"]["U2"] = false
	for len(p.toSrv) > 0 {
		m.serve(p)
	}
	for _, f := range p.fan {
		p.apply(f, patience)
	}
	var stored []string
	for _, e := range m.logs["G2"] {
		stored = append(stored, e.Ref)
	}
	if us := p.st.Unsent(); len(us) > 0 || !slices.Equal(stored, []string{"r1", "r2"}) {
		t.Errorf("stored are %v, unsent %+v", stored, us)
	}
}
