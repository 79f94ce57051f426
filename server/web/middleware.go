package web

import (
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"

	"kamachat/shared/chat"
)

// csp is the Content-Security-Policy of every answer.
const csp = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
	"connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// secure sets the headers that keep browsers careful.
func (s *server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()")
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses what a page of another site makes a browser send, unless
// the site is in Origins. Sockets are checked when they are accepted.
func (s *server) sameOrigin(next http.Handler) http.Handler {
	check := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := check.Check(r); err != nil && !s.trusted(r.Header.Get("Origin")) {
			s.refuseAny(w, r, chat.Refuse(chat.Forbidden, "the request comes from another site"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// trusted reports whether origin matches one of Origins, as
// websocket.AcceptOptions.OriginPatterns does.
func (s *server) trusted(origin string) bool {
	u, err := url.Parse(strings.ToLower(origin))
	if err != nil || u.Host == "" {
		return false
	}
	for _, pattern := range s.Origins {
		target := u.Host
		if strings.Contains(pattern, "://") {
			target = u.Scheme + "://" + u.Host
		}
		if ok, err := path.Match(strings.ToLower(pattern), target); ok && err == nil {
			return true
		}
	}
	return false
}

// limit bounds the body, and how often one address may ask the API. Sockets are
// counted when they are let in.
func (s *server) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			if err := s.Accounts.AdmitRequest(address(r)); err != nil {
				s.problem(w, r, err)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, s.mayBring(r))
		next.ServeHTTP(w, r)
	})
}

// recover answers a panic with an internal error and logs where it was. What
// was panicked with is logged by type only: it may quote what people wrote.
func (s *server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := &tracked{ResponseWriter: w}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			what := "value of another type"
			if err, ok := v.(interface{ RuntimeError() }); ok {
				what = err.(error).Error()
			}
			s.Log.Error("panic", "method", r.Method, "route", r.Pattern, "what", what, "stack", string(debug.Stack()))
			if !t.begun {
				s.refuseAny(w, r, &chat.Refusal{Code: chat.Internal, Words: "something went wrong here"})
			}
		}()
		next.ServeHTTP(t, r)
	})
}

// refuseAny answers an error as the route's callers expect: a page for people,
// a problem for programs.
func (s *server) refuseAny(w http.ResponseWriter, r *http.Request, err error) {
	for _, p := range []string{"/api/", "/ws", "/user/", "/static/", "/files/", "/healthz", "/readyz"} {
		if strings.HasPrefix(r.URL.Path, p) {
			s.problem(w, r, err)
			return
		}
	}
	s.pageProblem(w, r, err)
}

// tracked knows whether an answer has begun.
type tracked struct {
	http.ResponseWriter
	begun bool
}

func (t *tracked) WriteHeader(status int) {
	t.begun = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracked) Write(p []byte) (int, error) {
	t.begun = true
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController and websocket.Accept at the connection.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }
