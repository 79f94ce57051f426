package room

import (
	"context"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// typingRoom is the largest group in which typing is told.
const typingRoom = 100

// Typing tells the other members that u writes, in groups of up to 100. It
// refuses who may not read conv.
func (h *Hub) Typing(ctx context.Context, u chat.UserID, conv chat.ConvID) error {
	r, err := h.roomFor(ctx, u, conv)
	if err != nil {
		return err
	}
	var to []chat.UserID
	for _, m := range h.membersOf(r) {
		if m != u {
			to = append(to, m)
		}
	}
	if peer, ok := conv.Peer(u); ok && h.barred(u, peer) {
		return nil
	}
	if len(to) == 0 || len(to) > typingRoom {
		return nil
	}
	return h.Fanout.Publish(ctx, wire.Event{Conv: conv, To: to, Frame: wire.Frame{Body: wire.Typing{Conv: conv, User: u}}})
}

// talked reports whether there is an entry in conv, which is in memory.
func (h *Hub) talked(conv chat.ConvID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[conv]
	return r != nil && r.last > 0
}

// Signal passes the call signal that d is to the other person of a direct
// conversation. One that is kept in the log is posted instead, and comes as Posted.
func (h *Hub) Signal(ctx context.Context, d chat.Draft) error {
	if err := d.Validate(); err != nil {
		return h.Refused(err)
	}
	peer, ok := d.Conv.Peer(d.Author)
	if !ok || d.Content.Call == nil {
		return h.Refused(chat.Refuse(chat.Invalid, "calls are between two people"))
	}
	if d.Content.Call.Stored() {
		return h.accept(ctx, d)
	}
	st, err := h.StandingIn(ctx, d.Author, d.Conv)
	if err == nil {
		err = st.MayPost(d.Conv, chat.CallK, h.Now().UnixMilli())
	}
	if err == nil && !h.talked(d.Conv) { // a call begins with what is stored
		err = chat.Refuse(chat.NotFound, "there is no such call")
	}
	if err != nil {
		return h.Refused(err)
	}
	s := wire.Signal{Conv: d.Conv, From: d.Author, Call: *d.Content.Call}
	return h.Fanout.Publish(ctx, wire.Event{Conv: s.Conv, To: []chat.UserID{peer}, Frame: wire.Frame{Body: s}})
}
