package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"kamachat/shared/chat"
)

const (
	probeEvery = 100 * time.Millisecond // between two questions whether the server is well
	probeIn    = 5 * time.Second        // for its answer
)

// A StormReport is what happened when everybody lost the connection at once.
type StormReport struct {
	Clients    int     `json:"clients"`
	Welcomed   float64 `json:"all_welcomed_seconds"`  // from the cut until everybody was let in
	CaughtUp   float64 `json:"all_caught_up_seconds"` // and had everything, and had said what waited in the outbox
	Back       Latency `json:"back"`                  // from the cut until a client was welcome, in ms
	Health     Latency `json:"health"`                // of GET /healthz meanwhile
	Probes     int64   `json:"health_probes"`
	Unwell     int64   `json:"health_failures"` // no answer, or a bad one
	Attempts   int64   `json:"attempts"`
	Refused    int64   `json:"refused_attempts"`
	WhyRefused string  `json:"why_refused,omitempty"` // the last of them
	Missing    int64   `json:"missing"`               // entries that somebody did not get
	Unsent     int64   `json:"unsent"`                // drafts that are still in an outbox
	WhyMissing string  `json:"why_missing,omitempty"`
}

func (s *StormReport) wrong() bool { return s.Missing+s.Unsent > 0 }

func (s *StormReport) print(w io.Writer) {
	if s == nil {
		return
	}
	for _, l := range []struct {
		name string
		Latency
	}{{"back after the cut", s.Back}, {"health", s.Health}} {
		fmt.Fprintf(w, "  %s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", l.name, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	fmt.Fprintf(w, "storm\tall %d clients welcome after %.2f s, with everything after %.2f s\n", s.Clients, s.Welcomed, s.CaughtUp)
	fmt.Fprintf(w, "\t%d attempts, %d refused %s; health asked %d times, %d without an answer\n", s.Attempts, s.Refused, s.WhyRefused, s.Probes, s.Unwell)
	fmt.Fprintf(w, "\tmissing %d, unsent %d %s\n", s.Missing, s.Unsent, s.WhyMissing)
}

// A storm is many clients, each two of whom talk with each other, that lose
// their connections at once and come back as real clients do.
type storm struct {
	Config
	ctx     context.Context
	stamp   string
	id      int64
	start   time.Time
	clients []*stormClient
	cut     atomic.Int64 // when the connections were cut, after start; 0 before

	attempts, refused atomic.Int64

	mu      sync.Mutex
	welcome *hdrhistogram.Histogram // from dialling
	back    *hdrhistogram.Histogram // from the cut
	health  *hdrhistogram.Histogram
	probes  int64
	unwell  int64
	why     error // of the last attempt that was refused
}

// runStorm connects everybody, has each pair's first write once, cuts all
// connections, and watches the clients come back. Meanwhile each writer has one
// more message waiting.
func runStorm(ctx context.Context, c Config) (Report, error) {
	rep := Report{Workload: c.Workload, Dialect: c.Dialect, Connections: c.Members}
	var err error
	if c.People, err = enough(ctx, c); err != nil {
		return rep, err
	}
	before, err := usageOfAll(c.Servers)
	if err != nil {
		return rep, err
	}
	ctx, cancel := context.WithCancel(ctx)
	now := time.Now()
	s := &storm{
		Config: c, ctx: ctx, start: now, id: now.UnixMilli(), stamp: strconv.FormatInt(now.UnixMilli(), 36) + "-",
		welcome: newHistogram(), back: newHistogram(), health: newHistogram(),
	}
	var wg sync.WaitGroup
	defer func() {
		cancel()
		for _, cl := range s.clients {
			cl.lose()
		}
		wg.Wait()
	}()
	for i := range c.Members {
		p, peer := c.People[i], c.People[i^1]
		s.clients = append(s.clients, &stormClient{storm: s, person: p, conv: chat.Direct(p.ID, peer.ID), writes: i%2 == 0})
	}
	gate := make(chan struct{}, c.Dialers) // the first time they come one after another
	for _, cl := range s.clients {
		wg.Go(func() { cl.live(gate) })
	}
	if !s.until(ctx, c.Duration, func(cl *stormClient) bool { return cl.welcomes > 0 }) {
		return rep, errors.New("storm: not everybody could connect at first")
	}
	rep.ConnectSeconds = time.Since(s.start).Seconds()
	watch, err := watchServer(ctx, c, before)
	if err != nil {
		return rep, err
	}
	defer watch.end()
	s.write(0)
	if !s.until(ctx, c.Duration, func(cl *stormClient) bool { return cl.hasLocked(1) }) {
		return rep, errors.New("storm: not everybody got the first message")
	}
	if err := s.pass(ctx, watch, &rep, &wg); err != nil {
		return rep, err
	}
	return rep, nil
}

// pass has everybody lose the connection, watches them come back, and reports.
func (s *storm) pass(ctx context.Context, watch *watch, rep *Report, wg *sync.WaitGroup) error {
	s.mu.Lock()
	s.welcome = newHistogram() // the first time does not count
	s.mu.Unlock()
	s.attempts.Store(0)
	s.refused.Store(0)
	for _, cl := range s.clients {
		cl.mu.Lock()
		cl.before = cl.welcomes
		cl.mu.Unlock()
	}
	cut := time.Now()
	s.cut.Store(int64(cut.Sub(s.start)))
	if err := s.begin(); err != nil {
		return err
	}
	s.write(1) // waits in the outboxes
	probing, stop := context.WithCancel(ctx)
	defer stop()
	wg.Go(func() { s.probe(probing) })
	r := &StormReport{Clients: len(s.clients)}
	rep.Storm = r
	if s.until(ctx, s.Duration, func(cl *stormClient) bool { return cl.welcomes > cl.before }) {
		r.Welcomed = time.Since(cut).Seconds()
	}
	if s.until(ctx, s.Duration, func(cl *stormClient) bool { return cl.welcomes > cl.before && cl.hasLocked(2) }) {
		r.CaughtUp = time.Since(cut).Seconds()
	}
	stop()
	rep.Seconds = time.Since(cut).Seconds()
	watch.stop(rep, counts{})
	s.report(rep)
	return ctx.Err()
}

// begin has everybody lose the connection.
func (s *storm) begin() error {
	if s.Cut == CutConnections {
		for _, cl := range s.clients {
			cl.lose()
		}
		return nil
	}
	server, err := os.FindProcess(s.Servers[0])
	if err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	signal := os.Signal(syscall.SIGTERM)
	if s.Cut == CutKill {
		signal = os.Kill
	}
	if err := server.Signal(signal); err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	return nil
}

func (s *storm) report(rep *Report) {
	r := rep.Storm
	for _, cl := range s.clients {
		cl.mu.Lock()
		if miss := cl.base + 2 - cl.last; miss > 0 {
			r.Missing += miss
			r.WhyMissing = fmt.Sprintf("%s has up to %d of %d: %v", cl.person.Username, cl.last-cl.base, 2, cl.err)
		}
		if len(cl.outbox) > 0 {
			r.Unsent++
		}
		rep.Doubled += cl.track.doubled
		rep.Reordered += cl.track.reordered(nil)
		cl.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Attempts, r.Refused, r.Probes, r.Unwell = s.attempts.Load(), s.refused.Load(), s.probes, s.unwell
	if s.why != nil {
		r.WhyRefused = s.why.Error()
	}
	rep.Welcome, r.Back, r.Health = latency(s.welcome), latency(s.back), latency(s.health)
}

// until waits until ok holds for every client, at most for d. Their locks are held.
func (s *storm) until(ctx context.Context, d time.Duration, ok func(*stormClient) bool) bool {
	done := 0 // clients that ok held for
	for end := time.Now().Add(d); time.Now().Before(end); {
		for ; done < len(s.clients); done++ {
			cl := s.clients[done]
			cl.mu.Lock()
			is := ok(cl)
			cl.mu.Unlock()
			if !is {
				break
			}
		}
		if done == len(s.clients) {
			return true
		}
		if !sleep(ctx, 2*time.Millisecond) {
			return false
		}
	}
	return false
}

// write puts message n into the outbox of each who writes.
func (s *storm) write(n int64) {
	for _, cl := range s.clients {
		if cl.writes {
			cl.write(n)
		}
	}
}

// probe asks again and again whether the server is well, whether or not it has answered.
func (s *storm) probe(ctx context.Context) {
	client := &http.Client{Timeout: probeIn, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	defer wg.Wait()
	for ok := true; ok; ok = sleep(ctx, probeEvery) {
		wg.Go(func() {
			began := time.Now()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/healthz", nil)
			if err != nil {
				return
			}
			resp, err := client.Do(req)
			if ctx.Err() != nil {
				return // the storm is over
			}
			well := false
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				well = err == nil && resp.StatusCode == http.StatusOK
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.probes++
			if !well {
				s.unwell++
			}
			record(s.health, int64(time.Since(began)))
		})
	}
}
