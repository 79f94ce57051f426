package monitor

import (
	"runtime"
	"time"
)

// A Sample is how this node fared since the one before: rates and latencies over
// that time, and the rest at its end.
type Sample struct {
	People, Connections       int
	Stored, Delivered         float64 // messages, and their deliveries, per second
	Refused, Repeated         int64
	Queue                     int           // what waits, of all queues together
	Slowest                   int64         // the most frames that waited for one session
	P50, P95, P99             time.Duration // from acceptance of a post until its answer was handed out; 0: there was none
	Heap, RSS                 int64         // bytes; RSS 0: the system does not tell
	Goroutines                int
	StoredEver, DeliveredEver int64 // messages, and their deliveries, since the start
}

// Live returns how this node is at the moment. Rates and latencies are not in it.
// Asking is quick and changes nothing.
func (m *Monitor) Live() Sample {
	s := m.sources.Load()
	out := Sample{
		StoredEver: m.stored.Load(), DeliveredEver: m.pushed[posted].Load(), Heap: int64(heap()), Goroutines: runtime.NumGoroutine(),
	}
	out.RSS, _ = rss()
	if s.Online != nil {
		out.People, out.Connections = s.Online()
	}
	for _, q := range s.Queues {
		if q.Len != nil {
			out.Queue += q.Len()
		}
	}
	return out
}

// ms is d in milliseconds, to a tenth.
func ms(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }
