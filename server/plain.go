package main

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds on a connection that is not a socket. answerWithin is how long the
// answer to a request may take to be made and read: enough for all of the
// program over a slow line.
const (
	headerWithin  = 10 * time.Second
	requestWithin = time.Minute
	answerWithin  = 2 * time.Minute
	idleWithin    = 2 * time.Minute
)

// newServer returns what serves h on connections that in bounds.
func newServer(h http.Handler, in *plain, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: patient(h), ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, IdleTimeout: idleWithin,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: in.changed,
	}
}

// patient cuts those who do not read their answer. Sockets have deadlines of their own.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// An error means a writer without deadlines, which only tests have.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin))
		next.ServeHTTP(w, r)
	})
}

// plain are the connections that are not sockets, or not yet. However many are
// opened there is room for another: the one that has waited longest for a
// request is closed for it, or else the one whose request is the oldest.
type plain struct {
	room func() int // for so many, at least 1
	cut  func()     // told of each that was closed for another

	mu      sync.Mutex
	at      map[net.Conn]*list.Element
	waiting list.List // of net.Conn: new or idle, oldest first
	active  list.List // of net.Conn: with a request under way
}

func newPlain(room func() int, cut func()) *plain {
	return &plain{room: room, cut: cut, at: map[net.Conn]*list.Element{}}
}

// changed is http.Server's ConnState.
func (p *plain) changed(c net.Conn, s http.ConnState) {
	room := 0
	if s == http.StateNew {
		room = max(1, p.room())
	}
	for _, old := range p.note(c, s, room) {
		p.cut()
		_ = old.Close()
	}
}

// note notes the state of c and returns those that are to be closed, so that no
// more than room are left where room is above 0.
func (p *plain) note(c net.Conn, s http.ConnState, room int) (out []net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.at[c]
	p.dropLocked(c)
	switch {
	case s == http.StateNew || s == http.StateIdle && known:
		p.at[c] = p.waiting.PushBack(c)
	case s == http.StateActive && known:
		p.at[c] = p.active.PushBack(c)
	}
	for room > 0 && len(p.at) > room {
		first := p.waiting.Front()
		if first.Value == c && p.active.Len() > 0 {
			first = p.active.Front()
		}
		old := first.Value.(net.Conn)
		p.dropLocked(old)
		out = append(out, old)
	}
	return out
}

func (p *plain) dropLocked(c net.Conn) {
	if e := p.at[c]; e != nil {
		// An element is of one list; the other leaves it alone.
		p.waiting.Remove(e)
		p.active.Remove(e)
		delete(p.at, c)
	}
}
