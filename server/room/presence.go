package room

import (
	"context"
	"maps"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// offlineAfter is how long somebody without a session still counts as online:
// a page reload is nobody's business.
const offlineAfter = 3 * time.Second

// Look notes whether the person of a session that has joined can see it. From
// Join on they can, until this says otherwise.
func (h *Hub) Look(ctx context.Context, c Conn, hidden bool) {
	if h.Looking == nil {
		return
	}
	tell := h.Looking.Touch
	if hidden {
		tell = h.Looking.Leave
	}
	if err := tell(ctx, c.User(), c.ID()); err != nil {
		h.Log.Warn("who looks is not told", "user", c.User(), "err", err)
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
	if err != nil && !h.unknown.Load() {
		h.Log.Debug("absence is not known yet", "people", len(gone), "err", err)
		h.putLeftBack(gone)
		return
	}
	// Where nothing is known of other nodes, nothing is known of who has left this one.
	h.saw(ctx, slices.Collect(maps.Keys(gone)))
	for u, l := range gone {
		peers := h.mutual(u, peersOf(l))
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
			h.unfollowLocked(u, l)
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

// peersOf returns who is told when l comes and goes.
func peersOf(l *person) []chat.UserID {
	var us []chat.UserID
	for u := range l.peers {
		if !l.bars(u) {
			us = append(us, u)
		}
	}
	return us
}

// watched is of how many latest conversations the peers are told, and tell, who
// comes and goes, for a client that comes back with its list. For others these
// are the conversations that it had listed.
const watched = 500

// watch remembers who is told when u comes and goes, and returns the peers in
// convs and who of them is new.
func (h *Hub) watch(u chat.UserID, convs []chat.ConvID) (peers []chat.UserID, fresh map[chat.UserID]bool) {
	fresh = map[chat.UserID]bool{}
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.live[u]
	for _, c := range convs {
		p, ok := c.Peer(u)
		if !ok || l == nil {
			continue
		}
		peers = append(peers, p)
		fresh[p] = !l.peers[p]
		l.peers[p] = true
	}
	return peers, fresh
}

// online returns those of us who are online, as far as u may know. It changes us.
func (h *Hub) online(ctx context.Context, u chat.UserID, us []chat.UserID) []chat.UserID {
	if us = h.mutual(u, h.unbarred(ctx, u, us)); len(us) == 0 {
		return nil
	}
	on, err := h.Presence.Online(ctx, us...)
	if err != nil {
		h.Log.Warn("presence is not known", "err", err)
	}
	return slices.DeleteFunc(us, func(p chat.UserID) bool { return !on[p] })
}

// tellHere tells peers that u is here.
func (h *Hub) tellHere(ctx context.Context, u chat.UserID, peers []chat.UserID) {
	if len(peers) == 0 {
		return
	}
	e := wire.Event{To: slices.Clone(peers), Frame: wire.Frame{Body: wire.Online{User: u, Online: true}}}
	if err := h.Fanout.Publish(ctx, e); err != nil {
		h.Log.Warn("presence not told", "user", u, "err", err)
	}
}

// befriend lets two people who now share a conversation see each other come and go.
func (h *Hub) befriend(ctx context.Context, x, y chat.UserID) {
	on, err := h.Presence.Online(ctx, x, y)
	if err != nil {
		h.Log.Warn("presence is not known", "err", err)
	}
	for _, u := range []chat.UserID{x, y} {
		if err := h.learnStale(ctx, u); err != nil {
			h.Log.Warn("who is barred is not known anew, will be tried again", "user", u, "err", err)
			h.forgetBarred(u)
		}
	}
	mutual := len(h.mutual(x, []chat.UserID{y})) > 0
	for _, p := range [][2]chat.UserID{{x, y}, {y, x}} {
		h.mu.Lock()
		if l := h.live[p[0]]; l != nil {
			l.peers[p[1]] = true
		}
		h.mu.Unlock()
		if mutual && on[p[1]] {
			h.push(wire.Frame{Body: wire.Online{User: p[1], Online: true}}, chat.Stamp{}, h.connsOf(p[0]))
		}
	}
}
