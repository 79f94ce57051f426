package bench

// A track follows the numbers that come from one writer, which should be
// 0, 1, 2, … It belongs to one goroutine.
type track struct {
	next    int64 // every number below has come or is in missing
	missing map[int64]struct{}

	doubled, reordered int64
}

func (t *track) saw(n int64) {
	if n >= t.next {
		for ; t.next < n; t.next++ {
			if t.missing == nil {
				t.missing = map[int64]struct{}{}
			}
			t.missing[t.next] = struct{}{}
		}
		t.next++
		return
	}
	if _, ok := t.missing[n]; ok {
		delete(t.missing, n)
		t.reordered++
		return
	}
	t.doubled++
}

// lost is how many of the first sent numbers have not come, but for those that excused.
func (t *track) lost(sent int64, excused map[int64]int64) (n int64) {
	for m := range t.missing {
		if _, ok := excused[m]; !ok {
			n++
		}
	}
	for m := t.next; m < sent; m++ {
		if _, ok := excused[m]; !ok {
			n++
		}
	}
	return n
}
