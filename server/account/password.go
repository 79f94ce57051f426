package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"kamachat/shared/chat"
)

// hasher hashes and checks passwords, as many at once as there are processors:
// each takes a core for tens of milliseconds and 19 MiB.
type hasher struct {
	params *argon2id.Params
	dummy  string // what an unknown person's password is compared with
	slots  chan struct{}
	queued atomic.Int64
}

// MaxPasswords is how many passwords are hashed or wait for it at most; further
// ones are refused as Busy.
const MaxPasswords = 256

func newHasher(cheap bool) *hasher {
	// OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane.
	h := &hasher{
		params: &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, runtime.NumCPU()),
	}
	if cheap {
		h.params.Memory, h.params.Iterations = 8, 1
	}
	h.dummy = nobody(h.params)
	return h
}

// nobody returns what looks like the hash of a password, with p inside, and is
// that of none: to compare with it costs what any comparison costs, but to make
// it costs nothing. The start of the server is not the place to hash.
func nobody(p *argon2id.Params) string {
	random := func(n uint32) string {
		b := make([]byte, n)
		rand.Read(b) // never fails
		return base64.RawStdEncoding.EncodeToString(b)
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Iterations, p.Parallelism,
		random(p.SaltLength), random(p.KeyLength))
}

// PasswordsWaiting is how many passwords are being hashed or wait for it.
func (s *Service) PasswordsWaiting() int { return int(s.hash.queued.Load()) }

// run runs f in one of the slots.
func (h *hasher) run(ctx context.Context, f func() error) error {
	defer h.queued.Add(-1)
	if h.queued.Add(1) > MaxPasswords {
		return &chat.Refusal{Code: chat.Busy, Words: "too many are signing in at once", RetryAfter: 2 * time.Second}
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	if err := f(); err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return nil
}

func (h *hasher) make(ctx context.Context, password string) (hash string, err error) {
	err = h.run(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(password, h.params)
		return err
	})
	return hash, err
}

// check compares password with hash. An empty hash, which stands for someone
// unknown or without a password, takes the same time and is never right.
func (h *hasher) check(ctx context.Context, password, hash string) (ok bool, err error) {
	known := hash != "" && len(password) <= MaxPassword
	if !known {
		password, hash = "", h.dummy
	}
	err = h.run(ctx, func() (err error) {
		ok, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return ok && known, err
}
