package room

import (
	"context"
	"maps"
	"slices"

	"kamachat/shared/chat"
)

// A Room is what this node remembers of one conversation: its members and how
// far they have got. It can be dropped and loaded again at any time. The hub's
// mutex guards it.
type Room struct {
	Conv    chat.ConvID
	members map[chat.UserID]chat.Marks
	last    int64      // highest Seq seen; marks can't pass it
	told    chat.Marks // the lowest marks that the members know, or can by reading the list
	silent  bool       // the members have been told of none since it is in memory
	laws    chat.Laws
}

// room returns the room of conv, loading it when it is not in memory. A
// conversation that does not exist has no members and is not kept.
func (h *Hub) room(ctx context.Context, conv chat.ConvID) (*Room, error) {
	h.mu.Lock()
	r := h.rooms[conv]
	h.mu.Unlock()
	if r != nil {
		return r, nil
	}
	for {
		r, turn, err := h.load(ctx, conv)
		if err != nil || len(r.members) == 0 {
			return r, err
		}
		if kept := h.keep(r, turn); kept != nil {
			return kept, nil
		}
	}
}

// load reads a room, and tells how often rooms had been found to be old by then.
func (h *Hub) load(ctx context.Context, conv chat.ConvID) (r *Room, turn int64, err error) {
	h.mu.Lock()
	turn = h.turns
	h.mu.Unlock()
	ms, err := h.Store.Members(ctx, conv)
	if err != nil {
		return nil, turn, err
	}
	r = &Room{Conv: conv, members: make(map[chat.UserID]chat.Marks, len(ms)), silent: true}
	for _, m := range ms {
		r.members[m.User] = m
	}
	if r.laws, err = h.Store.Laws(ctx, conv); err != nil || len(ms) == 0 {
		return r, turn, err
	}
	s, err := h.Store.Summary(ctx, conv)
	r.last = s.LastSeq
	return r, turn, err
}

// keep keeps r in memory and returns it, or the one that is there already: nil
// where r may be old, since something changed while it was read.
func (h *Hub) keep(r *Room, turn int64) *Room {
	conv := r.Conv
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.rooms[conv]; other != nil {
		return other
	}
	if h.turns != turn {
		return nil
	}
	r.told = r.lowest()
	for u, m := range r.members {
		if d, ok := h.dirty[markKey{conv, u}]; ok {
			r.members[u] = m.Merge(d)
		}
	}
	for c := range h.rooms {
		if len(h.rooms) < h.MaxRooms {
			break
		}
		delete(h.rooms, c) // any one will do: it comes back when needed
	}
	h.rooms[conv] = r
	return r
}

// turnLocked forgets the room of conv, which has changed.
func (h *Hub) turnLocked(conv chat.ConvID) {
	h.turns++
	delete(h.rooms, conv)
}

// lowest returns how far everybody has got.
func (r *Room) lowest() chat.Marks {
	low := chat.Marks{Conv: r.Conv, Delivered: r.last, Read: r.last}
	for _, m := range r.members {
		low.Delivered, low.Read = min(low.Delivered, m.Delivered), min(low.Read, m.Read)
	}
	return low
}

func (h *Hub) membersOf(r *Room) []chat.UserID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(r.members))
}

// advance notes a new entry: its author has seen and read everything up to it,
// but for the seed's clients. What these have is what was written to them, and
// their session says so. Who amends an old entry need not have read the newest.
// One that is toAll is heard here from now on; it
// reports whether it was before, by all who are in r.
func (h *Hub) advance(r *Room, m chat.Message, unread, toAll bool) (told bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.last = max(r.last, m.Seq)
	if g := r.laws.Group; g != nil && g.Slow > 0 && m.Content.Event == nil && !m.Content.Kind.Amends() {
		seat := r.laws.Seats[m.Author]
		seat.Spoke = max(seat.Spoke, m.At)
		r.laws.Seats[m.Author] = seat
	}
	if toAll {
		told = h.noteHeardLocked(r.Conv, m.Seq)
		if h.Losses != nil && m.Content.Event != nil && r.Conv.IsGroup() {
			for u := range r.members {
				if l := h.live[u]; l != nil {
					h.joinedLocked(l, r.Conv)
				}
			}
		}
	}
	if m.Content.Kind.Amends() {
		unread = unread || r.members[m.Author].Read < m.Seq-1
	}
	if !unread {
		h.markLocked(r, chat.Marks{Conv: r.Conv, User: m.Author, Delivered: m.Seq, Read: m.Seq})
	}
	return told
}

// markLocked moves a member's marks forward and remembers to save them. It
// answers false, and does nothing, where too many are to be saved.
func (h *Hub) markLocked(r *Room, m chat.Marks) bool {
	old, in := r.members[m.User]
	if !in {
		return true
	}
	m.Delivered, m.Read = min(m.Delivered, r.last), min(m.Read, r.last)
	m = old.Merge(m)
	if m == old {
		return true
	}
	k := markKey{r.Conv, m.User}
	if _, in := h.dirty[k]; !in && len(h.dirty) >= h.MaxMarks {
		return false
	}
	r.members[m.User], h.dirty[k] = m, m
	return true
}

// mayRead answers nil when u is one of the conversation's people. Those of a
// direct conversation are in its name: nothing is looked up.
func (h *Hub) mayRead(ctx context.Context, u chat.UserID, conv chat.ConvID) error {
	if _, ok := conv.Peer(u); ok && conv.Valid() && !conv.IsGroup() {
		return nil
	}
	_, err := h.roomFor(ctx, u, conv)
	return err
}

// roomFor returns the room of conv, or refuses who may not read there.
func (h *Hub) roomFor(ctx context.Context, u chat.UserID, conv chat.ConvID) (*Room, error) {
	if !conv.Valid() {
		return nil, chat.Refuse(chat.NotFound, "no such conversation")
	}
	if !conv.IsGroup() {
		if _, ok := conv.Peer(u); !ok {
			return nil, chat.Refuse(chat.Forbidden, "not a conversation of yours")
		}
		return h.room(ctx, conv)
	}
	r, err := h.room(ctx, conv)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(r.members) == 0 {
		return nil, chat.Refuse(chat.NotFound, "no such conversation")
	}
	if _, in := r.members[u]; !in {
		if g := r.laws.Group; g != nil && g.Joining == chat.JoinInvite { // for strangers it is not there
			return nil, chat.Refuse(chat.NotFound, "no such conversation")
		}
		return nil, chat.Refuse(chat.Forbidden, "not a member of this group")
	}
	return r, nil
}
