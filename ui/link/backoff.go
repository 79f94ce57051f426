package link

// The bounds of the wait between two attempts, in milliseconds.
const (
	minBackoff = 500
	maxBackoff = 30_000
)

// backoff returns how long to wait after the given number of failed attempts:
// anywhere between half a second and a bound that doubles from 2 s to 30 s.
// The wide spread keeps thousands of clients from coming back as one (AWS
// calls it full jitter). r is a random number in [0,1).
func backoff(tries int, r float64) int64 {
	bound := int64(maxBackoff)
	if tries < 4 {
		bound = 2_000 << tries
	}
	return minBackoff + int64(r*float64(bound-minBackoff))
}
