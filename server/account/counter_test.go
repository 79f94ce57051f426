package account_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// A counter counts for all nodes, in memory: nothing comes back with time.
type counter struct {
	mu   sync.Mutex
	n    map[string]int
	away bool
}

func (c *counter) Allow(_ context.Context, key string, _ float64, burst int) (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return 0, errors.New("away")
	}
	if c.n[key] >= burst {
		return 3 * time.Second, nil
	}
	c.n[key]++
	return 0, nil
}

func (c *counter) Forget(_ context.Context, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.n, key)
	return nil
}

func TestTriesOnAllNodesCountTogether(t *testing.T) {
	c := &counter{n: map[string]int{}}
	limited := func(cfg *account.Config) {
		cfg.Limits = account.Limits{Address: 1e-6, AddressBurst: 8, Name: 1e-6, NameBurst: 4}
		cfg.Tries = c
	}
	a, b := service(t, limited), service(t, limited)
	register(t, a, "ann")
	register(t, b, "ann")
	try := func(s *account.Service, addr, name, password string) (chat.Code, time.Duration) {
		_, err := s.SignIn(t.Context(), addr, name, password)
		if err == nil {
			return "", 0
		}
		return chat.AsRefusal(err).Code, chat.AsRefusal(err).RetryAfter
	}
	for _, s := range []*account.Service{a, b, a, b} {
		if got, _ := try(s, "1", "ann", "wrong"); got != chat.SignedOut {
			t.Fatalf("got %q", got)
		}
	}
	// Each node has counted two of four.
	for _, s := range []*account.Service{a, b} {
		if got, wait := try(s, "1", "ann", "password1"); got != chat.RateLimited || wait != 3*time.Second {
			t.Errorf("fifth try: got %q, wait %v", got, wait)
		}
	}
	if got, _ := try(a, "2", "ann", "password1"); got != "" {
		t.Errorf("from another address: got %q", got)
	}
	for range 3 {
		try(a, "2", "ann", "wrong")
	}
	if got, _ := try(b, "2", "ann", "password1"); got != "" {
		t.Errorf("after a success the count starts anew: got %q", got)
	}
	if err := a.Admit(t.Context(), "1"); err != nil {
		t.Errorf("seventh try from an address: %v", err)
	}
	c.mu.Lock()
	c.away = true
	c.mu.Unlock()
	if got, _ := try(b, "1", "bob", "wrong"); got != chat.SignedOut {
		t.Errorf("with nobody to count for all, b's own fourth of eight: got %q", got)
	}
	for range 8 {
		try(b, "1", "bob", "wrong")
	}
	if got, _ := try(b, "1", "cat", "wrong"); got != chat.RateLimited {
		t.Errorf("with nobody to count for all, b's own ninth: got %q", got)
	}
}
