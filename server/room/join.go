package room

import (
	"context"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Join registers a session: from now on it gets what is delivered. Everything
// that was committed before is in the Welcome read afterwards. One whose login
// ended since its socket was let in is closed.
func (h *Hub) Join(ctx context.Context, c Conn) {
	u := c.User()
	h.mu.Lock()
	l := h.live[u]
	if l == nil {
		l = &person{peers: map[chat.UserID]bool{}, barred: barring{unknown: h.Seer != nil}}
		h.live[u] = l
	}
	l.conns = append(l.conns, c)
	delete(h.leaving, u)
	first := h.Losses != nil && l.heard == nil
	if first {
		l.heard = make(chan struct{})
	}
	heard := l.heard
	_, ended := h.ended[c.Login()]
	h.mu.Unlock()
	if ended {
		c.Close(wire.ByeSignedOut)
	}
	if first {
		h.hear(ctx, u, l)
		close(heard)
	} else if heard != nil { // another session of the person's sees to it
		select {
		case <-heard:
		case <-ctx.Done():
		}
	}
	if err := h.Presence.Touch(ctx, u, c.ID()); err != nil {
		h.Log.Warn("presence not told", "user", u, "err", err)
	}
	h.Look(ctx, c, false)
}

// endedFor is how long an ended login is remembered: longer than a socket that
// was let in may take to join.
const endedFor = time.Minute

// forgetEnded forgets logins that ended long ago.
func (h *Hub) forgetEnded() {
	now := h.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for l, until := range h.ended {
		if now.After(until) {
			delete(h.ended, l)
		}
	}
}

// Leave unregisters a session.
func (h *Hub) Leave(ctx context.Context, c Conn) {
	u := c.User()
	h.mu.Lock()
	if l := h.live[u]; l != nil {
		l.conns = slices.DeleteFunc(l.conns, func(o Conn) bool { return o == c })
		if len(l.conns) == 0 {
			h.leaving[u] = h.Now().Add(offlineAfter)
		}
	}
	h.mu.Unlock()
	if err := h.Presence.Leave(ctx, u, c.ID()); err != nil {
		h.Log.Warn("presence not told", "user", u, "err", err)
	}
	h.Look(ctx, c, true)
}

// CloseUser ends every session of u on every node.
func (h *Hub) CloseUser(ctx context.Context, u chat.UserID, reason string) error {
	return h.CloseLogin(ctx, u, "", reason)
}

// CloseLogin ends the sessions of u that were signed in with login, on every node.
func (h *Hub) CloseLogin(ctx context.Context, u chat.UserID, login, reason string) error {
	return h.Fanout.Publish(ctx, wire.Event{To: []chat.UserID{u}, Ref: login, Frame: wire.Frame{Body: wire.Bye{Reason: reason}}})
}

// Online counts the people and sessions on this node.
func (h *Hub) Online() (people, sessions int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.live {
		if len(l.conns) > 0 {
			people++
		}
		sessions += len(l.conns)
	}
	return people, sessions
}
