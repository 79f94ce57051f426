package monitor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// longest is what a session of someMonitor's server had to wait for.
var longest atomic.Int64

// someMonitor returns a monitor of a server with something of everything, and its log.
func someMonitor(t *testing.T, change ...func(*Config)) (*Monitor, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	c := Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Build: "test"}
	for _, f := range change {
		f(&c)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	m.Watch(Sources{
		Online: func() (int, int) { return 2, 3 },
		Queues: []Queue{{Name: "carrier", Len: func() int { return 7 }, Limit: 4096}, {Name: "marks", Len: func() int { return 0 }}, {Name: "session", Limit: 64}},
		Pools: func() []Pool {
			return []Pool{{Name: "write", InUse: 1, Size: 1, Waits: 4, Waited: 1500 * time.Millisecond}}
		},
		Longest: func() int { return int(longest.Swap(0)) },
		WAL:     func() int64 { return 4096 },
		Push:    func() Push { return Push{Sent: 5, Failed: 1, Gone: 2, Dropped: 3} },
		Alike:   func() bool { return true },
		Ignored: func() Ignored { return Ignored{Broken: 1, Unstored: 6} },
		Kafka: func() Kafka {
			return Kafka{Carried: 8, Refused: 1, Committed: 9, Dead: 2, Rebalances: 3, Partitions: 12, Lag: 5}
		},
		Redis: func() Redis { return Redis{Up: true, Outages: 2, Dropped: 9, CacheMisses: 4} },
	})
	return m, &log
}

// scrape returns what m answers Prometheus, line by line without comments: series → value.
func scrape(t *testing.T, m *Monitor) map[string]string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Metrics().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("/metrics answered %d: %s", rec.Code, rec.Body)
	}
	got := map[string]string{}
	for line := range strings.Lines(rec.Body.String()) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			got[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return got
}

// wants compares some series.
func wants(t *testing.T, m *Monitor, want map[string]string) {
	t.Helper()
	got := scrape(t, m)
	for series, v := range want {
		if got[series] != v {
			t.Errorf("%s is %q, want %s", series, got[series], v)
		}
	}
}

