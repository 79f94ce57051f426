package room

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Welcome makes the first frame of a native session and tells the person's peers
// that the person is here. sums are those of the client's hello.
func (h *Hub) Welcome(ctx context.Context, c Conn, sums ...uint32) (wire.Welcome, error) {
	u := c.User()
	w := wire.Welcome{Session: c.ID(), Now: h.Now().UnixMilli(), Build: h.Build, Epoch: h.Epoch, Expired: h.Expired()}
	var l wire.Listed
	var convs []chat.ConvID
	var err error
	if len(sums) > 0 && len(sums) <= chat.MaxSums {
		var hs []chat.Head
		if hs, err = h.heads(ctx, u); err != nil {
			return w, err
		}
		l, w.Known, err = h.differing(ctx, u, hs, sums)
		convs = convsOf(hs[:min(len(hs), watched)])
	} else {
		l, err = h.page(ctx, u, wire.List{})
		for _, s := range l.Convs {
			convs = append(convs, s.Conv)
		}
	}
	if err != nil {
		return w, err
	}
	people, err := h.named(ctx, l.Convs, u)
	if err != nil {
		return w, err
	}
	for _, p := range people {
		if p.ID == u {
			w.Me = p
		}
	}
	if w.Me.ID == "" {
		return w, chat.Refuse(chat.SignedOut, "the account is gone")
	}
	if err := h.learnBarred(ctx, u); err != nil {
		return w, err
	}
	peers, _ := h.watch(u, convs)
	w.Convs, w.People, w.Next, w.Differ, w.More = l.Convs, people, l.Next, l.Differ, l.More
	w.Online, w.Unknown = h.online(ctx, u, peers), h.unknown.Load()
	h.tellHere(ctx, u, w.Online)
	return w, nil
}

// Lines answers what a client of u asks about its list.
func (h *Hub) Lines(ctx context.Context, u chat.UserID, ask wire.List) (wire.Listed, error) {
	var l wire.Listed
	var err error
	switch {
	case len(ask.IDs) > chat.MaxList || len(ask.Sums) > chat.MaxSums:
		return l, chat.Refuse(chat.Invalid, "the list asks for too much at once")
	case len(ask.IDs) > 0:
		l.Convs, err = h.summaries(ctx, u, len(ask.IDs), ask.IDs...)
	case len(ask.Sums) > 0:
		var hs []chat.Head
		if hs, err = h.heads(ctx, u); err == nil {
			l, _, err = h.differing(ctx, u, hs, ask.Sums)
			l.Expired = h.Expired()
		}
	default:
		l, err = h.page(ctx, u, ask)
	}
	if err != nil || len(l.Convs) == 0 {
		return l, err
	}
	if l.People, err = h.named(ctx, l.Convs); err != nil {
		return l, err
	}
	convs := make([]chat.ConvID, len(l.Convs))
	for i, s := range l.Convs {
		convs[i] = s.Conv
	}
	if err := h.learnStale(ctx, u); err != nil {
		return l, err
	}
	peers, fresh := h.watch(u, convs)
	l.Online = h.online(ctx, u, peers)
	h.tellHere(ctx, u, slices.DeleteFunc(slices.Clone(l.Online), func(p chat.UserID) bool { return !fresh[p] }))
	return l, nil
}

// page returns the lines after ask.After. All that are pinned are on the first
// page, however old.
func (h *Hub) page(ctx context.Context, u chat.UserID, ask wire.List) (l wire.Listed, err error) {
	limit := ask.Limit
	if limit < 1 || limit > chat.MaxList {
		limit = chat.MaxList
	}
	if ask.After == "" {
		l.Convs, err = h.summaries(ctx, u, limit+1)
		if len(l.Convs) > limit {
			l.Convs = l.Convs[:limit]
			last := l.Convs[limit-1]
			l.Next = cursor(last.At, last.Conv)
			err = h.addPinned(ctx, u, &l)
		}
		return l, err
	}
	at, conv, err := parseCursor(ask.After)
	if err != nil {
		return l, err
	}
	hs, err := h.heads(ctx, u)
	if err != nil {
		return l, err
	}
	hs = slices.DeleteFunc(hs, func(o chat.Head) bool { return o.Pinned > 0 || o.At > at || o.At == at && o.Conv <= conv })
	if len(hs) > limit {
		hs = hs[:limit]
		l.Next = cursor(hs[limit-1].At, hs[limit-1].Conv)
	}
	if len(hs) > 0 {
		l.Convs, err = h.summaries(ctx, u, limit, convsOf(hs)...)
	}
	return l, err
}

