package main

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/classic"
	"kamachat/server/room"
	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// sessions are the sockets of this process.
type sessions struct {
	hub *room.Hub
	ids *chat.IDs
	cfg session.Config

	mu      sync.Mutex
	stopped bool
	of      map[chat.UserID]int // how many each person has
	wg      sync.WaitGroup
}

// serve runs one socket until it ends.
func (s *sessions) serve(ctx context.Context, ws *websocket.Conn, p chat.Person, login string, native bool) {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		_ = ws.Close(websocket.StatusServiceRestart, "restart")
		return
	}
	if s.of[p.ID] >= maxSockets {
		s.mu.Unlock()
		_ = ws.Close(websocket.StatusTryAgainLater, "too many sockets")
		return
	}
	if s.of == nil {
		s.of = map[chat.UserID]int{}
	}
	s.of[p.ID]++
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	defer s.left(p.ID)
	who := session.Caller{ID: "S" + s.name(), User: p.ID, Login: login}
	d := session.Dialect{Codec: wire.V1}
	if !native {
		d = session.Dialect{
			Codec:    classic.New(p.ID, func() string { return "c" + s.name() }, time.Local),
			Greeting: []byte(classic.Greeting), Busy: []byte(classic.Busy),
			Farewell: func(reason string) []byte {
				if reason == "signed_out" {
					return []byte(classic.Farewell)
				}
				return nil
			},
		}
	}
	session.Serve(ctx, ws, who, d, s.cfg)
}

// maxSockets is how many sockets one person may have open.
const maxSockets = 100

func (s *sessions) left(u chat.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[u]--; s.of[u] == 0 {
		delete(s.of, u)
	}
}

func (s *sessions) name() string { return strconv.FormatInt(s.ids.Next(), 36) }

// stop lets no new socket in and closes those that are there.
func (s *sessions) stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.hub.CloseAll("restart")
}

// wait returns when every socket has ended, or ctx.
func (s *sessions) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