func TestWhatTheHubTellsIsCounted(t *testing.T) {
	m, _ := someMonitor(t)
	ds := make([]chat.Draft, 5)
	for i := range ds {
		ds[i].Stamp = m.Stamp(t.Context())
		m.Accepted()
	}
	m.Refused(chat.Busy)
	m.Refused("unheard of")
	m.CommitFailed(5)
	m.Committed(ds, []chat.Receipt{{}, {}, {}, {Again: true}, {Err: chat.Refuse(chat.Forbidden, "no")}}, 3*time.Millisecond)
	for _, d := range ds[:4] {
		m.Handed(wire.Posted{}, d.Stamp, 2)
	}
	m.Handed(wire.Refused{}, ds[4].Stamp, 1)
	m.Handed(wire.Seen{}, chat.Stamp{}, 3)
	m.Handed(wire.Bye{}, chat.Stamp{}, 0)
	m.Resumed(40)
	m.MarksSaved(6)
	m.Asked(4, 3)
	m.Carried(40 * time.Millisecond)
	m.Carried(-time.Second) // clocks differ
	m.Opened(true)
	m.Closed("slow")
	m.Closed("never heard")
	longest.Store(100)
	m.Wrote(64, 1000)
	m.Wrote(2, 30)
	m.TooFast()
	wants(t, m, map[string]string{
		"kamachat_posts_accepted_total":                    "5",
		"kamachat_posts_stored_total":                      "3",
		"kamachat_posts_repeated_total":                    "1",
		`kamachat_posts_refused_total{code="busy"}`:        "1",
		`kamachat_posts_refused_total{code="forbidden"}`:   "1",
		`kamachat_posts_refused_total{code="internal"}`:    "1",
		`kamachat_posts_refused_total{code="too_long"}`:    "0",
		"kamachat_commits_failed_total":                    "1",
		"kamachat_answers_asked_total":                     "4",
		"kamachat_answers_found_total":                     "3",
		"kamachat_kafka_commit_latency_seconds_sum":        "0.04",
		"kamachat_kafka_commit_latency_seconds_count":      "2",
		`kamachat_kafka_posts_total{result="carried"}`:     "8",
		`kamachat_kafka_posts_total{result="refused"}`:     "1",
		`kamachat_kafka_records_total{result="committed"}`: "7",
		`kamachat_kafka_records_total{result="dead"}`:      "2",
		"kamachat_kafka_rebalances_total":                  "3",
		"kamachat_kafka_partitions":                        "12",
		"kamachat_kafka_lag":                               "5",
		"kamachat_commit_drafts_sum":                       "5",
		"kamachat_commit_drafts_count":                     "1",
		"kamachat_commit_duration_seconds_sum":             "0.003",
		"kamachat_post_latency_seconds_count":              "5",
		`kamachat_events_total{kind="posted"}`:             "4",
		`kamachat_frames_pushed_total{kind="posted"}`:      "8",
		`kamachat_frames_pushed_total{kind="seen"}`:        "3",
		`kamachat_events_total{kind="other"}`:              "1",
		"kamachat_resumes_total":                           "1",
		"kamachat_resumed_entries_total":                   "40",
		"kamachat_marks_saved_total":                       "6",
		`kamachat_sessions_opened_total{dialect="native"}`: "1",
		`kamachat_sessions_closed_total{reason="slow"}`:    "1",
		`kamachat_sessions_closed_total{reason="other"}`:   "1",
		`kamachat_session_write_frames_bucket{le="2"}`:     "1",
		"kamachat_session_write_frames_sum":                "66",
		"kamachat_session_written_bytes_total":             "1030",
		"kamachat_session_queue_high_water":                "100",
		`kamachat_rate_limited_total{where="socket"}`:      "1",
		"kamachat_people_online":                           "2",
		"kamachat_connections":                             "3",
		`kamachat_queue_length{queue="carrier"}`:           "7",
		`kamachat_queue_limit{queue="carrier"}`:            "4096",
		`kamachat_pool_waits_total{pool="write"}`:          "4",
		`kamachat_pool_wait_seconds_total{pool="write"}`:   "1.5",
		"kamachat_database_wal_bytes":                      "4096",
		"kamachat_redis_up":                                "1",
		"kamachat_redis_outages_total":                     "2",
		`kamachat_redis_events_total{what="dropped"}`:      "9",
		`kamachat_redis_cache_total{result="miss"}`:        "4",
		`kamachat_build_info{version="test"}`:              "1",
		`kamachat_push_notices_total{result="sent"}`:       "5",
		`kamachat_push_notices_total{result="dropped"}`:    "3",
		`kamachat_node_shared`:                             "1",
		`kamachat_events_ignored_total{why="unstored"}`:    "6",
	})
}

func TestRequestsAreCountedByRouteNotByAddress(t *testing.T) {
	m, _ := someMonitor(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /c/{id}", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hi")) })
	mux.HandleFunc("GET /quiet", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /fast", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusSwitchingProtocols)
		wants(t, m, map[string]string{`kamachat_http_requests_total{route="GET /ws",status="1xx"}`: "1"}) // while it lives
	})
	mux.HandleFunc("GET /panics", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	h := m.HTTP(mux)
	for _, r := range []string{"GET /c/secret1", "GET /c/secret2", "GET /quiet", "POST /fast", "GET /ws", "GET /nowhere/secret3", "GET /panics"} {
		method, path, _ := strings.Cut(r, " ")
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		}()
	}
	wants(t, m, map[string]string{
		`kamachat_http_requests_total{route="GET /c/{id}",status="2xx"}`:    "2",
		`kamachat_http_requests_total{route="GET /quiet",status="2xx"}`:     "1",
		`kamachat_http_requests_total{route="POST /fast",status="4xx"}`:     "1",
		`kamachat_http_requests_total{route="none",status="4xx"}`:           "1",
		`kamachat_http_requests_total{route="GET /ws",status="1xx"}`:        "1",
		`kamachat_http_requests_total{route="GET /panics",status="2xx"}`:    "1",
		`kamachat_http_request_duration_seconds_count{route="GET /c/{id}"}`: "2",
		`kamachat_rate_limited_total{where="http"}`:                         "1",
	})
	for series := range scrape(t, m) {
		if strings.Contains(series, "secret") || strings.HasPrefix(series, `kamachat_http_request_duration_seconds_count{route="GET /ws"`) {
			t.Errorf("there is %s", series)
		}
	}
}

