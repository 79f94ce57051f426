package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// tracesPerSecond bounds how many traces begin in a second; more are not
// followed. Who looks at traces wants some of each, not all of 20,000.
const tracesPerSecond = 100

// tracer makes spans. They name routes, kinds and numbers: nothing that somebody wrote or is.
type tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// newTracer sends to the collector at address, which is checked when the flags
// are. That it does not answer is only logged: chatting goes on.
func newTracer(address, build string, log *slog.Logger) (*tracer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	otel.SetErrorHandler(&seldom{log: log})
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithSampler(sdk.ParentBased(&some{})),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "kamachat"), attribute.String("service.version", build))),
	)
	return &tracer{provider: p, tracer: p.Tracer("kamachat")}, nil
}

func (t *tracer) close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	return nil
}

// request begins the span of an HTTP request. What a client says about traces
// of its own is not believed: anybody could have themselves followed.
func (t *tracer) request(ctx context.Context) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, "request", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
}

func endRequest(s trace.Span, route string, status int) {
	s.SetName(route)
	s.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
	if status >= 500 {
		s.SetStatus(codes.Error, "")
	}
	s.End()
}

// followed is a draft on its way that has a span. It is passed on with the
// draft and the event, never used by two at once.
type followed struct {
	t         *tracer
	ctx       context.Context // of the span
	span      trace.Span
	committed time.Time // when it was; until then, when it was accepted
}

// post begins the span of a draft, nil where it is not chosen. It belongs to
// the request that brought it; what came through a socket begins a trace.
func (t *tracer) post(ctx context.Context) *followed {
	var opts []trace.SpanStartOption
	if !trace.SpanFromContext(ctx).IsRecording() {
		opts = append(opts, trace.WithNewRoot()) // none, or a socket's, which ended when that was open
	}
	ctx, span := t.tracer.Start(ctx, "post", opts...)
	if !span.IsRecording() {
		return nil
	}
	return &followed{t: t, ctx: context.WithoutCancel(ctx), span: span, committed: time.Now()}
}

// committed gives each followed draft of a batch the span of its commit.
func (t *tracer) committed(ds []chat.Draft, took time.Duration) {
	now := time.Now()
	for _, d := range ds {
		f, ok := d.Stamp.Trace.(*followed)
		if !ok {
			continue
		}
		_, s := t.tracer.Start(f.ctx, "commit", trace.WithTimestamp(now.Add(-took)), trace.WithAttributes(attribute.Int("kamachat.drafts", len(ds))))
		s.End(trace.WithTimestamp(now))
		f.committed = now
	}
}

// handed ends the spans of a draft whose answer has reached the sessions.
func (f *followed) handed(b wire.Body, sessions int) {
	_, s := f.t.tracer.Start(f.ctx, "deliver", trace.WithTimestamp(f.committed), trace.WithAttributes(attribute.Int("kamachat.sessions", sessions)))
	s.End()
	if r, ok := b.(wire.Refused); ok {
		f.span.SetAttributes(attribute.String("kamachat.refused", string(r.Code)))
	}
	f.span.End()
}

// some chooses the first hundred traces that begin in a second.
type some struct {
	mu     sync.Mutex
	second int64
	n      int
}

func (s *some) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	now := time.Now().Unix()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now != s.second {
		s.second, s.n = now, 0
	}
	s.n++
	r := sdk.SamplingResult{Decision: sdk.Drop, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	if s.n <= tracesPerSecond {
		r.Decision = sdk.RecordAndSample
	}
	return r
}

func (s *some) Description() string { return "the first of each second" }

// seldom logs that traces are not taken, at most once a minute.
type seldom struct {
	log  *slog.Logger
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) Handle(err error) {
	now := time.Now()
	s.mu.Lock()
	say := now.Sub(s.last) >= time.Minute
	if say {
		s.last = now
	}
	s.mu.Unlock()
	if say {
		s.log.Warn("traces are lost", "err", err)
	}
}
