package monitor

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A spread counts durations in 8 steps for each doubling, from a microsecond to
// an hour, so that a percentile of it is at most an eighth too long.
type spread struct {
	n [spreads]atomic.Int64
}

const (
	stepBits = 3
	spreads  = (33 - stepBits) << stepBits
)

func (s *spread) add(d time.Duration) { s.n[spreadOf(d)].Add(1) }

// spreadOf returns where d is counted.
func spreadOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < 1<<stepBits {
		return int(us)
	}
	double := bits.Len64(us) - 1 - stepBits // us>>double has stepBits+1 bits
	return min((double+1)<<stepBits+int(us>>double)-1<<stepBits, spreads-1)
}

// upTo returns the durations that are counted at i, without the upper bound.
func upTo(i int) time.Duration {
	if i < 1<<stepBits {
		return time.Duration(i+1) * time.Microsecond
	}
	double, step := i>>stepBits-1, i&(1<<stepBits-1)
	return time.Duration(1<<stepBits+step+1) << double * time.Microsecond
}

// take empties s and returns, for each part of ps (0 to 1), the duration that so
// much of what was in it did not exceed, 0 where there was nothing.
func (s *spread) take(ps ...float64) []time.Duration {
	var n [spreads]int64
	total := int64(0)
	for i := range n {
		n[i] = s.n[i].Swap(0)
		total += n[i]
	}
	out := make([]time.Duration, len(ps))
	for i, p := range ps {
		if total > 0 {
			out[i] = upTo(part(&n, total, p))
		}
	}
	return out
}

// part returns the first place up to which a part p of total is counted in n.
func part(n *[spreads]int64, total int64, p float64) int {
	rest := total - int64(p*float64(total)) // as many may be longer, and the one that is meant
	for i := spreads - 1; i >= 0; i-- {
		if rest -= n[i]; rest <= 0 && n[i] > 0 {
			return i
		}
	}
	return 0
}
