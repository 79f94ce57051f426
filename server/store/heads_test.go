package store

import "testing"

// After a failed commit refs are looked up first for as many batches as decision
// 011 says, and then no more.
func TestRefsAreLookedUpForSoManyBatches(t *testing.T) {
	h, n := newHeads(), 0
	h.failed(&batch{}, true)
	for range 100 {
		if h.careful() {
			n++
		}
	}
	if n != 32 {
		t.Errorf("looked up for %d batches, want 32", n)
	}
	if h.failed(&batch{}, false); h.careful() {
		t.Error("looked up though nothing was in doubt")
	}
}
