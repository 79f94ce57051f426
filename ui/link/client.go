// Package link is the browser's one connection to the server. Machine decides
// when to dial, what to send and when to give up; Client does it.
package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// ErrSignedOut ends Run, and is what a Dial wraps when the server does not know the session.
var ErrSignedOut = errors.New("signed out")

// A Conn is an open WebSocket of text messages.
type Conn interface {
	// Read returns the next message. It ends with ctx, and the connection with it.
	Read(ctx context.Context) ([]byte, error)
	// Write sends one message. It ends with ctx, and the connection with it.
	Write(ctx context.Context, p []byte) error
	// Close ends the connection without waiting for the other side.
	Close(code int, reason string) error
}

// A Config says how to connect. Zero values are the defaults named.
type Config struct {
	URL      string                                              // ws:// or wss://, the server's /ws
	Token    string                                              // sent as Authorization: Bearer; the browser has its cookie instead
	Device   string                                              // a stable name of this browser
	Build    string                                              // of this client
	Silence  time.Duration                                       // ask for a sign of life after so long without a frame; 0: never
	Dial     func(ctx context.Context, url string) (Conn, error) // coder/websocket
	Now      func() int64                                        // Unix milliseconds; the system's clock
	Rand     func() float64                                      // in [0,1), for back-off; math/rand
	OnChange func(state.Change)                                  // called without a lock, from any goroutine
	Log      func(what string, err error)                        // nil: none. Not slog: it would be 40 kB of the browser's program
}

// dialIn bounds one attempt to connect.
const dialIn = 20 * time.Second

// A Client keeps one connection for one State. Its methods may be called from
// any goroutine and never block on the network.
type Client struct {
	cfg    Config
	orders chan struct{} // there is something new for Run; holds one

	mu   sync.Mutex // guards all below, and the State
	st   *state.State
	m    *Machine
	dial bool
	over bool
	next int64
	cur  *session // the open connection, or nil
}

// New returns a Client for st, which from now on only the Client's methods may touch.
func New(cfg Config, st *state.State) *Client {
	if cfg.Dial == nil {
		cfg.Dial = dialer(cfg.Token)
	}
	if cfg.Now == nil {
		cfg.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Float64
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func(state.Change) {}
	}
	if cfg.Log == nil {
		cfg.Log = func(string, error) {}
	}
	hello := wire.Hello{Device: cfg.Device, Build: cfg.Build}
	m := NewMachine(st, hello, cfg.Silence.Milliseconds(), cfg.Rand)
	return &Client{cfg: cfg, orders: make(chan struct{}, 1), st: st, m: m}
}

// Run keeps the connection until ctx ends or the person is signed out, and
// returns once all its goroutines have ended. It may be run again.
func (c *Client) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	c.act(c.m.Start)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		c.mu.Lock()
		dial, over, next := c.dial, c.over, c.next
		c.dial, c.over = false, false
		c.mu.Unlock()
		switch {
		case over:
			return ErrSignedOut
		case dial:
			wg.Go(func() { c.connect(ctx) })
		}
		timer.Stop()
		if next != 0 {
			timer.Reset(time.Duration(max(next-c.cfg.Now(), 1)) * time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.orders:
		case <-timer.C:
			c.act(c.m.Tick)
		}
	}
}

// act asks the Machine and passes its orders on.
func (c *Client) act(decide func(now int64) Out) {
	ch := c.decide(decide)
	nudge(c.orders)
	if !ch.Empty() {
		c.cfg.OnChange(ch)
	}
}

func (c *Client) decide(decide func(now int64) Out) state.Change {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := decide(c.cfg.Now())
	c.dial = c.dial || o.Dial
	c.over = c.over || o.Over
	c.next = o.Next
	if c.cur != nil {
		c.cur.orderLocked(o)
	}
	return o.Change
}

// nudge leaves a note where one is not waiting already.
func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// did runs f, an act of the person, and sends what follows from it.
func (c *Client) did(f func(st *state.State, now int64) state.Change) {
	c.act(func(now int64) Out { return c.m.Did(f(c.st, now), now) })
}

// Do runs f with the State to itself. f must not call the Client.
func (c *Client) Do(f func(*state.State)) {
	c.did(func(st *state.State, _ int64) state.Change { f(st); return state.Change{} })
}

// Post puts content into the outbox and returns its Ref, "" where the outbox is full.
func (c *Client) Post(conv chat.ConvID, content chat.Content) (ref string) {
	c.did(func(st *state.State, now int64) state.Change {
		ref = NewRef(now)
		ch, ok := st.Add(conv, content, ref, now)
		if !ok {
			ref = ""
		}
		return ch
	})
	return ref
}

