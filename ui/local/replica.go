package local

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/ui/state"
)

// gather is how long changes are gathered before they are written. Posts are
// written at once.
const gather = 250 * time.Millisecond

// again is how long to wait after a write that failed.
const again = 5 * time.Second

// A Replica keeps a Store as the State is. Its methods may be called from any
// goroutine; those that take a context wait for the Store.
type Replica struct {
	store Store
	do    func(func(*state.State)) // runs a function with the State, alone
	told  func(error)              // is told when keeping fails, and with nil when it works again
	moved chan struct{}            // there is something to write; holds one
	hurry chan struct{}            // and it is urgent; holds one

	renewed chan struct{} // the Store is another one; holds one

	flushing sync.Mutex // one batch at a time, in their order
	adopting sync.Mutex // one Adopt at a time
	bad      error      // what is known outside; Run's alone

	mu   sync.Mutex
	k    *Keeper
	left bool // only what the person writes is kept
}

// NewReplica returns a Replica. told is called from Run's goroutine.
func NewReplica(store Store, tab string, do func(func(*state.State)), told func(error)) *Replica {
	return &Replica{store: store, do: do, told: told, moved: make(chan struct{}, 1), hurry: make(chan struct{}, 1), renewed: make(chan struct{}, 1), k: NewKeeper(tab)}
}

func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Began notes the posts that were read from the Store at first, and what is known
// outside of why nothing can be kept: told is told where that changes. It is to
// be called before Run.
func (r *Replica) Began(us []state.Unsent, bad error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.k.Began(us)
	r.bad = bad
}

// Adopt takes over the posts of pages that are gone, and passes to restore, with
// the account that they are of, all that this page sends and has not heard of.
func (r *Replica) Adopt(ctx context.Context, restore func(chat.UserID, []state.Unsent)) error {
	r.adopting.Lock()
	defer r.adopting.Unlock()
	var who chat.UserID
	r.do(func(s *state.State) { who = s.Me().ID })
	if who == "" {
		return nil
	}
	us, err := r.store.Adopt(ctx, who)
	if err != nil {
		return err
	}
	r.mu.Lock()
	us = r.k.Strange(us)
	r.mu.Unlock()
	if len(us) == 0 {
		return nil
	}
	Order(us)
	restore(who, us)
	// Noted only now: what is noted and not in the State is removed. What was
	// settled in between is removed all the same.
	r.mu.Lock()
	r.k.Began(us)
	r.k.Changed(state.Change{Link: true})
	r.mu.Unlock()
	nudge(r.moved)
	return nil
}

// Changed notes what may have to be written.
func (r *Replica) Changed(ch state.Change) {
	r.mu.Lock()
	r.k.Changed(ch)
	urgent := r.k.Urgent()
	r.mu.Unlock()
	if urgent {
		nudge(r.hurry)
	}
	nudge(r.moved)
}

// Drafted notes that the draft of conv has changed.
func (r *Replica) Drafted(conv chat.ConvID) {
	r.mu.Lock()
	r.k.Drafted(conv)
	r.mu.Unlock()
	nudge(r.moved)
}

// Before returns entries of conv that were kept, a run without a gap that ends
// before seq; 0 means the newest.
func (r *Replica) Before(ctx context.Context, conv chat.ConvID, seq int64) ([]chat.Message, error) {
	page := -1
	if seq > 0 {
		page = PageOf(seq - 1)
	}
	pages, err := r.pages(ctx, conv, page, 2)
	if err != nil {
		return nil, err
	}
	es := Before(pages, seq)
	r.mu.Lock()
	r.k.Recalled(conv, es)
	r.mu.Unlock()
	return es, nil
}

// pages is Store.Pages, or nothing where they may be of another epoch.
func (r *Replica) pages(ctx context.Context, conv chat.ConvID, page, n int) ([][]chat.Message, error) {
	pages, err := r.store.Pages(ctx, conv, page, n)
	if r.turns() {
		pages = nil
	}
	return pages, err
}

func (r *Replica) turns() bool {
	r.mu.Lock()
	turns := r.k.turns
	r.mu.Unlock()
	return turns
}

// Around returns entries of conv that were kept, a run without a gap with seq in it.
func (r *Replica) Around(ctx context.Context, conv chat.ConvID, seq int64) ([]chat.Message, error) {
	pages, err := r.pages(ctx, conv, PageOf(seq+PageSize/2), 3)
	if err != nil {
		return nil, err
	}
	return around(pages, seq), nil
}

// At returns the Seq of the first entry of conv kept that was stored at or after a
// time, in Unix milliseconds, 0 where there is none. last is the log's end.
func (r *Replica) At(ctx context.Context, conv chat.ConvID, at, last int64) (seq int64, err error) {
	for lo, hi := 0, PageOf(max(last, 1)); lo <= hi; {
		mid := (lo + hi) / 2
		pages, err := r.pages(ctx, conv, mid, 1)
		if err != nil {
			return 0, err
		}
		if len(pages) == 0 || len(pages[0]) == 0 || pages[0][len(pages[0])-1].At < at {
			lo = mid + 1
			continue
		}
		es := pages[0]
		hi = PageOf(es[0].Seq) - 1
		for i := len(es) - 1; i >= 0 && es[i].At >= at; i-- {
			seq = es[i].Seq
		}
	}
	return seq, nil
}

// mostPages is how many pages are searched through for one question.
const mostPages = 40

