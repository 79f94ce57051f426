package room

import (
	"context"
	"maps"
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
		l = &person{peers: map[chat.UserID]bool{}}
		h.live[u] = l
	}
	l.conns = append(l.conns, c)
	delete(h.leaving, u)
	_, ended := h.ended[c.Login()]
	h.mu.Unlock()
	if ended {
		c.Close("signed_out")
	}
	if err := h.Presence.Touch(ctx, u, c.ID()); err != nil {
		h.Log.Warn("presence not told", "user", u, "err", err)
	}
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
}

// announceLeft tells the peers of those who left some seconds ago and did not
// come back. While presence is not known it is found out later.
func (h *Hub) announceLeft(ctx context.Context) {
	gone := h.takeLeft()
	if len(gone) == 0 {
		return
	}
	on, err := h.Presence.Online(ctx, slices.Collect(maps.Keys(gone))...)
	if err != nil {
		h.Log.Debug("absence is not known yet", "people", len(gone), "err", err)
		h.putLeftBack(gone)
		return
	}
	for u, l := range gone {
		peers := peersOf(l)
		if on[u] || len(peers) == 0 {
			continue // online on another node
		}
		e := wire.Event{To: peers, Frame: wire.Frame{Body: wire.Online{User: u}}}
		if err := h.Fanout.Publish(ctx, e); err != nil {
			h.Log.Warn("absence not told", "user", u, "err", err)
		}
	}
}

// takeLeft takes out those who have been gone for long enough.
func (h *Hub) takeLeft() map[chat.UserID]*person {
	now := h.Now()
	gone := map[chat.UserID]*person{}
	h.mu.Lock()
	defer h.mu.Unlock()
	for u, at := range h.leaving {
		if now.Before(at) {
			continue
		}
		delete(h.leaving, u)
		if l := h.live[u]; l != nil && len(l.conns) == 0 {
			gone[u] = l
			delete(h.live, u)
		}
	}
	return gone
}

// putLeftBack has those who were taken out looked at again in some seconds,
// but for those who have come back since.
func (h *Hub) putLeftBack(gone map[chat.UserID]*person) {
	at := h.Now().Add(offlineAfter)
	h.mu.Lock()
	defer h.mu.Unlock()
	for u, l := range gone {
		if h.live[u] == nil {
			h.live[u], h.leaving[u] = l, at
		}
	}
}

func peersOf(l *person) []chat.UserID {
	var us []chat.UserID
	for u := range l.peers {
		us = append(us, u)
	}
	return us
}

// Before returns at most limit entries before seq (0: the end), with their
// authors. Below 1 limit is 50, above chat.MaxPage that. It refuses who may not
// read conv with chat.NotFound or chat.Forbidden.
func (h *Hub) Before(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if limit < 1 {
		limit = 50
	}
	return h.history(ctx, u, conv, func() (chat.Page, error) {
		return h.Store.Before(ctx, conv, seq, min(limit, chat.MaxPage))
	})
}

// After returns the entries after seq, the newest chat.MaxPage where more are
// missing, and refuses whom Before refuses.
func (h *Hub) After(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64) (chat.Page, error) {
	p, err := h.history(ctx, u, conv, func() (chat.Page, error) {
		return h.Store.After(ctx, conv, seq, chat.MaxPage)
	})
	if err == nil {
		h.Meter.Resumed(len(p.Entries))
	}
	return p, err
}

func (h *Hub) history(ctx context.Context, u chat.UserID, conv chat.ConvID, read func() (chat.Page, error)) (chat.Page, error) {
	if err := h.mayRead(ctx, u, conv); err != nil {
		return chat.Page{}, err
	}
	p, err := read()
	if err != nil {
		return p, err
	}
	if conv.IsGroup() {
		r, err := h.room(ctx, conv)
		if err != nil {
			return p, err
		}
		h.mu.Lock()
		low := r.told
		h.mu.Unlock()
		p.All = &low
	}
	var ids []chat.UserID
	for _, m := range p.Entries {
		ids = append(ids, m.Author)
		if e := m.Content.Event; e != nil {
			ids = append(ids, e.Who[:min(len(e.Who), 20)]...)
		}
	}
	if len(ids) == 0 {
		return p, nil
	}
	slices.Sort(ids)
	p.People, err = h.People.People(ctx, slices.Compact(ids)...)
	return p, err
}

// typingRoom is the largest group in which typing is told.
const typingRoom = 100

// Typing tells the other members that u writes, in groups of up to 100. It
// refuses who may not read conv.
func (h *Hub) Typing(ctx context.Context, u chat.UserID, conv chat.ConvID) error {
	if err := h.mayRead(ctx, u, conv); err != nil {
		return err
	}
	r, err := h.room(ctx, conv)
	if err != nil {
		return err
	}
	var to []chat.UserID
	for _, m := range h.membersOf(r) {
		if m != u {
			to = append(to, m)
		}
	}
	if len(to) == 0 || len(to) > typingRoom {
		return nil
	}
	return h.Fanout.Publish(ctx, wire.Event{Conv: conv, To: to, Frame: wire.Frame{Body: wire.Typing{Conv: conv, User: u}}})
}

// Signal passes the call signal that d is to the other person of a direct
// conversation. One that is kept in the log is posted instead, and comes as Posted.
func (h *Hub) Signal(ctx context.Context, d chat.Draft) error {
	if err := d.Validate(); err != nil {
		return err
	}
	peer, ok := d.Conv.Peer(d.Author)
	if !ok || d.Content.Call == nil {
		return chat.Refuse(chat.Invalid, "calls are between two people")
	}
	if d.Content.Call.Stored() {
		return h.accept(ctx, d)
	}
	s := wire.Signal{Conv: d.Conv, From: d.Author, Call: *d.Content.Call}
	return h.Fanout.Publish(ctx, wire.Event{Conv: s.Conv, To: []chat.UserID{peer}, Frame: wire.Frame{Body: s}})
}

// Who looks up people for a client, at most 100.
func (h *Hub) Who(ctx context.Context, ids []chat.UserID) ([]chat.Person, error) {
	return h.People.People(ctx, ids[:min(len(ids), 100)]...)
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
