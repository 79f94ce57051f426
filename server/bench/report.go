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

// A Report is what a run measured. Rates and CPU times count what happened
// while writers wrote; the other numbers include what was under way at their end.
type Report struct {
	Workload       string  `json:"workload"`
	Dialect        string  `json:"dialect"`
	Connections    int     `json:"connections"`
	Writers        int     `json:"writers"`
	ConnectSeconds float64 `json:"connect_seconds"` // accounts, group and all connections
	Seconds        float64 `json:"seconds"`         // that writers wrote

	PerSecond           float64 `json:"messages_per_second"` // acknowledged
	DeliveriesPerSecond float64 `json:"deliveries_per_second"`
	PagesPerSecond      float64 `json:"pages_per_second"`
	Ack                 Latency `json:"acknowledged"` // until the writer's own copy came
	Delivery            Latency `json:"delivered"`    // until another's copy came
	Page                Latency `json:"page"`         // of history, until it came
	Welcome             Latency `json:"welcome"`      // from dialling until the welcome came
	Late                float64 `json:"late"`         // open loop: how late the generator itself was at worst, in ms

	GeneratorCPU     float64       `json:"generator_cpu_seconds"`
	CPUPer1000       float64       `json:"cpu_seconds_per_1000_messages"` // of the generator and, where it was watched, the server
	CPUPer1000Copies float64       `json:"cpu_seconds_per_1000_deliveries"`
	Server           *ServerReport `json:"server,omitempty"`
	Storm            *StormReport  `json:"storm,omitempty"`

	Sent           int64  `json:"sent"`
	Acknowledged   int64  `json:"acknowledged_messages"`
	Delivered      int64  `json:"delivered_copies"` // the writers' own copies too
	Refused        int64  `json:"refused"`          // busy or rate limited, and sent again
	Pages          int64  `json:"pages"`
	Unacknowledged int64  `json:"unacknowledged"`
	Unanswered     int64  `json:"unanswered"`  // pages that never came
	ShortPages     int64  `json:"short_pages"` // pages with another number of entries than there are
	Lost           int64  `json:"lost"`        // copies of acknowledged messages that never came
	Doubled        int64  `json:"doubled"`     // copies or acknowledgements that came again
	Reordered      int64  `json:"reordered"`
	SeqJumps       int64  `json:"seq_jumps"` // copies whose Seq did not follow the one before
	Cut            int64  `json:"cut"`       // connections of the deaf that the server has cut
	Broken         int    `json:"broken_connections"`
	WhyBroken      string `json:"why_broken,omitempty"` // the first of them
}

// A ServerReport is what the processes Config.Servers used: all of them CPU time, the first one the rest.
type ServerReport struct {
	CPU           float64 `json:"cpu_seconds"`
	PerConnection float64 `json:"rss_kb_per_connection"` // from before to last
	Before        gauges  `json:"before"`                // when nobody was connected
	First         gauges  `json:"first"`                 // when everybody was
	Last          gauges  `json:"last"`                  // when the writers ended
	Max           gauges  `json:"max"`                   // at any sample since first
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
	return r.Lost+r.Doubled+r.Reordered+r.SeqJumps+r.Unacknowledged+r.Unanswered+r.ShortPages > 0 || r.Broken > 0 ||
		r.Storm != nil && r.Storm.wrong()
}

