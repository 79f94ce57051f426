package link

// The bounds of the wait between two attempts, in milliseconds.
const (
	minBackoff = 500
	maxBackoff = 30_000
)

// backoff returns how long to wait after a number of attempts in a row: the
// first time up to 2 s, then anywhere between half a second and a bound that
// doubles from 4 s to 30 s. The wide spread keeps thousands of clients that lost
// the same server from coming back as one (AWS calls it full jitter). r is a
// random number in [0,1).
func backoff(tries int, r float64) int64 {
	least, bound := int64(minBackoff), int64(maxBackoff)
	if tries < 4 {
		bound = 2_000 << tries
	}
	if tries < 1 {
		least = 0
	}
	return least + int64(r*float64(bound-least))
}
