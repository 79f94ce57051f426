package link

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A pipe is a Conn in memory.
type pipe struct {
	toSrv, toCli chan []byte
	gone         chan struct{}
	once         *sync.Once
}

func newPipe() pipe {
	return pipe{make(chan []byte), make(chan []byte), make(chan struct{}), new(sync.Once)}
}

func (p pipe) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-p.toCli:
		return b, nil
	case <-p.gone:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipe) Write(ctx context.Context, b []byte) error {
	select {
	case p.toSrv <- b:
		return nil
	case <-p.gone:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p pipe) Close(int, string) error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

// A fake is a server in memory. It welcomes, stores and acknowledges posts,
// and answers questions, unless it is down, mute or busy.
type fake struct {
	mu    sync.Mutex
	dials []time.Time
	down  error
	mute  bool
	busy  int // posts still to be refused
	got   []wire.Frame
	log   []chat.Message
	refs  map[string]int64
	cur   pipe
}

func (s *fake) dial(context.Context, string) (Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, time.Now())
	if s.down != nil {
		return nil, s.down
	}
	s.cur = newPipe()
	go s.serve(s.cur)
	return s.cur, nil
}

func (s *fake) serve(p pipe) {
	for {
		select {
		case <-p.gone:
			return
		case b := <-p.toSrv:
			fs, _ := wire.V1.Parse(b)
			for _, f := range fs {
				if a := s.answer(f); a != nil {
					s.say(p, wire.Frame{Ref: f.Ref, Body: a})
				}
			}
		}
	}
}

func (s *fake) say(p pipe, f wire.Frame) {
	b, _, _ := wire.V1.Append(nil, f)
	select {
	case p.toCli <- b:
	case <-p.gone:
	}
}

func (s *fake) answer(f wire.Frame) wire.Body {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, f)
	if s.mute {
		return nil
	}
	switch b := f.Body.(type) {
	case wire.Hello:
		w := wire.Welcome{Me: chat.Person{ID: "U1"}}
		if len(s.log) > 0 {
			w.Convs = []chat.Summary{{Conv: "DU1-U2", LastSeq: int64(len(s.log))}}
		}
		return w
	case wire.List:
		l := wire.Listed{} // nothing differs
		for _, id := range b.IDs {
			l.Convs = append(l.Convs, chat.Summary{Conv: id, LastSeq: int64(len(s.log))})
		}
		return l
	case wire.Post:
		if s.busy > 0 {
			s.busy--
			return wire.Refused{Code: chat.Busy, RetryAfter: 700}
		}
		seq, ok := s.refs[f.Ref]
		if !ok {
			seq = int64(len(s.log)) + 1
			s.refs[f.Ref] = seq
			s.log = append(s.log, chat.Message{Conv: b.Conv, Seq: seq, Author: "U1", Content: b.Content})
		}
		return wire.Posted{Message: s.log[seq-1]}
	case wire.Resume:
		return wire.History{Page: chat.Page{Conv: b.Conv, Entries: s.log[min(int(b.After), len(s.log)):], LastSeq: int64(len(s.log))}}
	case wire.Before:
		return wire.History{Page: chat.Page{Conv: b.Conv, LastSeq: int64(len(s.log))}}
	case wire.Line:
		return wire.Lined{Conv: b.Conv, Line: chat.Line{}.With(b.LineChange, 1, 1)}
	case wire.Who:
		return wire.People{}
	}
	return nil
}

func (s *fake) conn() pipe { s.mu.Lock(); defer s.mu.Unlock(); return s.cur }

func (s *fake) set(f func(*fake)) { s.mu.Lock(); defer s.mu.Unlock(); f(s) }

func (s *fake) texts() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.log {
		out = append(out, m.Content.Text)
	}
	return out
}