// print writes the report to w.
func (r *Report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "workload\t%s, %s: %d connections, of which %d write, %.1f s\n", r.Workload, r.Dialect, r.Connections, r.Writers, r.Seconds)
	if r.Sent > 0 {
		fmt.Fprintf(t, "messages/s\t%.0f\tacknowledged\n", r.PerSecond)
		fmt.Fprintf(t, "deliveries/s\t%.0f\n", r.DeliveriesPerSecond)
	}
	if r.Pages > 0 {
		fmt.Fprintf(t, "pages/s\t%.0f\n", r.PagesPerSecond)
	}
	fmt.Fprintf(t, "ms\tp50\tp90\tp99\tp99.9\tmax\n")
	for _, l := range []struct {
		name string
		Latency
	}{{"acknowledged", r.Ack}, {"delivered", r.Delivery}, {"page", r.Page}, {"welcome", r.Welcome}} {
		if l.Max > 0 {
			fmt.Fprintf(t, "  %s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", l.name, l.P50, l.P90, l.P99, l.P999, l.Max)
		}
	}
	if r.Late > 0 {
		fmt.Fprintf(t, "  generator late\t\t\t\t\t%.2f\n", r.Late)
	}
	r.Storm.print(t)
	fmt.Fprintf(t, "CPU\tgenerator %.2f s, %.4f s per 1,000 messages, %.5f s per 1,000 deliveries\n", r.GeneratorCPU, r.CPUPer1000, r.CPUPer1000Copies)
	if s := r.Server; s != nil {
		fmt.Fprintf(t, "server\tCPU %.2f s (counted above), %.1f kB of memory per connection\n", s.CPU, s.PerConnection)
		fmt.Fprintf(t, "\tbefore\tfirst\tlast\tmax\n")
		for _, g := range []struct {
			name                     string
			before, first, last, max int64
		}{
			{"memory, kB", s.Before.RSS, s.First.RSS, s.Last.RSS, s.Max.RSS}, {"heap, kB", s.Before.Heap, s.First.Heap, s.Last.Heap, s.Max.Heap},
			{"goroutines", s.Before.Goroutines, s.First.Goroutines, s.Last.Goroutines, s.Max.Goroutines}, {"files", s.Before.Files, s.First.Files, s.Last.Files, s.Max.Files},
		} {
			if g.max > 0 {
				fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%d\n", g.name, g.before, g.first, g.last, g.max)
			}
		}
	}
	fmt.Fprintf(t, "sent\t%d\tacknowledged %d, copies %d, refused for a while %d, pages %d\n", r.Sent, r.Acknowledged, r.Delivered, r.Refused, r.Pages)
	if r.Cut > 0 {
		fmt.Fprintf(t, "cut\t%d\tconnections of members who read nothing\n", r.Cut)
	}
	fmt.Fprintf(t, "wrong\tlost %d, doubled %d, reordered %d, seq jumps %d, unacknowledged %d, broken connections %d, pages unanswered %d, short %d\n",
		r.Lost, r.Doubled, r.Reordered, r.SeqJumps, r.Unacknowledged, r.Broken, r.Unanswered, r.ShortPages)
	if r.WhyBroken != "" {
		fmt.Fprintf(t, "\t%s\n", r.WhyBroken)
	}
	return t.Flush()
}

// A shard holds the times that some connections recorded.
type shard struct {
	mu                        sync.Mutex
	own, them, pages, welcome *hdrhistogram.Histogram // microseconds
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
}

func newShard() *shard {
	return &shard{own: newHistogram(), them: newHistogram(), pages: newHistogram(), welcome: newHistogram()}
}

// record records so many nanoseconds.
func record(h *hdrhistogram.Histogram, ns int64) {
	h.RecordValue(min(max(ns/1000, 1), h.HighestTrackableValue())) // in range, so no error
}

// times fills in the latencies. Nobody records any more.
func (r *Report) times(shards []*shard) {
	sum := newShard()
	for _, s := range shards {
		sum.own.Merge(s.own)
		sum.them.Merge(s.them)
		sum.pages.Merge(s.pages)
		sum.welcome.Merge(s.welcome)
	}
	r.Ack, r.Delivery, r.Page, r.Welcome = latency(sum.own), latency(sum.them), latency(sum.pages), latency(sum.welcome)
}

func ms(us int64) float64 { return float64(us) / 1000 }

func latency(h *hdrhistogram.Histogram) Latency {
	return Latency{
		P50: ms(h.ValueAtQuantile(50)), P90: ms(h.ValueAtQuantile(90)), P99: ms(h.ValueAtQuantile(99)),
		P999: ms(h.ValueAtQuantile(99.9)), Max: ms(h.Max()),
	}
}
