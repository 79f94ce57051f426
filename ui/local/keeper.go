package local

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A Keeper decides what to write. It is not safe for concurrent use.
type Keeper struct {
	tab     string
	dirty   map[chat.ConvID]bool
	drafts  map[chat.ConvID]bool
	posts   bool                     // the outbox may have changed
	opened  chat.ConvID              // when the last batch was made
	wrote   map[string]uint64        // of records that often stay the same: a hash of what is there
	held    map[chat.ConvID][2]int64 // the entries from, to that are known to be there
	shed    map[chat.ConvID]int64    // entries up to here were given up, and are not written again before the conversation is opened anew
	amended []chat.Message           // as in state.Change
	cleared map[chat.ConvID]bool     // of which more is deleted than is known to be removed; nil: any may be
	parted  map[chat.ConvID]bool     // of which nothing is to stay
	turns   bool                     // what is there may be of another epoch, and goes with the next batch
	gone    bool                     // what is there may have expired
	sends   map[string]bool          // refs of all posts that were there: whether they still are
}

// NewKeeper returns a Keeper that has written nothing. tab is who sends the
// posts that it writes.
func NewKeeper(tab string) *Keeper {
	return &Keeper{
		tab: tab, dirty: map[chat.ConvID]bool{}, drafts: map[chat.ConvID]bool{},
		wrote: map[string]uint64{}, held: map[chat.ConvID][2]int64{}, shed: map[chat.ConvID]int64{}, sends: map[string]bool{}, parted: map[chat.ConvID]bool{},
	}
}

// Began notes that posts are in the store already.
func (k *Keeper) Began(us []state.Unsent) {
	for _, u := range us {
		k.sends[u.Ref] = true
	}
}

// Strange returns those of us that the Keeper has never heard of. The others are
// in the State, or were: what is settled must not come back because its record
// is still there.
func (k *Keeper) Strange(us []state.Unsent) (strange []state.Unsent) {
	for _, u := range us {
		if _, ok := k.sends[u.Ref]; !ok {
			strange = append(strange, u)
		}
	}
	return strange
}

// Recalled notes that es, a run without a gap, were read from the store.
func (k *Keeper) Recalled(conv chat.ConvID, es []chat.Message) {
	if len(es) > 0 {
		k.cover(conv, es[0].Seq, es[len(es)-1].Seq)
	}
}

// cover notes that the entries from, to are there. Where they don't touch those
// known before, these are forgotten: they may be written again.
func (k *Keeper) cover(conv chat.ConvID, from, to int64) {
	h, ok := k.held[conv]
	switch {
	case !ok || from > h[1]+1 || to < h[0]-1:
		h = [2]int64{from, to}
	default:
		h = [2]int64{min(h[0], from), max(h[1], to)}
	}
	k.held[conv] = h
}

// Changed notes what may have to be written.
func (k *Keeper) Changed(ch state.Change) {
	if ch.Anew {
		k.turn()
	}
	for id := range ch.Convs {
		k.dirty[id] = true
	}
	k.posts = k.posts || ch.Link
	k.gone = k.gone || ch.Gone
	k.amended = append(k.amended, ch.Amended...)
	for _, id := range ch.Parted {
		k.drafts[id], k.parted[id] = true, true
		delete(k.held, id)
		delete(k.shed, id)
	}
	for _, id := range ch.Cleared {
		if k.cleared != nil {
			k.cleared[id] = true
		}
	}
}

// turn forgets what was there: it is of another epoch, and goes.
func (k *Keeper) turn() {
	clear(k.wrote)
	clear(k.held)
	clear(k.shed)
	k.amended, k.posts, k.turns = nil, true, true
	for ref := range k.sends {
		k.sends[ref] = true // as in Anew
	}
}

// Lost notes that the pages named by keys are not there any more. What the State
// still holds of them would, written at once, only push others out; but where
// another page has removed it, and it is of the conversation opened here, it is
// written once more.
func (k *Keeper) Lost(keys []string, byOthers bool) {
	for _, key := range keys {
		conv, page, ok := splitPage(key)
		if !ok {
			continue
		}
		delete(k.wrote, key)
		end := (page + 1) * PageSize
		h, ok := k.held[conv]
		if !ok || h[0] > end {
			continue
		}
		if byOthers && conv == k.opened {
			k.dirty[conv] = true
		} else {
			k.shed[conv] = max(k.shed[conv], min(end, h[1]))
		}
		if h[0] = end + 1; h[0] > h[1] {
			delete(k.held, conv)
		} else {
			k.held[conv] = h
		}
	}
}

// Drafted notes that the draft of conv has changed.
func (k *Keeper) Drafted(conv chat.ConvID) { k.drafts[conv] = true }

// Urgent reports whether something waits that must not be lost: a post.
func (k *Keeper) Urgent() bool { return k.posts }

// Forget takes note that nothing is there any more.
func (k *Keeper) Forget() { *k = *NewKeeper(k.tab) }

// Anew says that it is not known what is there: all that s has is in the next batch.
func (k *Keeper) Anew(s *state.State) {
	s.LearnedAll()
	k.posts = true
	clear(k.wrote)
	clear(k.held)
	clear(k.shed)
	for ref := range k.sends {
		k.sends[ref] = true // if it is not, removing it once more does no harm
	}
	k.cleared = nil
	for _, id := range s.IDs() {
		k.dirty[id], k.drafts[id] = true, true
	}
	for id := range k.parted {
		k.dirty[id], k.drafts[id] = true, true
	}
}