// PostAs is Post under a ref made before. It reports whether the post is in the
// outbox now: it is not where that is full, or had the ref already.
func (c *Client) PostAs(conv chat.ConvID, content chat.Content, ref string) (ok bool) {
	c.did(func(st *state.State, now int64) (ch state.Change) {
		ch, ok = st.Add(conv, content, ref, now)
		return ch
	})
	return ok
}

// SetLine changes what the person has made of conv in the list, and reports whether
// that is on its way.
func (c *Client) SetLine(conv chat.ConvID, by chat.LineChange) (ok bool) {
	c.did(func(st *state.State, now int64) (ch state.Change) {
		ch, ok = st.SetLine(conv, by, NewRef(now), now)
		return ch
	})
	return ok
}

// Retry sends a failed post again.
func (c *Client) Retry(ref string) {
	c.did(func(st *state.State, now int64) state.Change { return st.Retry(ref, now) })
}

// Discard gives a failed post up.
func (c *Client) Discard(ref string) {
	c.did(func(st *state.State, _ int64) state.Change { return st.Discard(ref) })
}

// Restore puts posts kept over a reload back into the outbox, unless somebody
// else than me has signed in by now.
func (c *Client) Restore(me chat.UserID, us []state.Unsent) {
	c.did(func(st *state.State, _ int64) (ch state.Change) {
		if st.Me().ID == me {
			ch = st.Restore(us)
		}
		return ch
	})
}

// Remember folds entries of conv that were kept, as State.Remember, and reports
// whether they were of use.
func (c *Client) Remember(conv chat.ConvID, es []chat.Message) (ok bool) {
	c.did(func(st *state.State, _ int64) (ch state.Change) { ch, ok = st.Remember(conv, es); return ch })
	return ok
}

// RememberPast folds entries of conv that were kept, as State.RememberPast, and
// reports whether they were of use.
func (c *Client) RememberPast(conv chat.ConvID, es []chat.Message) (ok bool) {
	c.did(func(st *state.State, _ int64) (ch state.Change) { ch, ok = st.RememberPast(conv, es); return ch })
	return ok
}

// Jump shows conv around the entry seq.
func (c *Client) Jump(conv chat.ConvID, seq int64) {
	c.did(func(st *state.State, now int64) state.Change { return st.Jump(conv, seq, now) })
}

// Around asks for more of what Jump shows.
func (c *Client) Around(conv chat.ConvID, newer bool) {
	c.did(func(st *state.State, now int64) state.Change { return st.Around(conv, newer, now) })
}

// Latest goes back from what Jump showed to the end of conv.
func (c *Client) Latest(conv chat.ConvID) {
	c.did(func(st *state.State, _ int64) state.Change { return st.Latest(conv) })
}

// Open shows conv, and asks for its newest page where it is not here. "" shows none.
func (c *Client) Open(conv chat.ConvID) {
	c.did(func(st *state.State, now int64) state.Change {
		ch := st.Open(conv).Merge(st.Ask(conv, now))
		if v, _ := st.Conv(conv); v.Marked {
			more, _ := st.SetLine(conv, chat.LineChange{Mark: new(bool)}, NewRef(now), now)
			ch = ch.Merge(more)
		}
		return ch
	})
}

// Leave shows no conversation.
func (c *Client) Leave() { c.Open("") }

// Older asks for the page before the oldest entry held.
func (c *Client) Older(conv chat.ConvID) {
	c.did(func(st *state.State, now int64) state.Change { return st.Older(conv, now) })
}

// Read says that the person has read conv up to seq.
func (c *Client) Read(conv chat.ConvID, seq int64) {
	c.did(func(st *state.State, _ int64) state.Change { return st.Seen(conv, seq) })
}

// Typing says that the person types in conv; call it at every key.
func (c *Client) Typing(conv chat.ConvID) {
	c.act(func(now int64) Out { return c.m.Typing(conv, now) })
}

// Signal sends a call signal; while not connected it is lost.
func (c *Client) Signal(conv chat.ConvID, call chat.Call) {
	f := wire.Frame{Body: wire.Signal{Conv: conv, Call: call}}
	c.act(func(now int64) Out { return c.m.Signal(f, now) })
}

// Look says whether the page is out of sight.
func (c *Client) Look(hidden bool) {
	c.act(func(now int64) Out { return c.m.Look(hidden, now) })
}

// Wake says that the browser came online or into view.
func (c *Client) Wake() { c.act(c.m.Wake) }

// SignOut ends everything, as when the view has learned that the session is over.
func (c *Client) SignOut() { c.act(c.m.SignedOut) }

// More has the next page of the conversation list loaded now.
func (c *Client) More() {
	c.did(func(st *state.State, now int64) state.Change { return st.More(now) })
}

// Failures returns the attempts in a row that failed, as Machine.Failures. A browser does not say
// why a WebSocket could not be opened: after a few, ask over HTTP whether the
// session still stands, and call SignOut if not.
func (c *Client) Failures() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.Failures()
}
