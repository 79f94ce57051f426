// Package session is one live socket: it reads frames and asks the hub, writes
// what the hub pushes through a bounded queue, keeps a heartbeat, and closes
// those that cannot keep up. It speaks any dialect of wire.Codec.
//
// An idle session is one goroutine that waits in a read with a small stack, a
// timer, and next to no buffers; docs/decisions/012-small-sessions.md tells why
// it is made the way it is.
package session

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Caller says whose session it is, and by what right.
type Caller struct {
	ID    string // of the session, unique
	User  chat.UserID
	Login string // the sign-in it belongs to: ends with it
	Proof string // what Rights knows the sign-in by; empty: nobody asks
}

// A Dialect is what differs between the two kinds of clients besides the codec.
type Dialect struct {
	Codec    wire.Codec
	Greeting []byte                     // sent at once; nil: the client says hello first, and resumes by itself
	Farewell func(reason string) []byte // sent before the close; nil: wire.Bye
	Busy     []byte                     // said instead of a refusal that is worth trying again; nil: wire.Refused
}

// A Session is one connection. The hub pushes into it from outside.
//
// Its parts are the reader, which also acts on what it reads; the writer, while
// there is something to write; and the heartbeat, while a ping is under way.
// The last part to leave ends the session.
type Session struct {
	host  *Host
	who   Caller
	sock  *Socket
	d     Dialect
	ended func()
	parts atomic.Int32

	out        queue
	gate       gate
	cursor     *cursor      // of clients that can't resume; nil: it can
	unanswered atomic.Int32 // posts that were accepted, or are about to be
	joined     atomic.Bool

	turn  bool          // it may make its welcome; the reader's, or begin's
	posts *rate.Limiter // what the person says; made with the first frame
	asks  *rate.Limiter // what the program asks

	beat *time.Timer // runs tick; set again under out.mu

	// Set before out is closed.
	reason    string
	comeAfter time.Duration
}

// item is one encoded frame in the queue. Seq is that of a Posted, for the
// delivered mark of dialects whose clients send none.
type item struct {
	data []byte
	conv chat.ConvID
	seq  int64
	own  bool // the entry is its reader's
	call bool // it rings, and is never among what was missed
}

// marks are how far a reader has got who was written it.
func (it item) marks() chat.Marks {
	m := chat.Marks{Conv: it.conv, Delivered: it.seq}
	if it.own {
		m.Read = it.seq
	}
	return m
}

var _ room.Conn = (*Session)(nil)

// ID returns the session's name.
func (s *Session) ID() string { return s.who.ID }

// User returns whose session it is.
func (s *Session) User() chat.UserID { return s.who.User }

// Login returns what the session was signed in with.
func (s *Session) Login() string { return s.who.Login }

// Native reports whether the client speaks the native dialect.
func (s *Session) Native() bool { return s.d.Codec.Name() != "" }

// Push queues a packet, or keeps it until the client knows where it stands. When the queue is full the session ends as "slow".
func (s *Session) Push(p *wire.Packet) {
	if s.cursor == nil {
		if data, ok := p.Bytes(s.d.Codec); ok {
			s.give(item{data: data})
		}
	} else {
		s.give(s.itemFor(p))
	}
	if p.Frame.Ref != "" {
		s.answered()
	}
}

// itemFor is what a client that can't resume gets of p. It may be nothing, and
// counts in its conversation all the same.
func (s *Session) itemFor(p *wire.Packet) item {
	var it item
	if posted, ok := p.Frame.Body.(wire.Posted); ok {
		if it = itemOf(posted.Message, s.who.User); it.call && it.own {
			return it // the seed never echoes call signals
		}
	}
	if data, ok := p.Bytes(s.d.Codec); ok {
		it.data = data
	}
	return it
}

// give queues it, or keeps it until the client knows where it stands.
func (s *Session) give(it item) {
	if !s.gate.hold(it) {
		s.pass(it)
	}
}

// pass queues it, an entry for who can't resume when it is its turn.
func (s *Session) pass(it item) {
	switch {
	case s.cursor != nil && it.seq > 0:
		s.sendInOrder(it)
	case it.data != nil:
		s.queue(it)
	}
}

// answered counts an answer to a post. Another device's may count as ours: it
// only decides how long a drain waits.
func (s *Session) answered() {
	if s.unanswered.Add(-1) < 0 {
		s.unanswered.Add(1)
	}
}

func (s *Session) queue(it item) {
	if !s.out.put(it, s.startWriter) {
		s.Close(wire.ByeSlow)
	}
}

// startWriter begins the part that writes. It is called under out.mu: a session
// whose queue has decided to write has not ended.
func (s *Session) startWriter() {
	s.parts.Add(1)
	go s.write()
}

// Send queues a frame for this session alone.
func (s *Session) Send(f wire.Frame) {
	data, ok, err := s.d.Codec.Append(nil, f)
	if err != nil {
		s.logged("frame not written", err)
	} else if ok {
		s.queue(item{data: data})
	}
}

// gone is the reason of sessions whose peer has left: it can't be told.
const gone = "gone"

// comeAfter is when a client may be back after being closed for a reason.
var comeAfter = map[string]time.Duration{wire.ByeSlow: time.Second, wire.ByeRestart: time.Second, wire.ByeFlood: time.Minute}

// Close ends the session with a reason of wire.Bye. It does not wait.
func (s *Session) Close(reason string) { s.end(reason, comeAfter[reason]) }

// farewellWait bounds the end of a session, in which its peer may no longer read.
const farewellWait = 2 * time.Second

// end is Close that tells the peer when to be back.
func (s *Session) end(reason string, back time.Duration) {
	q := &s.out
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	s.reason, s.comeAfter = reason, back
	if !q.writing {
		s.startWriter()
	}
	q.closed, q.writing = true, true
	q.easeLocked()
	// A peer that does not take what is being written won't take a goodbye: see tick.
	s.beat.Reset(farewellWait)
}

// cut reports whether the session is closed and what is queued is not worth
// writing: a slow peer resumes.
func (s *Session) cut() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.closed && (s.reason == wire.ByeSlow || s.reason == gone)
}

// enter begins another part of the session, or answers false when it has ended.
func (s *Session) enter() bool {
	for {
		n := s.parts.Load()
		if n == 0 {
			return false
		}
		if s.parts.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave ends a part of the session, and with the last one the session.
func (s *Session) leave() {
	if s.parts.Add(-1) > 0 {
		return
	}
	s.beat.Stop()
	_ = s.sock.CloseNow()
	s.host.cfg.Hub.Leave(context.WithoutCancel(s.host.ctx), s)
	s.host.cfg.Meter.Closed(s.reason)
	s.ended()
	s.host.gone(s)
}

func (s *Session) logged(what string, err error) {
	s.host.cfg.Log.Error(what, "user", s.who.User, "session", s.who.ID, "err", err)
}
