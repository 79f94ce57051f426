package room

import (
	"context"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A Knower is a Presence that may not know who is on other nodes.
type Knower interface {
	// Known reports whether it does just now.
	Known() bool
}

const (
	// knownAfter is how long presence must have been known again until people are
	// told: other nodes tell it who is on them meanwhile.
	knownAfter = 3 * time.Second
	// toldAtOnce is how many people are told at a time who is online.
	toldAtOnce = 50
)

// A knowing is whether people know that presence is not known. Only the hub's
// tick uses it.
type knowing struct {
	unknown bool
	since   time.Time     // when it was known again; zero: it is not
	queue   []chat.UserID // still to be told
}

// watchKnown tells people when it is no longer known who is online, and anew who
// is when it is known again: nobody is shown as what is only guessed.
func (h *Hub) watchKnown(ctx context.Context, k *knowing) {
	p, ok := h.Presence.(Knower)
	if !ok {
		return
	}
	now := time.Now()
	switch known := p.Known(); {
	case !known && !k.unknown:
		k.unknown, k.since, k.queue = true, time.Time{}, nil
		h.unknown.Store(true)
		h.tellUnknown()
	case !known:
		k.since = time.Time{}
	case k.unknown && k.since.IsZero():
		k.since = now
	case k.unknown && now.Sub(k.since) >= knownAfter:
		k.unknown = false
		h.unknown.Store(false)
		k.queue = h.here()
	}
	if len(k.queue) == 0 {
		return
	}
	n := min(len(k.queue), toldAtOnce)
	if h.tellKnown(ctx, k.queue[:n]) == nil {
		k.queue = k.queue[n:]
	}
}

// here returns the people who have a session on this node.
func (h *Hub) here() (us []chat.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for u, l := range h.live {
		if len(l.conns) > 0 {
			us = append(us, u)
		}
	}
	slices.Sort(us)
	return us
}

// peersHere returns the peers of u, and which of them are on this node.
func (h *Hub) peersHere(u chat.UserID) (peers, here []chat.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.live[u]; l != nil {
		peers = peersOf(l)
	}
	for _, p := range peers {
		if l := h.live[p]; l != nil && len(l.conns) > 0 {
			here = append(here, p)
		}
	}
	return peers, here
}

// tellUnknown tells everybody here that of people on other nodes nothing is known.
func (h *Hub) tellUnknown() {
	for _, u := range h.here() {
		_, here := h.peersHere(u)
		h.push(wire.Frame{Body: wire.Presence{Online: h.mutual(u, here)}}, chat.Stamp{}, h.connsOf(u))
	}
}

// tellKnown tells us who of their peers is online.
func (h *Hub) tellKnown(ctx context.Context, us []chat.UserID) error {
	peers, all := make([][]chat.UserID, len(us)), []chat.UserID{}
	for i, u := range us {
		peers[i], _ = h.peersHere(u)
		all = append(all, peers[i]...)
	}
	slices.Sort(all)
	on, err := h.Presence.Online(ctx, slices.Compact(all)...)
	if err != nil {
		return err
	}
	for i, u := range us {
		peers[i] = h.mutual(u, slices.DeleteFunc(peers[i], func(p chat.UserID) bool { return !on[p] }))
		h.push(wire.Frame{Body: wire.Presence{Known: true, Online: peers[i]}}, chat.Stamp{}, h.connsOf(u))
	}
	return nil
}
