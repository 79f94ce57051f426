package session

import (
	"context"

	"kamachat/shared/wire"
)

// tick is what the session's timer does: it ends a peer that has not said hello
// in time, pings one that has, and cuts one that does not let itself be closed.
func (s *Session) tick() {
	if !s.enter() {
		return
	}
	defer s.leave()
	switch {
	case s.out.isClosed():
		_ = s.sock.raw.Close()
	case !s.joined.Load():
		s.Close(wire.ByeIdle)
	case s.out.isWriting():
		s.sock.raw.rest()
		s.rest() // the deadline of the write under way tells whether the peer is there
	case s.ping() != nil:
		s.Close(gone)
	default:
		s.rest()
	}
}

// ping asks the peer whether it is there. The reader sees the answer.
func (s *Session) ping() error {
	s.sock.raw.rest()
	ctx, cancel := context.WithTimeout(s.host.ctx, s.host.cfg.PongWait)
	defer cancel()
	return s.sock.Ping(ctx)
}

// rest sets the timer for the next ping.
func (s *Session) rest() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if !s.out.closed {
		s.beat.Reset(s.host.cfg.Heartbeat)
	}
}