// run starts a Client on s, and stops it when the test ends.
func run(t *testing.T, s *fake, cfg Config) *Client {
	s.refs = map[string]int64{}
	cfg.Dial = s.dial
	c := New(cfg, state.New())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

func phase(c *Client) (st state.Status) {
	c.Do(func(s *state.State) { st = s.Status() })
	return st
}

func TestPostsSurviveTheServerGoingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		c := run(t, s, Config{})
		time.Sleep(time.Second)
		c.Post("DU1-U2", chat.TextContent("one"))
		time.Sleep(time.Second)
		s.set(func(s *fake) { s.down = errors.New("down") })
		s.conn().Close(0, "")
		for _, w := range []string{"two", "three", "four"} {
			c.Post("DU1-U2", chat.TextContent(w))
			time.Sleep(time.Second)
		}
		if st := phase(c); st.Queued != 3 || st.Phase == state.Live {
			t.Fatalf("while away: %+v", st)
		}
		s.set(func(s *fake) { s.down, s.busy = nil, 2 })
		time.Sleep(time.Minute)
		if got, want := s.texts(), []string{"one", "two", "three", "four"}; !slices.Equal(got, want) {
			t.Fatalf("stored %q, want %q", got, want)
		}
		if st := phase(c); st.Queued != 0 || st.Phase != state.Live {
			t.Fatalf("afterwards: %+v", st)
		}
	})
}

func TestOpeningTakesTheMarkAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{log: []chat.Message{{Conv: "DU1-U2", Seq: 1, Author: "U2", Content: chat.TextContent("x")}}}
		c := run(t, s, Config{})
		time.Sleep(time.Second)
		c.SetLine("DU1-U2", chat.LineChange{Mark: new(true)})
		time.Sleep(time.Second)
		for range 2 { // the second time there is nothing to be told
			c.Open("DU1-U2")
			time.Sleep(time.Second)
			c.Leave()
		}
		var told []bool
		s.set(func(s *fake) {
			for _, f := range s.got {
				if l, ok := f.Body.(wire.Line); ok {
					told = append(told, *l.Mark)
				}
			}
		})
		marked := true
		c.Do(func(st *state.State) { v, _ := st.Conv("DU1-U2"); marked = v.Marked })
		if !slices.Equal(told, []bool{true, false}) || marked {
			t.Errorf("told were marks %v, and marked it is %v", told, marked)
		}
	})
}

func TestBackoffGrowsAndStaysBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{down: errors.New("down")}
		r := rand.New(rand.NewPCG(1, 2))
		c := run(t, s, Config{Rand: r.Float64})
		time.Sleep(time.Hour)
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := len(s.dials); n < 120 || n > 600 {
			t.Errorf("%d attempts in an hour", n)
		}
		for i := 1; i < len(s.dials); i++ {
			gap := s.dials[i].Sub(s.dials[i-1])
			if gap < 500*time.Millisecond && i > 1 || gap > 30*time.Second || i < 4 && gap > 2*time.Second<<(i-1) {
				t.Errorf("attempt %d came after %v", i, gap)
			}
		}
		if c.Failures() < 100 {
			t.Errorf("%d failures counted", c.Failures())
		}
	})
}

func TestComesBackWhenTheServerSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		c := run(t, s, Config{Rand: func() float64 { return 0 }})
		time.Sleep(time.Second)
		s.say(s.conn(), wire.Frame{Body: wire.Bye{Reason: "restart", ComeAfter: 45_000}})
		said := time.Now()
		time.Sleep(10 * time.Second)
		c.Wake() // does not jump the queue
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.dials) != 2 || s.dials[1].Sub(said) != 45*time.Second {
			t.Errorf("dialled at %v, told at %v to come after 45s", s.dials, said)
		}
	})
}

func TestWakeCutsTheWaitShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{down: errors.New("down")}
		c := run(t, s, Config{Rand: func() float64 { return 0.999 }})
		time.Sleep(70 * time.Second)
		s.set(func(s *fake) { s.down = nil })
		c.Wake()
		time.Sleep(time.Millisecond)
		if st := phase(c); st.Phase != state.Live {
			t.Errorf("after Wake: %v", st.Phase)
		}
	})
}

