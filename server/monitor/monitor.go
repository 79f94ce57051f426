// Package monitor watches the server: it counts and times what the other rooms
// report, answers Prometheus, writes one line into the log every half minute,
// says whether the server is ready, and sends traces where a flag asks for them.
// Nothing of what people write, and nobody's name, id or token, comes in here.
//
// What each metric means is told in docs/operations.md, which a test compares
// with what there is.
package monitor

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kamachat/shared/chat"
)

// Config is what a Monitor needs.
type Config struct {
	Log   *slog.Logger
	Build string
	Trace string           // URL of an OpenTelemetry collector, OTLP over HTTP; empty: no traces
	Now   func() time.Time // nil: time.Now
	Keep  func(Sample)     // is given one for each line of the log, and returns soon; nil: nobody keeps them
}

// A Monitor counts. Its methods are safe for concurrent use and don't block.
type Monitor struct {
	log   *slog.Logger
	now   func() time.Time
	began time.Time
	reg   *prometheus.Registry
	trace *tracer // nil: no traces

	// Counters are plain atomics that Prometheus reads: an addition on the way of each message.
	accepted, stored, repeated     atomic.Int64
	commitsFailed                  atomic.Int64
	resumes, resumedEntries        atomic.Int64
	marksSaved, asked, askedFound  atomic.Int64
	writtenBytes, highWater        atomic.Int64
	limitedSocket, limitedHTTP     atomic.Int64
	connsCut                       atomic.Int64
	refused                        map[chat.Code]*atomic.Int64
	events, pushed                 [kinds]atomic.Int64
	batch, commit, latency, frames prometheus.Histogram
	carried                        prometheus.Histogram
	opened, closed                 *prometheus.CounterVec
	requests, socketsRefused       *prometheus.CounterVec
	requestTime                    *prometheus.HistogramVec

	recent  spread // latencies since the last line of the log
	last    counts // counters at the last line of the log; Run's own
	keep    func(Sample)
	sources atomic.Pointer[Sources]
}

// refusals are all the codes there are; another is counted as the last.
var refusals = []chat.Code{
	chat.Invalid, chat.TooLong, chat.NotFound, chat.Forbidden, chat.RateLimited, chat.Busy, chat.SignedOut, chat.Taken, chat.Internal,
}

// New returns a monitor that has seen nothing yet. Close ends it.
func New(c Config) (*Monitor, error) {
	m := &Monitor{log: c.Log, now: c.Now, keep: c.Keep, reg: prometheus.NewRegistry(), refused: map[chat.Code]*atomic.Int64{}}
	if m.now == nil {
		m.now = time.Now
	}
	m.began = m.now()
	if c.Trace != "" {
		var err error
		if m.trace, err = newTracer(c.Trace, c.Build, c.Log); err != nil {
			return nil, err
		}
	}
	m.sources.Store(&Sources{})
	m.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{m})
	m.register(c.Build)
	return m, nil
}

// Close sends the traces that wait, until ctx ends.
func (m *Monitor) Close(ctx context.Context) error {
	if m.trace == nil {
		return nil
	}
	return m.trace.close(ctx)
}

// Metrics answers Prometheus.
func (m *Monitor) Metrics() http.Handler {
	return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4})
}

// Buckets of times, in seconds: from half a millisecond to ten seconds.
var times = []float64{.0005, .001, .002, .003, .005, .0075, .01, .015, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Sizes double up to what one commit, and one write, takes at most.
var sizes = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}

func (m *Monitor) register(build string) {
	count := func(name, help string, n *atomic.Int64, labels ...string) {
		l := prometheus.Labels{}
		for i := 0; i+1 < len(labels); i += 2 {
			l[labels[i]] = labels[i+1]
		}
		m.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: l},
			func() float64 { return float64(n.Load()) }))
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		m.reg.MustRegister(h)
		return h
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.reg.MustRegister(v)
		return v
	}

	count("kamachat_posts_accepted_total", "Drafts that were accepted on their way to the store.", &m.accepted)
	count("kamachat_posts_stored_total", "Entries that were stored.", &m.stored)
	count("kamachat_posts_repeated_total", "Drafts that had been stored before and were answered with the first entry.", &m.repeated)
	for _, c := range refusals {
		m.refused[c] = new(atomic.Int64)
		count("kamachat_posts_refused_total", "Drafts that were refused, at the door or at commit, by the code of the refusal.", m.refused[c], "code", string(c))
	}
	count("kamachat_commits_failed_total", "Commits that failed; what was in them is tried again.", &m.commitsFailed)
	m.batch = histogram("kamachat_commit_drafts", "Drafts in one commit.", sizes)
	m.commit = histogram("kamachat_commit_duration_seconds", "How long a commit took.", times)
	m.latency = histogram("kamachat_post_latency_seconds", "From a draft's acceptance until its answer was handed to the sessions of this node.", times)
	for k := range kinds {
		count("kamachat_events_total", "Events that reached this node, by the kind of their frame.", &m.events[k], "kind", k.String())
		count("kamachat_frames_pushed_total", "Frames queued for sessions, one for each receiver, by kind.", &m.pushed[k], "kind", k.String())
	}
	count("kamachat_resumes_total", "Times that a client asked for the entries it missed in one conversation.", &m.resumes)
	count("kamachat_resumed_entries_total", "Entries that clients were given because they had missed them.", &m.resumedEntries)
	count("kamachat_answers_asked_total", "Posts that nobody had answered in time, and that were looked up in the database.", &m.asked)
	count("kamachat_answers_found_total", "Of these, those that were found there.", &m.askedFound)
	m.carried = histogram("kamachat_kafka_commit_latency_seconds", "From when a post was given to Kafka until it was stored, by the clocks of both nodes.", times)
	count("kamachat_marks_saved_total", "Delivered and read marks that were stored.", &m.marksSaved)

	m.opened = vec("kamachat_sessions_opened_total", "Sockets that became sessions, by dialect.", "dialect")
	m.closed = vec("kamachat_sessions_closed_total", "Sessions that ended, by reason; slow: it did not keep up.", "reason")
	m.socketsRefused = vec("kamachat_sockets_refused_total", "Sockets that were not let in, by why.", "why")
	for _, w := range whys {
		m.socketsRefused.WithLabelValues(w)
	}
	for _, d := range []string{"native", "classic"} {
		m.opened.WithLabelValues(d)
	}
	for _, r := range reasons {
		m.closed.WithLabelValues(r)
	}
	m.frames = histogram("kamachat_session_write_frames", "Frames that left for one client in one write.", sizes)
	count("kamachat_session_written_bytes_total", "Bytes of the frames that were written to clients.", &m.writtenBytes)
	count("kamachat_rate_limited_total", "Frames and requests that came too fast.", &m.limitedSocket, "where", "socket")
	count("kamachat_rate_limited_total", "Frames and requests that came too fast.", &m.limitedHTTP, "where", "http")

	count("kamachat_http_connections_cut_total", "Connections without a socket that were closed to make room for others.", &m.connsCut)
	m.requests = vec("kamachat_http_requests_total", "HTTP requests by route and class of status; 1xx: became a socket.", "route", "status")
	m.requestTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "kamachat_http_request_duration_seconds", Help: "How long HTTP requests took, sockets left out.",
		Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10},
	}, []string{"route"})
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kamachat_build_info", Help: "Always 1; the label says which build this is.", ConstLabels: prometheus.Labels{"version": build},
	})
	info.Set(1)
	m.reg.MustRegister(m.requestTime, info)
}
