// Package http stands in for net/http in the browser's program, which fetches
// by way of the browser: only the names that go-app and coder/websocket need to
// compile are here, and nothing of it is called. See docs/decisions/019-slim.md.
package http

import (
	"errors"
	"io"
	"net/url"
)

// Status codes as of RFC 9110.
const (
	StatusSwitchingProtocols  = 101
	StatusOK                  = 200
	StatusNotModified         = 304
	StatusNotFound            = 404
	StatusInternalServerError = 500
)

// ErrNone is what everything answers that would use the network.
var ErrNone = errors.New("net/http is not in the browser's program")

// A Header holds fields as they were set.
type Header map[string][]string

// Get returns the first value of key, or "".
func (h Header) Get(key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Set makes value the only one of key.
func (h Header) Set(key, value string) { h[key] = []string{value} }

// A Request is what a server would take.
type Request struct {
	Method string
	Host   string
	URL    *url.URL
	Header Header
	TLS    *struct{}
}

// A Response is what a client would get.
type Response struct {
	StatusCode int
	Header     Header
	Body       io.ReadCloser
}

// A ResponseWriter is what a server would answer to.
type ResponseWriter interface {
	Header() Header
	Write([]byte) (int, error)
	WriteHeader(status int)
}

// A Handler is what a server would run.
type Handler interface {
	ServeHTTP(ResponseWriter, *Request)
}

// A Dir is a folder that a server would show.
type Dir string

// Get returns ErrNone.
func Get(string) (*Response, error) { return nil, ErrNone }

// Handle does nothing.
func Handle(string, Handler) {}

// ListenAndServe returns ErrNone.
func ListenAndServe(string, Handler) error { return ErrNone }

// NotFound answers that there is nothing.
func NotFound(w ResponseWriter, _ *Request) { w.WriteHeader(StatusNotFound) }

// FileServer returns nil.
func FileServer(Dir) Handler { return nil }
