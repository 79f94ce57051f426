package room

import (
	"context"
	"crypto/rand"
	"strconv"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// StandingIn returns what decides what u may do in conv, but for whether the
// accounts are enabled: that the store knows, which decides once more.
func (h *Hub) StandingIn(ctx context.Context, u chat.UserID, conv chat.ConvID) (chat.Standing, error) {
	r, err := h.room(ctx, conv)
	if err != nil {
		return chat.Standing{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, in := r.members[u]
	s := r.laws.Of(u, in)
	s.Only = h.Only()
	return s, nil
}

// mayPost says why d may not be posted. What the server itself makes is checked
// where it is made, and by the store. Before a post between two people is accepted
// nothing is looked up that is not in memory: who they are their conversation's name
// says, and the store, which checks all once more, need not answer for that.
func (h *Hub) mayPost(ctx context.Context, d chat.Draft) error {
	if d.Content.Event != nil || d.Super {
		return nil
	}
	if !d.Conv.IsGroup() {
		if _, in := d.Conv.Peer(d.Author); !in {
			return chat.Refuse(chat.Forbidden, "not a conversation of yours")
		}
		h.mu.Lock()
		r := h.rooms[d.Conv]
		h.mu.Unlock()
		if r == nil {
			return nil
		}
	}
	s, err := h.StandingIn(ctx, d.Author, d.Conv)
	if err != nil {
		return err
	}
	now := h.Now().UnixMilli()
	if s.MayPost(d.Conv, d.Content.Kind, now) == nil {
		return nil
	}
	// What this node remembers may be old: nobody is refused for what has been.
	if err := h.readLaws(ctx, d.Conv); err != nil {
		return err
	}
	if s, err = h.StandingIn(ctx, d.Author, d.Conv); err != nil {
		return err
	}
	return s.MayPost(d.Conv, d.Content.Kind, now)
}

// readLaws reads anew what decides in conv.
func (h *Hub) readLaws(ctx context.Context, conv chat.ConvID) error {
	l, err := h.Store.Laws(ctx, conv)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rooms[conv]; r != nil {
		r.laws = l
	}
	return nil
}

// Renew has all nodes read anew what decides in conv, which somebody changed
// other than by an entry of its log. Where that is lost the store, which decides
// last, knows better than the room.
func (h *Hub) Renew(ctx context.Context, conv chat.ConvID, to ...chat.UserID) error {
	return h.Fanout.Publish(ctx, wire.Event{Conv: conv, To: to, Frame: wire.Frame{Body: wire.Turned{Conv: conv}}})
}

// Ask tells to that those who wait for an answer of theirs are others now: who wants to
// come into the group conv, or, where it is empty, to be a contact. Who is not told
// finds out the next time that they look.
func (h *Hub) Ask(ctx context.Context, conv chat.ConvID, to ...chat.UserID) error {
	if len(to) == 0 {
		return nil
	}
	return h.Fanout.Publish(ctx, wire.Event{Conv: conv, To: to, Frame: wire.Frame{Body: wire.Asked{Conv: conv}}})
}

// parted tells those who are no longer in a group, by the entry m, that they are not.
func (h *Hub) parted(m chat.Message) {
	e := m.Content.Event
	if e == nil || e.What != chat.Left || !m.Conv.IsGroup() {
		return
	}
	conns := h.connsOf(e.Who...)
	h.push(wire.Frame{Body: wire.Parted{Conv: m.Conv}}, chat.Stamp{}, conns)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range e.Who {
		if l := h.live[u]; l != nil {
			h.partedLocked(l, m.Conv)
		}
	}
}

// Remove unsends a message for its author, by the wish of an administrator of the
// server. One that is unsent already is fine.
func (h *Hub) Remove(ctx context.Context, conv chat.ConvID, seq int64, author chat.UserID) error {
	_, err := h.PostWait(ctx, Removal(conv, seq, author))
	return Removed(err)
}

// Removal is the draft that unsends a message for its author, by the wish of an
// administrator: for Remove, and for who has the database but no Hub.
func Removal(conv chat.ConvID, seq int64, author chat.UserID) chat.Draft {
	return chat.Draft{
		Conv: conv, Author: author, Ref: "removed-" + strconv.FormatInt(seq, 10) + "-" + rand.Text(), Super: true, Content: chat.Content{Kind: chat.Recall, Of: seq},
	}
}

// Removed is what err, of a Removal, comes to: a message that was unsent already is removed.
func Removed(err error) error {
	if r := chat.AsRefusal(err); err != nil && r.Words == "the message was unsent" {
		return nil
	}
	return err
}
