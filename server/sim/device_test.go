package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/link"
	"kamachat/ui/state"
)

// A device runs one program of one person: the browser's, or one of the seed's.
type device struct {
	devicePlan
	w    *world
	n    int
	rand *rand.Rand

	mu   sync.Mutex
	conn *conn // the last one dialled

	// Of the browser's program. Only run touches them while it runs.
	cl     *link.Client
	ended  func() // stops cl and waits
	posted map[chat.ConvID]int

	seen []heard // what a program of the seed was sent; under mu
}

// heard is a message that a program of the seed was sent.
type heard struct {
	life int // of the connection
	conv chat.ConvID
	text string
}

func newDevice(w *world, n int, v devicePlan) *device {
	return &device{devicePlan: v, w: w, n: n, rand: rand.New(rand.NewPCG(w.plan.seed, uint64(n))), posted: map[chat.ConvID]int{}}
}

func (d *device) name() string { return fmt.Sprintf("device %d of %s", d.n, d.user) }

func (d *device) dialled(c *conn) {
	d.mu.Lock()
	d.conn = c
	d.mu.Unlock()
}

// cutAfter cuts the present connection after n more bytes.
func (d *device) cutAfter(n int) {
	d.mu.Lock()
	c := d.conn
	d.mu.Unlock()
	switch {
	case c == nil:
	case d.classic:
		d.w.fault("closed by a seed's client")
		_ = c.Close()
	default:
		c.cutAfter(n)
	}
}

// open starts the browser's program with the posts that were kept.
func (d *device) open(kept []state.Unsent) {
	st := state.New()
	d.boot(st)
	d.cl = link.New(link.Config{
		URL: "ws://sim/ws", Device: fmt.Sprint("dev", d.n), Silence: 75 * time.Second, Rand: d.rand.Float64,
		Now: func() int64 { return wall(d.skew).UnixMilli() },
		Dial: func(ctx context.Context, _ string) (link.Conn, error) {
			ws, err := d.w.dial(ctx, d.n)
			if err != nil {
				return nil, err
			}
			d.w.note("dial", "%s is connected", d.name())
			return &sock{ws: ws, d: d}, nil
		},
		Log: func(what string, err error) {
			if err != nil {
				d.w.note("link", "%s: %s", d.name(), what)
			}
		},
	}, st)
	var me chat.UserID // who need not be known yet
	d.cl.Do(func(st *state.State) { me = st.Me().ID })
	d.cl.Restore(me, kept)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	cl := d.cl
	go func() {
		defer close(done)
		if err := cl.Run(ctx); err == link.ErrSignedOut {
			d.w.wrong("%s is signed out", d.name())
		}
	}()
	d.ended = func() { cancel(); <-done }
}

// boot is the page that the server draws, when it can.
func (d *device) boot(st *state.State) {
	s := d.w.server()
	if s == nil || d.rand.IntN(2) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l, err := s.hub.Lines(ctx, d.user, wire.List{})
	if err != nil {
		return
	}
	convs := l.Convs
	var page *chat.Page
	if len(convs) > 0 && d.rand.IntN(2) == 0 {
		if p, err := s.hub.Before(ctx, d.user, convs[0].Conv, 0, 50); err == nil {
			page = &p
		}
	}
	st.Boot(chat.Person{ID: d.user}, convs, l.People, page)
}

// sock is what link makes of a WebSocket.
type sock struct {
	ws   *websocket.Conn
	d    *device
	told bool // something came
}

func (s *sock) Read(ctx context.Context) ([]byte, error) {
	_, p, err := s.ws.Read(ctx)
	if err == nil {
		if !s.told && bytes.Contains(p, []byte(`"slow"`)) && bytes.Contains(p, []byte(`"bye"`)) {
			s.d.w.fault("too much before the welcome")
		}
		s.told = true
		s.d.w.trace.frames("gets", s.d, p)
	}
	return p, err
}

func (s *sock) Write(ctx context.Context, p []byte) error {
	err := s.ws.Write(ctx, websocket.MessageText, p)
	if err == nil {
		s.d.w.trace.frames("says", s.d, p)
	}
	return err
}

func (s *sock) Close(int, string) error { return s.ws.CloseNow() }

// run does what the plan says.
func (d *device) run() {
	for _, a := range d.acts {
		if t := a.at - d.w.since(); t > 0 {
			time.Sleep(t)
		}
		d.do(a)
	}
}

// knows reports whether conv can be written to.
func (d *device) knows(conv chat.ConvID) (ok bool) {
	if _, direct := conv.Peer(d.user); direct {
		return true
	}
	d.cl.Do(func(st *state.State) { _, ok = st.Conv(conv) })
	return ok
}

