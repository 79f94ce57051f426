package session

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Config is what every session of a server shares.
type Config struct {
	Hub       *room.Hub
	Log       *slog.Logger
	Queue     int                     // packets waiting for one session; 0: 4,096
	Heartbeat time.Duration           // between pings; 0: 25 s
	PongWait  time.Duration           // for the answer to one; 0: 20 s
	WriteWait time.Duration           // for one write; 0: 15 s
	ReadWait  time.Duration           // for all of a message once it has begun; 0: 30 s
	HelloWait time.Duration           // for a native client's hello; 0: 15 s
	Rate      rate.Limit              // frames a second one connection may send; 0: no limit
	Burst     int                     // at once
	Posts     func(chat.UserID) error // counts a post of a person, over all connections, or refuses it; nil: no limit
	MaxFrame  int64                   // bytes of one message from a client; 0: wire.MaxFrame
	Welcomes  int                     // made at a time; 0: four for each processor
	Rand      func() float64          // in [0,1), for when clients come back after Drain; nil: math/rand
	Meter     Meter                   // nil: nobody counts
}

// A Meter is told what sessions do. Its methods are called from many
// goroutines, on the way of every frame: they must be quick and not block.
type Meter interface {
	Opened(native bool)      // a socket became a session
	Closed(reason string)    // of wire.Bye, or "gone"
	Wrote(frames, bytes int) // in one write
	TooFast()                // a frame was refused for its sender's pace
}

// unmeasured is for those who do not ask.
type unmeasured struct{}

func (unmeasured) Opened(bool)    {}
func (unmeasured) Closed(string)  {}
func (unmeasured) Wrote(int, int) {}
func (unmeasured) TooFast()       {}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.Heartbeat, 25*time.Second)
	set(&c.PongWait, 20*time.Second)
	set(&c.WriteWait, 15*time.Second)
	set(&c.ReadWait, 30*time.Second)
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
	if c.Meter == nil {
		c.Meter = unmeasured{}
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Welcomes == 0 {
		c.Welcomes = 4 * runtime.GOMAXPROCS(0)
	}
	return c
}

// A Host has the sessions of one process: what they share, whose turn it is to
// be welcomed, and their end.
type Host struct {
	cfg     Config
	ctx     context.Context // of what sessions ask; ends with Drain
	stop    context.CancelFunc
	turns   chan struct{} // welcomes under way; those who wait are served in order
	waiting atomic.Int64  // for a turn
	longest atomic.Int64  // queue of a session; see Longest

	draining atomic.Bool // set under mu

	mu    sync.Mutex
	live  map[*Session]struct{}
	empty chan struct{} // closed when draining and nobody is left
}

// NewHost returns a host with no session.
func NewHost(c Config) *Host {
	h := &Host{cfg: c.withDefaults(), live: map[*Session]struct{}{}, empty: make(chan struct{})}
	h.turns = make(chan struct{}, h.cfg.Welcomes)
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// Serve runs a session on sock and returns at once. The session lasts until the
// peer leaves, the hub closes it or Drain does; then ended is called, with
// nothing of it left.
func (h *Host) Serve(sock *Socket, who Caller, d Dialect, ended func()) {
	s := &Session{host: h, who: who, sock: sock, d: d}
	s.out.limit, s.gate.limit = h.cfg.Queue, h.cfg.Queue
	s.ended = ended
	if !s.Native() {
		s.cursor = &cursor{}
	}
	sock.SetReadLimit(h.cfg.MaxFrame)
	sock.raw.writeWait, sock.raw.readWait, sock.raw.mayIdle = h.cfg.WriteWait, h.cfg.ReadWait, h.cfg.MaxFrame+maxIdle
	s.parts.Store(1)
	s.out.mu.Lock() // tick may run before we go on
	s.beat = time.AfterFunc(h.cfg.HelloWait, s.tick)
	s.out.mu.Unlock()
	h.mu.Lock()
	late := h.draining.Load()
	if !late {
		h.live[s] = struct{}{}
	}
	h.mu.Unlock()
	if late {
		s.beat.Stop()
		_ = sock.CloseNow()
		ended()
		return
	}
	h.cfg.Meter.Opened(s.Native())
	go s.begin()
}

// gone forgets a session that has ended.
func (h *Host) gone(s *Session) {
	h.mu.Lock()
	delete(h.live, s)
	last := h.draining.Load() && len(h.live) == 0
	h.mu.Unlock()
	if last {
		close(h.empty)
	}
}

// Waiting is how many sessions wait for their welcome.
func (h *Host) Waiting() int { return int(h.waiting.Load()) }

// Limit is how many frames may wait for one session.
func (h *Host) Limit() int { return h.cfg.Queue }

// Longest is how many frames waited at most for one session, to be written or
// for its welcome, since it was last asked.
func (h *Host) Longest() int { return int(h.longest.Swap(0)) }

// queued notes that so many frames waited for a session.
func (h *Host) queued(n int) {
	for longest := h.longest.Load(); int64(n) > longest && !h.longest.CompareAndSwap(longest, int64(n)); {
		longest = h.longest.Load()
	}
}

// Len is how many sessions there are, welcomed or not.
func (h *Host) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.live)
}

// turn waits until a welcome may be made, costing nothing but a place in the
// line meanwhile. It answers false when the process ends. The caller gives the
// turn back with <-h.turns.
func (h *Host) turn() bool {
	h.waiting.Add(1)
	defer h.waiting.Add(-1)
	select {
	case h.turns <- struct{}{}:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// Draining reports whether Drain was called: no session is begun any more.
func (h *Host) Draining() bool { return h.draining.Load() }

const (
	// answersWait is how long a drain waits for answers to posts that were accepted.
	answersWait = 2 * time.Second
	// comeBack is the soonest that a client may be back after a drain.
	comeBack = time.Second
	// comeRate is how many clients a second come back after one.
	comeRate = 500
)

// slot is when client i of n may be back after a drain: spread over n/500 s, at
// least 1 s. jitter is in [0, 1).
func slot(i, n int, jitter float64) time.Duration {
	window := max(time.Second, time.Duration(n)*time.Second/comeRate)
	return comeBack + time.Duration((float64(i)+jitter)/float64(n)*float64(window))
}

// Drain begins no session any more and ends those that there are: posts are
// refused, those accepted are answered, what is queued is written, and each
// peer is told when to come back. It returns when no session is left, or when
// ctx ends, which cuts those that are.
func (h *Host) Drain(ctx context.Context) {
	defer h.stop()
	h.mu.Lock()
	if h.draining.Swap(true) {
		h.mu.Unlock()
		return
	}
	all := make([]*Session, 0, len(h.live))
	for s := range h.live {
		all = append(all, s)
	}
	h.mu.Unlock()
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b *Session) int { return cmp.Compare(a.who.ID, b.who.ID) })
	for until := time.Now().Add(answersWait); time.Now().Before(until) && ctx.Err() == nil && unanswered(all); {
		time.Sleep(10 * time.Millisecond)
	}
	for i, s := range all {
		s.end(wire.ByeRestart, slot(i, len(all), h.cfg.Rand()))
	}
	select {
	case <-h.empty:
	case <-ctx.Done():
		for _, s := range all {
			_ = s.sock.raw.Close()
		}
	}
}

func unanswered(ss []*Session) bool {
	for _, s := range ss {
		if s.unanswered.Load() > 0 {
			return true
		}
	}
	return false
}
