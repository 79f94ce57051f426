package account

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"kamachat/shared/chat"
)

func TestUnknownPersonCostsWhatAWrongPasswordCosts(t *testing.T) {
	h := newHasher(false)
	hash, err := h.make(t.Context(), "password1")
	if err != nil {
		t.Fatal(err)
	}
	took := func(hash string) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			if ok, err := h.check(t.Context(), "password2", hash); ok || err != nil {
				t.Fatal(ok, err)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	wrong, unknown := took(hash), took("")
	if unknown < wrong/4 || wrong < unknown/4 {
		t.Errorf("wrong password took %v, unknown person %v", wrong, unknown)
	}
}

// The start of the server waits for it, and its memory stays with the process.
func TestReadyToHashWithoutHavingHashed(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	newHasher(false)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("a new hasher took %d bytes, one hash takes 19 MiB", got)
	}
}

func TestHashingWaitsForASlotAndGivesUpWithTheCaller(t *testing.T) {
	h := newHasher(true)
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := h.make(ctx, "password1"); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	h.queued.Store(MaxPasswords)
	if _, err := h.make(t.Context(), "password1"); chat.AsRefusal(err).Code != chat.Busy {
		t.Errorf("got %v, want busy", err)
	}
}

func TestLimiterForgetsAndStaysBounded(t *testing.T) {
	now := time.Now()
	l := newLimiter(rate.Limit(1), 1, func() time.Time { return now })
	for i := range maxKeys + 50 {
		l.take(fmt.Sprint(i))
	}
	if len(l.keys) > maxKeys {
		t.Errorf("remembers %d keys", len(l.keys))
	}
	now = now.Add(time.Minute)
	if err := l.take("new"); err != nil || len(l.keys) != 1 {
		t.Errorf("after a minute it still remembers %d keys (%v)", len(l.keys), err)
	}
}
