package room

import (
	"context"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// SetLine changes what u has made of conv in the list, and returns what that is
// now. The person's sessions on all nodes are told; one that is not finds out by
// comparing its list. It refuses nonsense with chat.Invalid, who is not in conv
// with chat.NotFound or chat.Forbidden, and one pin too many with chat.TooLong.
func (h *Hub) SetLine(ctx context.Context, u chat.UserID, conv chat.ConvID, c chat.LineChange) (chat.Line, error) {
	if err := c.Validate(); err != nil {
		return chat.Line{}, err
	}
	if err := h.mayRead(ctx, u, conv); err != nil {
		return chat.Line{}, err
	}
	l, err := h.Store.SetLine(ctx, u, conv, c)
	if err != nil {
		return l, err
	}
	e := wire.Event{Conv: conv, To: []chat.UserID{u}, Frame: wire.Frame{Body: wire.Lined{Conv: conv, Line: l}}}
	if err := h.Fanout.Publish(ctx, e); err != nil {
		h.Log.Warn("a line is not told", "conv", conv, "user", u, "err", err)
	}
	return l, nil
}

// addPinned adds to the first page of the list of u what is pinned and older.
func (h *Hub) addPinned(ctx context.Context, u chat.UserID, l *wire.Listed) error {
	pinned, err := h.Store.Pinned(ctx, u)
	pinned = slices.DeleteFunc(pinned, func(c chat.ConvID) bool {
		return slices.ContainsFunc(l.Convs, func(s chat.Summary) bool { return s.Conv == c })
	})
	if err != nil || len(pinned) == 0 {
		return err
	}
	more, err := h.summaries(ctx, u, len(pinned), pinned...)
	l.Convs = append(l.Convs, more...)
	return err
}

// clear takes out of a page what is deleted for u.
func (h *Hub) clear(ctx context.Context, u chat.UserID, p *chat.Page) error {
	if len(p.Entries) == 0 {
		return nil
	}
	l, err := h.Store.Line(ctx, u, p.Conv)
	if err == nil && l.Hides(p.Entries[0].Seq) {
		p.Entries = slices.DeleteFunc(p.Entries, func(m chat.Message) bool { return l.Hides(m.Seq) })
	}
	return err
}
