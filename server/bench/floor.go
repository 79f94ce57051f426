package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A floor is the least that could pass for a server: it hands every post to
// everybody in the conversation, one write each, and stores nothing. What it
// costs, no server on this WebSocket library can save, except by merging writes.
type floor struct {
	server *http.Server
	ctx    context.Context // ends the sockets
	stop   context.CancelFunc
	live   sync.WaitGroup
	mangle func(seq int64) []int64 // tests: the seqs to deliver instead of one

	mu     sync.Mutex
	people map[string]chat.UserID // by token
	rooms  map[chat.ConvID]*floorRoom
	groups map[chat.ConvID][]chat.UserID
	conns  map[chat.UserID][]*floorConn
}

type floorRoom struct {
	mu    sync.Mutex // held while writing, so that all see one order
	seq   int64
	conns []*floorConn
}

type floorConn struct {
	*websocket.Conn
	me      chat.UserID
	classic bool
}

// ServeFloor is a floor at an http address until ctx ends. ready is told when it answers.
func ServeFloor(ctx context.Context, address string, ready func()) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("the floor needs an address such as http://127.0.0.1:8000, but got %q", address)
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		return fmt.Errorf("start the floor: %w", err)
	}
	f := newFloor(l, nil)
	defer f.close()
	ready()
	<-ctx.Done()
	return nil
}

// newFloor serves a floor on l until it is closed.
func newFloor(l net.Listener, mangle func(seq int64) []int64) *floor {
	f := &floor{
		mangle: mangle, people: map[string]chat.UserID{}, rooms: map[chat.ConvID]*floorRoom{},
		groups: map[chat.ConvID][]chat.UserID{}, conns: map[chat.UserID][]*floorConn{},
	}
	f.ctx, f.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/register", f.register)
	mux.HandleFunc("POST /api/v1/groups", f.makeGroup)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /ws", f.socket)
	f.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go f.server.Serve(l) // ends with close
	return f
}

func (f *floor) close() {
	f.stop()
	f.server.Close()
	f.live.Wait()
}

func (f *floor) register(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	id := chat.UserID(fmt.Sprintf("U%d", len(f.people)+1))
	token := "floor-" + string(id)
	f.people[token] = id
	f.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"user": chat.Person{ID: id}, "token": token})
}

func (f *floor) makeGroup(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Members []chat.UserID }
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	id := chat.ConvID(fmt.Sprintf("G%d", len(f.groups)+1))
	f.groups[id] = ask.Members
	f.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"group": map[string]any{"id": id}})
}

// room returns the room of conv as it is when somebody first posts there.
func (f *floor) room(conv chat.ConvID) *floorRoom {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.rooms[conv]; r != nil {
		return r
	}
	members := f.groups[conv]
	if a, b, ok := conv.Pair(); ok {
		members = []chat.UserID{a, b}
	}
	r := &floorRoom{}
	for _, m := range members {
		r.conns = append(r.conns, f.conns[m]...)
	}
	f.rooms[conv] = r
	return r
}

func (f *floor) socket(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	c := &floorConn{classic: token != ""}
	f.mu.Lock()
	me, ok := f.people[token+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	f.mu.Unlock()
	if !ok {
		http.Error(w, "no such token", http.StatusUnauthorized)
		return
	}
	f.live.Add(1)
	defer f.live.Done()
	var err error
	if c.Conn, err = websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.V1.Name()}}); err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(wire.MaxFrame)
	c.me = me
	f.mu.Lock()
	f.conns[me] = append(f.conns[me], c)
	f.mu.Unlock()
	if c.classic {
		c.Write(f.ctx, websocket.MessageText, []byte("welcome")) // a broken socket shows at the next Read
	}
	for {
		_, p, err := c.Read(f.ctx)
		if err != nil {
			return
		}
		if !f.take(c, p) {
			return
		}
	}
}

// take does what one message asks for, or returns false where it is not understood.
func (f *floor) take(c *floorConn, p []byte) bool {
	if c.classic {
		text, to := between(p, `"content":"`), between(p, `"receive_id":"`)
		conv := chat.ConvID(to)
		if !conv.IsGroup() {
			conv = chat.Direct(c.me, chat.UserID(to))
		}
		f.post(conv, func(seq int64, own bool) []byte {
			b := append([]byte(`{"send_id":"`), c.me...)
			b = append(append(b, `","receive_id":"`...), to...)
			b = append(append(b, `","type":1,"content":"`...), text...)
			return append(b, `"}`...)
		}, c.me)
		return true
	}
	ref, conv, content, ok := scanPost(p)
	if !ok {
		frames, err := wire.V1.Parse(p)
		if err != nil || len(frames) != 1 {
			return false
		}
		if _, ok := frames[0].Body.(wire.Hello); ok {
			out, _, _ := wire.V1.Append(nil, wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: c.me}}})
			c.Write(f.ctx, websocket.MessageText, out) // a broken socket shows at the next Read
		}
		return true
	}
	f.post(chat.ConvID(conv), func(seq int64, own bool) []byte {
		b := append(make([]byte, 0, len(p)+128), `{"k":"posted",`...)
		if own {
			b = append(append(append(b, `"r":"`...), ref...), `",`...)
		}
		b = strconv.AppendInt(append(b, `"b":{"id":"`...), seq, 10)
		b = append(append(b, `","conv":"`...), conv...)
		b = strconv.AppendInt(append(b, `","seq":`...), seq, 10)
		b = append(append(b, `,"from":"`...), c.me...)
		b = strconv.AppendInt(append(b, `","at":`...), time.Now().UnixMilli(), 10)
		b = append(append(b, `,"c":`...), content...)
		return append(b, '}', '}')
	}, c.me)
	return true
}

// scanPost cuts a post as the generator sends it into its ref, conversation and content.
func scanPost(p []byte) (ref, conv, content []byte, ok bool) {
	if !bytes.HasPrefix(p, []byte(`{"k":"post","r":"`)) || !bytes.HasSuffix(p, []byte(`}}`)) {
		return nil, nil, nil, false
	}
	i := bytes.Index(p, contStart)
	if i < 0 {
		return nil, nil, nil, false
	}
	return between(p, `"r":"`), between(p, `"conv":"`), p[i+len(`"c":`) : len(p)-2], true
}

// between returns what is after before, up to the next quote.
func between(p []byte, before string) []byte {
	_, rest, _ := bytes.Cut(p, []byte(before))
	text, _, _ := bytes.Cut(rest, []byte{'"'})
	return text
}

// post hands one post of me to everybody in its conversation.
func (f *floor) post(conv chat.ConvID, encode func(seq int64, own bool) []byte, me chat.UserID) {
	r := f.room(conv)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	seqs := []int64{r.seq}
	if f.mangle != nil {
		seqs = f.mangle(r.seq)
	}
	for _, seq := range seqs {
		theirs, own := encode(seq, false), []byte(nil)
		for _, c := range r.conns {
			out := theirs
			if c.me == me {
				if own == nil {
					own = encode(seq, true)
				}
				out = own
			}
			c.Write(f.ctx, websocket.MessageText, out) // a broken socket shows in its own Read
		}
	}
}
