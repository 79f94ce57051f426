package account

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"kamachat/shared/chat"
)

// A Counter counts tries for all nodes together, so that a guesser gains
// nothing by trying on each.
type Counter interface {
	// Allow counts a try of key, of which limit per second are allowed and burst
	// at once, and answers 0 or how long to wait until the next is. An error
	// means that it can't tell; it must come soon.
	Allow(ctx context.Context, key string, limit float64, burst int) (wait time.Duration, err error)
	// Forget makes key's tries not have happened.
	Forget(ctx context.Context, key string) error
}

// A common limiter counts on this node and, where there is a Counter, on all.
// What the Counter can't tell this node decides.
type common struct {
	*limiter
	name    string // of what is counted, in the Counter's keys
	counter Counter
}

// take counts a try, or answers chat.RateLimited.
func (l *common) take(ctx context.Context, key string) error {
	if err := l.limiter.take(key); err != nil || l.counter == nil || l.limit == rate.Inf {
		return err
	}
	wait, err := l.counter.Allow(ctx, l.key(key), float64(l.limit), l.burst)
	if err != nil || wait == 0 {
		return nil
	}
	return tooMany(wait)
}

// forget makes key's tries not have happened. Where the Counter can't be told
// they are forgotten with time.
func (l *common) forget(ctx context.Context, key string) {
	l.limiter.forget(key)
	if l.counter != nil {
		_ = l.counter.Forget(ctx, l.key(key))
	}
}

func (l *common) key(key string) string { return l.name + ":" + key[:min(len(key), maxKey)] }

func tooMany(wait time.Duration) error {
	return &chat.Refusal{Code: chat.RateLimited, Words: "too many tries", RetryAfter: max(wait, time.Second).Round(time.Second)}
}
