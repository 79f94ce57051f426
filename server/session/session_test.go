package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"kamachat/server/classic"
	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/session"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ann = chat.UserID("Uann")
	bob = chat.UserID("Ubob")
	cat = chat.UserID("Ucat")
)

var (
	direct = chat.Direct(ann, bob)
	group  = chat.ConvID("Gone")
)

// world is a hub on a real database, with a door that asks for no sign-in.
// Connections are pipes, so that it runs in a synctest bubble, too.
type world struct {
	t    *testing.T
	hub  *room.Hub
	host *session.Host
	db   *store.DB
	slow *slowStore // is db, as the hub sees it
	ln   *pipes

	lookUp atomic.Pointer[func()] // called once, by the next look-up of people
	meter  *meter
	wrap   func(net.Conn) net.Conn // the server's end of the next connections; nil: as it is
}

// meter remembers why sessions ended.
type meter struct {
	mu      sync.Mutex
	reasons []string
}

func (m *meter) Opened(bool)    {}
func (m *meter) Wrote(int, int) {}
func (m *meter) TooFast()       {}
func (m *meter) Closed(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reasons = append(m.reasons, reason)
}

func (m *meter) closed() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.reasons)
}

// People is the database's, with lookUp in between.
func (w *world) People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error) {
	if f := w.lookUp.Swap(nil); f != nil {
		(*f)()
	}
	return w.db.People(ctx, ids...)
}

// pipes is a listener of net.Pipe connections.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func newWorld(t *testing.T, cfg session.Config, size int) *world {
	t.Helper()
	ids := storetest.IDs()
	db := storetest.Open(t, storetest.Lite(t), store.Options{ID: ids.Next})
	for _, u := range []chat.UserID{ann, bob, cat} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: string(u), Nickname: "Nick " + string(u)}, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CreateGroup(t.Context(), group, "Hikers", ann, []chat.UserID{ann, bob, cat}, 1); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w := &world{t: t, db: db, slow: &slowStore{Store: db, came: make(chan struct{}, 1)}, ln: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}, meter: &meter{}}
	w.hub = room.NewHub(room.Config{
		Store: w.slow, People: w, Log: log, Build: "test",
		Carrier: inproc.NewCarrier(size, 1), Fanout: inproc.NewFanout(size), Presence: inproc.NewPresence(),
	})
	cfg.Hub, cfg.Log, cfg.Meter = w.hub, log, w.meter
	w.host = session.NewHost(cfg)
	var wg sync.WaitGroup
	var n atomic.Int64
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		u := chat.UserID(r.URL.Query().Get("u"))
		d := session.Dialect{Codec: wire.V1}
		if r.URL.Query().Has("classic") {
			d = session.Dialect{
				Codec: classic.New(u, func() string { return fmt.Sprint("c", n.Add(1)) }, time.UTC), Greeting: []byte(classic.Greeting), Busy: []byte(classic.Busy),
				Farewell: func(string) []byte { return []byte(classic.Farewell) },
			}
		}
		sock, err := session.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: []string{wire.V1.Name()}})
		if err != nil {
			return
		}
		w.host.Serve(sock, session.Caller{ID: fmt.Sprint("S", n.Add(1)), User: u, Login: r.URL.Query().Get("login"), Proof: r.URL.Query().Get("proof")}, d, func() {})
	})}
	ctx, stop := context.WithCancel(context.Background())
	wg.Go(func() { _ = srv.Serve(w.ln) })
	heart := make(chan struct{})
	go func() {
		defer close(heart)
		if err := w.hub.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		w.host.Drain(ctx)
		_ = w.ln.Close()
		_ = srv.Close()
		wg.Wait()
		stop()
		<-heart
		_ = db.Close()
	})
	return w
}

// client is the other end of a session.
type client struct {
	t   *testing.T
	ws  *websocket.Conn
	raw net.Conn
}