// cursor names the place behind a line that is not pinned. Conversations only ever
// move up, past all cursors: none is passed over by asking page after page, but
// one that was unpinned meanwhile, which shows in the sums.
func cursor(at int64, conv chat.ConvID) string { return fmt.Sprintf("%d %s", at, conv) }

func parseCursor(s string) (int64, chat.ConvID, error) {
	l, r, _ := strings.Cut(s, " ")
	at, err := strconv.ParseInt(l, 10, 64)
	if err != nil || !chat.ConvID(r).Valid() {
		return 0, "", chat.Refuse(chat.Invalid, "no page of the list begins there")
	}
	return at, chat.ConvID(r), nil
}

// differing returns the lines of the parts that differ from sums, as many parts
// as fit, and true; or, where none fits, the first page, and false. hs are the
// heads of u.
func (h *Hub) differing(ctx context.Context, u chat.UserID, hs []chat.Head, sums []uint32) (l wire.Listed, told bool, err error) {
	size := make([]int, len(sums))
	for _, o := range hs {
		size[chat.Part(o.Conv, len(sums))]++
	}
	take, n := make([]bool, len(sums)), 0
	for p, sum := range chat.Sums(hs, len(sums)) {
		switch {
		case sum == sums[p]:
		case n+size[p] > chat.MaxList:
			l.More = true
		default:
			n, take[p] = n+size[p], true
			l.Differ = append(l.Differ, p)
		}
	}
	if l.More && len(l.Differ) == 0 {
		l, err = h.page(ctx, u, wire.List{})
		return l, false, err
	}
	var convs []chat.ConvID
	for _, o := range hs {
		if take[chat.Part(o.Conv, len(sums))] {
			convs = append(convs, o.Conv)
		}
	}
	if len(convs) > 0 {
		l.Convs, err = h.summaries(ctx, u, len(convs), convs...)
	}
	return l, true, err
}

// heads is Store.Heads with the person's marks that are not saved yet: the
// client knows that it sent them.
func (h *Hub) heads(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	hs, err := h.Store.Heads(ctx, u)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.dirty) == 0 {
		return hs, nil
	}
	for i, o := range hs {
		if m, ok := h.dirty[markKey{o.Conv, u}]; ok {
			hs[i].Mine = o.Mine.Merge(m)
		}
	}
	return hs, nil
}

// summaries is Store.Summaries with the person's marks that are not saved yet.
func (h *Hub) summaries(ctx context.Context, u chat.UserID, limit int, convs ...chat.ConvID) ([]chat.Summary, error) {
	ss, err := h.Store.Summaries(ctx, u, limit, convs...)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, s := range ss {
		if m, ok := h.dirty[markKey{s.Conv, u}]; ok {
			ss[i].Mine = s.Mine.Merge(m)
			ss[i].Unread = min(s.Unread, int(max(s.LastSeq-max(ss[i].Mine.Read, s.Cleared), 0)))
		}
	}
	return ss, nil
}

// Standing returns the heads of all conversations of u, latest first, and tells
// the person's peers that the person is here. It is the Welcome of clients that
// know no list.
func (h *Hub) Standing(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	hs, err := h.heads(ctx, u)
	if err != nil {
		return nil, err
	}
	if err := h.learnBarred(ctx, u); err != nil {
		return nil, err
	}
	peers, _ := h.watch(u, convsOf(hs[:min(len(hs), watched)]))
	h.tellHere(ctx, u, h.online(ctx, u, peers))
	return hs, nil
}

func convsOf(hs []chat.Head) []chat.ConvID {
	cs := make([]chat.ConvID, len(hs))
	for i, o := range hs {
		cs[i] = o.Conv
	}
	return cs
}
