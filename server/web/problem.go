package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"kamachat/shared/chat"
)

// statuses are the HTTP status of each code.
var statuses = map[chat.Code]int{
	chat.Invalid:      http.StatusBadRequest,
	chat.TooLong:      http.StatusRequestEntityTooLarge,
	chat.NotFound:     http.StatusNotFound,
	chat.Forbidden:    http.StatusForbidden,
	chat.SignedOut:    http.StatusUnauthorized,
	chat.SecondFactor: http.StatusUnauthorized,
	chat.Busy:         http.StatusServiceUnavailable,
	chat.RateLimited:  http.StatusTooManyRequests,
	chat.Taken:        http.StatusConflict,
	chat.Blocked:      http.StatusForbidden,
	chat.NotContact:   http.StatusForbidden,
	chat.Muted:        http.StatusForbidden,
	chat.Closed:       http.StatusConflict,
	chat.NoFile:       http.StatusGone,
	chat.Full:         http.StatusInsufficientStorage,
	chat.Internal:     http.StatusInternalServerError,
}

// A problem is an error as RFC 9457 writes it. Clients decide by Code.
type problem struct {
	Type       string    `json:"type"`
	Title      string    `json:"title"`
	Status     int       `json:"status"`
	Detail     string    `json:"detail,omitempty"`
	Code       chat.Code `json:"code"`
	RetryAfter int64     `json:"retry_after,omitempty"` // milliseconds
	Ticket     string    `json:"ticket,omitempty"`      // of SecondFactor: to be sent with the code
}

func (p *problem) Error() string             { return string(p.Code) + ": " + p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

// refuse is the one place that turns an error into a status: it sets the
// headers that go with it, logs what is our fault, and returns the problem.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) problem {
	ref := chat.AsRefusal(err)
	status := statuses[ref.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if status == http.StatusInternalServerError && r.Context().Err() == nil {
		s.Log.Error("request failed", "method", r.Method, "route", r.Pattern, "err", err)
	}
	if ms := ref.RetryMillis(); ms > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt((ms+999)/1000, 10))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Cache-Control", "no-store")
	return problem{"about:blank", http.StatusText(status), status, ref.Words, ref.Code, ref.RetryMillis(), ticketOf(err)}
}

// problem answers an error as application/problem+json.
func (s *server) problem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.refuse(w, r, err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// answer answers v as JSON.
func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v)
}

// read reads the body, one JSON value, into v.
func read(r *http.Request, v any) error {
	err := json.NewDecoder(r.Body).Decode(v)
	if err != nil {
		return badBody(err)
	}
	return nil
}

// badBody says what was wrong with a request's body.
func badBody(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return chat.Refuse(chat.TooLong, "the request is too large")
	}
	return chat.Refuse(chat.Invalid, "the request can't be understood")
}
