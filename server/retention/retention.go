// Package retention removes what administrators want kept no longer: once a day,
// on one node at a time, in small steps between which everybody else gets a turn.
package retention

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"kamachat/server/jobs"
	"kamachat/shared/chat"
)

// Store is what is emptied. server/store has it.
type Store interface {
	// ExpireSome empties what e says in some conversations behind after, and
	// returns the last of them, empty where that were all, and how many entries that were.
	ExpireSome(ctx context.Context, e chat.Expiry, after chat.ConvID) (last chat.ConvID, n int, err error)
	// Lease gives holder a name until a time, unless somebody else has it now.
	Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
	Setting(ctx context.Context, name string) (string, error)
	SaveSetting(ctx context.Context, name, value string) error
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Jobs  *jobs.Service
	// Days says after how many days messages, and files, are removed; 0: never.
	Days func() (messages, files int)
	Log  *slog.Logger
	Now  func() time.Time // nil: time.Now
}

// Kind is that of the jobs here. Their Detail has Removed.
const (
	Kind    = "retention"
	Removed = "removed" // entries
)

// Settings of a run's own. doneBefore, with "messages" or "files" behind it, is up to what time
// everything was removed: nothing older is looked at again.
const (
	lease      = "retention.lease"
	lastRun    = "retention.last"
	doneBefore = "retention.done."
)

const (
	day = 24 * time.Hour
	// lookEvery is how often a node looks whether it is time.
	lookEvery = 10 * time.Minute
	// learnEvery is how often a node looks what another has removed.
	learnEvery = time.Minute
	// leased is how long a node has the work to itself without another word of it.
	leased = 5 * time.Minute
	// overlap is looked at again, for clocks that differ.
	overlap = time.Hour
)

// A Service removes what has expired.
type Service struct {
	Config
	holder string
	gone   atomic.Pointer[chat.Expired]
	job    atomic.Int64 // the last one of this node
}

// New returns a Service that does nothing until Run.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, holder: rand.Text()}
}

// Expired returns what is kept no longer, as far as is known here: a minute after
// the last of it went, at most. It never blocks.
func (s *Service) Expired() (x chat.Expired) {
	if p := s.gone.Load(); p != nil {
		x = *p
	}
	return x
}

// Learn reads what is kept no longer.
func (s *Service) Learn(ctx context.Context) (err error) {
	var x chat.Expired
	if x.Messages, err = s.number(ctx, doneBefore+"messages"); err == nil {
		x.Files, err = s.number(ctx, doneBefore+"files")
	}
	if err == nil {
		s.gone.Store(&x)
	}
	return err
}

// Run starts a job a day after the last, on this node or another, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t, learn := time.NewTicker(lookEvery), time.NewTicker(learnEvery)
	defer t.Stop()
	defer learn.Stop()
	look := func() {
		if _, _, err := s.Look(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("what has expired is not removed, will be tried again", "err", err)
		}
	}
	for look(); ; {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			look()
		case <-learn.C:
			if err := s.Learn(ctx); err != nil && ctx.Err() == nil {
				s.Log.Warn("what is kept no longer is not known anew", "err", err)
			}
		}
	}
}

// Look starts a job where it is time and no other node does, and reports whether it did.
func (s *Service) Look(ctx context.Context) (j chat.Job, started bool, err error) {
	if messages, files := s.Days(); messages == 0 && files == 0 {
		return j, false, nil
	}
	if due, err := s.due(ctx); err != nil || !due {
		return j, false, err
	}
	if id := s.job.Load(); id != 0 {
		if j, err := s.Jobs.Get(ctx, "", id); err == nil && j.State == chat.JobRunning {
			return j, false, nil
		}
	}
	now := s.Now()
	if ok, err := s.Store.Lease(ctx, lease, s.holder, now, now.Add(leased)); err != nil || !ok {
		return j, false, err
	}
	if due, err := s.due(ctx); err != nil || !due { // another has just ended
		return j, false, err
	}
	j, err = s.Jobs.Start(ctx, Kind, "", nil, s.work)
	s.job.Store(j.ID)
	return j, err == nil, err
}

func (s *Service) due(ctx context.Context) (bool, error) {
	last, err := s.number(ctx, lastRun)
	return err == nil && s.Now().UnixMilli() >= last+day.Milliseconds(), err
}

// number is a setting that is a number, 0 where there is none.
func (s *Service) number(ctx context.Context, name string) (int64, error) {
	v, err := s.Store.Setting(ctx, name)
	if err != nil || v == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		n, err = 0, nil // somebody wrote something else: from the beginning
	}
	return n, err
}

// work removes everything that has expired by now.
func (s *Service) work(ctx context.Context, p *jobs.Progress) error {
	start := s.Now()
	messages, files := s.Days()
	n := 0
	for _, part := range []struct {
		name  string
		days  int
		kinds []chat.Kind
	}{
		{"messages", messages, []chat.Kind{chat.Text, chat.FileK, chat.Edit}},
		{"files", files, []chat.Kind{chat.FileK}},
	} {
		if part.days == 0 {
			continue
		}
		from, err := s.number(ctx, doneBefore+part.name)
		if err != nil {
			return err
		}
		e := chat.Expiry{Kinds: part.kinds, From: max(0, from-overlap.Milliseconds()), Until: start.Add(-time.Duration(part.days) * day).UnixMilli()}
		k, err := s.expire(ctx, p, e)
		n += k
		p.Note(Removed, strconv.Itoa(n))
		if err != nil {
			return err
		}
		if e.Until > from {
			if err := s.Store.SaveSetting(ctx, doneBefore+part.name, strconv.FormatInt(e.Until, 10)); err != nil {
				return err
			}
			if err := s.Learn(ctx); err != nil {
				return err
			}
		}
	}
	if n > 0 {
		s.Log.Info("messages and files that had expired are removed", "entries", n)
	}
	return s.Store.SaveSetting(ctx, lastRun, strconv.FormatInt(start.UnixMilli(), 10))
}

// expire removes what e says, step by step, as long as no other node has taken
// the work over.
func (s *Service) expire(ctx context.Context, p *jobs.Progress, e chat.Expiry) (n int, err error) {
	for after := chat.ConvID(""); ; {
		now := s.Now()
		switch ok, err := s.Store.Lease(ctx, lease, s.holder, now, now.Add(leased)); {
		case err != nil:
			return n, err
		case !ok:
			return n, chat.Refuse(chat.Busy, "another server does this already")
		}
		last, k, err := s.Store.ExpireSome(ctx, e, after)
		n += k
		p.Add(int64(k))
		if err != nil || last == "" {
			return n, err
		}
		after = last
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(pause): // others want to write, too
		}
	}
}

// pause is between two steps.
const pause = 10 * time.Millisecond
