// Package room is the heart of the server: a Hub, and one Room for each
// conversation somebody talks in. It decides who may post and read, brings
// drafts to the store and committed entries to sessions, and declares what it
// needs from the rest: see seams.go. It imports nothing outside shared.
package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Config is what a Hub is built from.
type Config struct {
	Store    Store
	People   People
	Carrier  Carrier
	Fanout   Fanout
	Presence Presence
	Looking  Presence            // who has a session that the person can see; nil: nobody asks
	Meter    Meter               // nil: nothing is measured
	Notifier Notifier            // nil: who has no session finds out by coming back
	Losses   Losses              // of Fanout; nil: it loses nothing
	Seer     Seer                // nil: everybody is seen, and nobody remembered
	Expired  func() chat.Expired // what is kept no longer; nil: all is kept
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
	Build    string           // told to clients in Welcome
	Epoch    string           // of the database, likewise; empty: not told
	MaxRooms int              // rooms kept in memory; 0: 20,000
	MaxMarks int              // marks that wait for the store; 0: MaxMarks
	Only     func() bool      // whether only contacts may write to each other; nil: anybody may
	// AnswerWithin is after how long without an answer the store is asked what
	// became of a post: for carriers that have other nodes commit. 0: never.
	AnswerWithin time.Duration
	// EndWithin is how long Run may take once it is told to end; 0: 2.5 s.
	EndWithin time.Duration
}

// A Hub joins sessions, rooms, carrier, fan-out and store. Its methods are safe
// for concurrent use.
type Hub struct {
	Config

	mu      sync.Mutex // under it nothing blocks, sends or calls out
	live    map[chat.UserID]*person
	rooms   map[chat.ConvID]*Room
	turns   int64                  // how often a room was found to be old
	dirty   map[markKey]chat.Marks // marks not yet in the store
	waiters map[draftKey][]chan chat.Receipt
	unsure  map[draftKey]bool // of commits that failed: they may be stored all the same
	pending pending
	late    late
	leaving map[chat.UserID]time.Time // last session gone; offline for others from then on
	names   map[chat.UserID]named
	ended   map[string]time.Time // logins that ended, and when to forget that
	ignored ignored              // events that were let go
	hearing hearing
	unknown atomic.Bool // people are told that it is not known who is online
	failing time.Time   // since when commits fail; zero: they don't
	hiding  hiding
}

// person is somebody with a session on this node.
type person struct {
	conns []Conn
	peers map[chat.UserID]bool // who is told when the person comes and goes
	// groups that the person is in, sorted, as far as this node has to know: see Losses.
	groups []chat.ConvID
	hears  bool          // this node hears what is told to the person
	barred barring       // who may not know whether the person is online, nor the person of them
	heard  chan struct{} // closed when that and what is told to groups is heard; nil: nobody asked for it
}

type (
	markKey struct {
		conv chat.ConvID
		user chat.UserID
	}
	draftKey struct {
		conv   chat.ConvID // a Ref used in two by mistake is two drafts, of which one is refused
		author chat.UserID
		ref    string
	}
	named struct {
		person chat.Person
		until  time.Time
	}
)

// NewHub returns a hub with nobody connected. Nothing moves until Run.
func NewHub(c Config) *Hub {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxRooms == 0 {
		c.MaxRooms = 20_000
	}
	if c.MaxMarks == 0 {
		c.MaxMarks = MaxMarks
	}
	if c.EndWithin == 0 {
		c.EndWithin = 2500 * time.Millisecond
	}
	if c.Only == nil {
		c.Only = func() bool { return false }
	}
	if c.Expired == nil {
		c.Expired = func() chat.Expired { return chat.Expired{} }
	}
	if c.Meter == nil {
		c.Meter = noMeter{}
	}
	return &Hub{
		Config: c, live: map[chat.UserID]*person{}, rooms: map[chat.ConvID]*Room{},
		dirty: map[markKey]chat.Marks{}, waiters: map[draftKey][]chan chat.Receipt{}, unsure: map[draftKey]bool{}, late: late{of: map[chat.ConvID][]wire.Event{}}, pending: pending{of: map[draftKey]*awaited{}},
		leaving: map[chat.UserID]time.Time{}, names: map[chat.UserID]named{}, ended: map[string]time.Time{},
		hearing: newHearing(c.Fanout),
	}
}

