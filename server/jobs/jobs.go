// Package jobs runs work that takes long, in the background: a few at a time,
// with progress that people can look at on any node, and an end that is always told:
// a job that was cut short by a restart has failed.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"time"

	"kamachat/shared/chat"
)

// Store keeps the jobs. server/store has it.
type Store interface {
	// AddJob answers chat.RateLimited where j's person has most that have not ended.
	AddJob(ctx context.Context, j chat.Job, most int) error
	// SaveJob reports false where j does not run any more.
	SaveJob(ctx context.Context, j chat.Job) (bool, error)
	// Job answers chat.ErrNotFound where there is none.
	Job(ctx context.Context, id int64) (chat.Job, error)
	// Jobs returns the latest ones of by, or of everybody where that is empty.
	Jobs(ctx context.Context, by chat.UserID, limit int) ([]chat.Job, error)
	RunningJobs(ctx context.Context) ([]chat.Job, error)
	ForgetJobs(ctx context.Context, before int64) error
}

// Config is what a Service needs.
type Config struct {
	Store Store
	ID    func() int64 // never the same twice
	Node  int          // this node's number
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
	Most  int              // that run at once here; 0: 2
	Each  int              // of one person that have not ended; 0: 3
	// Tick comes when progress is to be saved; nil: every second. For tests.
	Tick <-chan time.Time
}

const (
	// aliveEvery is how often a job that makes no progress says that it runs.
	aliveEvery = 20 * time.Second
	// deadAfter is after how long without word of it a job counts as cut short.
	deadAfter = 2 * time.Minute
	// keptFor is how long jobs that have ended are remembered.
	keptFor = 30 * 24 * time.Hour
	// sweepEvery is how often both are looked for.
	sweepEvery = time.Minute
	// endWithin is how long the end of a job may take to be noted.
	endWithin = 5 * time.Second
	// waiting is how many jobs may wait for their turn here.
	waiting = 100
)

// node is where the Detail of a job says which node runs it.
const node = "node"

// restarted is why a job failed that was cut short.
const restarted = "the server was restarted"

// errCancelled is the cause of the end of a job that somebody cancelled.
var errCancelled = errors.New("the job was cancelled")

// A Service runs jobs. Its methods are safe for concurrent use.
type Service struct {
	Config
	turn chan struct{} // holds who runs

	mu     sync.Mutex
	live   map[int64]*Progress
	closed bool
	wg     sync.WaitGroup
}

// New returns a Service. What an earlier run of this node has left running is
// marked by Run.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Most == 0 {
		c.Most = 2
	}
	if c.Each == 0 {
		c.Each = 3
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, turn: make(chan struct{}, c.Most), live: map[int64]*Progress{}}
}

// A Progress is how far a job is. Its methods are safe for concurrent use.
type Progress struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	job   chat.Job
	moved bool // since it was saved
}

// Total says how many steps there are.
func (p *Progress) Total(n int64) { p.change(func(j *chat.Job) { j.Total = n }) }

// Add says that so many more are done.
func (p *Progress) Add(n int64) { p.change(func(j *chat.Job) { j.Done += n }) }

// Note puts a value into the job's Detail.
func (p *Progress) Note(key, value string) {
	p.change(func(j *chat.Job) {
		j.Detail = maps.Clone(j.Detail) // others may have a copy of the job
		j.Detail[key] = value
	})
}

// Job is the job as it stands.
func (p *Progress) Job() chat.Job {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.job
}

func (p *Progress) change(f func(*chat.Job)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.job)
	p.moved = true
}

// take returns the job where it moved or has not been saved since a time.
func (p *Progress) take(now time.Time) (chat.Job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.moved && now.UnixMilli() < p.job.Updated+aliveEvery.Milliseconds() {
		return chat.Job{}, false
	}
	p.moved, p.job.Updated = false, now.UnixMilli()
	return p.job, true
}

// Start begins a job of by and returns it at once; work runs when it is its turn,
// after ctx has ended, too. The ctx that work gets ends when the job is cancelled or the
// server stops. What work returns is how the job ends: a *chat.Refusal's words are told. It
// refuses with chat.RateLimited or chat.Busy who has, and what would be, too much.
func (s *Service) Start(ctx context.Context, kind string, by chat.UserID, detail map[string]string, work func(context.Context, *Progress) error) (chat.Job, error) {
	now := s.Now().UnixMilli()
	j := chat.Job{ID: s.ID(), Kind: kind, By: by, State: chat.JobRunning, Detail: maps.Clone(detail), At: now, Updated: now}
	if j.Detail == nil {
		j.Detail = map[string]string{}
	}
	j.Detail[node] = strconv.Itoa(s.Node)
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	p := &Progress{cancel: cancel, job: j}
	s.mu.Lock()
	full := s.closed || len(s.live) >= waiting
	if !full {
		s.live[j.ID] = p
		s.wg.Add(1)
	}
	s.mu.Unlock()
	if full {
		cancel(nil)
		return chat.Job{}, &chat.Refusal{Code: chat.Busy, Words: "too much is under way", RetryAfter: time.Minute}
	}
	if err := s.Store.AddJob(ctx, j, s.Each); err != nil {
		s.over(p)
		return chat.Job{}, err
	}
	go func() {
		defer s.over(p)
		s.run(run, p, work)
	}()
	return j, nil
}

// over lets go of p.
func (s *Service) over(p *Progress) {
	p.cancel(nil)
	s.mu.Lock()
	delete(s.live, p.Job().ID)
	s.mu.Unlock()
	s.wg.Done()
}

