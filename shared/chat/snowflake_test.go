package chat

import (
	"sync"
	"testing"
)

// clock returns a now func that plays ts and then stays at the last.
func clock(ts ...int64) func() int64 {
	i := 0
	return func() int64 {
		t := ts[min(i, len(ts)-1)]
		i++
		return Epoch + t
	}
}

func TestIDCarriesTimeNodeAndSequence(t *testing.T) {
	g := NewIDs(5, clock(1000))
	for seq := range int64(3) {
		if got, want := g.Next(), int64(1000<<22|5<<12)|seq; got != want {
			t.Errorf("id %d: got %d, want %d", seq, got, want)
		}
	}
}

func TestIDsRiseWhateverTheClockDoes(t *testing.T) {
	for name, now := range map[string]func() int64{
		"steps back":          clock(1000, 1001, 400, 400, 1001, 1002),
		"stands still":        clock(7),
		"is before the epoch": clock(-5000, -4000, 1),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewIDs(MaxNode, now)
			last := int64(-1)
			for range 3 << seqBits {
				id := g.Next()
				if id <= last {
					t.Fatalf("%d after %d", id, last)
				}
				if node := id >> seqBits & MaxNode; node != MaxNode {
					t.Fatalf("node is %d, want %d", node, MaxNode)
				}
				last = id
			}
		})
	}
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	g := NewIDs(1, func() int64 { return Epoch + 42 })
	const workers, each = 8, 5000
	got := make([][]int64, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				got[w] = append(got[w], g.Next())
			}
		})
	}
	wg.Wait()
	seen := make(map[int64]bool, workers*each)
	for _, ids := range got {
		for i, id := range ids {
			if seen[id] {
				t.Fatalf("%d came twice", id)
			}
			if i > 0 && id <= ids[i-1] {
				t.Fatalf("%d after %d in one goroutine", id, ids[i-1])
			}
			seen[id] = true
		}
	}
}

func TestNamesMadeFromIDsAreValid(t *testing.T) {
	for _, ms := range []int64{0, 1, 1 << 40, 1<<41 - 1} {
		g := NewIDs(MaxNode, clock(ms))
		if u := g.NewUser(); !u.Valid() {
			t.Errorf("at %d: user %q is not valid", ms, u)
		}
		if c := g.NewGroup(); !c.Valid() || !c.IsGroup() {
			t.Errorf("at %d: group %q is not valid", ms, c)
		}
	}
}