// TestSilentServerIsLeft: a connection that no longer carries anything, as
// after a change of networks, is found out by a post without an answer, by
// Wake, or by Silence.
func TestSilentServerIsLeft(t *testing.T) {
	for name, does := range map[string]func(*Client){
		"post":    func(c *Client) { c.Post("DU1-U2", chat.TextContent("x")) },
		"wake":    func(c *Client) { c.Wake() },
		"silence": func(*Client) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fake{}
				c := run(t, s, Config{Silence: 75 * time.Second})
				time.Sleep(10 * time.Second)
				s.set(func(s *fake) { s.mute = true })
				does(c)
				time.Sleep(30 * time.Second)
				if name == "silence" {
					time.Sleep(60 * time.Second)
				}
				s.set(func(s *fake) {
					if s.mute = false; len(s.dials) < 2 {
						t.Errorf("never dialled again")
					}
				})
				time.Sleep(time.Minute)
				if st := phase(c); st.Phase != state.Live || st.Queued != 0 {
					t.Errorf("afterwards: %+v", st)
				}
			})
		})
	}
}

func TestAQuietConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		run(t, s, Config{Silence: 75 * time.Second})
		time.Sleep(24 * time.Hour)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.dials) != 1 {
			t.Errorf("dialled %d times", len(s.dials))
		}
	})
}

func TestMarksAndTypingAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		c := run(t, s, Config{})
		time.Sleep(time.Second)
		for i := range int64(100) {
			s.say(s.conn(), wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "DU1-U2", Seq: i + 1, Author: "U2", Content: chat.TextContent("x")}}})
			c.Typing("DU1-U2")
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		s.mu.Lock()
		defer s.mu.Unlock()
		var seen, typing int
		var last int64
		for _, f := range s.got {
			switch b := f.Body.(type) {
			case wire.Seen:
				seen++
				last = b.Delivered
			case wire.Typing:
				typing++
			}
		}
		if seen > 7 || last != 100 || typing != 1 {
			t.Errorf("%d seen up to %d, %d typing", seen, last, typing)
		}
	})
}

func TestSignedOutEndsRun(t *testing.T) {
	for name, say := range map[string]wire.Body{
		"bye": wire.Bye{Reason: "signed_out"}, "refused": wire.Refused{Code: chat.SignedOut},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fake{refs: map[string]int64{}}
				c := New(Config{Dial: s.dial}, state.New())
				done := make(chan error, 1)
				go func() { done <- c.Run(t.Context()) }()
				time.Sleep(time.Second)
				s.say(s.conn(), wire.Frame{Body: say})
				if err := <-done; !errors.Is(err, ErrSignedOut) {
					t.Errorf("Run ended with %v", err)
				}
				if st := phase(c); st.Phase != state.SignedOut {
					t.Errorf("phase %v", st.Phase)
				}
			})
		})
	}
}

// TestRealSocket runs the default Dial against a real HTTP server.
func TestRealSocket(t *testing.T) {
	s := &fake{refs: map[string]int64{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"kamachat.v1"}})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		for {
			_, p, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			fs, _ := wire.V1.Parse(p)
			for _, f := range fs {
				if a := s.answer(f); a != nil {
					b, _, _ := wire.V1.Append(nil, wire.Frame{Ref: f.Ref, Body: a})
					ws.Write(r.Context(), websocket.MessageText, b)
				}
			}
		}
	}))
	defer srv.Close()
	defer http.DefaultClient.CloseIdleConnections()
	url := "ws" + strings.TrimPrefix(srv.URL, "http")

	if err := New(Config{URL: url, Token: "bad"}, state.New()).Run(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Fatalf("with a bad token: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stored := make(chan struct{}, 100)
	c := New(Config{URL: url, Token: "good", OnChange: func(state.Change) { stored <- struct{}{} }}, state.New())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	c.Post("DU1-U2", chat.TextContent("hello"))
	for len(s.texts()) == 0 || phase(c).Queued > 0 {
		select {
		case <-stored:
		case <-time.After(5 * time.Second):
			t.Fatal("not stored within 5s")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}
