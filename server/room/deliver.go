package room

import (
	"context"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// deliver brings one event to the sessions on this node. Only the fan-out's
// goroutine calls it. What can't be delivered because a room can't be loaded is
// delivered later, in order within its conversation.
func (h *Hub) deliver(ctx context.Context, e wire.Event) {
	if len(e.To) == 0 {
		if h.postponed(e) {
			return
		}
		defer h.handed()
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := h.hand(ctx, e); err != nil {
		h.postpone(e, err)
	}
}

// hand does what deliver says, or nothing when a room can't be loaded. It may be
// called from two goroutines, but not with two events for all of one conversation.
func (h *Hub) hand(ctx context.Context, e wire.Event) error {
	defer h.survive(e)
	h.answered(&e)
	switch b := e.Frame.Body.(type) {
	case wire.Posted:
		return h.handPosted(ctx, e, b)
	case wire.Bye:
		if e.Ref != "" {
			h.mu.Lock()
			h.ended[e.Ref] = h.Now().Add(endedFor)
			h.mu.Unlock()
		}
		for _, c := range h.connsOf(e.To...) {
			if e.Ref == "" || c.Login() == e.Ref {
				c.Close(b.Reason)
			}
		}
		return nil
	case wire.Online, wire.Presence:
		if h.heed(&e); len(e.To) == 0 {
			return nil
		}
	case wire.Turned:
		h.mu.Lock()
		h.turnLocked(b.Conv)
		h.mu.Unlock()
		h.turnedBetween(ctx, b.Conv)
	case wire.Refused:
		h.resolve(e, chat.Receipt{Err: &chat.Refusal{Code: b.Code, Words: b.Words, RetryAfter: time.Duration(b.RetryAfter) * time.Millisecond}})
	}
	to := e.To
	if len(to) == 0 {
		r, err := h.room(ctx, e.Conv)
		if err != nil {
			return err
		}
		to = h.membersOf(r)
	}
	f := e.Frame
	f.Ref = e.Ref
	h.push(f, e.Stamp, h.connsOf(to...))
	return nil
}

func (h *Hub) handPosted(ctx context.Context, e wire.Event, b wire.Posted) error {
	h.mu.Lock()
	r := h.rooms[e.Conv]
	next := r != nil && b.Seq == r.last+1
	// Its members may have changed: now, or where an entry before was not told here.
	if b.Content.Event != nil || b.Seq == 1 || r != nil && b.Seq > r.last+1 {
		h.turnLocked(e.Conv)
	}
	h.mu.Unlock()
	// Who waited for it finds here what it changed.
	h.resolve(e, chat.Receipt{Message: b.Message})
	r, err := h.room(ctx, e.Conv)
	if err != nil {
		return err
	}
	if !next {
		if in, err := h.stored(ctx, r, b.Seq); err != nil || !in {
			return err
		}
	}
	// Also when it is told again: the first time may have been in another life.
	if h.advance(r, b.Message, e.Unread, len(e.To) == 0) {
		return nil
	}
	to := e.To
	if len(to) == 0 {
		to = h.membersOf(r)
	}
	if ev := b.Content.Event; len(e.To) == 0 {
		switch {
		case b.Seq == 1:
			h.tellOpened(ctx, e.Conv, 1, to)
		case ev != nil && ev.What == chat.Joined:
			h.tellOpened(ctx, e.Conv, b.Seq, ev.Who)
		}
		defer h.parted(b.Message)
	}
	conns := h.connsOf(to...)
	defer h.Meter.Handed(b, e.Stamp, len(conns))
	if len(conns) == 0 {
		return nil
	}
	for _, c := range conns {
		if !c.Native() {
			b.By = h.name(ctx, b.Author)
			break
		}
	}
	theirs := wire.NewPacket(wire.Frame{Body: b})
	mine := wire.NewPacket(wire.Frame{Ref: e.Ref, Body: b})
	for _, c := range conns {
		if c.User() == e.Author {
			c.Push(mine)
		} else {
			c.Push(theirs)
		}
	}
	return nil
}

// tellOpened tells the members that are here about a conversation that is new to them.
func (h *Hub) tellOpened(ctx context.Context, conv chat.ConvID, seq int64, to []chat.UserID) {
	conns := h.connsOf(to...)
	if len(conns) == 0 {
		return
	}
	s, err := h.Store.Summary(ctx, conv)
	if err != nil {
		h.Log.Error("deliver: read conversation", "conv", conv, "err", err)
		return
	}
	// The entry that brought them there follows by itself. What was before is not new.
	s.LastSeq = seq - 1
	if seq > 1 {
		s.Members -= len(to) // it counts them when it follows
	}
	s.Mine.Delivered, s.Mine.Read = s.LastSeq, s.LastSeq
	o := wire.Opened{Summary: s}
	if x, y, ok := conv.Pair(); ok {
		if o.People, err = h.People.People(ctx, x, y); err != nil {
			h.Log.Error("deliver: read people", "conv", conv, "err", err)
		}
		h.befriend(ctx, x, y)
	}
	for until, cs := range h.byMute(conv, conns) {
		o.Summary.Place.Muted = until
		h.push(wire.Frame{Body: o}, chat.Stamp{}, cs)
	}
}

// byMute returns conns by until when their people are muted in conv: a mute outlasts
// leaving and coming back.
func (h *Hub) byMute(conv chat.ConvID, conns []Conn) map[int64][]Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	by := map[int64][]Conn{}
	for _, c := range conns {
		until := int64(0)
		if r := h.rooms[conv]; r != nil {
			until = r.laws.Seats[c.User()].Muted
		}
		by[until] = append(by[until], c)
	}
	return by
}

func (h *Hub) push(f wire.Frame, s chat.Stamp, conns []Conn) {
	defer h.Meter.Handed(f.Body, s, len(conns))
	if len(conns) == 0 {
		return
	}
	p := wire.NewPacket(f)
	for _, c := range conns {
		c.Push(p)
	}
}

// resolve wakes those who wait for what became of a draft.
func (h *Hub) resolve(e wire.Event, r chat.Receipt) {
	if e.Ref == "" {
		return
	}
	key := draftKey{e.Conv, e.Author, e.Ref}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ch := range h.waiters[key] {
		ch <- r // buffered, and each waiter is resolved once
	}
	delete(h.waiters, key)
}

// connsOf returns the sessions of us on this node.
func (h *Hub) connsOf(us ...chat.UserID) []Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	var cs []Conn
	for _, u := range us {
		if l := h.live[u]; l != nil {
			cs = append(cs, l.conns...)
		}
	}
	return cs
}
