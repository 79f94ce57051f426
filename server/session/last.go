package session

import (
	"context"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Rights tells which of the logins, by Caller.Proof, and which of us may still be here.
type Rights func(ctx context.Context, proofs []string, us []chat.UserID) (map[string]bool, map[chat.UserID]bool, error)

// Whether sessions may last is looked up so often, and soon after word of a
// sign-out may have been lost.
const (
	lookUpEvery = 30 * time.Second
	lookUpSoon  = 2 * time.Second
)

// Watch ends the sessions whose login or account has ended, until ctx ends. They
// are told of that at once where it happens; this is for where nobody heard.
// losses counts how often that may have been; nil: never.
func (h *Host) Watch(ctx context.Context, rights Rights, losses func() (now bool, times int64)) {
	t := time.NewTicker(lookUpSoon)
	defer t.Stop()
	var known int64
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		times := known
		if losses != nil {
			_, times = losses()
		}
		if times == known && time.Since(last) < lookUpEvery {
			continue
		}
		last = time.Now()
		if err := h.lookUp(ctx, rights); err != nil {
			if ctx.Err() == nil {
				h.cfg.Log.Warn("whether sign-ins last is not known, will be asked again", "err", err)
			}
			continue
		}
		known = times
	}
}

// lookUp ends the sessions that may not last.
func (h *Host) lookUp(ctx context.Context, rights Rights) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	logins, people := map[string]bool{}, map[chat.UserID]bool{}
	h.mu.Lock()
	ss := make([]*Session, 0, len(h.live))
	for s := range h.live {
		if s.who.Proof != "" {
			ss = append(ss, s)
		}
	}
	h.mu.Unlock()
	if len(ss) == 0 {
		return nil
	}
	proofs, us := make([]string, 0, len(ss)), make([]chat.UserID, 0, len(ss))
	for _, s := range ss {
		if !logins[s.who.Proof] {
			logins[s.who.Proof] = true
			proofs = append(proofs, s.who.Proof)
		}
		if !people[s.who.User] {
			people[s.who.User] = true
			us = append(us, s.who.User)
		}
	}
	logins, people, err := rights(ctx, proofs, us)
	if err != nil {
		return err
	}
	for _, s := range ss {
		if !logins[s.who.Proof] || !people[s.who.User] {
			s.Close(wire.ByeSignedOut)
		}
	}
	return nil
}
