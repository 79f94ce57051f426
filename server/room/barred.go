package room

import (
	"context"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Between two of whom one has blocked the other nobody sees who is online, nor who
// writes. Of people who are here their node knows who these are: by what it reads
// when they come, and anew when it is told that something between two has changed.

// A barring is who is barred from somebody who is here, and they from them. Until it
// is known they see nobody, and nobody them.
type barring struct {
	unknown bool
	who     map[chat.UserID]bool
	turns   int  // how often there was word that it has changed
	stale   bool // there was of somebody whom they saw nothing of here
}

// learnBarred reads who is barred from u, where u is here.
func (h *Hub) learnBarred(ctx context.Context, u chat.UserID) error {
	for tries := 0; h.Seer != nil; tries++ {
		h.mu.Lock()
		l, turns := h.live[u], 0
		if l != nil {
			turns = l.barred.turns
		}
		h.mu.Unlock()
		if l == nil {
			break
		}
		us, err := h.Seer.Barred(ctx, u)
		if err != nil {
			return err
		}
		who := make(map[chat.UserID]bool, len(us))
		for _, p := range us {
			who[p] = true
		}
		h.mu.Lock()
		learnt := l.barred.turns == turns // else what was read may be older than what was told
		if learnt {
			l.barred.unknown, l.barred.stale, l.barred.who = false, false, who
		} else if tries == 3 {
			l.barred.unknown, learnt = true, true // learnRest goes on
		}
		h.mu.Unlock()
		if learnt {
			break
		}
	}
	return nil
}

// learnStale is learnBarred where there was word of a change since.
func (h *Hub) learnStale(ctx context.Context, u chat.UserID) error {
	h.mu.Lock()
	l := h.live[u]
	stale := l != nil && l.barred.stale
	h.mu.Unlock()
	if !stale {
		return nil
	}
	return h.learnBarred(ctx, u)
}

// learnRest reads what could not be read before, and tells those whom it concerns who is here.
func (h *Hub) learnRest(ctx context.Context) {
	var us []chat.UserID
	h.mu.Lock()
	for u, l := range h.live {
		if l.barred.unknown && len(l.conns) > 0 {
			us = append(us, u)
		}
	}
	h.mu.Unlock()
	for _, u := range us {
		if err := h.learnBarred(ctx, u); err != nil {
			h.Log.Warn("who is barred is not known, will be tried again", "user", u, "err", err)
			return
		}
	}
	if len(us) > 0 && !h.unknown.Load() {
		if err := h.tellKnown(ctx, us); err != nil {
			h.Log.Warn("presence is not told", "err", err)
		}
	}
}

// barredLocked reports whether u and p, as far as they are here, may not know of each other.
func (h *Hub) barredLocked(u, p chat.UserID) bool {
	return h.live[u].bars(p) || h.live[p].bars(u)
}

func (h *Hub) barred(u, p chat.UserID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.barredLocked(u, p)
}

// bars reports whether p is barred from l, who may not be here.
func (l *person) bars(p chat.UserID) bool {
	return l != nil && (l.barred.unknown || l.barred.who[p])
}

// unbarred takes those out of us, which it changes, that are barred from u, who
// need not be here.
func (h *Hub) unbarred(ctx context.Context, u chat.UserID, us []chat.UserID) []chat.UserID {
	h.mu.Lock()
	l := h.live[u]
	here := l != nil && !l.barred.unknown && !l.barred.stale
	h.mu.Unlock()
	if here || u == "" || h.Seer == nil || len(us) == 0 {
		return us // mutual knows
	}
	barred, err := h.Seer.Barred(ctx, u)
	if err != nil {
		h.Log.Warn("who is barred is not known", "user", u, "err", err)
		return nil
	}
	return slices.DeleteFunc(us, func(p chat.UserID) bool { return slices.Contains(barred, p) })
}

// turnedBetween does what there is to do when something between two people has
// changed: those who are here see each other go, or come.
func (h *Hub) turnedBetween(ctx context.Context, conv chat.ConvID) {
	x, y, ok := conv.Pair()
	if !ok || x == y || h.Seer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	h.mu.Lock()
	was := h.barredLocked(x, y)
	a, b := h.live[x], h.live[y]
	meet := a != nil && b != nil || a != nil && a.peers[y] || b != nil && b.peers[x]
	for _, l := range []*person{a, b} {
		if l != nil {
			l.barred.turns++
			l.barred.stale = l.barred.stale || !meet
		}
	}
	h.mu.Unlock()
	if !meet { // it is read when they come to see more people
		return
	}
	for _, u := range []chat.UserID{x, y} {
		if err := h.learnBarred(ctx, u); err != nil {
			h.Log.Warn("who is barred is not known anew, will be tried again", "user", u, "err", err)
			h.forgetBarred(u)
		}
	}
	for _, p := range [][2]chat.UserID{{x, y}, {y, x}} {
		u, peer := p[0], p[1]
		h.mu.Lock()
		l := h.live[u]
		told := l != nil && l.peers[peer] && h.barredLocked(u, peer) != was
		h.mu.Unlock()
		if told {
			on := len(h.online(ctx, u, []chat.UserID{peer})) > 0
			h.push(wire.Frame{Body: wire.Online{User: peer, Online: on}}, chat.Stamp{}, h.connsOf(u))
		}
	}
}

// forgetBarred has u see nobody until learnRest.
func (h *Hub) forgetBarred(u chat.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.live[u]; l != nil {
		l.barred.unknown = true
	}
}
