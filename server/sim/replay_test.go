//go:build !race

package sim

import (
	"fmt"
	"slices"
	"testing"
)

// A seed that fails can be looked at again: what happens, and when, follows from
// it. Not so with the race detector, which has the scheduler shuffle on purpose,
// and only roughly where writers wait for a full connection: what comes first in
// the instant when it has room again is up to the scheduler.
func TestASeedReplays(t *testing.T) {
	for i := range uint64(15) {
		if newPlan(i+1).wire < wide {
			continue
		}
		var runs [2]*trace
		for j := range runs {
			runs[j] = &trace{deep: true}
			t.Run(fmt.Sprint(i+1, "-", j), func(t *testing.T) { simulate(t, newPlan(i+1), runs[j], inMemory) })
		}
		for _, r := range runs[1:] {
			if a, b := runs[0].sorted(), r.sorted(); !slices.Equal(a, b) {
				n := 0
				for n < min(len(a), len(b)) && a[n] == b[n] {
					n++
				}
				t.Errorf("seed %d: after %d of %d lines\n%s\n%s", i+1, n, len(a), a[min(n, len(a)-1)], b[min(n, len(b)-1)])
			}
		}
	}
}
