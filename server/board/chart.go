package board

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Span is how far back a chart goes.
type Span string

// The spans.
const (
	Hour Span = "1h"
	Day  Span = "24h"
	Week Span = "7d"
)

// spans are how long each is, how many points it has, and of how many samples one
// is read.
var spans = map[Span]struct {
	long   time.Duration
	points int
	one    int64
}{Hour: {time.Hour, 60, 1}, Day: {24 * time.Hour, 96, 1}, Week: {7 * 24 * time.Hour, 84, 10}}

// Spans are the spans in the order in which they are offered.
var Spans = []Span{Hour, Day, Week}

// A Point is how the nodes fared in a part of a span. Sums are over the nodes,
// of what each had on average; latencies and the queue are the worst that was.
type Point struct {
	Known bool // there was a sample
	Sample
}

// A Charts is what the charts of a span are drawn from.
type Charts struct {
	Span   Span
	From   time.Time
	Step   time.Duration
	Points []Point
	Nodes  []string // all that had a sample, sorted
}

type drawing struct {
	span Span
	node string
}

type drawnChart struct {
	at time.Time
	Charts
}

// Charts returns what the charts of a span, Hour where there is no such span, are
// drawn from: of all nodes, or of one where it is named. It may be half a minute old,
// that of a week five minutes.
func (s *Service) Charts(ctx context.Context, span Span, node string) (Charts, error) {
	if _, ok := spans[span]; !ok {
		span = Hour
	}
	now := s.Now()
	s.mu.Lock()
	known, ok := s.drawn[drawing{span, node}]
	s.mu.Unlock()
	if age := now.Sub(known.at); ok && age >= 0 && age < max(SampleEvery, known.Step/24) {
		return known.Charts, nil
	}
	c, err := s.charts(ctx, now, span, node)
	if err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.drawn) > 100 { // nodes that somebody made up
		clear(s.drawn)
	}
	s.drawn[drawing{span, node}] = drawnChart{now, c}
	return c, nil
}

func (s *Service) charts(ctx context.Context, now time.Time, span Span, node string) (Charts, error) {
	sp := spans[span]
	step := sp.long / time.Duration(sp.points)
	// Whole steps, so that points stay what they are from one look to the next.
	from := now.Truncate(step).Add(step - sp.long)
	c := Charts{Span: span, From: from, Step: step, Points: make([]Point, sp.points)}
	parts := make([]map[string]*sum, sp.points)
	err := s.samples(ctx, from, "", sp.one, func(one Sample) {
		if !slices.Contains(c.Nodes, one.Node) {
			c.Nodes = append(c.Nodes, one.Node)
		}
		i := int(time.UnixMilli(one.At).Sub(from) / step)
		if i < 0 || i >= len(parts) || node != "" && node != one.Node {
			return
		}
		if parts[i] == nil {
			parts[i] = map[string]*sum{}
		}
		if parts[i][one.Node] == nil {
			parts[i][one.Node] = &sum{}
		}
		parts[i][one.Node].add(one)
	})
	if err != nil {
		return c, fmt.Errorf("read samples: %w", err)
	}
	slices.Sort(c.Nodes)
	for i, nodes := range parts {
		for _, n := range nodes {
			n.into(&c.Points[i])
		}
		c.Points[i].At = from.Add(time.Duration(i) * step).UnixMilli()
	}
	return c, nil
}

// A sum is what the samples of one node in one part of a span come to.
type sum struct {
	n int
	Sample
}

func (s *sum) add(one Sample) {
	s.n++
	s.People += one.People
	s.Connections += one.Connections
	s.Stored += one.Stored
	s.Memory += one.Memory
	s.Goroutines += one.Goroutines
	s.Refused += one.Refused
	s.Queue = max(s.Queue, one.Queue)
	s.P50, s.P95, s.P99 = max(s.P50, one.P50), max(s.P95, one.P95), max(s.P99, one.P99)
	s.Storage = one.Storage
}

func (s *sum) into(p *Point) {
	p.Known = true
	p.People += (s.People + s.n/2) / s.n
	p.Connections += (s.Connections + s.n/2) / s.n
	p.Stored += s.Stored / float64(s.n)
	p.Memory += s.Memory / int64(s.n)
	p.Goroutines += (s.Goroutines + s.n/2) / s.n
	p.Refused += s.Refused
	p.Queue = max(p.Queue, s.Queue)
	p.P50, p.P95, p.P99 = max(p.P50, s.P50), max(p.P95, s.P95), max(p.P99, s.P99)
	p.Database, p.Files, p.Free = max(p.Database, s.Database), max(p.Files, s.Files), max(p.Free, s.Free)
}
