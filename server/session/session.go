// Package session is one live socket: it reads frames and asks the hub, writes
// what the hub pushes through a bounded queue, keeps a heartbeat, and closes
// those that cannot keep up. It speaks any dialect of wire.Codec.
package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Config is what every session of a server shares.
type Config struct {
	Hub       *room.Hub
	Log       *slog.Logger
	Queue     int           // packets waiting for one session; 0: 4,096
	Heartbeat time.Duration // between pings; 0: 25 s
	PongWait  time.Duration // for the answer to one; 0: 20 s
	WriteWait time.Duration // for one write; 0: 15 s
	HelloWait time.Duration // for a native client's hello; 0: 15 s
	Rate      rate.Limit    // frames a second a client may send; 0: no limit
	Burst     int           // at once
	MaxFrame  int64         // bytes of one message from a client; 0: wire.MaxFrame
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.Heartbeat, 25*time.Second)
	set(&c.PongWait, 20*time.Second)
	set(&c.WriteWait, 15*time.Second)
	set(&c.HelloWait, 15*time.Second)
	if c.Queue == 0 {
		c.Queue = 4096
	}
	if c.MaxFrame == 0 {
		c.MaxFrame = wire.MaxFrame
	}
	if c.Rate == 0 {
		c.Rate = rate.Inf
	}
	return c
}

// Caller says whose session it is, and by what right.
type Caller struct {
	ID    string // of the session, unique
	User  chat.UserID
	Login string // the sign-in it belongs to: ends with it
}

// A Dialect is what differs between the two kinds of clients besides the codec.
type Dialect struct {
	Codec    wire.Codec
	Greeting []byte                     // sent at once; nil: the client says hello first, and resumes by itself
	Farewell func(reason string) []byte // sent before the close; nil: wire.Bye
	Busy     []byte                     // said instead of a refusal that is worth trying again; nil: wire.Refused
}

// A Session is one connection. The hub pushes into it from outside; everything
// else happens in Serve.
type Session struct {
	cfg   Config
	who   Caller
	ws    *websocket.Conn
	d     Dialect
	posts *rate.Limiter // what the person says
	asks  *rate.Limiter // what the program asks

	out  *queue
	done chan struct{} // closed by Close

	closing sync.Once
	reason  string // why; set before done is closed

	gate gate
}

// item is one encoded frame in the queue. Seq is that of a Posted, for the
// delivered mark of dialects whose clients send none.
type item struct {
	data []byte
	conv chat.ConvID
	seq  int64
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
	posted, isPosted := p.Frame.Body.(wire.Posted)
	if isPosted && !s.Native() && posted.Content.Kind == chat.CallK && posted.Author == s.who.User {
		return // the seed never echoes call signals
	}
	data, ok := p.Bytes(s.d.Codec)
	if !ok {
		return
	}
	it := item{data: data}
	if isPosted {
		it.conv, it.seq = posted.Conv, posted.Seq
	}
	if !s.gate.hold(it) {
		s.queue(it)
	}
}

func (s *Session) queue(it item) {
	if !s.out.put(it) {
		s.Close("slow")
	}
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

// Close ends the session with a reason of wire.Bye. It does not wait.
func (s *Session) Close(reason string) {
	s.closing.Do(func() {
		s.reason = reason
		close(s.done)
		// A peer that does not take what is being written won't take a goodbye.
		time.AfterFunc(farewellWait, func() { _ = s.ws.CloseNow() })
	})
}

// Serve runs a session on ws until the peer leaves, the hub closes it or ctx
// ends, and closes ws. It returns when all its goroutines have ended.
func Serve(ctx context.Context, ws *websocket.Conn, who Caller, d Dialect, cfg Config) {
	cfg = cfg.withDefaults()
	s := &Session{
		cfg: cfg, who: who, ws: ws, d: d,
		posts: rate.NewLimiter(cfg.Rate, max(cfg.Burst, 1)), asks: rate.NewLimiter(10*cfg.Rate, 10*max(cfg.Burst, 1)),
		out: newQueue(cfg.Queue), done: make(chan struct{}), gate: gate{limit: cfg.Queue},
	}
	ws.SetReadLimit(cfg.MaxFrame)
	// Writes must outlive the reader a little, to say why the session ends.
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	var wg sync.WaitGroup
	wg.Go(func() {
		s.write(context.WithoutCancel(ctx))
		stopReading()
	})
	wg.Go(func() { s.heartbeat(reading) })
	s.read(reading)
	s.Close("gone")
	stopReading()
	wg.Wait()
	s.cfg.Hub.Leave(context.WithoutCancel(ctx), s)
	_ = ws.CloseNow()
}

// read takes frames until the connection ends.
func (s *Session) read(ctx context.Context) {
	joined := false
	if s.d.Greeting != nil {
		s.queue(item{data: s.d.Greeting})
		s.cfg.Hub.Join(ctx, s)
		joined = true
		if err := s.sendMissed(ctx); err != nil {
			s.logged("missed messages", err)
		}
	}
	for {
		rctx, cancel := ctx, context.CancelFunc(func() {})
		if !joined {
			rctx, cancel = context.WithTimeout(ctx, s.cfg.HelloWait)
		}
		typ, p, err := s.ws.Read(rctx)
		cancel()
		if err != nil {
			if !joined && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				s.Close("idle")
			}
			return
		}
		if typ != websocket.MessageText {
			s.refuse("", chat.Refuse(chat.Invalid, "frames are text"))
			continue
		}
		fs, err := s.d.Codec.Parse(p)
		if err != nil {
			s.refuse("", err)
		}
		for _, f := range fs {
			if wait := s.tooFast(f); wait > 0 {
				s.refuse(f.Ref, &chat.Refusal{Code: chat.RateLimited, Words: "too many messages, too fast", RetryAfter: wait})
				continue
			}
			if b, ok := f.Body.(wire.Hello); ok && !joined {
				if joined = s.hello(ctx, f.Ref, b); !joined {
					return
				}
				continue
			}
			if !joined {
				s.refuse(f.Ref, chat.Refuse(chat.Invalid, "say hello first"))
				continue
			}
			if err := s.handle(ctx, f); err != nil {
				if ctx.Err() != nil {
					return
				}
				s.refuse(f.Ref, err)
			}
		}
	}
}

// hello joins the hub and answers welcome. What is delivered from now on comes
// behind it.
func (s *Session) hello(ctx context.Context, ref string, b wire.Hello) bool {
	s.cfg.Hub.Join(ctx, s)
	w, err := s.cfg.Hub.Welcome(ctx, s, b.Sums...)
	if err != nil {
		s.logged("welcome", err)
		s.refuse(ref, err)
		s.Close("restart")
		return false
	}
	s.Send(wire.Frame{Ref: ref, Body: w})
	s.release(nil)
	return true
}

// tooFast says how long the client should wait before f would be taken; 0: it is taken now.
func (s *Session) tooFast(f wire.Frame) time.Duration {
	l := s.asks
	switch f.Body.(type) {
	case wire.Post, wire.Signal:
		l = s.posts
	}
	r := l.Reserve()
	wait := r.Delay()
	if wait > 0 {
		r.Cancel()
	}
	return wait
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

func (s *Session) logged(what string, err error) {
	s.cfg.Log.Error(what, "user", s.who.User, "session", s.who.ID, "err", err)
}
