package session

import (
	"errors"
	"os"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxIdle is how many bytes, beyond the largest message, a peer may send between
// two heartbeats beside messages: pings, pongs and empty fragments.
const maxIdle = 64 << 10

// refusedPause slows down who goes on after being told to wait: whatever is
// sent, so many answers a second are given and no more is read.
const refusedPause = 5 * time.Millisecond

// begin is the first thing that a session does.
func (s *Session) begin() {
	if s.d.Greeting != nil {
		if !s.welcomed(s.greet) {
			s.Close(wire.ByeRestart)
			s.leave()
			return
		}
	}
	go s.read()
}

// read takes messages until the connection ends. Acting on one makes the stack
// grow, so a fresh goroutine waits for the next: an idle session has a small one.
func (s *Session) read() {
	for {
		typ, p, err := s.sock.next()
		if err != nil {
			s.Close(endOf(err))
			s.leave()
			return
		}
		s.take(typ, p)
		if s.sock.waits() {
			go s.read()
			return
		}
	}
}

// endOf is the reason for which reading ended.
func endOf(err error) string {
	if errors.Is(err, errFlood) || errors.Is(err, os.ErrDeadlineExceeded) {
		return wire.ByeFlood
	}
	return gone
}

// take acts on a message.
func (s *Session) take(typ websocket.MessageType, p []byte) {
	var fs []wire.Frame
	err := error(chat.Refuse(chat.Invalid, "frames are text"))
	if typ == websocket.MessageText {
		fs, err = s.d.Codec.Parse(p)
	}
	if err != nil {
		fs = []wire.Frame{{Body: wire.Bad{}}}
	}
	for i, f := range fs {
		if s.out.isClosed() {
			return
		}
		if err := s.counted(f); err != nil {
			s.countPosts(fs[i:], err)
			s.tooFast(refsOf(fs[i:]), err)
			return
		}
		first, hello := f.Body.(wire.Hello)
		switch {
		case err != nil:
			s.refuse("", err)
		case hello && !s.joined.Load():
			s.welcomed(func() error { return s.hello(f.Ref, first) })
		case !s.joined.Load():
			s.refuse(f.Ref, chat.Refuse(chat.Invalid, "say hello first"))
		default:
			if err := s.handle(f); err != nil {
				s.refuse(f.Ref, err)
			}
		}
	}
}

// welcomed joins the hub and lets welcome tell the client where it stands, when
// it is the session's turn. What is delivered from now on comes behind it.
func (s *Session) welcomed(welcome func() error) bool {
	s.joined.Store(true) // it is us who are slow from here on
	if s.turn = s.host.turn(); !s.turn {
		return false
	}
	defer s.giveTurn()
	if s.out.isClosed() {
		return false
	}
	s.rest()
	s.host.cfg.Hub.Join(s.host.ctx, s)
	if err := welcome(); err != nil {
		s.logged("welcome", err)
		s.Close(wire.ByeRestart)
		return false
	}
	return true
}

// giveTurn lets another session be welcomed.
func (s *Session) giveTurn() {
	if s.turn {
		s.turn = false
		<-s.host.turns
	}
}

// hello answers welcome.
func (s *Session) hello(ref string, b wire.Hello) error {
	w, err := s.host.cfg.Hub.Welcome(s.host.ctx, s, b.Sums...)
	if err != nil {
		s.refuse(ref, err)
		return err
	}
	s.Send(wire.Frame{Ref: ref, Body: w})
	s.release()
	return nil
}

// countPosts counts the posts among fs as refused.
func (s *Session) countPosts(fs []wire.Frame, why error) {
	for _, f := range fs {
		if isPost(f) {
			_ = s.host.cfg.Hub.Refused(why)
		}
	}
}

func isPost(f wire.Frame) bool {
	switch f.Body.(type) {
	case wire.Post, wire.Signal:
		return true
	}
	return false
}

// refsOf are the names of fs, which is all that is kept of frames that come too fast.
func refsOf(fs []wire.Frame) []string {
	refs := make([]string, len(fs))
	for i, f := range fs {
		refs[i] = f.Ref
	}
	return refs
}

// tooFast refuses what is left of a message, each frame by its name and all that
// have none together, and slows its sender down.
func (s *Session) tooFast(refs []string, why error) {
	told := false
	for _, ref := range refs {
		if s.out.isClosed() {
			return
		}
		s.host.cfg.Meter.TooFast()
		if ref != "" || !told {
			s.refuse(ref, why)
			told = told || ref == ""
		}
		time.Sleep(refusedPause)
	}
}

// counted counts f, or says how long the client should wait.
func (s *Session) counted(f wire.Frame) error {
	cfg := &s.host.cfg
	post := isPost(f)
	if cfg.Rate != rate.Inf {
		if s.asks == nil {
			burst := max(cfg.Burst, 1)
			s.posts, s.asks = rate.NewLimiter(cfg.Rate, burst), rate.NewLimiter(10*cfg.Rate, 10*burst)
		}
		l := s.asks
		if _, writes := f.Body.(wire.Line); post || writes {
			l = s.posts
		}
		r := l.Reserve()
		if wait := r.Delay(); wait > 0 {
			r.Cancel()
			return &chat.Refusal{Code: chat.RateLimited, Words: "too many messages, too fast", RetryAfter: wait}
		}
	}
	if post && cfg.Posts != nil {
		return cfg.Posts(s.who.User)
	}
	return nil
}

// refuse answers a frame that was not accepted.
func (s *Session) refuse(ref string, err error) {
	r := chat.AsRefusal(err)
	if r.Code == chat.Internal {
		s.logged("frame failed", err)
	}
	if s.d.Busy != nil && (r.Code == chat.Busy || r.Code == chat.RateLimited) {
		s.queue(item{data: s.d.Busy})
		return
	}
	s.Send(wire.Frame{Ref: ref, Body: room.RefusedBody(r)})
}