func (d *device) do(a act) {
	if !d.knows(a.conv) && a.what != "reload" && a.what != "wake" {
		return
	}
	d.w.note("act", "%s: %s %s %d", d.name(), a.what, a.conv, a.n)
	switch a.what {
	case "post":
		for range a.n {
			d.say(a.conv)
		}
	case "open":
		d.cl.Open(a.conv)
	case "leave":
		d.cl.Leave()
	case "older":
		d.cl.Older(a.conv)
	case "type":
		d.cl.Typing(a.conv)
	case "wake":
		d.cl.Wake()
	case "read":
		last := int64(0)
		d.cl.Do(func(st *state.State) { v, _ := st.Conv(a.conv); last = v.LastSeq })
		d.cl.Read(a.conv, last-d.rand.Int64N(3))
	case "reload":
		d.reload()
	case "pin", "unpin":
		yes := a.what == "pin"
		d.cl.SetLine(a.conv, chat.LineChange{Pin: &yes})
	case "archive", "unarchive":
		yes := a.what == "archive"
		d.cl.SetLine(a.conv, chat.LineChange{Archive: &yes})
	case "delete":
		waits, last := false, int64(0)
		d.cl.Do(func(st *state.State) {
			v, _ := st.Conv(a.conv)
			last, waits = v.LastSeq, slices.ContainsFunc(st.Unsent(), func(u state.Unsent) bool { return u.Conv == a.conv })
		})
		if !waits && last > 0 { // it would take them along
			d.cl.SetLine(a.conv, chat.LineChange{Clear: last})
		}
	}
}

// reload closes the page, of which only the outbox is kept, and opens it again.
func (d *device) reload() {
	d.w.fault("reload")
	d.ended()
	var kept []state.Unsent
	d.cl.Do(func(st *state.State) { kept = st.Unsent() })
	time.Sleep(time.Duration(d.rand.Int64N(int64(time.Second))))
	d.open(kept)
}

func (d *device) say(conv chat.ConvID) {
	if d.cl.Post(conv, chat.TextContent(fmt.Sprintf("%d %s %d", d.n, conv, d.posted[conv]+1))) != "" {
		d.posted[conv]++
	}
}

// runSeeds runs a program of the seed until ctx ends: it writes now and then,
// reads what it is sent and connects again when it is cut.
func (d *device) runSeeds(ctx context.Context) {
	acts, n := d.acts, 0
	for life := 0; ctx.Err() == nil; life++ {
		if ws, err := d.w.dial(ctx, d.n); err == nil {
			d.w.note("dial", "%s is connected", d.name())
			var wg sync.WaitGroup
			rctx, stop := context.WithCancel(ctx)
			wg.Go(func() {
				for ; len(acts) > 0; acts, n = acts[1:], n+1 {
					t := time.NewTimer(max(acts[0].at-d.w.since(), 0))
					select {
					case <-t.C:
					case <-rctx.Done():
						t.Stop()
						return
					}
					d.writeSeeds(rctx, ws, acts[0].conv, n)
				}
			})
			d.readSeeds(rctx, ws, life)
			stop()
			wg.Wait()
			_ = ws.CloseNow()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second + time.Duration(d.rand.Int64N(int64(time.Second)))):
		}
	}
}

func (d *device) writeSeeds(ctx context.Context, ws *websocket.Conn, conv chat.ConvID, n int) {
	to := string(conv)
	if peer, ok := conv.Peer(d.user); ok {
		to = string(peer)
	}
	p, _ := json.Marshal(map[string]any{"type": 1, "send_id": d.user, "receive_id": to, "content": fmt.Sprintf("seed %d %s %d", d.n, conv, n)})
	_ = ws.Write(ctx, websocket.MessageText, p)
}

func (d *device) readSeeds(ctx context.Context, ws *websocket.Conn, life int) {
	for {
		_, p, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var m struct {
			Type    int    `json:"type"`
			Content string `json:"content"`
			From    string `json:"send_id"`
			To      string `json:"receive_id"`
		}
		if json.Unmarshal(p, &m) != nil || m.Type != 1 {
			continue
		}
		conv := chat.ConvID(m.To)
		if !conv.IsGroup() {
			conv = chat.Direct(chat.UserID(m.From), chat.UserID(m.To))
		}
		d.mu.Lock()
		d.seen = append(d.seen, heard{life, conv, m.Content})
		d.mu.Unlock()
	}
}
