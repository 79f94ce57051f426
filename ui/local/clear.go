package local

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// clear removes what is kept of what is deleted for the person. What could not be
// done is done the next time, at the latest when the page is opened again.
func (r *Replica) clear(ctx context.Context) error {
	to := map[chat.ConvID]int64{}
	r.do(func(s *state.State) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for id := range r.k.parted {
			if has(s, id) { // the person is in it again
				delete(r.k.parted, id)
				continue
			}
			to[id] = math.MaxInt64
		}
		if r.k.cleared != nil && len(r.k.cleared) == 0 {
			return
		}
		for _, id := range s.IDs() {
			if seq := s.Cleared(id); seq > 0 && (r.k.cleared == nil || r.k.cleared[id]) {
				to[id] = seq
			}
		}
		r.k.cleared = map[chat.ConvID]bool{}
	})
	if len(to) == 0 {
		return nil
	}
	b, err := r.without(ctx, to)
	if err == nil && !b.Empty() {
		err = r.write(ctx, b)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.k.cleared = nil
	} else {
		for id := range to {
			delete(r.k.parted, id)
		}
	}
	for _, key := range b.Delete {
		delete(r.k.wrote, key)
	}
	return err
}

// without is what to write so that nothing up to these Seqs is kept.
func (r *Replica) without(ctx context.Context, to map[chat.ConvID]int64) (b Batch, err error) {
	b.V = Version
	r.do(func(s *state.State) { b.Who, b.Epoch = s.Me().ID, s.Epoch() })
	keys, err := r.store.PageKeys(ctx)
	for _, key := range keys {
		conv, page, ok := splitPage(key)
		seq := to[conv]
		switch {
		case !ok || int(page) > PageOf(seq):
			continue
		case (page+1)*PageSize <= seq:
			b.Delete = append(b.Delete, key)
			continue
		}
		// One page has both what is deleted and what is not.
		pages, err := r.store.Pages(ctx, conv, int(page), 1)
		if err != nil {
			return b, err
		}
		for _, es := range pages {
			es = slices.DeleteFunc(es, func(m chat.Message) bool { return m.Seq <= seq })
			p, _ := json.Marshal(es)
			if len(es) == 0 {
				b.Delete = append(b.Delete, key)
			} else {
				b.Put = append(b.Put, Record{Key: key, Value: string(p)})
			}
		}
	}
	return b, err
}

// cleared is up to which Seq all of the conversation of a page is deleted.
func (r *Replica) cleared(es []chat.Message) (seq int64) {
	if len(es) > 0 {
		r.do(func(s *state.State) { seq = s.Cleared(es[0].Conv) })
	}
	return seq
}