func (s *Service) run(ctx context.Context, p *Progress, work func(context.Context, *Progress) error) {
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case s.turn <- struct{}{}:
		err = s.guarded(ctx, p, work)
		<-s.turn
	}
	end := func(j *chat.Job) { j.State = chat.JobDone }
	switch ref := chat.AsRefusal(err); {
	case errors.Is(context.Cause(ctx), errCancelled):
		end = func(j *chat.Job) { j.State = chat.JobCancelled }
	case err != nil:
		words := ref.Words
		if ctx.Err() != nil {
			words = restarted
		} else if ref.Code == chat.Internal {
			s.Log.Error("a job failed", "job", p.Job().ID, "kind", p.Job().Kind, "err", err)
			words = "something went wrong here"
		}
		p.Note(chat.JobProblem, words)
		end = func(j *chat.Job) { j.State = chat.JobFailed }
	}
	p.change(end)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	j := p.Job()
	j.Updated = s.Now().UnixMilli()
	if _, err := s.Store.SaveJob(last, j); err != nil {
		s.Log.Error("the end of a job is not noted", "job", j.ID, "kind", j.Kind, "state", j.State, "err", err)
	}
}

// guarded runs work; a panic of it is an error.
func (s *Service) guarded(ctx context.Context, p *Progress, work func(context.Context, *Progress) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Log.Error("a job panicked", "job", p.Job().ID, "kind", p.Job().Kind)
			err = errors.New("panic")
		}
	}()
	return work(ctx, p)
}

// Get returns a job of u, or where u is empty, of anybody. It answers chat.ErrNotFound
// also for those of others.
func (s *Service) Get(ctx context.Context, u chat.UserID, id int64) (chat.Job, error) {
	j, err := s.Store.Job(ctx, id)
	if err == nil && u != "" && j.By != u {
		return chat.Job{}, chat.ErrNotFound
	}
	if err == nil && j.State == chat.JobRunning {
		s.mu.Lock()
		p := s.live[id]
		s.mu.Unlock()
		if p != nil { // it is here, and we know better
			j = p.Job()
		}
	}
	return j, err
}

// List returns the latest jobs of u, or where u is empty, of everybody; at most limit, 1 to 200.
func (s *Service) List(ctx context.Context, u chat.UserID, limit int) ([]chat.Job, error) {
	return s.Store.Jobs(ctx, u, min(max(limit, 1), 200))
}

// Cancel ends a job of u, or where u is empty, of anybody. One that has ended stays
// as it is.
func (s *Service) Cancel(ctx context.Context, u chat.UserID, id int64) error {
	j, err := s.Get(ctx, u, id)
	if err != nil || j.State != chat.JobRunning {
		return err
	}
	j.State, j.Updated = chat.JobCancelled, s.Now().UnixMilli()
	if _, err := s.Store.SaveJob(ctx, j); err != nil {
		return err
	}
	s.mu.Lock()
	p := s.live[id]
	s.mu.Unlock()
	if p != nil {
		p.cancel(errCancelled)
	}
	return nil
}

// Run saves progress, and marks what was cut short, until ctx ends. Then all jobs
// of this node end, and it returns when they have.
func (s *Service) Run(ctx context.Context) {
	swept := s.Now()
	if err := s.sweep(ctx, true); err != nil && ctx.Err() == nil {
		s.Log.Warn("jobs that were cut short are not marked, will be tried again", "err", err)
	}
	tick := s.Tick
	if tick == nil {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			s.stop()
			return
		case <-tick:
		}
		s.save(ctx)
		if now := s.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			if err := s.sweep(ctx, false); err != nil && ctx.Err() == nil {
				s.Log.Warn("jobs that were cut short are not marked, will be tried again", "err", err)
			}
		}
	}
}

// stop ends all jobs and waits for them.
func (s *Service) stop() {
	s.mu.Lock()
	s.closed = true
	for _, p := range s.live {
		p.cancel(nil)
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// save stores the progress of all jobs here. One that was cancelled elsewhere ends.
func (s *Service) save(ctx context.Context) {
	s.mu.Lock()
	var ps []*Progress
	for _, p := range s.live {
		ps = append(ps, p)
	}
	s.mu.Unlock()
	for _, p := range ps {
		j, ok := p.take(s.Now())
		if !ok || j.State != chat.JobRunning {
			continue
		}
		switch still, err := s.Store.SaveJob(ctx, j); {
		case err != nil && ctx.Err() == nil:
			s.Log.Warn("the progress of a job is not saved, will be tried again", "job", j.ID, "err", err)
		case err == nil && !still && p.Job().State == chat.JobRunning:
			p.cancel(errCancelled)
		}
	}
}

// sweep marks jobs that run nowhere as failed: at the start those of this node,
// later those nobody has heard of for long. It forgets old ones.
func (s *Service) sweep(ctx context.Context, start bool) error {
	js, err := s.Store.RunningJobs(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	for _, j := range js {
		s.mu.Lock()
		here := s.live[j.ID] != nil
		s.mu.Unlock()
		ours := start && j.Detail[node] == strconv.Itoa(s.Node)
		if here || !ours && now.UnixMilli() < j.Updated+deadAfter.Milliseconds() {
			continue
		}
		j.State, j.Updated = chat.JobFailed, now.UnixMilli()
		j.Detail[chat.JobProblem] = restarted
		if _, err := s.Store.SaveJob(ctx, j); err != nil {
			return err
		}
	}
	return s.Store.ForgetJobs(ctx, now.Add(-keptFor).UnixMilli())
}
