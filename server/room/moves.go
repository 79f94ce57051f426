package room

import (
	"context"
	"maps"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Moves is what a Store tells of conversations that move where this node does
// not hear it.
type Moves interface {
	// Moved returns the heads, without marks, of the conversations whose last entry
	// is of a time after at, or of that time and behind conv in the order of ids:
	// oldest first, at most limit. A conversation may become visible here some time
	// after the time that it carries. at is Unix milliseconds.
	Moved(ctx context.Context, at int64, conv chat.ConvID, limit int) ([]chat.Head, error)
	// Groups returns the groups that u is in.
	Groups(ctx context.Context, u chat.UserID) ([]chat.ConvID, error)
	// Joined returns who came into one of convs at a time or later, in Unix milliseconds.
	Joined(ctx context.Context, at int64, convs ...chat.ConvID) ([]chat.Marks, error)
}

// Losses tells of a fan-out that may lose what other nodes tell: whether it does
// so just now, and how often it began to, or said that it had.
type Losses func() (now bool, times int64)

// A Hearer is a Fanout that brings from other nodes what is told to people and
// groups it was asked to hear, by their ids, and may leave out the rest.
type Hearer interface {
	// Hear returns when all that is told from now on comes, or after a moment at
	// most. Asked for twice, it is given up by Unhear twice.
	Hear(ctx context.Context, ids ...string)
	// HearSoon is Hear that does not wait. When it comes, that counts as a loss: of
	// what was told before.
	HearSoon(ids ...string)
	Unhear(ids ...string)
}

// hearsAll is a Hearer that leaves nothing out.
type hearsAll struct{}

func (hearsAll) Hear(context.Context, ...string) {}
func (hearsAll) HearSoon(...string)              {}
func (hearsAll) Unhear(...string)                {}

// How often the store is asked what moved: while events are lost, and otherwise,
// since some may have been without anybody knowing.
const (
	moveSoon   = 2 * time.Second
	moveSeldom = 15 * time.Second
)

// moveGrace is how long what was committed elsewhere may be on its way here.
const moveGrace = time.Second

// moveMargin is how much further back is looked than the last look: by how much
// the clocks of nodes may differ, and a commit take. joinMargin is for how long
// it is asked who came into a group of which nobody here is known to be: those
// are few, whatever it is.
const (
	moveMargin = 30 * time.Second
	joinMargin = 24 * time.Hour
)

// One look asks for at most so many heads at a time, so often, and fetches the
// entries of so many conversations. What is left is looked at next.
const (
	movePage   = 1000
	movePages  = 10
	moveBehind = 2000
)

// A heard is what of a log has been handed out on this node: the entry at top,
// and of those before it the ones whose bit is set; bit 0 is top's own.
type heard struct {
	top  int64
	bits uint64
}

// note notes that seq is handed out, and reports whether it was before, or is so
// far back that whoever had missed it has found out and asked for it.
func (d *heard) note(seq int64) bool {
	switch back := d.top - seq; {
	case back < 0:
		d.bits = d.bits<<min(-back, 64) | 1
		d.top = seq
	case back < 64:
		was := d.bits>>back&1 == 1
		d.bits |= 1 << back
		return was
	}
	return d.top-seq >= 64
}

// hearing is what this node has heard of conversations, and whose it is to hear.
// The hub's mutex guards it.
type hearing struct {
	of      map[chat.ConvID]heard
	handing chat.ConvID // being handed out by the fan-out's goroutine
	groups  map[chat.ConvID]*following
	again   map[chat.UserID]bool // people whose groups could not be read
	ears    Hearer
	soon    []string // to be heard from now on
	over    []string // no longer to be heard
}

// A following is how many people here are in a group.
type following struct {
	conv chat.ConvID
	n    int
}

func newHearing(f Fanout) hearing {
	ears, ok := f.(Hearer)
	if !ok {
		ears = hearsAll{}
	}
	return hearing{of: map[chat.ConvID]heard{}, groups: map[chat.ConvID]*following{}, again: map[chat.UserID]bool{}, ears: ears}
}

// noteHeardLocked notes that an entry is handed out, and reports whether it was before.
func (h *Hub) noteHeardLocked(conv chat.ConvID, seq int64) bool {
	d, ok := h.hearing.of[conv]
	was := d.note(seq)
	if !ok {
		for c := range h.hearing.of {
			if len(h.hearing.of) < h.MaxRooms {
				break
			}
			delete(h.hearing.of, c) // any one will do: its last entry may be told once more
		}
	}
	h.hearing.of[conv] = d
	return was
}

// hear has this node hear of what is told to u and the groups of u, from before
// anything that is read from the store next.
func (h *Hub) hear(ctx context.Context, u chat.UserID, l *person) {
	h.hearing.ears.Hear(ctx, string(u))
	h.mu.Lock()
	l.hears = h.live[u] == l
	gone := !l.hears
	h.mu.Unlock()
	if gone {
		h.hearing.ears.Unhear(string(u))
	} else if err := h.follow(ctx, u, l); err != nil {
		h.Log.Warn("groups are not known, will be read again", "user", u, "err", err)
	}
}

// follow reads the groups of u and has this node hear of them.
func (h *Hub) follow(ctx context.Context, u chat.UserID, l *person) error {
	gs, err := h.Store.Groups(ctx, u)
	ids := make([]string, len(gs))
	for i, g := range gs {
		ids[i] = string(g)
	}
	h.hearing.ears.Hear(ctx, ids...)
	var twice []string
	defer func() { h.hearing.ears.Unhear(twice...) }()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.live[u] != l || !l.hears:
		twice = ids
		return nil
	case err != nil:
		h.hearing.again[u] = true
		return err
	}
	delete(h.hearing.again, u)
	for _, g := range gs {
		if !h.followLocked(l, g) {
			twice = append(twice, string(g))
		}
	}
	return nil
}

