package monitor

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A sink is an OpenTelemetry collector that keeps what it is sent.
type sink struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*spanpb.Span
	raw   strings.Builder
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		var in collectorpb.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(b, &in)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.raw.Write(b)
		for _, rs := range in.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				s.spans = append(s.spans, ss.Spans...)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// named returns the spans of a name.
func (s *sink) named(name string) (found []*spanpb.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sp := range s.spans {
		if sp.Name == name {
			found = append(found, sp)
		}
	}
	return found
}

// attribute returns the whole number or text called key.
func attributeOf(s *spanpb.Span, key string) any {
	for _, a := range s.Attributes {
		if a.Key == key {
			if v := a.Value.GetStringValue(); v != "" {
				return v
			}
			return a.Value.GetIntValue()
		}
	}
	return nil
}

const secret = "kept-between-us"

// drive lets m see two posts, one by HTTP and one by a socket, and a refusal.
func drive(t *testing.T, m *Monitor) {
	t.Helper()
	draft := chat.Draft{Conv: secret, Author: secret, Ref: secret, Content: chat.TextContent(secret)}
	mux := http.NewServeMux()
	post := func(r *http.Request, body wire.Body, receipt chat.Receipt) {
		d := draft
		d.Stamp = m.Stamp(r.Context())
		m.Committed([]chat.Draft{d, draft}, []chat.Receipt{receipt, {}}, 2*time.Millisecond)
		m.Handed(body, d.Stamp, 3)
	}
	body := wire.Posted{Message: chat.Message{Conv: secret, Author: secret, Content: draft.Content}}
	mux.HandleFunc("POST /c/{id}", func(_ http.ResponseWriter, r *http.Request) { post(r, body, chat.Receipt{Message: body.Message}) })
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusSwitchingProtocols)
		post(r, body, chat.Receipt{Message: body.Message})
		post(r, wire.Refused{Code: chat.Forbidden, Words: secret}, chat.Receipt{Err: chat.Refuse(chat.Forbidden, secret)})
	})
	h := m.HTTP(mux)
	for _, target := range []string{"POST /c/" + secret, "GET /ws?token=" + secret, "GET /healthz"} {
		method, path, _ := strings.Cut(target, " ")
		r := httptest.NewRequest(method, path, strings.NewReader(secret))
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("User-Agent", secret)
		r.Header.Set("Traceparent", "00-11111111111111111111111111111111-2222222222222222-01")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestTracesFollowAMessageAndTellNothingOfIt(t *testing.T) {
	s := newSink(t)
	m, log := someMonitor(t, func(c *Config) { c.Trace = s.URL })
	drive(t, m)
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.spans); n != 11 {
		t.Errorf("%d spans came, want two requests, and three posts with commit and deliver each", n)
	}
	request, socket := s.named("POST /c/{id}"), s.named("GET /ws")
	posts := s.named("post")
	if len(request) != 1 || len(socket) != 1 || len(posts) != 3 {
		t.Fatalf("%d requests, %d sockets, %d posts came", len(request), len(socket), len(posts))
	}
	if got := attributeOf(request[0], "http.response.status_code"); got != int64(200) {
		t.Errorf("the request's status is %v", got)
	}
	if string(request[0].ParentSpanId) != "" || strings.HasPrefix(string(request[0].TraceId), "\x11\x11") {
		t.Error("the client's trace was believed")
	}
	if string(posts[0].ParentSpanId) != string(request[0].SpanId) {
		t.Error("the post is not part of its request")
	}
	if len(posts[1].ParentSpanId) > 0 || string(posts[1].TraceId) == string(socket[0].TraceId) {
		t.Error("the post of a socket does not begin a trace")
	}
	if attributeOf(posts[0], "kamachat.refused") != nil || attributeOf(posts[2], "kamachat.refused") != "forbidden" {
		t.Errorf("refused: %v and %v", attributeOf(posts[0], "kamachat.refused"), attributeOf(posts[2], "kamachat.refused"))
	}
	for name, a := range map[string]struct {
		key  string
		want int64
	}{"commit": {"kamachat.drafts", 2}, "deliver": {"kamachat.sessions", 3}} {
		for i, sp := range s.named(name) {
			if got := attributeOf(sp, a.key); got != a.want || string(sp.ParentSpanId) != string(posts[i].SpanId) {
				t.Errorf("%s %d has %s %v, want %d, and the post as its parent", name, i, a.key, got, a.want)
			}
			if sp.EndTimeUnixNano < sp.StartTimeUnixNano {
				t.Errorf("%s ends before it begins", name)
			}
		}
	}
	for what, text := range map[string]string{"the spans": s.raw.String(), "the log": log.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tell a secret: %q", what, text)
		}
	}
	for series := range scrape(t, m) {
		if strings.Contains(series, secret) {
			t.Errorf("a metric tells a secret: %s", series)
		}
	}
}

func TestTracesAreSome(t *testing.T) {
	s := newSink(t)
	m, _ := someMonitor(t, func(c *Config) { c.Trace = s.URL })
	began := time.Now()
	for range 1000 {
		m.Handed(wire.Posted{}, m.Stamp(t.Context()), 1)
	}
	seconds := int(time.Since(began)/time.Second) + 2 // that the posts may have touched
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.named("post")); n < tracesPerSecond || n > seconds*tracesPerSecond {
		t.Errorf("%d of 1000 posts were followed, want %d a second", n, tracesPerSecond)
	}
}

func TestWithoutTheFlagNothingIsTraced(t *testing.T) {
	m, _ := someMonitor(t)
	if m.trace != nil {
		t.Error("there is a tracer")
	}
	if s := m.Stamp(t.Context()); s.Trace != nil {
		t.Errorf("the stamp is %+v", s)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestACollectorThatIsAwayIsOnlyLogged(t *testing.T) {
	s := newSink(t)
	s.Server.Close()
	m, log := someMonitor(t, func(c *Config) { c.Trace = s.URL })
	drive(t, m)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_ = m.Close(ctx)
	if !strings.Contains(log.String(), "traces are lost") {
		t.Errorf("the log does not say that traces are lost: %s", log)
	}
	if strings.Contains(log.String(), secret) {
		t.Errorf("the log tells a secret: %s", log)
	}
	wants(t, m, map[string]string{"kamachat_post_latency_seconds_count": "3"})
}