// Run moves drafts, events and marks until ctx ends; then it commits and
// delivers what had been accepted, saves marks and returns, after EndWithin at
// the latest. What is not stored by then the carrier and MarksWaiting count;
// nobody was told that it is.
func (h *Hub) Run(ctx context.Context) error {
	// All that is asked of the store from here on ends with it.
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(h.EndWithin, cancel) })()
	events, stopEvents := context.WithCancel(within)
	defer stopEvents()
	var wg sync.WaitGroup
	errs := make(chan error, 1)
	wg.Go(func() { errs <- h.Fanout.Run(events, func(e wire.Event) { h.deliver(within, e) }) })
	wg.Go(func() { h.tick(events) })
	err := h.Carrier.Run(ctx, func(_ context.Context, ds []chat.Draft) error { return h.commit(within, ds) })
	stopEvents()
	wg.Wait()
	h.flushMarks(within)
	h.sawRest(within)
	return errors.Join(err, <-errs)
}

// Post validates d, checks that its author may post there, and gives it to the
// carrier. A nil error means accepted; the answer comes as Posted or Refused
// with the draft's Ref. A chat.Refusal with a RetryAfter means: the same again, later.
func (h *Hub) Post(ctx context.Context, d chat.Draft) error {
	if err := d.Validate(); err != nil {
		return h.Refused(err)
	}
	return h.accept(ctx, d)
}

// accept takes d in, or says why not.
func (h *Hub) accept(ctx context.Context, d chat.Draft) error {
	if err := h.acceptable(ctx, d); err != nil {
		return h.Refused(err)
	}
	d.Stamp = h.Meter.Stamp(ctx)
	h.await(d)
	if err := h.Carrier.Carry(ctx, d); err != nil {
		h.answered(&wire.Event{Conv: d.Conv, Author: d.Author, Ref: d.Ref})
		return h.Refused(err)
	}
	h.Meter.Accepted()
	return nil
}

// Refused counts a post that was refused before it came here, unless its author
// has left, and returns err.
func (h *Hub) Refused(err error) error {
	if !errors.Is(err, context.Canceled) {
		h.Meter.Refused(chat.AsRefusal(err).Code)
	}
	return err
}

func (h *Hub) acceptable(ctx context.Context, d chat.Draft) error {
	if c := d.Content.Call; c != nil && (!c.Stored() || d.Conv.IsGroup()) {
		return chat.Refuse(chat.Invalid, "only the beginning and the end of a call of two are kept")
	}
	if err := h.mayPost(ctx, d); err != nil {
		return err
	}
	return h.storable()
}

// PostWait is Post that waits for the commit and returns the stored message.
// It takes the log entries that the server itself makes, too.
func (h *Hub) PostWait(ctx context.Context, d chat.Draft) (chat.Message, error) {
	if d.Content.Kind != chat.Event {
		if err := d.Validate(); err != nil {
			return chat.Message{}, h.Refused(err)
		}
	}
	key, ch := draftKey{d.Conv, d.Author, d.Ref}, make(chan chat.Receipt, 1)
	h.mu.Lock()
	h.waiters[key] = append(h.waiters[key], ch)
	h.mu.Unlock()
	defer h.forget(key, ch)
	if err := h.accept(ctx, d); err != nil {
		return chat.Message{}, err
	}
	select {
	case r := <-ch:
		return r.Message, r.Err
	case <-ctx.Done():
		return chat.Message{}, fmt.Errorf("wait for commit: %w", ctx.Err())
	}
}

func (h *Hub) forget(key draftKey, ch chan chat.Receipt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rest := h.waiters[key][:0]
	for _, c := range h.waiters[key] {
		if c != ch {
			rest = append(rest, c)
		}
	}
	if h.waiters[key] = rest; len(rest) == 0 {
		delete(h.waiters, key)
	}
}