// followLocked notes that l is in a group, and reports whether that is new.
func (h *Hub) followLocked(l *person, g chat.ConvID) bool {
	at, is := slices.BinarySearch(l.groups, g)
	if is {
		return false
	}
	f := h.hearing.groups[g]
	if f == nil {
		f = &following{conv: g}
		h.hearing.groups[g] = f
	}
	l.groups = slices.Insert(l.groups, at, f.conv) // all people share one string
	f.n++
	return true
}

// joinedLocked notes that l has come into a group, which is heard of soon.
func (h *Hub) joinedLocked(l *person, g chat.ConvID) {
	if l.hears && h.followLocked(l, g) {
		h.hearing.soon = append(h.hearing.soon, string(g))
	}
}

// partedLocked notes that l is no longer in a group.
func (h *Hub) partedLocked(l *person, g chat.ConvID) {
	at, is := slices.BinarySearch(l.groups, g)
	if !is {
		return
	}
	l.groups = slices.Delete(l.groups, at, at+1)
	h.hearing.over = append(h.hearing.over, string(g))
	if f := h.hearing.groups[g]; f != nil {
		if f.n--; f.n == 0 {
			delete(h.hearing.groups, g)
			delete(h.hearing.of, g)
		}
	}
}

// unfollowLocked forgets the groups of somebody who has left.
func (h *Hub) unfollowLocked(u chat.UserID, l *person) {
	delete(h.hearing.again, u)
	for _, g := range l.groups {
		h.hearing.over = append(h.hearing.over, string(g))
		f := h.hearing.groups[g]
		if f.n--; f.n == 0 {
			delete(h.hearing.groups, g)
			delete(h.hearing.of, g) // nobody here hears what comes next
		}
	}
	if l.hears {
		h.hearing.over = append(h.hearing.over, string(u))
	}
	l.groups, l.hears, l.heard = nil, false, nil
}

// turnEars has what is to be heard from now on heard, and gives up the rest.
func (h *Hub) turnEars() {
	h.mu.Lock()
	soon, over := h.hearing.soon, h.hearing.over
	h.hearing.soon, h.hearing.over = nil, nil
	h.mu.Unlock()
	h.hearing.ears.HearSoon(soon...)
	h.hearing.ears.Unhear(over...)
}

// A look is how far this node has looked for what moved. Only the hub's tick uses it.
type look struct {
	at    int64 // Unix milliseconds; what moved from then on is to be looked at
	conv  chat.ConvID
	from  int64 // where the look under way began
	known int64 // losses that were looked after
	next  time.Time
	last  time.Time // at the latest

	suspects []chat.Head // behind, unless what is under way comes by due
	due      time.Time
}

// lookElsewhere looks for what moved elsewhere when it is time to: the slow path
// of events that the fan-out lost, or could not bring.
func (h *Hub) lookElsewhere(ctx context.Context, l *look) {
	now := time.Now()
	if len(l.suspects) > 0 && !now.Before(l.due) {
		h.fetchSuspects(ctx, l)
	}
	if h.Losses == nil || now.Before(l.next) {
		return
	}
	if l.next.IsZero() {
		l.begin(h.Now())
		l.next, l.last = now.Add(moveSoon), now.Add(moveSoon)
		return
	}
	losing, times := h.Losses()
	if !losing && times == l.known && l.conv == "" && now.Before(l.last) {
		l.next = now.Add(moveSoon)
		return
	}
	err := h.followAgain(ctx)
	if err == nil {
		err = h.lookForMoves(ctx, l, losing || times != l.known)
	}
	now = time.Now()
	l.next, l.last = now.Add(moveSoon), now.Add(moveSeldom)
	if err != nil && ctx.Err() == nil {
		h.Log.Warn("what moved elsewhere is not known, will be asked again", "err", err)
		l.last = l.next
		return
	}
	if times != l.known { // what is lost at the end of a loss may be committed a little later
		l.last = l.next
	}
	l.known = times
}

// begin has the next look begin a margin before now.
func (l *look) begin(now time.Time) {
	l.at, l.conv = now.Add(-moveMargin).UnixMilli(), ""
	l.from = l.at
}