// Find returns the entries kept whose texts q means, latest first, at most so many.
func (r *Replica) Find(ctx context.Context, q find.Query, most int) ([]chat.Message, error) {
	pages, err := r.store.Search(ctx, q.Terms(), mostPages)
	if err != nil || r.turns() {
		return nil, err
	}
	var found []chat.Message
	for _, p := range pages {
		cleared := r.cleared(p)
		for _, m := range p {
			if _, _, ok := q.Match(m.Content.Text); !ok || m.Content.Kind.Amends() || m.Seq <= cleared {
				continue
			}
			i := len(found) // sorted in as it comes
			for i > 0 && (found[i-1].At < m.At || found[i-1].At == m.At && found[i-1].Seq < m.Seq) {
				i--
			}
			if i < most {
				found = slices.Insert(found[:min(len(found), most-1)], i, m)
			}
		}
	}
	return found, nil
}

// Run writes what has changed until ctx ends, and then what is left.
func (r *Replica) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-r.moved:
			select {
			case <-ctx.Done():
			case <-r.hurry:
			case <-time.After(gather):
			}
		}
		some, err := r.flush(context.WithoutCancel(ctx))
		if some && said(err) != said(r.bad) {
			r.bad = err
			r.told(err)
		}
		if err != nil {
			wait := again
			if errors.Is(err, ErrNone) {
				wait *= 12 // it hardly comes back
			}
			select {
			case <-ctx.Done():
			case <-r.renewed:
			case <-time.After(wait):
			}
			nudge(r.moved)
		}
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Flush writes what has changed. Where there is no room, old pages make some,
// old pages of what is new are left out, and at worst only what the person wrote is kept.
func (r *Replica) Flush(ctx context.Context) error {
	_, err := r.flush(ctx)
	return err
}

// flush is Flush, and reports whether there was anything to write.
func (r *Replica) flush(ctx context.Context) (some bool, err error) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	bad := r.amend(ctx)
	defer func() { err = errors.Join(err, bad) }()
	b := r.batch()
	if b.Empty() {
		return bad != nil, r.clear(ctx)
	}
	defer func() {
		if err == nil { // what says that they are deleted is there
			err = r.clear(ctx)
		}
	}()
	err = r.write(ctx, b)
	if errors.Is(err, ErrLost) {
		r.anew()
		b = r.batch()
		err = r.write(ctx, b)
	}
	for tries := 0; errors.Is(err, ErrFull); tries++ {
		pages := r.byUse(b.pages())
		switch {
		case tries < 3 && r.makeRoom(ctx):
		case len(pages) > 0:
			pages = pages[:(len(pages)+1)/2]
			b = b.without(pages)
			r.lost(pages)
		default:
			err = errors.Join(err, r.write(ctx, b.Own()))
			r.anew()
			return true, err
		}
		err = r.write(ctx, b)
	}
	if err != nil {
		r.anew()
	}
	return true, err
}

// batch returns what is to be written now.
func (r *Replica) batch() (b Batch) {
	r.do(func(s *state.State) {
		r.mu.Lock()
		defer r.mu.Unlock()
		b = r.k.Batch(s)
		if r.left {
			b = b.Own()
		}
	})
	return b
}

func (r *Replica) write(ctx context.Context, b Batch) error {
	gone, err := r.store.Write(ctx, b)
	done := err == nil && (b.Turns || b.Gone != nil)
	if len(gone) > 0 || done {
		r.mu.Lock()
		r.k.Lost(gone, true)
		if done {
			r.k.turns, r.k.gone = r.k.turns && !b.Turns, r.k.gone && b.Gone == nil
		}
		r.mu.Unlock()
		nudge(r.moved)
	}
	return err
}

// lost notes that the pages named by keys were given up, or not written.
func (r *Replica) lost(keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.k.Lost(keys, false)
}

func (r *Replica) byUse(keys []string) (ranked []string) {
	r.do(func(s *state.State) { ranked = byUse(s, keys, s.Opened()) })
	return ranked
}

// anew has all that is known written with the next batch.
func (r *Replica) anew() {
	r.do(func(s *state.State) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.k.Anew(s)
	})
}

// makeRoom gives a third of the pages up, the least used. It reports whether there were any.
func (r *Replica) makeRoom(ctx context.Context) bool {
	keys, err := r.store.PageKeys(ctx)
	if err != nil {
		return false
	}
	keys = r.byUse(keys)
	keys = keys[:(len(keys)+2)/3]
	if len(keys) == 0 || r.write(ctx, Batch{Delete: keys}) != nil {
		return false
	}
	r.lost(keys)
	return true
}

// Renew says that the Store is another one: all is written anew.
func (r *Replica) Renew() {
	r.anew()
	nudge(r.renewed)
	nudge(r.moved)
}

// Leave forgets everything because the session has ended elsewhere, unless posts
// wait in the Store. It reports whether nothing is left. From now on only what
// the person writes is kept.
func (r *Replica) Leave(ctx context.Context) (all bool, err error) {
	r.mu.Lock()
	r.left = true
	r.k.Forget()
	r.mu.Unlock()
	return r.store.Leave(ctx)
}

// Wipe forgets everything, here and in the Store.
func (r *Replica) Wipe(ctx context.Context) error {
	r.mu.Lock()
	r.k.Forget()
	r.mu.Unlock()
	return r.store.Wipe(ctx)
}
