package session

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// A Socket is a WebSocket together with the connection under it. Holding both
// lets a session gather many frames into one write, bound how long a message
// may take to arrive, and keep next to no buffers while nothing happens.
type Socket struct {
	*websocket.Conn
	raw *conn
	in  *bufio.Reader

	mu      sync.Mutex
	closing bool // from here on Close reads, too, and in is not ours
}

// Close says goodbye as websocket.Conn.Close does. To see the peer's answer it
// reads what our reader is about to read: whoever is first.
func (s *Socket) Close(code websocket.StatusCode, reason string) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	return s.Conn.Close(code, reason)
}

// Accept upgrades a request as websocket.Accept does, and answers it on error.
// After a nil error the handler may return: nothing of the request is kept. It
// works over TLS, too: what is gathered becomes one record.
func Accept(w http.ResponseWriter, r *http.Request, o *websocket.AcceptOptions) (*Socket, error) {
	h := hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(&h, r, o)
	if err != nil {
		return nil, err
	}
	return &Socket{Conn: ws, raw: h.raw, in: h.in}, nil
}

// Buffers of an idle socket, in bytes. A frame larger than the first is read
// past it, and the second only sees control frames and headers: all else is corked.
const (
	readBuffer  = 512
	writeBuffer = 128
)

// hijacker gives websocket.Accept our connection and small buffers, in place
// of the server's of 4 kB each.
type hijacker struct {
	http.ResponseWriter
	raw *conn
	in  *bufio.Reader
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, b, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := b.Reader.Peek(b.Reader.Buffered())
	h.raw = &conn{Conn: c, early: bytes.Clone(early)}
	h.in = bufio.NewReaderSize(h.raw, readBuffer)
	return h.raw, bufio.NewReadWriter(h.in, bufio.NewWriterSize(h.raw, writeBuffer)), nil
}

// next reads a message. It is what an idle session waits in.
func (s *Socket) next() (websocket.MessageType, []byte, error) {
	ctx := context.Background() // Close ends it; a context would cost a callback for each message
	typ, r, err := s.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	s.raw.begin()
	p, err := io.ReadAll(r)
	s.raw.end(len(p))
	return typ, p, err
}

// waits reports whether nothing of a next message has been read yet, as far as
// that matters.
func (s *Socket) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing || s.in.Buffered() == 0
}

// errFlood ends a connection that sends and says nothing.
var errFlood = errors.New("much was sent and nothing said")

// A conn is the connection under a WebSocket. Every write to the network has
// a deadline. Between cork and uncork, writes are gathered.
type conn struct {
	net.Conn
	writeWait time.Duration
	readWait  time.Duration // for a message, from its first frame to its last byte
	mayIdle   int64         // bytes, beside messages, that may come between two calls of rest
	idle      atomic.Int64  // bytes since then, less those of the messages that have ended
	broken    atomic.Bool   // a write failed: nothing may follow
	slow      atomic.Bool   // since the peer did not take it in time

	early  []byte      // read before the upgrade; guarded by the WebSocket, which lets one read at a time
	inside atomic.Bool // within a message
	timed  atomic.Bool // a read deadline is set

	mu   sync.Mutex    // orders writes, and is held during one: only writers take it
	held *bytes.Buffer // nil: not corked
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	if c.mayIdle > 0 && c.idle.Load() > c.mayIdle {
		return 0, errFlood
	}
	if c.inside.Load() && c.readWait > 0 && !c.timed.Swap(true) {
		if err := c.SetReadDeadline(time.Now().Add(c.readWait)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p)
	c.idle.Add(int64(n))
	return n, err
}

// begin says that a message has begun.
func (c *conn) begin() { c.inside.Store(true) }

// end says that a message of so many bytes has ended.
func (c *conn) end(size int) {
	c.inside.Store(false)
	if c.timed.Swap(false) {
		_ = c.SetReadDeadline(time.Time{})
	}
	// With some more for the heads of its pieces. What came between messages
	// counts on: else who says a word now and then could send any amount of pings.
	if c.idle.Add(-int64(size+size/16+64)) < 0 {
		c.idle.Store(0)
	}
}

// rest, called as time goes by, lets the peer send mayIdle bytes more beside messages.
func (c *conn) rest() { c.idle.Store(0) }

// maxCorked bounds the bytes that are gathered; what goes beyond is written at once.
const maxCorked = 64 << 10

var corks = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// cork makes writes gather until uncork.
func (c *conn) cork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = corks.Get().(*bytes.Buffer)
	}
}

// uncork writes what was gathered, in one piece.
func (c *conn) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.held
	if b == nil {
		return nil
	}
	c.held = nil
	var err error
	if b.Len() > 0 {
		_, err = c.writeLocked(b.Bytes())
	}
	b.Reset()
	corks.Put(b)
	return err
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		return c.writeLocked(p)
	}
	if c.held.Len()+len(p) > maxCorked {
		if c.held.Len() > 0 {
			_, err := c.writeLocked(c.held.Bytes())
			c.held.Reset()
			if err != nil {
				return 0, err
			}
		}
		if len(p) >= maxCorked {
			return c.writeLocked(p)
		}
	}
	return c.held.Write(p)
}

// stuckAfter is how long a write that fails has to have taken for its peer to
// count as too slow, and not as gone.
const stuckAfter = time.Second

func (c *conn) writeLocked(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, net.ErrClosed
	}
	began := time.Now()
	if c.writeWait > 0 {
		if err := c.SetWriteDeadline(began.Add(c.writeWait)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.slow.Store(time.Since(began) >= stuckAfter)
		c.broken.Store(true)
	}
	return n, err
}
