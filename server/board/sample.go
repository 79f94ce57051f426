package board

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Sample is how a node fared in the half minute before At. Names are short
// since many are stored.
type Sample struct {
	Node        string  `json:"-"`
	At          int64   `json:"-"` // Unix milliseconds
	People      int     `json:"p,omitempty"`
	Connections int     `json:"c,omitempty"`
	Stored      float64 `json:"s,omitempty"` // messages per second
	Refused     int64   `json:"r,omitempty"`
	Queue       int     `json:"q,omitempty"`   // what waits in all queues
	P50         float64 `json:"l50,omitempty"` // milliseconds until a post was answered; 0: there was none
	P95         float64 `json:"l95,omitempty"`
	P99         float64 `json:"l99,omitempty"`
	Memory      int64   `json:"m,omitempty"` // bytes
	Goroutines  int     `json:"g,omitempty"`
	Storage
}

// Storage is what is kept, and what room there is for more, in bytes.
type Storage struct {
	Database int64 `json:"db,omitempty"`
	Files    int64 `json:"f,omitempty"`
	Free     int64 `json:"fr,omitempty"` // 0: the system does not tell
}

// Live is how this node is at a moment.
type Live struct {
	People, Connections, Queue, Goroutines int
	Memory                                 int64 // bytes
	StoredEver                             int64 // messages since the start
}

const (
	// SampleEvery is how far apart samples are.
	SampleEvery = 30 * time.Second
	// keepSamples is for how long they are kept.
	keepSamples = 7 * 24 * time.Hour
	// sizeEvery is how often it is measured how much is stored.
	sizeEvery = 5 * time.Minute
	// absent is after how long without a sample a node is gone.
	absent = 3 * SampleEvery
)

// Run stores samples as they come until ctx ends.
func (s *Service) Run(ctx context.Context, samples <-chan Sample) {
	s.measure(ctx)
	t := time.NewTicker(sizeEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.measure(ctx)
		case one := <-samples:
			if err := s.keep(ctx, one); err != nil && ctx.Err() == nil {
				s.Logs.Debug("a sample is not kept", "err", err)
			}
		}
	}
}

// measure finds out how much is stored.
func (s *Service) measure(ctx context.Context) {
	var st Storage
	var err error
	if st.Database, st.Files, err = s.Store.Size(ctx); err != nil {
		if ctx.Err() == nil {
			s.Logs.Debug("how much is stored is not known", "err", err)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = st
}

// storage returns how much was stored when it was last measured, and what is free now.
func (s *Service) storage() Storage {
	s.mu.Lock()
	st := s.size
	s.mu.Unlock()
	if s.Free != nil {
		st.Free = s.Free()
	}
	return st
}

// keep stores one sample of this node.
func (s *Service) keep(ctx context.Context, one Sample) error {
	one.Storage = s.storage()
	data, err := json.Marshal(one)
	if err != nil {
		return err
	}
	now := s.Now()
	return s.Store.AddSample(ctx, s.Node, now.UnixMilli(), string(data), now.Add(-keepSamples).UnixMilli())
}

// latest are the newest samples, one of each node, at a time.
type latest struct {
	at time.Time
	of []Sample
}

// latestEvery is how often it is looked up how other nodes fare.
const latestEvery = 10 * time.Second

// Nodes returns the newest sample of each node that is there.
func (s *Service) Nodes(ctx context.Context) ([]Sample, error) { return s.newest(ctx) }

// newest returns the newest sample of each node that is there.
func (s *Service) newest(ctx context.Context) ([]Sample, error) {
	now := s.Now()
	s.mu.Lock()
	known := s.others
	s.mu.Unlock()
	if age := now.Sub(known.at); age >= 0 && age < latestEvery && !known.at.IsZero() {
		return known.of, nil
	}
	by := map[string]int{}
	var of []Sample
	if err := s.samples(ctx, now.Add(-absent), "", 1, func(one Sample) {
		if i, ok := by[one.Node]; ok {
			of[i] = one
			return
		}
		by[one.Node] = len(of)
		of = append(of, one)
	}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = latest{now, of}
	return of, nil
}

// samples hands over what was stored since a time. What can't be read is left out.
func (s *Service) samples(ctx context.Context, since time.Time, node string, one int64, each func(Sample)) error {
	return s.Store.Samples(ctx, since.UnixMilli(), node, one, func(node string, at int64, data string) {
		sample := Sample{}
		if json.Unmarshal([]byte(data), &sample) == nil {
			sample.Node, sample.At = node, at
			each(sample)
		}
	})
}

// An Overview is how all nodes are at a moment, together.
type Overview struct {
	Sample
	Nodes   int
	Reports int // that wait
}

// A Watch looks at the nodes over and over. It is not safe for concurrent use.
type Watch struct {
	s      *Service
	at     time.Time
	stored int64
}

// Watch returns a watch that has not looked yet.
func (s *Service) Watch() *Watch { return &Watch{s: s} }

// Next returns how all nodes are: this one at the moment, the others as of their
// last samples. Latencies are the worst of all of these. From the second look on,
// this node's messages per second are those since the look before.
func (w *Watch) Next(ctx context.Context) (o Overview, err error) {
	s := w.s
	nodes, err := s.newest(ctx)
	if err != nil {
		return o, fmt.Errorf("how the nodes fare: %w", err)
	}
	if o.Reports, err = s.Store.OpenReports(ctx); err != nil {
		return o, err
	}
	live, now := s.Live(), s.Now()
	o.Nodes, o.At = 1, now.UnixMilli()
	o.People, o.Connections, o.Queue, o.Goroutines, o.Memory = live.People, live.Connections, live.Queue, live.Goroutines, live.Memory
	since := now.Sub(w.at).Seconds()
	watched := !w.at.IsZero() && since > 0
	if watched {
		o.Stored = float64(live.StoredEver-w.stored) / since
	}
	w.at, w.stored = now, live.StoredEver
	for _, n := range nodes {
		if mine := n.Node == s.Node; !mine {
			o.Nodes++
			o.People, o.Connections, o.Queue = o.People+n.People, o.Connections+n.Connections, o.Queue+n.Queue
			o.Goroutines, o.Memory = o.Goroutines+n.Goroutines, o.Memory+n.Memory
			o.Stored += n.Stored
		} else if !watched {
			o.Stored += n.Stored
		}
		o.Refused += n.Refused
		o.P50, o.P95, o.P99 = max(o.P50, n.P50), max(o.P95, n.P95), max(o.P99, n.P99)
	}
	o.Storage = s.storage()
	return o, nil
}
