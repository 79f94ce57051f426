package room

import (
	"runtime/debug"
	"sync/atomic"

	"kamachat/shared/wire"
)

// Ignored counts the events that reached this node and were let go.
type Ignored struct {
	Broken int64 // handing them out made the program panic
}

// ignored is Ignored as it is counted.
type ignored struct{ broken atomic.Int64 }

// Ignored returns what was let go since the start.
func (h *Hub) Ignored() Ignored { return Ignored{Broken: h.ignored.broken.Load()} }

// survive, deferred, lets e go when handing it out panics: what another node says
// must not end this one.
func (h *Hub) survive(e wire.Event) {
	if p := recover(); p != nil {
		h.ignored.broken.Add(1)
		h.Log.Error("deliver: an event was let go", "conv", e.Conv, "panic", p, "stack", string(debug.Stack()))
	}
}
