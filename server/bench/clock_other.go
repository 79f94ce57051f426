//go:build !linux

package bench

import (
	"context"
	"time"
)

func newTicker(every time.Duration) (*ticker, error) {
	return &ticker{time.NewTicker(max(every, 1))}, nil
}

type ticker struct{ t *time.Ticker }

// wait returns at the next tick, or false when ctx has ended.
func (t *ticker) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-t.t.C:
		return true
	}
}

func (t *ticker) stop() { t.t.Stop() }
