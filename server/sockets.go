package main

import (
	"crypto/rand"
	"strconv"
	"sync"
	"time"

	"kamachat/server/classic"
	"kamachat/server/session"
	"kamachat/server/web"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// socketLimits bound the sockets of this process. 0: no limit.
type socketLimits struct {
	All     int // at a time
	Person  int // of one person
	Address int // from one network address
	Waiting int // sessions that wait for their welcome, above which no socket is let in
}

// sessions are the sockets of this process: who may have one, and in which
// dialect it speaks.
type sessions struct {
	host     *session.Host
	draining func() bool
	waiting  func() int
	ids      *chat.IDs
	limits   socketLimits
	refused  func(why string) // counts; it must not block

	mu   sync.Mutex
	all  int
	of   map[chat.UserID]int
	from map[string]int
}

func newSessions(h *session.Host, ids *chat.IDs, l socketLimits, refused func(why string)) *sessions {
	return &sessions{host: h, draining: h.Draining, waiting: h.Waiting, ids: ids, limits: l, refused: refused, of: map[chat.UserID]int{}, from: map[string]int{}}
}

// comeLater is what those are told who can't be let in just now: a while, and
// not the same for all.
func (s *sessions) comeLater(words string) error {
	spread := time.Duration(s.ids.Next()%2000) * time.Millisecond
	return &chat.Refusal{Code: chat.Busy, Words: words, RetryAfter: time.Second + spread}
}

// admit gives a socket from addr a place.
func (s *sessions) admit(addr string) (web.Place, error) {
	switch {
	case s.draining():
		s.refused("restart")
		return nil, s.comeLater("the server restarts")
	case s.limits.Waiting > 0 && s.waiting() >= s.limits.Waiting:
		s.refused("crowd")
		return nil, s.comeLater("many come back at once")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.limits.All > 0 && s.all >= s.limits.All:
		s.refused("full")
		return nil, s.comeLater("too many connections")
	case s.limits.Address > 0 && s.from[addr] >= s.limits.Address:
		s.refused("address")
		return nil, &chat.Refusal{Code: chat.RateLimited, Words: "too many connections from your address", RetryAfter: time.Minute}
	}
	s.all++
	if s.limits.Address > 0 {
		s.from[addr]++
	} else {
		addr = "" // not counted, not kept
	}
	return &place{in: s, addr: addr}, nil
}

// count is how many sockets there are, and requests for one.
func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

// serve begins the session of a socket that was let in.
func (s *sessions) serve(sock *session.Socket, p chat.Person, login, proof string, native bool, pl web.Place) {
	who := session.Caller{ID: "S" + s.name(), User: p.ID, Login: login, Proof: proof}
	d := session.Dialect{Codec: wire.V1}
	if !native {
		d = session.Dialect{
			Codec:    classic.New(p.ID, s.ref, time.Local),
			Greeting: []byte(classic.Greeting), Busy: []byte(classic.Busy), Farewell: farewell,
		}
	}
	s.host.Serve(sock, who, d, pl.Free)
}

func (s *sessions) name() string { return strconv.FormatInt(s.ids.Next(), 36) }

// ref is made for those whose dialect has none: never again, whatever process
// makes it, and sorted by its time, which keeps the database's index small.
func (s *sessions) ref() string {
	return "c" + strconv.FormatInt(time.Now().UnixMilli(), 36) + rand.Text()[:16]
}

// farewell is said to the seed's clients.
func farewell(reason string) []byte {
	if reason == wire.ByeSignedOut {
		return []byte(classic.Farewell)
	}
	return nil
}

// A place is held by a socket, or by a request for one.
type place struct {
	in    *sessions
	addr  string      // counted where it is not empty
	user  chat.UserID // counted where it is not empty
	freed bool
}

// For says whose place it is.
func (p *place) For(u chat.UserID) error {
	s := p.in
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits.Person > 0 && s.of[u] >= s.limits.Person {
		s.refused("person")
		return &chat.Refusal{Code: chat.RateLimited, Words: "you have too many connections", RetryAfter: time.Minute}
	}
	p.user = u
	s.of[u]++
	return nil
}

// Free gives the place back. A second time does nothing.
func (p *place) Free() {
	s := p.in
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.freed {
		return
	}
	p.freed = true
	s.all--
	drop(s.of, p.user)
	drop(s.from, p.addr)
}

// drop counts one less of k, where it was counted.
func drop[K comparable](m map[K]int, k K) {
	if m[k]--; m[k] <= 0 {
		delete(m, k)
	}
}
