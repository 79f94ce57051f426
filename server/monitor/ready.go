package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// askFor bounds how long a check may take, and freshFor how long its answer
// counts: who asks often asks memory.
const (
	askFor   = 2 * time.Second
	freshFor = time.Second
)

// A Check is one thing to look at before saying that the server is ready.
type Check struct {
	Name     string // a word of the code's: the world reads it
	Optional bool   // told, but the server is ready without
	Ask      func(context.Context) error
}

// Ready answers whether this node should get requests: 200 or 503, with a JSON
// body that tells each check. What a check's error says goes to the log alone.
// It is safe for concurrent use.
type Ready struct {
	log      *slog.Logger
	checks   []Check
	draining atomic.Bool

	mu      sync.Mutex
	asked   time.Time
	state   readyState
	asking  chan struct{} // closed when the checks under way have answered; nil: none are
	unready map[string]bool
}

type readyState struct {
	Ready    bool                 `json:"ready"`
	Draining bool                 `json:"draining,omitempty"`
	Checks   map[string]readyPart `json:"checks"`
}

type readyPart struct {
	OK       bool `json:"ok"`
	Optional bool `json:"optional,omitempty"`
}

// NewReady returns the answer to whether all of checks are well.
func NewReady(log *slog.Logger, checks ...Check) *Ready {
	return &Ready{log: log, checks: checks, unready: map[string]bool{}}
}

// Drain makes the server unready for good: it is about to stop.
func (r *Ready) Drain() { r.draining.Store(true) }

func (r *Ready) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s, err := r.look(req.Context())
	if err != nil {
		return // the asker has left
	}
	if r.draining.Load() {
		s.Ready, s.Draining = false, true
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	if !s.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(s) // a client that left needs no answer
}

// look returns what the checks said at most a second ago. However many look,
// each check is asked once at a time.
func (r *Ready) look(ctx context.Context) (readyState, error) {
	r.mu.Lock()
	if time.Since(r.asked) < freshFor {
		defer r.mu.Unlock()
		return r.state, nil
	}
	asking := r.asking
	if asking == nil {
		asking = make(chan struct{})
		r.asking = asking
		go r.ask(context.WithoutCancel(ctx), asking) // ends within askFor
	}
	r.mu.Unlock()
	select {
	case <-asking:
	case <-ctx.Done():
		return readyState{}, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, nil
}

// ask asks all checks at once and keeps what they say. One that does not answer
// in time is not well, and is not waited for.
func (r *Ready) ask(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	answers := make([]chan error, len(r.checks))
	for i, c := range r.checks {
		answers[i] = make(chan error, 1)
		go func() { answers[i] <- c.Ask(ctx) }()
	}
	s := readyState{Ready: true, Checks: map[string]readyPart{}}
	for i, c := range r.checks {
		var err error
		select {
		case err = <-answers[i]:
		case <-ctx.Done():
			err = errors.New("no answer in time")
		}
		s.Checks[c.Name] = readyPart{OK: err == nil, Optional: c.Optional}
		s.Ready = s.Ready && (err == nil || c.Optional)
		r.note(c.Name, err)
	}
	r.mu.Lock()
	r.state, r.asked, r.asking = s, time.Now(), nil
	r.mu.Unlock()
	close(done)
}

// note logs when a check changes its mind. Only ask calls it, and one at a time.
func (r *Ready) note(name string, err error) {
	switch {
	case err != nil && !r.unready[name]:
		r.log.Warn("not well", "check", name, "err", err)
	case err == nil && r.unready[name]:
		r.log.Info("well again", "check", name)
	}
	r.unready[name] = err != nil
}
