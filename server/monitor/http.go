package monitor

import (
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// HTTP counts and times the requests that next answers, by the pattern of their
// route: an address is somebody's, a pattern is not.
func (m *Monitor) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w, m: m, began: m.now()}
		if m.trace != nil && !quiet(r.URL.Path) {
			ctx, span := m.trace.request(r.Context())
			r, a.span = r.WithContext(ctx), span
		}
		a.r = r
		defer a.end()
		next.ServeHTTP(a, r)
	})
}

// ConnectionCut counts a connection that was closed to make room for another.
func (m *Monitor) ConnectionCut() { m.connsCut.Add(1) }

// quiet tells the routes whose traces nobody would read.
func quiet(path string) bool {
	return path == "/healthz" || path == "/readyz" || strings.HasPrefix(path, "/static/")
}

// answer notices the status. One that becomes a socket ends, for those who
// watch, when it has become one: it may live for days.
type answer struct {
	http.ResponseWriter
	m      *Monitor
	r      *http.Request
	began  time.Time
	span   trace.Span
	status int
	ended  bool
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
	if status == http.StatusSwitchingProtocols {
		a.end()
	}
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController and websocket.Accept at the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// classes are the first digits of a status, as they are reported.
var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

func (a *answer) end() {
	if a.ended {
		return
	}
	a.ended = true
	route := a.r.Pattern // the mux writes it into the request
	if route == "" {
		route = "none"
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK // what net/http answers for a handler that says nothing
	}
	class := classes[0]
	if i := status / 100; i < len(classes) {
		class = classes[i]
	}
	a.m.requests.WithLabelValues(route, class).Inc()
	if status == http.StatusTooManyRequests {
		a.m.limitedHTTP.Add(1)
	}
	if status != http.StatusSwitchingProtocols {
		a.m.requestTime.WithLabelValues(route).Observe(a.m.now().Sub(a.began).Seconds())
	}
	if a.span != nil {
		endRequest(a.span, route, status)
	}
}
