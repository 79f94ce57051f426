package view

import (
	"sync"
	"time"

	"kamachat/ui/state"
)

// A Desk is what the components of the page share. Its exported fields are
// set before the page starts and stay.
type Desk struct {
	Do      func(func(*state.State)) // runs a function with the state, alone
	Intents Intents
	Lang    string // the page's language, as in <html lang>
	Zone    *time.Location
	Now     func() time.Time

	// Touched by the UI goroutine only.
	log      *log // of the open conversation
	caught   catch
	dialog   dialogKind // that is open
	jump     jump       // where to go next
	subject  subject    // what is written is about it
	composer *composer  // of the open conversation; nil before the first
	details  bool       // the pane beside the conversation is open

	mu      sync.Mutex
	keeping error  // why what is written is not kept over a reload
	tell    func() // has the page look at pending; nil until it is mounted
	told    bool   // tell was called, pending was not taken yet
	pending state.Change
}

// Changed has the page draw ch soon. It never blocks, any goroutine may call
// it, and a burst of calls becomes one redraw.
func (d *Desk) Changed(ch state.Change) {
	ch.Need, ch.Amended, ch.Cleared, ch.Parted = nil, nil, nil, nil
	d.mu.Lock()
	d.pending = d.pending.Merge(ch)
	tell := d.tell
	if d.told {
		tell = nil
	}
	d.told = d.told || tell != nil
	d.mu.Unlock()
	if tell != nil {
		tell()
	}
}

// Keeping says whether what is written is kept over a reload, and why not. Any
// goroutine may call it.
func (d *Desk) Keeping(err error) {
	d.mu.Lock()
	d.keeping = err
	d.mu.Unlock()
	d.Changed(state.Change{Link: true})
}

// keeps reports whether what is written is kept over a reload.
func (d *Desk) keeps() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keeping == nil
}

// take returns what has changed since the last take.
func (d *Desk) take() state.Change {
	d.mu.Lock()
	defer d.mu.Unlock()
	ch := d.pending
	d.pending, d.told = state.Change{}, false
	return ch
}

// onTell sets what Changed calls.
func (d *Desk) onTell(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell, d.told = f, false
}