// Batch returns what is to be written now, and takes it as written.
func (k *Keeper) Batch(s *state.State) (b Batch) {
	if s.Me().ID == "" {
		return b
	}
	b.Who, b.V, b.Epoch, b.Turns = s.Me().ID, Version, s.Epoch(), k.turns
	if k.gone {
		x := s.Gone()
		b.Gone = &x
	}
	if open := s.Opened(); open != k.opened {
		k.opened = open
		if k.shed[open] > 0 {
			delete(k.shed, open)
			k.dirty[open] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k.dirty)) {
		k.line(s, id, &b)
		k.pages(s, id, &b)
	}
	for id := range k.drafts {
		if text := s.Draft(id); text != "" {
			k.put("d/"+string(id), text, &b)
		} else {
			delete(k.wrote, "d/"+string(id))
			b.Delete = append(b.Delete, "d/"+string(id))
		}
	}
	if k.posts {
		k.outbox(s, &b)
	}
	for _, p := range s.Learned() {
		k.put("u/"+string(p.ID), p, &b)
	}
	k.add(me(s.Me(), s.Whole(), s.Epoch()), &b) // in the first batch in any case: it says of which Version all is
	clear(k.dirty)
	clear(k.drafts)
	k.posts = false
	return b
}

// put writes v under key, unless that is there.
func (k *Keeper) put(key string, v any, b *Batch) {
	p, _ := json.Marshal(v) // all of these can be encoded
	k.add(Record{Key: key, Value: string(p)}, b)
}

func (k *Keeper) add(r Record, b *Batch) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.Value))
	sum := h.Sum64()
	if old, ok := k.wrote[r.Key]; ok && old == sum {
		return
	}
	k.wrote[r.Key] = sum
	b.Put = append(b.Put, r)
}

func (k *Keeper) line(s *state.State, id chat.ConvID, b *Batch) {
	if l, ok := s.Line(id); ok {
		k.put("c/"+string(id), l, b)
	} else if _, there := k.wrote["c/"+string(id)]; there || !has(s, id) {
		delete(k.wrote, "c/"+string(id))
		b.Delete = append(b.Delete, "c/"+string(id))
	}
}

func has(s *state.State, id chat.ConvID) bool {
	_, ok := s.Conv(id)
	return ok
}

// pages writes the entries held that are not known to be there.
func (k *Keeper) pages(s *state.State, id chat.ConvID, b *Batch) {
	shed := k.shed[id]
	held := behind(s.Held(id), shed)
	if len(held) == 0 {
		return
	}
	if shown, _ := s.Shown(id); len(shown) > 0 && shown[0].Seq < held[0].Seq {
		k.pagesOf(id, behind(shown, shed), b)
	}
	es := held
	if h, ok := k.held[id]; ok {
		es = slices.DeleteFunc(slices.Clone(es), func(m chat.Message) bool { return m.Seq >= h[0] && m.Seq <= h[1] })
	}
	if len(es) == 0 {
		return
	}
	k.pagesOf(id, es, b)
	k.cover(id, held[0].Seq, held[len(held)-1].Seq)
}

// behind returns those of es, in rising order, that come after seq.
func behind(es []chat.Message, seq int64) []chat.Message {
	n := 0
	for n < len(es) && es[n].Seq <= seq {
		n++
	}
	return es[n:]
}

// pagesOf writes es, in rising order, into their pages.
func (k *Keeper) pagesOf(id chat.ConvID, es []chat.Message, b *Batch) {
	for len(es) > 0 {
		page := PageOf(es[0].Seq)
		n := slices.IndexFunc(es, func(m chat.Message) bool { return PageOf(m.Seq) != page })
		if n < 0 {
			n = len(es)
		}
		before := len(b.Put)
		k.put(pageKey(id, page), es[:n], b)
		if len(b.Put) > before {
			b.Put[before].Merge = true
		}
		es = es[n:]
	}
}

// outbox writes the posts that wait, and removes those that don't.
func (k *Keeper) outbox(s *state.State, b *Batch) {
	now := map[string]bool{}
	for _, u := range s.Unsent() {
		now[u.Ref] = true
		k.put("o/"+u.Ref, struct {
			Tab string       `json:"tab"`
			U   state.Unsent `json:"u"`
		}{k.tab, u}, b)
	}
	for ref, there := range k.sends {
		if !now[ref] && there {
			delete(k.wrote, "o/"+ref)
			b.Delete = append(b.Delete, "o/"+ref)
		}
		k.sends[ref] = false
	}
	maps.Copy(k.sends, now)
}

// byUse returns the pages named by keys, those first whose conversations are
// asleep the longest, and of these the oldest entries first. Those of last come last.
func byUse(s *state.State, keys []string, last chat.ConvID) []string {
	rank := map[chat.ConvID]int{}
	for i, c := range s.Convs() {
		rank[c.ID] = i + 1
	}
	var ranked []string // the order is that of these, which end with a key
	for _, key := range keys {
		conv, page, ok := splitPage(key)
		if !ok {
			continue
		}
		wakes := 0 // no longer listed
		if n := rank[conv]; conv == last {
			wakes = 1 << 30
		} else if n > 0 {
			wakes = 1<<30 - n
		}
		ranked = append(ranked, PageName(wakes)+PageName(int(page))+key)
	}
	slices.Sort(ranked)
	for i, key := range ranked {
		ranked[i] = key[2*len(PageName(0)):]
	}
	return ranked
}
