package room

import (
	"context"
	"maps"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// MaxLate is how many events wait at most for a room that can't be loaded. More
// are let go: native clients find out by comparing what they hold.
const MaxLate = 10_000

// late are events whose receivers are not known, since the store did not say
// who is in the conversation. The hub's mutex guards it.
type late struct {
	of map[chat.ConvID][]wire.Event
	n  int
}

// postponed keeps e back where others of its conversation are: order is kept.
// Otherwise it is noted to be handed out until handed is called.
func (h *Hub) postponed(e wire.Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.late.of[e.Conv]) == 0 {
		h.hearing.handing = e.Conv
		return false
	}
	h.postponeLocked(e)
	return true
}

// handed notes that nothing is handed out by the fan-out's goroutine.
func (h *Hub) handed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hearing.handing = ""
}

// postpone keeps e until the store answers again.
func (h *Hub) postpone(e wire.Event, err error) {
	h.Log.Error("deliver: load room, will be tried again", "conv", e.Conv, "err", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.postponeLocked(e)
}

func (h *Hub) postponeLocked(e wire.Event) {
	if h.late.n < MaxLate {
		h.late.of[e.Conv] = append(h.late.of[e.Conv], e)
		h.late.n++
	}
}

// LateWaiting is how many events wait for a room that can't be loaded.
func (h *Hub) LateWaiting() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.late.n
}

// deliverLate delivers what was kept, as far as it goes. An event leaves the list
// when it has been handed out, so that none overtakes it meanwhile.
func (h *Hub) deliverLate(ctx context.Context) {
	h.mu.Lock()
	convs := slices.Sorted(maps.Keys(h.late.of))
	h.mu.Unlock()
	for _, c := range convs {
		for e, ok := h.firstLate(c); ok; e, ok = h.nextLate(c) {
			if h.hand(ctx, e) != nil {
				return // the store is away, for the others as well
			}
		}
	}
}

func (h *Hub) firstLate(c chat.ConvID) (e wire.Event, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if es := h.late.of[c]; len(es) > 0 {
		return es[0], true
	}
	return e, false
}

// nextLate takes the first event of c off the list and returns the one behind it.
func (h *Hub) nextLate(c chat.ConvID) (e wire.Event, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	es := h.late.of[c][1:]
	h.late.n--
	if len(es) == 0 {
		delete(h.late.of, c)
		return e, false
	}
	h.late.of[c] = es
	return es[0], true
}
