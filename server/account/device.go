package account

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kamachat/shared/chat"
)

// DeviceStore keeps where people are signed in.
type DeviceStore interface {
	AddDevice(ctx context.Context, s chat.SignIn) error
	// Devices returns where u is signed in, last used first.
	Devices(ctx context.Context, u chat.UserID) ([]chat.SignIn, error)
	// SawDevices notes uses where what is noted is older by step milliseconds. Those
	// with a User that were not noted yet are noted now, unless they have ended.
	SawDevices(ctx context.Context, ss []chat.SignIn, step int64) error
	// EndDevice ends the sign-in whose sockets go by login, or answers chat.ErrNotFound.
	EndDevice(ctx context.Context, u chat.UserID, login string) error
	// EndOthers ends all sign-ins but keep and returns what their sockets go by.
	EndOthers(ctx context.Context, u chat.UserID, keep chat.SignIn) ([]string, error)
	// ChangePassword does that, too, and changes the password where its hash is was,
	// both or neither.
	ChangePassword(ctx context.Context, u chat.UserID, was, hash string, keep chat.SignIn) ([]string, error)
}

// seenStep is how far behind it may be when a sign-in was last used.
const seenStep = 10 * time.Minute

// noteEvery is how often uses are noted, all at once.
const noteEvery = 5 * time.Second

// maxSeen bounds what is remembered of uses. Beyond it they may be noted again
// sooner, which costs a look.
const maxSeen = 100_000

// NoteSignIn notes a sign-in of u that was made a moment ago, by its cookie's or
// bearer token. kind is chat.Browser or chat.Program, agent a User-Agent.
func (s *Service) NoteSignIn(ctx context.Context, u chat.UserID, token, kind, agent, addr string) error {
	now := s.now().UnixMilli()
	return s.store.AddDevice(ctx, chat.SignIn{
		ID: LoginID(token), Kind: kind, Agent: Agent(agent), Addr: addr, CreatedAt: now, SeenAt: now, Hash: StoredLogin(token), User: u,
	})
}

// Saw is told of each use of a sign-in, and notes it before long. It does not block.
func (s *Service) Saw(d chat.SignIn) {
	now := s.now()
	d.SeenAt = now.UnixMilli()
	if d.CreatedAt == 0 {
		d.CreatedAt = d.SeenAt
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if now.Sub(s.seen.noted[d.Hash]) < seenStep {
		return
	}
	if len(s.seen.noted) >= maxSeen {
		clear(s.seen.noted)
	}
	if len(s.seen.next) < maxSeen {
		s.seen.noted[d.Hash] = now
		s.seen.next = append(s.seen.next, d)
	}
}

// SawLogins is Saw for those that live sockets were opened with, by what is stored of them.
func (s *Service) SawLogins(hashes map[string]bool) {
	for h, lasts := range hashes {
		if lasts {
			s.Saw(chat.SignIn{Hash: h})
		}
	}
}

// NoteSeen stores what Saw was told.
func (s *Service) NoteSeen(ctx context.Context) error {
	s.seen.mu.Lock()
	ss := s.seen.next
	s.seen.next = nil
	s.seen.mu.Unlock()
	if len(ss) == 0 {
		return nil
	}
	return s.store.SawDevices(ctx, ss, (seenStep - noteEvery).Milliseconds())
}

// Run stores what Saw was told, and sends codes to phones, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var codes sync.WaitGroup
	defer codes.Wait()
	codes.Go(func() { s.sendCodes(ctx) })
	t := time.NewTicker(noteEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.NoteSeen(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("when sign-ins were used is not noted", "err", err)
		}
	}
}

// Devices returns where u is signed in, last used first.
func (s *Service) Devices(ctx context.Context, u chat.UserID) ([]chat.SignIn, error) {
	return s.store.Devices(ctx, u)
}

// EndDevice ends the sign-in of u whose sockets go by id, or answers
// chat.NotFound. Its sockets are for who calls it.
func (s *Service) EndDevice(ctx context.Context, u chat.UserID, id string) error {
	return s.store.EndDevice(ctx, u, id)
}

// EndOthers ends all that u is signed in with but keep, and returns what the
// sockets of those that ended go by, for who calls it.
func (s *Service) EndOthers(ctx context.Context, u chat.UserID, keep chat.SignIn) ([]string, error) {
	return s.store.EndOthers(ctx, u, keep)
}

// ChangePassword gives p another password in place of old and ends all that p is
// signed in with but keep. It returns what the sockets of those that ended go by,
// for who calls it. Tries are limited as those of signing in are.
func (s *Service) ChangePassword(ctx context.Context, addr string, p chat.Person, old, password string, keep chat.SignIn) ([]string, error) {
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	was, err := s.knows(ctx, addr, p, old)
	if err != nil {
		return nil, err
	}
	if old == password {
		return nil, chat.Refuse(chat.Invalid, "the new password is the old one")
	}
	hash, err := s.hash.make(ctx, password)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.ChangePassword(ctx, p.ID, was, hash, keep)
	if err != nil {
		return nil, err
	}
	s.log.Info("password changed", "user", p.ID)
	return ended, nil
}

// Knows answers chat.Forbidden unless p, who is signed in, knows their password.
// Tries are limited as those of signing in are.
func (s *Service) Knows(ctx context.Context, addr string, p chat.Person, password string) error {
	_, err := s.knows(ctx, addr, p, password)
	return err
}

// knows is Knows and returns the hash of the password.
func (s *Service) knows(ctx context.Context, addr string, p chat.Person, password string) (string, error) {
	if password == "" {
		return "", chat.Refuse(chat.Forbidden, "the password is needed")
	}
	q, hash, err := s.password(ctx, addr, p.Username, password)
	if ref := chat.AsRefusal(err); err != nil && ref.Code == chat.SignedOut || err == nil && q.ID != p.ID {
		return "", chat.Refuse(chat.Forbidden, "the password is wrong")
	}
	if err != nil {
		return "", fmt.Errorf("check password: %w", err)
	}
	return hash, nil
}
