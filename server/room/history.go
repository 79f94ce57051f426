package room

import (
	"context"
	"slices"

	"kamachat/shared/chat"
)

// Before returns at most limit entries before seq (0: the end), with their
// authors, and without those that are deleted for u. Below 1 limit is 50, above chat.MaxPage that. It refuses who may not
// read conv with chat.NotFound or chat.Forbidden.
func (h *Hub) Before(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if limit < 1 {
		limit = 50
	}
	return h.history(ctx, u, conv, func() (chat.Page, error) {
		return h.Store.Before(ctx, conv, seq, min(limit, chat.MaxPage))
	})
}

// At returns the Seq of the first entry of conv that was stored at or after a
// time, in Unix milliseconds: 0 where there is none. It refuses whom Before
// refuses, and reads about twenty entries to find one among a million.
func (h *Hub) At(ctx context.Context, u chat.UserID, conv chat.ConvID, at int64) (int64, error) {
	newest, err := h.Before(ctx, u, conv, 0, 1)
	if err != nil || len(newest.Entries) == 0 || newest.Entries[0].At < at {
		return 0, err
	}
	l, err := h.Store.Line(ctx, u, conv)
	if err != nil {
		return 0, err
	}
	lo, hi := l.Cleared+1, newest.Entries[0].Seq // the answer is between them, hi included
	for lo < hi {
		mid := lo + (hi-lo)/2
		p, err := h.Store.Before(ctx, conv, mid+1, 1)
		if err != nil {
			return 0, err
		}
		if len(p.Entries) > 0 && p.Entries[0].At >= at {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return hi, nil
}

// After returns the entries after seq, the newest chat.MaxPage where more are
// missing, and refuses whom Before refuses.
func (h *Hub) After(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64) (chat.Page, error) {
	p, err := h.history(ctx, u, conv, func() (chat.Page, error) {
		return h.Store.After(ctx, conv, seq, chat.MaxPage)
	})
	if err == nil {
		h.Meter.Resumed(len(p.Entries))
	}
	return p, err
}

func (h *Hub) history(ctx context.Context, u chat.UserID, conv chat.ConvID, read func() (chat.Page, error)) (chat.Page, error) {
	if err := h.mayRead(ctx, u, conv); err != nil {
		return chat.Page{}, err
	}
	p, err := read()
	if err == nil {
		err = h.clear(ctx, u, &p)
	}
	if err != nil {
		return p, err
	}
	if conv.IsGroup() {
		// Looked up once more: reading took a while, and the room that there was
		// before may have been let go and fall behind.
		r, err := h.room(ctx, conv)
		if err != nil {
			return p, err
		}
		h.mu.Lock()
		low := r.told
		h.mu.Unlock()
		p.All = &low
	}
	var ids []chat.UserID
	for _, m := range p.Entries {
		ids = append(ids, m.Author)
		if e := m.Content.Event; e != nil {
			ids = append(ids, e.Who[:min(len(e.Who), 20)]...)
		}
		if m.Content.Re != nil {
			ids = append(ids, m.Content.Re.Author)
		}
		for _, r := range m.Content.Reactions() {
			ids = append(ids, r.People[:min(len(r.People), 20)]...)
		}
	}
	if len(ids) == 0 {
		return p, nil
	}
	slices.Sort(ids)
	p.People, err = h.People.People(ctx, slices.Compact(ids)...)
	return p, err
}
