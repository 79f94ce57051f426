package room

import (
	"context"
	"maps"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A Seer knows who does not want to be seen, and remembers when people were here.
type Seer interface {
	// Unseen returns all who tell nobody whether they are online.
	Unseen(ctx context.Context) ([]chat.UserID, error)
	// Saw notes that us were last here at a time in Unix milliseconds, unless they
	// were later.
	Saw(ctx context.Context, at int64, us ...chat.UserID) error
	// Barred returns those who have blocked u, or whom u has blocked. Of a bot its
	// owner's count, too.
	Barred(ctx context.Context, u chat.UserID) ([]chat.UserID, error)
	// Hidden returns those of ids who are not there for u.
	Hidden(ctx context.Context, u chat.UserID, ids ...chat.UserID) ([]chat.UserID, error)
}

// unseenEvery is how often the hub reads anew who is unseen: for what other nodes
// did while nobody whom it concerns was here.
const unseenEvery = 15 * time.Second

// Marks of events by which nodes tell one another that somebody is unseen, or is
// no longer. They stand where other events have the ref of a draft.
const (
	nowUnseen = "unseen"
	nowSeen   = "seen"
)

// hiding is who tells nobody whether they are online. Who does is told of nobody,
// either. It is guarded by the hub's mutex.
type hiding struct {
	who   map[chat.UserID]bool
	turns int       // how often somebody was told to be, or not to be
	next  time.Time // when to read it anew
}

// LearnUnseen reads who is unseen. Until it has, once, everybody is seen: it is
// called before the first session is let in, and by the hub itself from then on.
func (h *Hub) LearnUnseen(ctx context.Context) error {
	if h.Seer == nil {
		return nil
	}
	h.mu.Lock()
	turns := h.hiding.turns
	h.hiding.next = h.Now().Add(unseenEvery)
	h.mu.Unlock()
	us, err := h.Seer.Unseen(ctx)
	if err != nil {
		return err
	}
	who := make(map[chat.UserID]bool, len(us))
	for _, u := range us {
		who[u] = true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hiding.turns == turns { // else what was read may be older than what was told
		h.hiding.who = who
	}
	return nil
}

// learnUnseen is LearnUnseen now and then.
func (h *Hub) learnUnseen(ctx context.Context) {
	h.mu.Lock()
	due := h.Seer != nil && !h.Now().Before(h.hiding.next)
	h.mu.Unlock()
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := h.LearnUnseen(ctx); err != nil {
		h.Log.Warn("who is unseen is not known anew", "err", err)
	}
	h.learnRest(ctx)
}

// hide notes whether u is unseen.
func (h *Hub) hide(u chat.UserID, unseen bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hiding.turns++
	if h.hiding.who == nil {
		h.hiding.who = map[chat.UserID]bool{}
	}
	if unseen {
		h.hiding.who[u] = true
	} else {
		delete(h.hiding.who, u)
	}
}

// mutual takes those out of us, which it changes, that may not know of u whether
// they are online, nor u of them. Nobody is left where u is unseen.
func (h *Hub) mutual(u chat.UserID, us []chat.UserID) []chat.UserID {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hiding.who[u] {
		return nil
	}
	return slices.DeleteFunc(us, func(p chat.UserID) bool { return h.hiding.who[p] || h.barredLocked(u, p) })
}

// Unsee has u be unseen, or seen again, from this moment on: peers see them go, or
// come, and they their peers.
func (h *Hub) Unsee(ctx context.Context, u chat.UserID, unseen bool) error {
	h.hide(u, unseen)
	hs, err := h.heads(ctx, u)
	if err != nil {
		return err
	}
	var peers []chat.UserID
	for _, c := range convsOf(hs[:min(len(hs), watched)]) {
		if p, ok := c.Peer(u); ok && p != u {
			peers = append(peers, p)
		}
	}
	mark := nowSeen
	if unseen {
		mark = nowUnseen
	}
	es := []wire.Event{{To: []chat.UserID{u}, Ref: mark, Frame: wire.Frame{Body: wire.Presence{
		Known: !h.unknown.Load(), Online: h.online(ctx, u, slices.Clone(peers)),
	}}}}
	if len(peers) > 0 {
		here := !unseen && len(h.online(ctx, "", []chat.UserID{u})) > 0
		es = append(es, wire.Event{To: peers, Ref: mark, Frame: wire.Frame{Body: wire.Online{User: u, Online: here}}})
	}
	return h.Fanout.Publish(ctx, es...)
}

// Here returns those of us of whom u may know that they are online.
func (h *Hub) Here(ctx context.Context, u chat.UserID, us ...chat.UserID) []chat.UserID {
	return h.online(ctx, u, slices.Clone(us))
}

// heed does what an event about who is online says of who is unseen, and leaves in
// it what sessions are to know.
func (h *Hub) heed(e *wire.Event) {
	u, mark := chat.UserID(""), e.Ref
	switch b := e.Frame.Body.(type) {
	case wire.Online:
		u = b.User
	case wire.Presence:
		if len(e.To) == 1 {
			u = e.To[0]
		}
	}
	if mark == nowSeen || mark == nowUnseen {
		e.Ref = ""
		h.hide(u, mark == nowUnseen)
	}
	switch b, ok := e.Frame.Body.(wire.Online); {
	case !ok:
	case b.Online:
		e.To = h.mutual(u, slices.Clone(e.To))
	default: // they go for all who may have seen them
		e.To = slices.DeleteFunc(slices.Clone(e.To), func(p chat.UserID) bool { return h.barred(u, p) })
	}
}

// saw notes that people were here until now.
func (h *Hub) saw(ctx context.Context, us []chat.UserID) {
	if h.Seer == nil || len(us) == 0 {
		return
	}
	slices.Sort(us)
	if err := h.Seer.Saw(ctx, h.Now().UnixMilli(), us...); err != nil {
		h.Log.Warn("when people were here is not noted", "people", len(us), "err", err)
	}
}

// sawRest is saw for those whose absence nobody has announced yet.
func (h *Hub) sawRest(ctx context.Context) {
	h.mu.Lock()
	us := slices.Collect(maps.Keys(h.live))
	h.mu.Unlock()
	h.saw(ctx, us)
}
