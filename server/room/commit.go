package room

import (
	"context"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// commit stores a batch and tells everybody. After an error it is to be tried
// again: whether it is stored may not be known, as when the answer got lost.
func (h *Hub) commit(ctx context.Context, ds []chat.Draft) error {
	began := h.Now()
	rs, err := h.Store.Append(ctx, ds)
	h.noteCommit(err)
	untold := h.doubt(ds, err)
	if err != nil {
		h.Meter.CommitFailed(len(ds))
		h.Log.Error("commit failed, will be tried again", "drafts", len(ds), "err", err)
		return err
	}
	h.Meter.Committed(ds, rs, h.Now().Sub(began))
	es := make([]wire.Event, len(ds))
	for i, r := range rs {
		r.Again = r.Again && !untold[i] && !ds[i].Doubt
		es[i] = h.answer(ds[i], r)
	}
	if err := h.Fanout.Publish(ctx, es...); err != nil {
		// They are stored; receivers find out when they resume.
		h.Log.Error("publish failed", "events", len(es), "err", err)
	}
	h.notify(es)
	return nil
}

// notify tells the notifier about the entries that are told for the first time.
func (h *Hub) notify(es []wire.Event) {
	if h.Notifier == nil {
		return
	}
	for _, e := range es {
		if p, ok := e.Frame.Body.(wire.Posted); ok && len(e.To) == 0 {
			h.Notifier.Stored(p.Message)
		}
	}
}

// doubt remembers ds when their commit failed. Otherwise it says which of them
// had been in doubt: stored or not, nobody has been told of those.
func (h *Hub) doubt(ds []chat.Draft, err error) []bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := make([]bool, len(ds))
	for i, d := range ds {
		k := draftKey{d.Conv, d.Author, d.Ref}
		if err != nil {
			h.unsure[k] = true
		} else if h.unsure[k] {
			was[i] = true
			delete(h.unsure, k)
		}
	}
	return was
}

// answer makes the event that tells what became of d.
func (h *Hub) answer(d chat.Draft, r chat.Receipt) wire.Event {
	e := wire.Event{Conv: d.Conv, Author: d.Author, Ref: d.Ref, Unread: d.Unread, Stamp: d.Stamp}
	switch {
	case r.Err != nil:
		e.To = []chat.UserID{d.Author}
		e.Frame.Body = RefusedBody(r.Err)
	case r.Again:
		e.To = []chat.UserID{d.Author}
		e.Frame.Body = wire.Posted{Message: r.Message}
	default:
		e.Frame.Body = wire.Posted{Message: r.Message}
	}
	return e
}

// RefusedBody is the frame body that tells a client about err.
func RefusedBody(err error) wire.Refused {
	r := chat.AsRefusal(err)
	return wire.Refused{Code: r.Code, RetryAfter: r.RetryMillis(), Words: r.Words}
}
