package local

import (
	"context"
	"encoding/json"
	"errors"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// amend has the pages that are kept follow what has changed in them since, also
// where the State does not hold them: it reads, folds and writes. What could not
// be done is done the next time. An entry that is not there yet is written as it
// is by then.
func (r *Replica) amend(ctx context.Context) error {
	r.mu.Lock()
	if r.k.turns { // the pages are of another epoch, and go
		r.mu.Unlock()
		return nil
	}
	ms, left := r.k.amended, r.left
	r.k.amended = nil
	r.mu.Unlock()
	if len(ms) == 0 || left {
		return nil
	}
	b := Batch{V: Version}
	r.do(func(s *state.State) { b.Who, b.Epoch = s.Me().ID, s.Epoch() })
	var keys []string
	of := map[string][]chat.Message{}
	for _, m := range ms {
		key := pageKey(m.Conv, PageOf(about(m)))
		if of[key] == nil {
			keys = append(keys, key)
		}
		of[key] = append(of[key], m)
	}
	err := func() error {
		for _, key := range keys {
			rec, err := r.amended(ctx, key, of[key])
			if err != nil {
				return err
			}
			if rec.Key != "" {
				b.Put = append(b.Put, rec)
			}
		}
		if b.Empty() {
			return nil
		}
		err := r.write(ctx, b)
		if errors.Is(err, ErrFull) { // without room they are fetched again when somebody looks
			pages := b.pages()
			if err = r.write(ctx, Batch{Who: b.Who, V: b.V, Epoch: b.Epoch, Delete: pages}); err == nil {
				r.lost(pages)
			}
		}
		if errors.Is(err, ErrLost) { // so are the pages
			return nil
		}
		return err
	}()
	if err != nil {
		r.mu.Lock()
		r.k.amended = append(ms, r.k.amended...)
		r.mu.Unlock()
	}
	return err
}

// about returns the Seq of the entry that m, an amendment or an entry that was amended, is news of.
func about(m chat.Message) int64 {
	if m.Content.Kind.Amends() {
		return m.Content.Of
	}
	return m.Seq
}

// amended returns what of a page is to be written anew because of ms; nothing
// where it is not kept, or is so already.
func (r *Replica) amended(ctx context.Context, key string, ms []chat.Message) (rec Record, err error) {
	conv, page, _ := splitPage(key)
	pages, err := r.store.Pages(ctx, conv, int(page), 1)
	if err != nil || len(pages) == 0 || len(pages[0]) == 0 || PageOf(pages[0][0].Seq) != int(page) {
		return rec, err
	}
	var changed []chat.Message
	for _, e := range pages[0] {
		e.Conv = conv
		news := false
		for _, m := range ms {
			news = chat.Amend(&e, m) || chat.Merge(&e, m) || news
		}
		if news {
			changed = append(changed, e)
		}
	}
	if len(changed) == 0 {
		return rec, nil
	}
	p, err := json.Marshal(changed)
	return Record{Key: key, Value: string(p), Merge: true}, err
}
