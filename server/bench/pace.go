package bench

import (
	"context"
	"time"
)

// An asker can be told to ask something of the server. Its answer counts from
// when the question was due.
type asker interface{ askAt(due int64) }

// minTick is how often a pace looks at the clock at most.
const minTick = 100 * time.Microsecond

// pace has askers ask in turn, rate times a second together, until ctx ends,
// whatever the server does. It returns how late it was at worst.
func pace[A asker](ctx context.Context, now func() int64, rate float64, askers []A) (late time.Duration, err error) {
	if len(askers) == 0 {
		return 0, nil
	}
	every := time.Duration(float64(time.Second) / rate)
	begin := now() // before the first tick begins: what is due at a tick is due by our clock, too
	t, err := newTicker(max(every, minTick))
	if err != nil {
		return 0, err
	}
	defer context.AfterFunc(ctx, t.stop)()
	for n := 0; ; {
		for ; ctx.Err() == nil; n++ {
			due := begin + int64(float64(n)/rate*float64(time.Second))
			at := now()
			if at < due {
				break
			}
			late = max(late, time.Duration(at-due))
			askers[n%len(askers)].askAt(due)
		}
		if !t.wait(ctx) {
			t.stop()
			return late, nil
		}
	}
}

// sleep waits for d, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
