package monitor

import (
	"bytes"
	"context"
	"math"
	"os"
	"runtime/metrics"
	"strconv"
	"time"
)

// reportEvery is how often the log gets its line, as the seed's monitor did.
const reportEvery = 30 * time.Second

// counts are the counters that the line tells as rates.
type counts struct{ stored, pushed, refused, repeated int64 }

// Run writes a line into the log every half minute until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	at := m.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			now := m.now()
			m.report(now.Sub(at))
			at = now
		}
	}
}

// report writes the line about the time since the last one, and hands the same on.
func (m *Monitor) report(since time.Duration) {
	now := counts{stored: m.stored.Load(), pushed: m.pushed[posted].Load(), repeated: m.repeated.Load()}
	for _, n := range m.refused {
		now.refused += n.Load()
	}
	was := m.last
	m.last = now
	rate := func(n int64) float64 { return round(float64(n) / max(since.Seconds(), 1e-3)) }

	s, out := m.sources.Load(), m.Live()
	var line []any
	say := func(kv ...any) { line = append(line, kv...) }
	if s.Online != nil {
		say("people", out.People, "connections", out.Connections)
	}
	for _, q := range s.Queues {
		if q.Len != nil {
			say("queue_"+q.Name, q.Len())
		}
	}
	out.Slowest = m.longest(s)
	m.highWater.Store(0)
	out.Stored, out.Delivered = rate(now.stored-was.stored), rate(now.pushed-was.pushed)
	out.Refused, out.Repeated = now.refused-was.refused, now.repeated-was.repeated
	took := m.recent.take(.5, .95, .99)
	out.P50, out.P95, out.P99 = took[0], took[1], took[2]
	say("queue_session_max", out.Slowest)
	say("messages_per_s", out.Stored, "deliveries_per_s", out.Delivered)
	say("refused", out.Refused, "repeated", out.Repeated)
	say("p99_ms", ms(out.P99))
	say("heap_mb", round(float64(out.Heap)/1e6))
	if out.RSS > 0 {
		say("rss_mb", round(float64(out.RSS)/1e6))
	}
	say("goroutines", out.Goroutines)
	m.log.Info("monitor", line...)
	if m.keep != nil {
		m.keep(out)
	}
}

// round keeps a tenth.
func round(f float64) float64 { return math.Round(10*f) / 10 }

// heap is the bytes of live objects and of those not collected yet. Asking does not stop the world.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}

// rss is the bytes of memory that the process holds, where Linux tells.
func rss() (int64, bool) {
	b, err := os.ReadFile("/proc/self/statm")
	if f := bytes.Fields(b); err == nil && len(f) > 1 {
		pages, err := strconv.ParseInt(string(f[1]), 10, 64)
		return pages * int64(os.Getpagesize()), err == nil
	}
	return 0, false
}
