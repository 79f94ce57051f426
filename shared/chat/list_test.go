package chat

import (
	"fmt"
	"slices"
	"testing"
)

func manyHeads(n int) []Head {
	hs := make([]Head, n)
	for i := range hs {
		c := ConvID(fmt.Sprint("G", i))
		if i%2 == 0 {
			c = Direct("U1", UserID(fmt.Sprint("U2", i)))
		}
		hs[i] = Head{Conv: c, LastSeq: 9, Mine: Marks{Delivered: 8, Read: 7}, All: Marks{Delivered: 6, Read: 5}}
	}
	return hs
}

// TestSumsAreAsDocumented keeps the numbers that docs/protocol.md shows: other
// programs count them, too.
func TestSumsAreAsDocumented(t *testing.T) {
	hs := []Head{
		{Conv: "G7", LastSeq: 43, Mine: Marks{Delivered: 41, Read: 40}, All: Marks{Delivered: 40, Read: 38}},
		{Conv: "DU1a-U2b", LastSeq: 9, Mine: Marks{Delivered: 9, Read: 8}, All: Marks{Delivered: 9, Read: 9}},
	}
	for i, want := range []string{"G7 43 41 40 0 0", "DU1a-U2b 9 9 8 9 8"} {
		if got := string(hs[i].line()); got != want {
			t.Errorf("line %q, want %q", got, want)
		}
	}
	if got, want := Sums(hs, 2), []uint32{1398010961, 0}; !slices.Equal(got, want) {
		t.Errorf("sums %v, want %v", got, want)
	}
	hs[0].Line = Line{Pinned: 1764000000000, Cleared: 12, Hushed: Forever}
	if got, want := string(hs[0].line()), "G7 43 41 40 0 0 1764000000000 0 12 0 -1"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	if got, want := Sums(hs, 2), []uint32{536161434, 0}; !slices.Equal(got, want) {
		t.Errorf("sums %v, want %v", got, want)
	}
}

func TestSumsTellWhichPartDiffers(t *testing.T) {
	const n = 25
	for name, change := range map[string]func(*Head){
		"the log grew":        func(h *Head) { h.LastSeq++ },
		"delivered":           func(h *Head) { h.Mine.Delivered++ },
		"read":                func(h *Head) { h.Mine.Read++ },
		"pinned":              func(h *Head) { h.Pinned = 1 },
		"archived":            func(h *Head) { h.Archived = true },
		"deleted":             func(h *Head) { h.Cleared = 1 },
		"marked":              func(h *Head) { h.Marked = true },
		"hushed":              func(h *Head) { h.Hushed = Forever },
		"another one instead": func(h *Head) { h.Conv += "x" },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 200 {
				hs := manyHeads(200)
				before := Sums(hs, n)
				parts := []int{Part(hs[i].Conv, n)}
				change(&hs[i])
				parts = append(parts, Part(hs[i].Conv, n))
				slices.Reverse(hs)
				for p, s := range Sums(hs, n) {
					if (s != before[p]) != slices.Contains(parts, p) {
						t.Fatalf("conversation %d of parts %v: part %d differs: %v", i, parts, p, s != before[p])
					}
				}
			}
		})
	}
}

// TestTwoStepsNeverCancel: two conversations that move by one each, the most
// usual change of all, must not add up to nothing.
func TestTwoStepsNeverCancel(t *testing.T) {
	hs := manyHeads(150)
	before := Sums(hs, 1)[0]
	for i := range hs {
		hs[i].LastSeq++
		for j := range i {
			hs[j].LastSeq++
			if Sums([]Head{hs[i], hs[j]}, 1)[0] == Sums([]Head{back(hs[i]), back(hs[j])}, 1)[0] {
				t.Fatalf("%s and %s cancel", hs[i].Conv, hs[j].Conv)
			}
			hs[j].LastSeq--
		}
		hs[i].LastSeq--
	}
	if after := Sums(hs, 1)[0]; after != before {
		t.Errorf("the same list sums up to %d and to %d", before, after)
	}
}

func back(h Head) Head { h.LastSeq--; return h }

func TestMarksOfTheOthersCountInDirectConversationsOnly(t *testing.T) {
	sum := func(c ConvID, all Marks) uint32 {
		return Sums([]Head{{Conv: c, LastSeq: 5, Mine: Marks{Delivered: 5, Read: 4}, All: all}}, 1)[0]
	}
	if sum("DU1-U2", Marks{Read: 3, Delivered: 3}) == sum("DU1-U2", Marks{Read: 2, Delivered: 3}) {
		t.Error("the peer's mark does not count")
	}
	if sum("DU1-U2", Marks{Read: 5, Delivered: 5}) != sum("DU1-U2", Marks{Read: 4, Delivered: 5}) {
		t.Error("the peer's mark counts beyond one's own: who is told the lowest of both can't know it")
	}
	if sum("G1", Marks{Read: 3}) != sum("G1", Marks{Read: 2}) {
		t.Error("a group's lowest mark counts")
	}
}
