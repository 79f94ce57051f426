package session_test

import (
	"testing"

	"kamachat/server/inproc"
	"kamachat/server/session"
	"kamachat/shared/wire"
)

func TestClientSaysWhetherItIsLookedAt(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	looking := inproc.NewPresence()
	w.hub.Looking = looking
	c := w.native(ann)
	w.classic(bob) // says nothing
	for i, step := range []struct {
		say  string
		want bool
	}{
		{"", true},
		{`{"k":"look","b":{"hidden":true}}`, false},
		{`{"k":"look","b":{"hidden":true}}`, false},
		{`{"k":"look","b":{"hidden":false}}`, true},
	} {
		if step.say != "" {
			c.send(step.say)
		}
		// What is answered was asked later.
		c.send(`{"k":"who","r":"q","b":{"ids":[]}}`)
		c.until("people", func(f wire.Frame) bool { _, ok := f.Body.(wire.People); return ok })
		on, err := looking.Online(t.Context(), ann, bob)
		if err != nil || on[ann] != step.want || !on[bob] {
			t.Errorf("step %d: looking are %v, %v, want of ann %v", i, on, err, step.want)
		}
	}
}
