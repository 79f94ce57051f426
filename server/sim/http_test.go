package sim

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"kamachat/server/session"
	"kamachat/shared/wire"
)

// overConn sends a request over a connection that stands. It does what
// http.Transport does, without its goroutines and pools.
type overConn struct{ net.Conn }

func (c overConn) RoundTrip(r *http.Request) (*http.Response, error) {
	stop := context.AfterFunc(r.Context(), func() { _ = c.Close() })
	defer stop()
	if err := r.Write(c); err != nil {
		return nil, err
	}
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, r)
	if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body = struct {
			io.Reader
			io.WriteCloser
		}{br, c}
	}
	return resp, err
}

// accept answers a WebSocket handshake on a connection.
func accept(c net.Conn) (*session.Socket, error) {
	br := bufio.NewReader(c)
	r, err := http.ReadRequest(br)
	if err != nil {
		return nil, err
	}
	w := &hijacked{c: c, rw: bufio.NewReadWriter(br, bufio.NewWriter(c)), h: http.Header{}}
	return session.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.V1.Name()}})
}

// hijacked answers a request that becomes a WebSocket.
type hijacked struct {
	c  net.Conn
	rw *bufio.ReadWriter
	h  http.Header
}

func (h *hijacked) Header() http.Header         { return h.h }
func (h *hijacked) Write(p []byte) (int, error) { return h.rw.Write(p) }

func (h *hijacked) WriteHeader(code int) {
	fmt.Fprintf(h.rw, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	_ = h.h.Write(h.rw)
	_, _ = h.rw.WriteString("\r\n")
	_ = h.rw.Flush()
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.c, h.rw, nil }