func (w *world) dial(query string) *client {
	w.t.Helper()
	var raw net.Conn
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		a, b := net.Pipe()
		raw = b
		if w.wrap != nil {
			a = w.wrap(a)
		}
		select {
		case w.ln.conns <- a:
			return b, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	ws, _, err := websocket.Dial(context.Background(), "ws://test/ws?"+query, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: tr}, Subprotocols: []string{wire.V1.Name()},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ws.SetReadLimit(16 << 20)
	w.t.Cleanup(func() { _ = ws.CloseNow(); tr.CloseIdleConnections() })
	return &client{w.t, ws, raw}
}

func (w *world) native(u chat.UserID, more ...string) *client {
	w.t.Helper()
	c := w.dial(strings.Join(append([]string{"u=" + string(u)}, more...), "&"))
	c.send(`{"k":"hello","b":{}}`)
	c.until("welcome", func(f wire.Frame) bool { _, ok := f.Body.(wire.Welcome); return ok })
	return c
}

func (w *world) classic(u chat.UserID) *client {
	w.t.Helper()
	c := w.dial("classic&u=" + string(u))
	if got := c.text(); got != classic.Greeting {
		w.t.Fatalf("first frame %q, want the greeting", got)
	}
	return c
}

func (c *client) send(s string) {
	c.t.Helper()
	if err := c.ws.Write(context.Background(), websocket.MessageText, []byte(s)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) text() string {
	c.t.Helper()
	_, p, err := c.ws.Read(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return string(p)
}

// until reads native frames up to one that is wanted, and returns it.
func (c *client) until(what string, want func(wire.Frame) bool) wire.Frame {
	c.t.Helper()
	for {
		_, p, err := c.ws.Read(context.Background())
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", what, err)
		}
		fs, err := wire.V1.Parse(p)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, f := range fs {
			if want(f) {
				return f
			}
		}
	}
}

func (c *client) posted(text string) wire.Frame {
	c.t.Helper()
	return c.until("posted "+text, func(f wire.Frame) bool {
		p, ok := f.Body.(wire.Posted)
		return ok && p.Content.Text == text
	})
}

func (c *client) refused(ref string) wire.Refused {
	c.t.Helper()
	return c.until("refused", func(f wire.Frame) bool {
		_, ok := f.Body.(wire.Refused)
		return ok && f.Ref == ref
	}).Body.(wire.Refused)
}

func (c *client) closed() error {
	for {
		if _, _, err := c.ws.Read(context.Background()); err != nil {
			return err
		}
	}
}

func post(ref string, conv chat.ConvID, text string) string {
	p, _, _ := wire.V1.Append(nil, wire.Frame{Ref: ref, Body: wire.Post{Conv: conv, Content: chat.TextContent(text)}})
	return string(p)
}

func seed(typ int, from chat.UserID, to, content string) string {
	p, _ := json.Marshal(map[string]any{"session_id": "S1", "type": typ, "content": content, "send_id": from, "receive_id": to, "send_name": "forged", "send_avatar": "forged"})
	return string(p)
}

func TestPostReachesBothAndIsAcknowledgedWithItsRef(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.native(ann), w.native(bob)
	a.send(post("r1", direct, "hello"))
	if f := a.posted("hello"); f.Ref != "r1" {
		t.Errorf("the author's copy has Ref %q, want r1", f.Ref)
	}
	f := b.posted("hello")
	if m := f.Body.(wire.Posted); f.Ref != "" || m.Seq != 1 || m.Author != ann {
		t.Errorf("the other copy is %+v", f)
	}
	p, err := w.db.Before(t.Context(), direct, 0, 10)
	if err != nil || len(p.Entries) != 1 {
		t.Errorf("stored %+v, %v", p, err)
	}
}

func TestWelcomeComesBeforeWhatIsCommittedMeanwhile(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a := w.native(ann)
	a.send(post("0", group, "before"))
	a.posted("before")
	meanwhile := func() {
		for i := range 3 {
			a.send(post(fmt.Sprint("m", i), group, fmt.Sprint("meanwhile ", i)))
			a.posted(fmt.Sprint("meanwhile ", i))
		}
	}
	w.lookUp.Store(&meanwhile) // while bob's welcome is made
	b := w.dial("u=" + string(bob))
	b.send(`{"k":"hello","b":{}}`)
	var first wire.Frame
	b.until("the first frame", func(f wire.Frame) bool { first = f; return true })
	if _, ok := first.Body.(wire.Welcome); !ok {
		t.Fatalf("the first frame is %T, want the welcome", first.Body)
	}
}

func TestNativeAndClassicSeeTheSame(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.native(ann), w.classic(bob)
	a.send(post("r1", group, "from native"))
	var got struct {
		SendID     string `json:"send_id"`
		SendName   string `json:"send_name"`
		ReceiveID  string `json:"receive_id"`
		Content    string `json:"content"`
		SendAvatar string `json:"send_avatar"`
		Type       int    `json:"type"`
	}
	if err := json.Unmarshal([]byte(b.text()), &got); err != nil || got.Content != "from native" || got.ReceiveID != string(group) || got.SendName != "Nick Uann" || got.Type != 1 {
		t.Errorf("classic got %+v, %v", got, err)
	}
	b.send(seed(0, bob, string(group), "from classic"))
	if f := a.posted("from classic"); f.Body.(wire.Posted).Author != bob {
		t.Errorf("native got %+v", f)
	}
	if err := json.Unmarshal([]byte(b.text()), &got); err != nil || got.Content != "from classic" || got.SendName != "Nick Ubob" || got.SendAvatar != "" {
		t.Errorf("the echo is %+v, %v: name and avatar come from the account", got, err)
	}
}

func TestRubbishIsAnsweredAndNobodyElseNotices(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	b := w.native(bob)
	c := w.classic(ann)
	for name, frame := range map[string]string{
		"empty object": `{}`, "not JSON": `x`, "empty": ``, "array": `[]`, "null": `null`, "number": `7`, "deep": strings.Repeat(`[`, 20000),
		"no receiver": seed(1, ann, "", "x"), "unknown receiver": seed(1, ann, "Unobody", "x"), "bad receiver": seed(1, ann, "Xyz", "x"),
		"to oneself": seed(1, ann, string(ann), "x"), "unknown type": seed(9, ann, string(bob), "x"), "a type of words": `{"type":"1"}`,
		"empty text": seed(1, ann, string(bob), " "), "forged sender": seed(1, bob, string(cat), "x"), "group one is not in": seed(1, ann, "Gtwo", "x"),
		"signal without data": seed(3, ann, string(bob), ""), "file without url": seed(2, ann, string(bob), ""), "not UTF-8": "{\"type\":1,\"content\":\"\xff\"}",
	} {
		c.send(frame)
		var e struct {
			Code int    `json:"code"`
			Msg  string `json:"msg"`
		}
		if err := json.Unmarshal([]byte(c.text()), &e); err != nil || e.Code < 400 || e.Msg == "" {
			t.Errorf("%s: answer %+v, %v", name, e, err)
		}
	}
	n := w.native(ann)
	for ref, frame := range map[string]string{
		"":  `{}`,
		"a": `{"k":"nonsense","r":"a"}`, "b": `{"k":"post","r":"b","b":{"conv":7}}`, "c": `{"k":"post","r":"c","b":{}}`,
		"d": `{"k":"welcome","r":"d","b":{}}`, "e": post("e", "Gtwo", "x"), "f": post("f", chat.Direct(bob, cat), "x"),
		"g": post("g", direct, strings.Repeat("x", chat.MaxText+1)), "h": `{"k":"post","r":"h"}`, "i": `{"k":"before","r":"i","b":{"conv":"Gtwo"}}`,
		"j": `{"k":"post","r":"j","b":{"conv":"` + string(direct) + `","c":{"k":"event","event":{"what":"made"}}}}`,
	} {
		n.send(frame)
		if r := n.refused(ref); r.Code == "" || r.RetryAfter != 0 {
			t.Errorf("%s: %+v", frame, r)
		}
	}
	c.send(seed(1, ann, string(bob), "still here"))
	b.posted("still here")
}

func TestBurstOf150IsTakenInOrder(t *testing.T) {
	w := newWorld(t, session.Config{Rate: 20, Burst: 200}, 256)
	c := w.classic(ann)
	go func() {
		for i := range 150 {
			c.send(seed(1, ann, string(bob), fmt.Sprint(i)))
		}
	}()
	for i := range 150 {
		var m struct{ Content string }
		if err := json.Unmarshal([]byte(c.text()), &m); err != nil || m.Content != fmt.Sprint(i) {
			t.Fatalf("echo %d is %q, %v", i, m.Content, err)
		}
	}
}

func TestTooFastIsToldAndNotStored(t *testing.T) {
	w := newWorld(t, session.Config{Rate: rate.Every(time.Hour), Burst: 2}, 64)
	n, c := w.native(ann), w.classic(bob)
	for i := range 3 {
		n.send(post(fmt.Sprint(i), direct, fmt.Sprint(i)))
	}
	if r := n.refused("2"); r.Code != chat.RateLimited || r.RetryAfter <= 0 {
		t.Errorf("refused %+v", r)
	}
	for range 2 {
		c.text()
	}
	for i := range 3 {
		c.send(seed(1, bob, string(ann), fmt.Sprint(i)))
	}
	for got := ""; got != classic.Busy; got = c.text() {
		_ = got
	}
	if p, _ := w.db.Before(t.Context(), direct, 0, 100); len(p.Entries) > 4 {
		t.Errorf("%d stored, want at most 4", len(p.Entries))
	}
}

func TestOfflineClassicGetsWhatItMissedInOrder(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a := w.native(ann)
	for i := range 5 {
		a.send(post(fmt.Sprint(i), direct, fmt.Sprint(i)))
		a.posted(fmt.Sprint(i))
	}
	b := w.classic(bob)
	for i := range 5 {
		if got := b.text(); !strings.Contains(got, fmt.Sprintf(`"content":"%d"`, i)) {
			t.Fatalf("message %d: %s", i, got)
		}
	}
	// What was written is delivered: the author is told.
	a.until("delivered mark", func(f wire.Frame) bool {
		s, ok := f.Body.(wire.Seen)
		return ok && s.User == "" && s.Delivered == 5
	})
}

func TestCallSignalsGoToTheOtherSideOnly(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.classic(ann), w.classic(bob)
	signal := func(av string) string {
		p, _ := json.Marshal(map[string]any{"type": 3, "send_id": ann, "receive_id": bob, "av_data": av})
		return string(p)
	}
	for _, av := range []string{
		`{"messageId":"PROXY","type":"start_call"}`, `{"messageId":"PROXY","type":"sdp","messageData":{"sdp":"v=0"}}`,
		`{"messageId":"PROXY","type":"candidate","messageData":{"c":1}}`, `{"messageId":"PEER_LEAVE"}`,
	} {
		a.send(signal(av))
		var m struct {
			Type   int    `json:"type"`
			AVData string `json:"av_data"`
		}
		if err := json.Unmarshal([]byte(b.text()), &m); err != nil || m.Type != 3 || m.AVData != av {
			t.Errorf("got %+v, %v, want %s", m, err, av)
		}
	}
	a.send(seed(1, ann, string(bob), "after the call"))
	if got := a.text(); !strings.Contains(got, "after the call") {
		t.Errorf("the caller got %s: signals are not echoed", got)
	}
	p, _ := w.db.Before(t.Context(), direct, 0, 10)
	if len(p.Entries) != 2 || p.Entries[0].Content.Call == nil {
		t.Errorf("stored %d entries, want start_call and the text", len(p.Entries))
	}
}
