package config

import (
	"errors"
	"strconv"
	"strings"
)

// A Rate limits how often something may happen. The zero Rate is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

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
	b := max(1, int(per*10))
	if hasBurst {
		if b, err = strconv.Atoi(burst); err != nil || b < 1 {
			return bad
		}
	}
	*r = Rate{PerSecond: per, Burst: b}
	return nil
}
