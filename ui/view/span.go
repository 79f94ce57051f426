package view

// Bounds of what of a conversation is in the document at once.
const (
	maxShown  = 200 // rows in the document
	openShown = 80  // rows drawn when a conversation is opened
	stepShown = 50  // rows drawn at once when the person scrolls on
)

// A span is the part [lo, hi) of the rows that is in the document.
type span struct{ lo, hi int }

// ending returns the span to open with: the last rows of n, reaching back to
// the row at first where that is not too far.
func ending(n, first int) span {
	lo := max(n-openShown, 0)
	if first >= 0 && first < lo+stepShown/5 {
		lo = max(first-stepShown/5, 0)
	}
	return span{lo, min(n, lo+maxShown)}
}

// up moves the span towards the older rows, letting newer ones go.
func (s span) up() span {
	lo := max(s.lo-stepShown, 0)
	return span{lo, min(s.hi, lo+maxShown)}
}

// down moves the span towards the newer of n rows, letting older ones go.
func (s span) down(n int) span {
	hi := min(s.hi+stepShown, n)
	return span{max(s.lo, hi-maxShown), hi}
}

// follow returns the span after rows have changed to n, where the row that was
// at lo is now at newLo. Where it reached the end before (ended), it takes new
// rows in: all of them for someone who reads the end, letting the oldest go,
// and for someone who reads above only as far as there is room.
func (s span) follow(n, newLo int, ended, atEnd bool) span {
	size := s.hi - s.lo
	r := span{newLo, min(newLo+size, n)}
	switch {
	case ended && atEnd:
		r.hi = n
		r.lo = max(r.lo, n-maxShown)
	case ended:
		r.hi = min(n, r.lo+maxShown)
	}
	return r
}
