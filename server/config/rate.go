package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Rate limits how often something may happen. The zero Rate is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// maxBurst is far above what anybody means, and so small that a thousand of it
// can be counted.
const maxBurst = 1_000_000

// Off reports whether r is no limit.
func (r Rate) Off() bool { return r.PerSecond == 0 }

// UnmarshalText reads "off", "N/s" (a burst of ten seconds' worth) or "N/s:BURST".
func (r *Rate) UnmarshalText(p []byte) error {
	bad := errors.New(`want off, N/s or N/s:BURST, e.g. 20/s:200`)
	s := string(p)
	if s == "off" {
		*r = Rate{}
		return nil
	}
	s, burst, hasBurst := strings.Cut(s, ":")
	n, ok := strings.CutSuffix(s, "/s")
	if !ok {
		return bad
	}
	per, err := strconv.ParseFloat(n, 64)
	if err != nil || !(per > 0 && per <= 1e6) {
		return bad
	}
	b := min(max(1, int(per*10)), maxBurst)
	if hasBurst {
		if b, err = strconv.Atoi(burst); err != nil || b < 1 {
			return bad
		}
		if b > maxBurst {
			return fmt.Errorf("want a burst of at most %d", maxBurst)
		}
	}
	*r = Rate{PerSecond: per, Burst: b}
	return nil
}
