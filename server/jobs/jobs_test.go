package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servicetest.EndShared()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// A world is a database and the services of nodes on it.
type world struct {
	t    *testing.T
	db   *store.DB
	now  atomic.Int64
	tick chan time.Time
	ids  atomic.Int64
}

// each runs a test with either database.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, dsn string) {
		w := &world{t: t, db: storetest.Open(t, dsn, store.Options{}), tick: make(chan time.Time)}
		w.now.Store(1_000_000)
		f(t, w)
	})
}

// node starts a service, and returns what ends it.
func (w *world) node(n int) (s *Service, end func()) {
	s = New(Config{
		Store: w.db, ID: func() int64 { return w.ids.Add(1) }, Node: n, Tick: w.tick,
		Now: func() time.Time { return time.UnixMilli(w.now.Load()) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	ended := false
	end = func() {
		if !ended {
			ended = true
			cancel()
			<-done
		}
	}
	w.t.Cleanup(end)
	return s, end
}

// is waits until the job is in a state, and returns it.
func (w *world) is(s *Service, id int64, state chat.JobState) chat.Job {
	w.t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		j, err := w.db.Job(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if j.State == state {
			return j
		}
		if time.Now().After(until) {
			w.t.Fatalf("the job is %s, want %s", j.State, state)
		}
	}
}

// blocked is work that goes on until its end is closed, or its ctx.
func blocked(end <-chan struct{}) func(context.Context, *Progress) error {
	return func(ctx context.Context, p *Progress) error {
		p.Total(10)
		p.Add(4)
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestJobTellsHowItEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, _ := w.node(0)
		for name, c := range map[string]struct {
			err     error
			state   chat.JobState
			problem string
		}{
			"well":     {nil, chat.JobDone, ""},
			"refused":  {chat.Refuse(chat.Forbidden, "not yours"), chat.JobFailed, "not yours"},
			"internal": {errors.New("a path on the disk"), chat.JobFailed, "something went wrong here"},
		} {
			j, err := s.Start(t.Context(), "test", "Uann", map[string]string{"k": "v"}, func(_ context.Context, p *Progress) error {
				p.Total(2)
				p.Add(2)
				p.Note("file", "f")
				return c.err
			})
			if err != nil {
				t.Fatal(err)
			}
			got := w.is(s, j.ID, c.state)
			if got.Done != 2 || got.Total != 2 || got.Detail["k"] != "v" || got.Detail["file"] != "f" || got.Detail[chat.JobProblem] != c.problem {
				t.Errorf("%s: %+v", name, got)
			}
		}
		j, err := s.Start(t.Context(), "test", "Uann", nil, func(context.Context, *Progress) error { panic("x") })
		if err != nil {
			t.Fatal(err)
		}
		w.is(s, j.ID, chat.JobFailed)
		all, err := s.List(t.Context(), "", 10)
		if err != nil || len(all) != 4 {
			t.Errorf("%d jobs (%v), want 4", len(all), err)
		}
	})
}

func TestProgressIsSavedAtTheTick(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, _ := w.node(0)
		end, working := make(chan struct{}), make(chan struct{})
		j, err := s.Start(t.Context(), "test", "Uann", nil, func(ctx context.Context, p *Progress) error {
			p.Total(10)
			p.Add(4)
			close(working)
			<-end
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		<-working
		if got, err := w.db.Job(t.Context(), j.ID); err != nil || got.Done != 0 {
			t.Errorf("before the tick %+v, %v", got, err)
		}
		if got, err := s.Get(t.Context(), "Uann", j.ID); err != nil || got.Percent() != 40 {
			t.Errorf("on its own node %+v, %v", got, err)
		}
		w.tick <- time.Time{}
		w.tick <- time.Time{} // the first is done
		if got, err := w.db.Job(t.Context(), j.ID); err != nil || got.Done != 4 || got.Total != 10 {
			t.Errorf("after the tick %+v, %v", got, err)
		}
		close(end)
		w.is(s, j.ID, chat.JobDone)
	})
}

func TestOnlyOneselfSeesAndCancelsAJob(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, _ := w.node(0)
		j, err := s.Start(t.Context(), "test", "Uann", nil, blocked(nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "Ubob", j.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("somebody else gets %v", err)
		}
		if err := s.Cancel(t.Context(), "Ubob", j.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("somebody else cancels with %v", err)
		}
		if js, err := s.List(t.Context(), "Ubob", 10); err != nil || len(js) > 0 {
			t.Errorf("somebody else sees %v (%v)", js, err)
		}
		if err := s.Cancel(t.Context(), "Uann", j.ID); err != nil {
			t.Fatal(err)
		}
		w.is(s, j.ID, chat.JobCancelled)
		if err := s.Cancel(t.Context(), "Uann", j.ID); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

func TestJobIsCancelledFromAnotherNode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, _ := w.node(0)
		ended := make(chan error, 1)
		j, err := s.Start(t.Context(), "test", "Uann", nil, func(ctx context.Context, p *Progress) error {
			p.Add(1)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		other := New(Config{Store: w.db, Node: 1, Now: s.Now})
		if err := other.Cancel(t.Context(), "", j.ID); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			select {
			case w.tick <- time.Time{}:
				w.now.Add(aliveEvery.Milliseconds())
			case err := <-ended:
				done = true
				if !errors.Is(err, errCancelled) {
					t.Errorf("it ended with %v", err)
				}
			}
		}
		w.is(s, j.ID, chat.JobCancelled)
	})
}

func TestJobThatIsCutShortHasFailed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, end := w.node(0)
		j, err := s.Start(t.Context(), "test", "Uann", nil, blocked(nil))
		if err != nil {
			t.Fatal(err)
		}
		end() // by a restart
		if got := w.is(s, j.ID, chat.JobFailed); got.Detail[chat.JobProblem] != restarted {
			t.Errorf("by a restart: %+v", got)
		}
		if _, err := s.Start(t.Context(), "test", "Uann", nil, blocked(nil)); chat.AsRefusal(err).Code != chat.Busy {
			t.Errorf("a job began on a node that has stopped: %v", err)
		}
		// Killed: nothing was noted.
		for n, id := range map[int]int64{0: 100, 1: 101} {
			if err := w.db.AddJob(t.Context(), chat.Job{ID: id, State: chat.JobRunning, Detail: map[string]string{node: fmt.Sprint(n)}, Updated: w.now.Load()}, 10); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := w.node(0)
		w.is(again, 100, chat.JobFailed)
		if j, err := w.db.Job(t.Context(), 101); err != nil || j.State != chat.JobRunning {
			t.Errorf("another node's: %+v, %v", j, err)
		}
		w.now.Add((deadAfter + sweepEvery).Milliseconds())
		w.tick <- time.Time{}
		w.is(again, 101, chat.JobFailed)
	})
}

func TestFewJobsRunAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, _ := w.node(0)
		var at, most atomic.Int64
		end := make(chan struct{})
		work := func(ctx context.Context, _ *Progress) error {
			if n := at.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-end
			at.Add(-1)
			return nil
		}
		var ids []int64
		for i := range 6 {
			j, err := s.Start(t.Context(), "test", chat.UserID(fmt.Sprint("U", i%2)), nil, work)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, j.ID)
		}
		if _, err := s.Start(t.Context(), "test", "U0", nil, work); chat.AsRefusal(err).Code != chat.RateLimited {
			t.Errorf("a fourth of one person: %v", err)
		}
		close(end)
		for _, id := range ids {
			w.is(s, id, chat.JobDone)
		}
		if n := most.Load(); n > 2 {
			t.Errorf("%d ran at once, want 2", n)
		}
		w.now.Add((keptFor + sweepEvery).Milliseconds())
		w.tick <- time.Time{}
		w.tick <- time.Time{}
		if js, err := s.List(t.Context(), "", 10); err != nil || len(js) > 0 {
			t.Errorf("%d old jobs are remembered (%v)", len(js), err)
		}
	})
}
