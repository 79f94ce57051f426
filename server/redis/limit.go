package redis

import (
	"context"
	"math"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A Limiter counts tries for all nodes together. What it can't tell while Redis
// is away each node decides by its own count.
type Limiter struct{ c *Client }

// NewLimiter returns a limiter.
func NewLimiter(c *Client) *Limiter { return &Limiter{c} }

// gcra is the generic cell rate algorithm: a key holds the time, in Redis's own
// microseconds, at which its burst will be whole again. ARGV: microseconds per
// try, burst. It answers 0 when the try counts, else the microseconds to wait.
// Idea: https://brandur.org/rate-limiting#gcra.
var gcra = goredis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local whole = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + ARGV[1]
local wait = whole - ARGV[1] * ARGV[2] - now
if wait > 0 then
	return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', string.format('%.0f', math.ceil((whole - now) / 1000)))
return 0
`)

// Allow counts a try of key, of which limit per second are allowed and burst at
// once. It returns 0, or how long to wait until the next one is. A limit of 0
// or infinity is none.
func (l *Limiter) Allow(ctx context.Context, key string, limit float64, burst int) (time.Duration, error) {
	if limit <= 0 || math.IsInf(limit, 1) {
		return 0, nil
	}
	var wait int64
	err := l.c.do(ctx, func(ctx context.Context) (err error) {
		wait, err = gcra.Run(ctx, l.c.rdb, []string{l.c.key("rate", key)}, math.Ceil(1e6/limit), max(1, burst)).Int64()
		return err
	})
	if err != nil {
		l.c.count.local.Add(1)
		return 0, err
	}
	return time.Duration(wait) * time.Microsecond, nil
}

// Forget makes the tries of key not have happened, as far as Redis answers.
func (l *Limiter) Forget(ctx context.Context, key string) error {
	return l.c.do(ctx, func(ctx context.Context) error { return l.c.rdb.Del(ctx, l.c.key("rate", key)).Err() })
}
