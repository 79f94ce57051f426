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
	tab    string
	dirty  map[chat.ConvID]bool
	drafts map[chat.ConvID]bool
	posts  bool // the outbox may have changed
	me     bool
	wrote  map[string]uint64        // of records that often stay the same: a hash of what is there
	held   map[chat.ConvID][2]int64 // the entries from, to that are known to be there
	sends  map[string]bool          // refs of all posts that were there: whether they still are
}

// NewKeeper returns a Keeper that has written nothing. tab is who sends the
// posts that it writes.
func NewKeeper(tab string) *Keeper {
	return &Keeper{
		tab: tab, dirty: map[chat.ConvID]bool{}, drafts: map[chat.ConvID]bool{},
		wrote: map[string]uint64{}, held: map[chat.ConvID][2]int64{}, sends: map[string]bool{},
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
	for id := range ch.Convs {
		k.dirty[id] = true
	}
	k.posts = k.posts || ch.Link
	k.me = k.me || ch.Me
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
	k.posts, k.me = true, true
	clear(k.wrote)
	clear(k.held)
	for ref := range k.sends {
		k.sends[ref] = true // if it is not, removing it once more does no harm
	}
	for _, c := range s.Convs() {
		k.dirty[c.ID], k.drafts[c.ID] = true, true
	}
}

// Batch returns what is to be written now, and takes it as written.
func (k *Keeper) Batch(s *state.State) (b Batch) {
	if s.Me().ID == "" {
		return b
	}
	b.Who = s.Me().ID
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
	if k.me || len(k.dirty) > 0 {
		k.put("me", struct {
			V     int         `json:"v"`
			Me    chat.Person `json:"me"`
			Whole bool        `json:"whole"`
		}{Version, s.Me(), s.Whole()}, &b)
	}
	clear(k.dirty)
	clear(k.drafts)
	k.posts, k.me = false, false
	return b
}

// put writes v under key, unless that is there.
func (k *Keeper) put(key string, v any, b *Batch) {
	p, err := json.Marshal(v)
	if err != nil {
		return // all of these can be encoded
	}
	h := fnv.New64a()
	h.Write(p)
	sum := h.Sum64()
	if old, ok := k.wrote[key]; ok && old == sum {
		return
	}
	k.wrote[key] = sum
	b.Put = append(b.Put, Record{Key: key, Value: string(p)})
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
	es := s.Held(id)
	if shown, _ := s.Shown(id); len(shown) > 0 && len(es) > 0 && shown[0].Seq < es[0].Seq {
		k.pagesOf(id, shown, b)
	}
	if len(es) == 0 {
		return
	}
	if h, ok := k.held[id]; ok {
		es = slices.DeleteFunc(slices.Clone(es), func(m chat.Message) bool { return m.Seq >= h[0] && m.Seq <= h[1] })
	}
	if len(es) == 0 {
		return
	}
	k.pagesOf(id, es, b)
	held := s.Held(id)
	k.cover(id, held[0].Seq, held[len(held)-1].Seq)
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

// Evict returns which of the pages named by keys to give up so that there is
// room: a third of them, those first whose conversations are asleep the
// longest, and of these the oldest entries first. Those of last come last.
func Evict(s *state.State, keys []string, last chat.ConvID) []string {
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
	ranked = ranked[:(len(ranked)+2)/3]
	for i, key := range ranked {
		ranked[i] = key[2*len(PageName(0)):]
	}
	return ranked
}