// followAgain reads the groups that could not be read before.
func (h *Hub) followAgain(ctx context.Context) error {
	h.mu.Lock()
	us := slices.Sorted(maps.Keys(h.hearing.again))
	h.mu.Unlock()
	for _, u := range us {
		h.mu.Lock()
		l := h.live[u]
		h.mu.Unlock()
		if l == nil {
			continue
		}
		if err := h.follow(ctx, u, l); err != nil {
			return err
		}
	}
	return nil
}

// lookForMoves fetches what was not heard here of conversations that moved since
// the last look, and has it delivered. Unless the fan-out is losing things, what
// is not heard is most likely on its way: then it is waited for a moment.
func (h *Hub) lookForMoves(ctx context.Context, l *look, losing bool) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	began, fetched := h.Now(), 0
	for range movePages {
		hs, err := h.Store.Moved(ctx, l.at, l.conv, movePage)
		if err != nil {
			return err
		}
		behind, err := h.unheard(ctx, hs, l.from)
		if err != nil {
			return err
		}
		if !losing {
			l.suspects, l.due = append(l.suspects, behind...), time.Now().Add(moveGrace)
			behind = behind[:0:0]
		}
		for _, o := range behind {
			if err := h.fetch(ctx, o); err != nil {
				return err
			}
		}
		if len(hs) < movePage {
			l.begin(began)
			return nil
		}
		l.at, l.conv = hs[len(hs)-1].At, hs[len(hs)-1].Conv
		if fetched += len(behind); fetched >= moveBehind || len(l.suspects) >= moveBehind {
			return nil
		}
	}
	return nil
}

// fetchSuspects fetches those conversations that are still behind what they were seen to have.
func (h *Hub) fetchSuspects(ctx context.Context, l *look) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for i, o := range l.suspects {
		h.mu.Lock()
		heard := o.LastSeq <= h.hearing.of[o.Conv].top
		h.mu.Unlock()
		if heard {
			continue
		}
		if err := h.fetch(ctx, o); err != nil {
			l.suspects, l.due = l.suspects[i:], time.Now().Add(moveSoon)
			if ctx.Err() == nil {
				h.Log.Warn("what moved elsewhere is not known, will be asked again", "err", err)
			}
			return
		}
	}
	l.suspects = nil
}

// unheard returns those of hs that somebody here has not heard of to the end.
func (h *Hub) unheard(ctx context.Context, hs []chat.Head, from int64) (behind []chat.Head, err error) {
	var strange []chat.Head // groups of which nobody here is known to be a member
	h.mu.Lock()
	for _, o := range hs {
		switch {
		case o.LastSeq <= h.hearing.of[o.Conv].top:
		case o.Conv.IsGroup() && h.hearing.groups[o.Conv] == nil:
			strange = append(strange, o)
		case o.Conv.IsGroup() || h.pairHereLocked(o.Conv):
			behind = append(behind, o)
		}
	}
	h.mu.Unlock()
	joined, err := h.joined(ctx, strange, from)
	return append(behind, joined...), err
}

func (h *Hub) pairHereLocked(conv chat.ConvID) bool {
	x, y, ok := conv.Pair()
	return ok && (h.live[x] != nil || h.live[y] != nil)
}

// joined returns those of hs that somebody here has come into of late. Of the
// others nobody here needs to hear what they hold by now.
func (h *Hub) joined(ctx context.Context, hs []chat.Head, from int64) (behind []chat.Head, err error) {
	if len(hs) == 0 {
		return nil, nil
	}
	ms, err := h.Store.Joined(ctx, from-joinMargin.Milliseconds(), convsOf(hs)...)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range ms {
		if l := h.live[m.User]; l != nil {
			h.joinedLocked(l, m.Conv)
		}
	}
	for _, o := range hs {
		if h.hearing.groups[o.Conv] != nil {
			behind = append(behind, o)
		} else {
			h.noteHeardLocked(o.Conv, o.LastSeq)
		}
	}
	return behind, nil
}

// fetch has what was not heard of a conversation delivered, in order, behind
// what waits and before what comes: the last entry where nothing is known of
// it, from which its readers see what they miss.
func (h *Hub) fetch(ctx context.Context, o chat.Head) error {
	h.mu.Lock()
	d, known := h.hearing.of[o.Conv]
	h.mu.Unlock()
	var p chat.Page
	var err error
	if known && o.LastSeq-d.top <= chat.MaxPage {
		p, err = h.Store.After(ctx, o.Conv, d.top, chat.MaxPage)
	} else {
		p, err = h.Store.Before(ctx, o.Conv, o.LastSeq+1, 1)
	}
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hearing.handing == o.Conv || len(h.late.of[o.Conv]) > 0 {
		return nil // it is being heard of; the next look sees whether to the end
	}
	for _, m := range p.Entries {
		if m.Seq <= h.hearing.of[o.Conv].top {
			continue
		}
		// Its author's marks were moved where it was committed.
		h.postponeLocked(wire.Event{Conv: o.Conv, Author: m.Author, Ref: m.Ref, Unread: true, Frame: wire.Frame{Body: wire.Posted{Message: m}}})
	}
	return nil
}
