package account

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound how often someone may try to sign in, and do things by HTTP. A
// username is counted from each address by itself, so that a stranger who
// guesses does not lock the owner out, and loosely from all of them together.
type Limits struct {
	Address      rate.Limit // tries per second from one network address
	AddressBurst int        // tries at once from one network address
	Name         rate.Limit // tries per second of one username from one address
	NameBurst    int        // tries at once of one username from one address
	Anywhere     rate.Limit // tries per second of one username from all addresses; 0: no limit
	AnywhereMost int        // tries at once of one username from all addresses
	Person       rate.Limit // changes per second of one person; 0: no limit
	PersonBurst  int        // changes at once of one person
	Request      rate.Limit // requests and new sockets per second from one address; 0: no limit
	RequestBurst int        // requests and new sockets at once from one address
	Ask          rate.Limit // people per second whom one person asks to be contacts; 0: no limit
	AskBurst     int        // people at once
	Find         rate.Limit // searches for people per second of one person; 0: no limit
	FindBurst    int        // searches at once
}

// DefaultLimits let an office behind one address in, and a guesser starve.
var DefaultLimits = Limits{
	Address: 1, AddressBurst: 60, Name: 0.1, NameBurst: 10, Anywhere: 1, AnywhereMost: 200, Person: 20, PersonBurst: 200, Request: 100, RequestBurst: 5000,
	Ask: 1. / 120, AskBurst: 30, Find: 1, FindBurst: 100,
}

// NoLimits let everybody try as often as they like.
var NoLimits = Limits{Address: rate.Inf, Name: rate.Inf}

// limiter limits tries by key. It remembers at most maxKeys keys.
type limiter struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu   sync.Mutex
	keys map[string]*rate.Limiter
	over *rate.Limiter // shared by those for whom there was no room
}

// maxKeys bounds what a limiter remembers, a few MiB.
const maxKeys = 20_000

// maxKey is how many bytes of a key count.
const maxKey = 256

// newLimiter returns a limiter; a limit of 0 is none.
func newLimiter(l rate.Limit, burst int, now func() time.Time) *limiter {
	if l == 0 {
		l = rate.Inf
	}
	return &limiter{limit: l, burst: burst, now: now, keys: map[string]*rate.Limiter{}, over: rate.NewLimiter(l*100, burst*100)}
}

// take counts a try, or answers chat.RateLimited.
func (l *limiter) take(key string) error { return l.takeN(key, 1) }

// takeN counts n tries, and fewer where so many are never allowed after one more.
func (l *limiter) takeN(key string, n int) error {
	if l.limit == rate.Inf {
		return nil
	}
	now := l.now()
	l.mu.Lock()
	k := l.keyLocked(key, now)
	l.mu.Unlock()
	r := k.ReserveN(now, min(n, max(1, l.burst-1)))
	wait := r.DelayFrom(now)
	if r.OK() && wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return tooMany(wait)
}

// forget makes key's tries not have happened.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.keys, key)
}

// keyLocked returns key's own limiter. When there is no room it lets go of
// those that are full again; when all are in use, newcomers share one.
func (l *limiter) keyLocked(key string, now time.Time) *rate.Limiter {
	key = key[:min(len(key), maxKey)]
	if k := l.keys[key]; k != nil {
		return k
	}
	if len(l.keys) >= maxKeys {
		for name, k := range l.keys {
			if k.TokensAt(now) >= float64(l.burst) {
				delete(l.keys, name)
			}
		}
		if len(l.keys) >= maxKeys {
			return l.over
		}
	}
	k := rate.NewLimiter(l.limit, l.burst)
	l.keys[key] = k
	return k
}
