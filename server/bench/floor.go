package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
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
	url    string
	server *http.Server
	ctx    context.Context // ends the sockets
	stop   context.CancelFunc
	live   sync.WaitGroup
	mangle func(wire.Post, int64) []int64 // tests: the seqs to deliver instead of one

	mu     sync.Mutex
	people map[string]chat.UserID // by token
	rooms  map[chat.ConvID]*floorRoom
	groups map[chat.ConvID][]chat.UserID
	conns  map[chat.UserID][]*websocket.Conn
}

type floorRoom struct {
	mu      sync.Mutex // held while writing, so that all see one order
	seq     int64
	members map[chat.UserID][]*websocket.Conn
}

func startFloor(mangle func(wire.Post, int64) []int64) (*floor, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the floor: %w", err)
	}
	f := &floor{
		url: "http://" + l.Addr().String(), mangle: mangle, people: map[string]chat.UserID{}, rooms: map[chat.ConvID]*floorRoom{},
		groups: map[chat.ConvID][]chat.UserID{}, conns: map[chat.UserID][]*websocket.Conn{},
	}
	f.ctx, f.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/register", f.register)
	mux.HandleFunc("POST /api/v1/groups", f.makeGroup)
	mux.HandleFunc("GET /ws", f.socket)
	f.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go f.server.Serve(l) // ends with close
	return f, nil
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
	r := &floorRoom{members: map[chat.UserID][]*websocket.Conn{}}
	for _, m := range members {
		r.members[m] = f.conns[m]
	}
	f.rooms[conv] = r
	return r
}

func (f *floor) socket(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	me, ok := f.people[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	f.mu.Unlock()
	if !ok {
		http.Error(w, "no such token", http.StatusUnauthorized)
		return
	}
	f.live.Add(1)
	defer f.live.Done()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.V1.Name()}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(wire.MaxFrame)
	f.mu.Lock()
	f.conns[me] = append(f.conns[me], ws)
	f.mu.Unlock()
	for {
		_, p, err := ws.Read(f.ctx)
		if err != nil {
			return
		}
		frames, err := wire.V1.Parse(p)
		if err != nil {
			return
		}
		for _, fr := range frames {
			switch b := fr.Body.(type) {
			case wire.Hello:
				out, _, _ := wire.V1.Append(nil, wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: me}}})
				ws.Write(f.ctx, websocket.MessageText, out) // a broken socket shows at the next Read
			case wire.Post:
				f.post(me, fr.Ref, b)
			}
		}
	}
}

// post hands one post to everybody in its conversation.
func (f *floor) post(me chat.UserID, ref string, p wire.Post) {
	r := f.room(p.Conv)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	seqs := []int64{r.seq}
	if f.mangle != nil {
		seqs = f.mangle(p, r.seq)
	}
	for _, seq := range seqs {
		m := wire.Posted{Message: chat.Message{ID: seq, Conv: p.Conv, Seq: seq, Author: me, At: time.Now().UnixMilli(), Content: p.Content}}
		theirs, _, _ := wire.V1.Append(nil, wire.Frame{Body: m})
		own, _, _ := wire.V1.Append(nil, wire.Frame{Ref: ref, Body: m})
		for u, conns := range r.members {
			out := theirs
			if u == me {
				out = own
			}
			for _, ws := range conns {
				ws.Write(f.ctx, websocket.MessageText, out) // a broken socket shows in its own Read
			}
		}
	}
}
