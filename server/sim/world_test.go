package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"kamachat/server/classic"
	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A world is everything: a store, one server at a time, devices.
type world struct {
	plan  *plan
	base  roomtest.Base
	start time.Time
	trace *trace
	log   *slog.Logger
	wg    sync.WaitGroup // all goroutines but those of devices

	over    atomic.Bool  // no server is started any more
	jumped  atomic.Int64 // nanoseconds that the server's clock has jumped
	devices []*device

	mu    sync.Mutex
	srv   *server // nil while it is down
	made  map[chat.ConvID]bool
	wrung []string // promises seen broken while it ran
}

// newWorld returns a world where nobody is there yet. open makes its store.
func newWorld(t *testing.T, p *plan, tr *trace, open func(now func() time.Time, id func() int64) roomtest.Base) *world {
	w := &world{plan: p, start: time.Now(), trace: tr, made: map[chat.ConvID]bool{}, log: slog.New(slog.DiscardHandler)}
	tr.start = w.start
	if tr.out != nil {
		w.log = slog.New(slog.NewTextHandler(tr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	w.base = open(w.now, newIDs(w.now).Next)
	for _, u := range p.users {
		if err := w.base.AddUser(t.Context(), chat.Person{ID: u, Username: string(u), Nickname: "Nick " + string(u)}, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range p.convs {
		if who := p.groups[g]; who != nil {
			w.made[g] = true
			if err := w.base.CreateGroup(t.Context(), g, "Group "+string(g), who[0], who, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, v := range p.devices {
		w.devices = append(w.devices, newDevice(w, i, v))
	}
	return w
}

func (w *world) since() time.Duration { return time.Since(w.start) }

// now is the server's clock.
func (w *world) now() time.Time { return wall(time.Duration(w.jumped.Load())) }

// wall is a clock that is off by something. A bubble begins in the year 2000,
// before ids do.
func wall(off time.Duration) time.Time { return time.Now().AddDate(26, 0, 0).Add(off) }

func (w *world) during(what string, dev int) (window, bool) {
	return w.plan.during(what, dev, w.since())
}

// lag is how long bytes written now take to a device or from it. All that is
// written in one instant takes equally long.
func (w *world) lag(dev int) time.Duration {
	l := w.plan.devices[dev].lag
	if s, ok := w.during("slow", dev); ok {
		w.fault("slow")
		l += s.by
	}
	return l + time.Duration(w.plan.chance("lag", int64(dev), int64(w.since()))*float64(l))
}

// wrong notes a promise that is broken.
func (w *world) wrong(form string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrung = append(w.wrung, fmt.Sprintf(form, args...))
}

func (w *world) note(what, form string, args ...any) { w.trace.note(what, form, args...) }

func (w *world) fault(what string) { w.trace.fault(what) }

// A server is one life of the server process.
type server struct {
	w      *world
	hub    *room.Hub
	faulty *faulty
	host   *session.Host
	ids    *chat.IDs
	ctx    context.Context
	stop   context.CancelFunc
	heart  chan struct{}
	once   sync.Once
	dead   chan struct{}
	fate   atomic.Value // how the next commit kills it, ""
	down   atomic.Int64 // nanoseconds until the next one starts

	mu      sync.Mutex
	refuses bool           // no new connection
	conns   map[*conn]bool // its ends; true: of a client of the seed
}

// boot starts a server on the store.
func (w *world) boot() {
	p := w.plan
	s := &server{w: w, ids: newIDs(w.now), heart: make(chan struct{}), dead: make(chan struct{}), conns: map[*conn]bool{}}
	s.fate.Store("")
	s.faulty = &faulty{Base: w.base, s: s}
	s.ctx, s.stop = context.WithCancel(context.Background())
	var fan room.Fanout = inproc.NewFanout(p.fanout)
	var losses room.Losses
	if p.lossy {
		fan = &lossy{Fanout: fan, s: s}
		losses = func() (bool, int64) { return true, 0 }
	}
	s.hub = room.NewHub(room.Config{
		Store: s.faulty, People: s.faulty, Carrier: carrier{inproc.NewCarrier(p.carrier, p.lanes), w}, Fanout: fan, Presence: inproc.NewPresence(),
		Log: w.log, Now: w.now, Build: "sim", MaxRooms: p.rooms, Losses: losses,
	})
	s.host = session.NewHost(session.Config{
		Hub: s.hub, Log: w.log, Meter: meter{w}, Queue: p.queue, Rate: rate.Limit(p.rate), Burst: 2 * p.rate, Welcomes: p.welcomes,
		Rand: func() float64 { return p.chance("slot", int64(w.since())) },
	})
	w.wg.Go(func() {
		defer close(s.heart)
		if err := s.hub.Run(s.ctx); err != nil && !errors.Is(err, errAway) && !s.isDead() {
			w.wrong("the hub ended with %v", err)
		}
	})
	w.mu.Lock()
	w.srv = s
	w.mu.Unlock()
	w.note("server", "is up")
}

func (s *server) isDead() bool {
	select {
	case <-s.dead:
		return true
	default:
		return false
	}
}

// kill ends a server as SIGKILL does: nothing of it reaches the store or the
// net from now on. What its goroutines still do, they do for themselves.
func (w *world) kill(s *server) {
	s.once.Do(func() {
		w.note("server", "is killed")
		close(s.dead)
		w.mu.Lock()
		w.srv = nil
		w.mu.Unlock()
		s.mu.Lock()
		s.refuses = true
		for c, seeds := range s.conns {
			cut(c, seeds)
		}
		s.mu.Unlock()
		s.stop()
		w.wg.Go(func() {
			over, end := context.WithCancel(context.Background())
			end()
			s.host.Drain(over)
			time.Sleep(time.Duration(s.down.Load()))
			if !w.over.Load() {
				w.boot()
			}
		})
	})
}

// cut ends a connection. The seed's clients acknowledge nothing, so that what was
// written to them counts as delivered: they get what is on its way.
func cut(c *conn, seeds bool) {
	if seeds {
		_ = c.Close()
		return
	}
	c.cut()
}

// drain ends a server as SIGTERM does.
func (w *world) drain(s *server) {
	w.note("server", "drains")
	began := w.since()
	s.mu.Lock()
	s.refuses = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	s.host.Drain(ctx)
	// Which side of a closing handshake is first within an instant is up to the
	// scheduler, and with it when exactly the last session has ended.
	for at := began; ; at += 2 * time.Second {
		if rest := at - w.since(); rest > 0 {
			time.Sleep(rest)
			break
		}
	}
	s.stop()
	<-s.heart
	w.kill(s)
}

func (w *world) server() *server {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.srv
}

// dial connects a device to the server, by way of a real WebSocket handshake.
func (w *world) dial(ctx context.Context, dev int) (*websocket.Conn, error) {
	v := w.plan.devices[dev]
	time.Sleep(w.lag(dev))
	s := w.server()
	_, off := w.during("offline", dev)
	if off {
		w.fault("offline")
	}
	if off || s == nil {
		return nil, errors.New("nobody answers")
	}
	client, end := connect(w, dev)
	s.mu.Lock()
	if s.refuses {
		s.mu.Unlock()
		return nil, errors.New("connection refused")
	}
	s.conns[end] = v.classic
	s.mu.Unlock()
	w.wg.Go(func() { s.serve(end, v) })
	w.devices[dev].dialled(client)
	var sub []string
	if !v.classic {
		sub = []string{wire.V1.Name()}
	}
	ws, _, err := websocket.Dial(ctx, "ws://sim/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: overConn{client}}, Subprotocols: sub, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		client.cut()
		return nil, err
	}
	ws.SetReadLimit(8 << 20)
	return ws, nil
}

// serve is what web and the program do for one socket.
func (s *server) serve(end *conn, v devicePlan) {
	over := func() {
		_ = end.Close()
		s.mu.Lock()
		delete(s.conns, end)
		s.mu.Unlock()
	}
	sock, err := accept(end)
	if err != nil {
		over()
		return
	}
	name := func() string { return strconv.FormatInt(s.ids.Next(), 36) }
	d := session.Dialect{Codec: wire.V1}
	if v.classic {
		d = session.Dialect{
			Codec:    classic.New(v.user, func() string { return "c" + name() }, time.UTC),
			Greeting: []byte(classic.Greeting), Busy: []byte(classic.Busy), Farewell: func(string) []byte { return nil },
		}
	}
	s.host.Serve(sock, session.Caller{ID: "S" + name(), User: v.user}, d, over)
}

// run plays the events of the plan, and restarts what was killed.
func (w *world) run() {
	for _, e := range w.plan.events {
		if d := e.at - w.since(); d > 0 {
			time.Sleep(d)
		}
		w.happen(e)
	}
	if d := w.plan.end - w.since(); d > 0 {
		time.Sleep(d)
	}
	if s := w.server(); s != nil {
		s.fate.Store("") // a commit that never came
	}
}

func (w *world) happen(e event) {
	w.note("event", "%s dev=%d %s %s n=%d %v", e.what, e.dev, e.user, e.conv, e.n, e.for_)
	if e.what == "clock jumps" {
		w.fault(e.what)
		w.jumped.Add(int64(e.for_))
		return
	}
	if e.what == "cut" {
		w.devices[e.dev].cutAfter(e.n)
		return
	}
	s := w.server()
	if s == nil {
		return
	}
	switch e.what {
	case "kill":
		w.fault(e.what)
		s.down.Store(int64(e.for_))
		w.kill(s)
	case "kill before commit", "kill after commit":
		s.down.Store(int64(e.for_))
		s.fate.Store(e.what)
	case "drain":
		w.fault(e.what)
		s.down.Store(int64(e.for_))
		w.drain(s)
	case "close sessions":
		w.fault(e.what)
		ctx, cancel := context.WithTimeout(s.ctx, time.Second)
		defer cancel()
		_ = s.hub.CloseUser(ctx, e.user, "restart")
	case "make group":
		w.wg.Go(func() { w.makeGroup(s, e) })
	}
}

// makeGroup is what account.Service.MakeGroup does.
func (w *world) makeGroup(s *server, e event) {
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	if err := s.faulty.CreateGroup(ctx, e.conv, "Group "+string(e.conv), e.who[0], e.who, w.now().UnixMilli()); err != nil {
		w.note("group", "%s is not made: %v", e.conv, err)
		return
	}
	w.mu.Lock()
	w.made[e.conv] = true
	w.mu.Unlock()
	m, err := s.hub.PostWait(ctx, chat.Draft{
		Conv: e.conv, Author: e.who[0], Ref: "made-" + string(e.conv),
		Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: "made", Who: e.who, Name: "Group " + string(e.conv)}},
	})
	w.note("group", "%s is made: %d %v", e.conv, m.Seq, err)
	if got, _ := w.base.Before(context.Background(), e.conv, m.Seq+1, 1); err == nil && (len(got.Entries) != 1 || got.Entries[0].ID != m.ID) {
		w.wrong("%s was said to be made, and nothing is stored", e.conv)
	}
}
