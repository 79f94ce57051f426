package bench

// A track follows the numbers that come from one writer, which should be
// 0, 1, 2, … It belongs to one goroutine.
type track struct {
	next    int64 // every number below has come or is in missing
	missing map[int64]struct{}
	late    []int64 // numbers that came after a greater one
	doubled int64
}

func (t *track) saw(n int64) {
	switch {
	case n == t.next:
		t.next++
	case n > t.next:
		for ; t.next < n; t.next++ {
			if t.missing == nil {
				t.missing = map[int64]struct{}{}
			}
			t.missing[t.next] = struct{}{}
		}
		t.next++
	default:
		if _, ok := t.missing[n]; !ok {
			t.doubled++
			return
		}
		delete(t.missing, n)
		t.late = append(t.late, n)
	}
}

// lost is how many of the first sent numbers have not come, but for those that
// excused says need not.
func (t *track) lost(sent int64, excused func(int64) bool) (lost int64) {
	for n := range t.missing {
		if !excused(n) {
			lost++
		}
	}
	for n := t.next; n < sent; n++ {
		if !excused(n) {
			lost++
		}
	}
	return lost
}

// reordered is how many numbers came late, but for those that were sent late.
func (t *track) reordered(resent map[int64]struct{}) (late int64) {
	for _, n := range t.late {
		if _, ok := resent[n]; !ok {
			late++
		}
	}
	return late
}
