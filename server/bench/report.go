package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Report is what a run measured. Rates count what happened while writers
// wrote; the other numbers include what was under way at their end.
type Report struct {
	Workload       string  `json:"workload"`
	Connections    int     `json:"connections"`
	Writers        int     `json:"writers"`
	ConnectSeconds float64 `json:"connect_seconds"` // accounts, group and all connections
	Seconds        float64 `json:"seconds"`         // that writers wrote

	PerSecond           float64 `json:"messages_per_second"` // acknowledged
	DeliveriesPerSecond float64 `json:"deliveries_per_second"`
	Ack                 Latency `json:"acknowledged"` // until the writer's own copy came
	Delivery            Latency `json:"delivered"`    // until another's copy came
	GeneratorCPU        float64 `json:"generator_cpu_seconds"`

	Sent           int64  `json:"sent"`
	Acknowledged   int64  `json:"acknowledged_messages"`
	Delivered      int64  `json:"delivered_copies"` // the writers' own copies too
	Refused        int64  `json:"refused"`          // busy or rate limited, and sent again
	Unacknowledged int64  `json:"unacknowledged"`
	Lost           int64  `json:"lost"`    // copies of acknowledged messages that never came
	Doubled        int64  `json:"doubled"` // copies or acknowledgements that came again
	Reordered      int64  `json:"reordered"`
	SeqJumps       int64  `json:"seq_jumps"` // copies whose Seq did not follow the one before
	Broken         int    `json:"broken_connections"`
	WhyBroken      string `json:"why_broken,omitempty"` // the first of them
}

// Latency are percentiles in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func (r *Report) broke(c *conn) {
	r.Broken++
	if r.WhyBroken == "" && c.err != nil {
		r.WhyBroken = c.person.Username + ": " + c.err.Error()
	}
}

// wrong reports whether a promise was broken.
func (r *Report) wrong() bool {
	return r.Lost+r.Doubled+r.Reordered+r.SeqJumps+r.Unacknowledged > 0 || r.Broken > 0
}

// print writes the report to w.
func (r *Report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "workload\t%s: %d connections, of which %d write, %.1f s\n", r.Workload, r.Connections, r.Writers, r.Seconds)
	fmt.Fprintf(t, "messages/s\t%.0f\tacknowledged\n", r.PerSecond)
	fmt.Fprintf(t, "deliveries/s\t%.0f\n", r.DeliveriesPerSecond)
	fmt.Fprintf(t, "ms\tp50\tp90\tp99\tp99.9\tmax\n")
	for _, l := range []struct {
		name string
		Latency
	}{{"acknowledged", r.Ack}, {"delivered", r.Delivery}} {
		fmt.Fprintf(t, "  %s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", l.name, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	fmt.Fprintf(t, "generator CPU\t%.1f s\n", r.GeneratorCPU)
	fmt.Fprintf(t, "sent\t%d\tacknowledged %d, copies %d, refused for a while %d\n", r.Sent, r.Acknowledged, r.Delivered, r.Refused)
	fmt.Fprintf(t, "wrong\tlost %d, doubled %d, reordered %d, seq jumps %d, unacknowledged %d, broken connections %d\n",
		r.Lost, r.Doubled, r.Reordered, r.SeqJumps, r.Unacknowledged, r.Broken)
	if r.WhyBroken != "" {
		fmt.Fprintf(t, "\t%s\n", r.WhyBroken)
	}
	return t.Flush()
}

// A shard holds the times that some connections recorded.
type shard struct {
	mu        sync.Mutex
	own, them *hdrhistogram.Histogram // microseconds
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
}

func newShard() *shard { return &shard{own: newHistogram(), them: newHistogram()} }

// record records nanoseconds until the writer's own copy came, or another's.
func (s *shard) record(own bool, ns int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.them
	if own {
		h = s.own
	}
	h.RecordValue(min(max(ns/1000, 1), h.HighestTrackableValue())) // in range, so no error
}

func latencies(shards []*shard) (own, them Latency) {
	o, t := newHistogram(), newHistogram()
	for _, s := range shards {
		s.mu.Lock()
		o.Merge(s.own)
		t.Merge(s.them)
		s.mu.Unlock()
	}
	return latency(o), latency(t)
}

func latency(h *hdrhistogram.Histogram) Latency {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Latency{
		P50: ms(h.ValueAtQuantile(50)), P90: ms(h.ValueAtQuantile(90)), P99: ms(h.ValueAtQuantile(99)),
		P999: ms(h.ValueAtQuantile(99.9)), Max: ms(h.Max()),
	}
}