// full does everything once, so that every series is there.
func full(t *testing.T) *Monitor {
	m, _ := someMonitor(t)
	m.HTTP(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	return m
}

func TestNamesFollowPrometheus(t *testing.T) {
	problems, err := testutil.GatherAndLint(full(t).reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "kamachat_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// docs/operations.md has a row for each metric and no other.
func TestEveryMetricIsToldInTheDocs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(kamachat_[a-z_]+)").FindAllStringSubmatch(string(doc), -1) {
		told[row[1]] = true
	}
	families, err := full(t).reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		name := f.GetName()
		if !strings.HasPrefix(name, "kamachat_") {
			continue
		}
		if !told[name] {
			t.Errorf("docs/operations.md does not tell what %s means", name)
		}
		delete(told, name)
	}
	for name := range told {
		t.Errorf("docs/operations.md tells of %s, which there is not", name)
	}
}

func TestTheLogSaysHowItGoes(t *testing.T) {
	m, log := someMonitor(t)
	m.report(30 * time.Second)
	for range 60 {
		m.Committed(nil, []chat.Receipt{{}}, 0)
		m.Handed(wire.Posted{}, chat.Stamp{}, 10)
	}
	m.Refused(chat.Busy)
	for range 98 {
		m.recent.add(time.Millisecond)
	}
	m.recent.add(100 * time.Millisecond)
	m.recent.add(100 * time.Millisecond)
	longest.Store(5)
	scrape(t, m) // which takes nothing from the line
	m.report(30 * time.Second)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("there are %d lines:\n%s", len(lines), log)
	}
	for _, want := range []string{
		"level=INFO", "msg=monitor", "people=2", "connections=3", "queue_carrier=7", "queue_marks=0", "queue_session_max=5",
		"messages_per_s=2 ", "deliveries_per_s=20 ", "refused=1 ", "repeated=0", "heap_mb=", "goroutines=",
	} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("the line lacks %s: %s", want, lines[1])
		}
	}
	for _, want := range []string{"messages_per_s=0 ", "p99_ms=0 "} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("the first line lacks %s: %s", want, lines[0])
		}
	}
	if p99 := regexp.MustCompile(`p99_ms=(\d+)`).FindStringSubmatch(lines[1]); p99 == nil || len(p99[1]) != 3 {
		t.Errorf("p99 is not about 100 ms: %s", lines[1])
	}
	m.report(30 * time.Second)
	if last := log.String()[strings.LastIndex(strings.TrimSpace(log.String()), "\n"):]; !strings.Contains(last, "messages_per_s=0 ") || !strings.Contains(last, "queue_session_max=0 ") {
		t.Errorf("the line is about more than the time since the last: %s", last)
	}
}

func TestTheLineComesEveryHalfMinuteUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := someMonitor(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			m.Run(ctx)
		}()
		for range 90 {
			m.Committed(nil, []chat.Receipt{{}}, 0)
			time.Sleep(time.Second)
		}
		stop()
		<-done
		if got := strings.Count(log.String(), "messages_per_s=1 "); got != 3 {
			t.Errorf("after a minute and a half at a message a second there are %d lines that say so:\n%s", got, log)
		}
	})
}

func TestPercentilesAreAtMostAnEighthTooLong(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s spread
		var all []time.Duration
		for range 1 + r.IntN(500) {
			d := time.Duration(1+r.IntN(1000)) << r.IntN(20) * time.Microsecond / 16
			all = append(all, d)
			s.add(d)
		}
		slices.Sort(all)
		exact := all[int(.99*float64(len(all)))]
		if got := s.take(.99)[0]; got < exact || got > exact+exact/8+2*time.Microsecond {
			t.Fatalf("of %d durations p99 is %v, said %v", len(all), exact, got)
		}
		if got := s.take(.99)[0]; got != 0 {
			t.Fatalf("what was taken is still there: %v", got)
		}
	}
	var s spread
	s.add(-time.Second)
	s.add(1000 * time.Hour)
	if got := s.take(.99)[0]; got < time.Hour {
		t.Errorf("the longest is %v", got)
	}
}

func BenchmarkOneMessage(b *testing.B) {
	m, err := New(Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	var body wire.Body = wire.Posted{}
	b.ReportAllocs()
	for b.Loop() {
		s := m.Stamp(context.Background())
		m.Accepted()
		m.Handed(body, s, 1)
		m.Wrote(1, 100)
	}
}

var errAway = errors.New("the address postgres://user:secret@host does not answer")
