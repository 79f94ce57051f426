package sim

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

var errCut = errors.New("connection reset by peer")

// A conn is one end of a connection in memory. As with TCP, bytes come in
// order and none is lost while it stands; it has a lag, may fall silent for a
// while, and may be cut after any byte, with all that was on its way.
type conn struct {
	in, out *half
}

// connect returns both ends of a connection of a device.
func connect(w *world, dev int) (client, server *conn) {
	gone := make(chan struct{})
	once := new(sync.Once)
	mk := func() *half {
		return &half{w: w, dev: dev, wake: make(chan struct{}, 1), room: make(chan struct{}, 1), gone: gone, once: once, left: -1}
	}
	up, down := mk(), mk()
	return &conn{in: down, out: up}, &conn{in: up, out: down}
}

// A half is one direction.
type half struct {
	w    *world
	dev  int
	wake chan struct{} // something came, or the end; holds one note
	room chan struct{} // something was taken; holds one note
	gone chan struct{} // cut
	once *sync.Once

	mu              sync.Mutex
	chunks          []chunk
	size            int
	last            time.Time // when the last chunk arrives
	closed          bool      // by the writer: what is on its way comes, then EOF
	readBy, writeBy time.Time // deadlines; zero: none
	left            int       // bytes until the cut; negative: none is planned
}

type chunk struct {
	data []byte
	at   time.Time
}

func (c *conn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close lets what was written arrive, as TCP does.
func (c *conn) Close() error {
	c.out.close()
	c.in.close()
	return nil
}

// cut ends the connection; what is on its way is lost.
func (c *conn) cut() { c.in.cut() }

// cutAfter cuts the connection once n more bytes came in either direction.
func (c *conn) cutAfter(n int) {
	if n == 0 && !c.in.isCut() {
		c.in.w.fault("cut")
		c.cut()
	}
	for _, h := range []*half{c.in, c.out} {
		h.mu.Lock()
		h.left = n
		h.mu.Unlock()
	}
}

func (c *conn) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (c *conn) RemoteAddr() net.Addr               { return &net.TCPAddr{} }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.in.until(&c.in.readBy, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.out.until(&c.out.writeBy, t) }
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (h *half) until(by *time.Time, t time.Time) error {
	h.mu.Lock()
	*by = t
	h.mu.Unlock()
	note(h.wake)
	note(h.room)
	return nil
}

func (h *half) cut() { h.once.Do(func() { close(h.gone) }) }

func (h *half) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	note(h.wake)
	note(h.room)
}

func note(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (h *half) isCut() bool {
	select {
	case <-h.gone:
		return true
	default:
		return false
	}
}

func (h *half) read(p []byte) (int, error) {
	for {
		n, at, err := h.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		h.wait(h.wake, at)
	}
}

// wait waits for a note, the cut, or a moment; the zero moment never comes.
func (h *half) wait(ch chan struct{}, at time.Time) {
	var due <-chan time.Time
	if !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ch:
	case <-h.gone:
	case <-due:
	}
}

// past reports whether a deadline is over.
func past(by time.Time) bool { return !by.IsZero() && !time.Now().Before(by) }

// soonest returns the earlier of two moments, of which the zero one never comes.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// take copies what has arrived, or says until when to wait for more.
func (h *half) take(p []byte) (n int, at time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.isCut():
		return 0, at, errCut
	case past(h.readBy):
		return 0, at, os.ErrDeadlineExceeded
	case len(h.chunks) == 0 && h.closed:
		return 0, at, io.EOF
	case len(h.chunks) == 0:
		return 0, h.readBy, nil
	}
	at = h.chunks[0].at
	if s, ok := h.w.during("silent", h.dev); ok {
		h.w.fault("silent")
		at = h.w.start.Add(max(s.to, at.Sub(h.w.start)))
	}
	if time.Now().Before(at) {
		return 0, soonest(at, h.readBy), nil
	}
	c := &h.chunks[0]
	n = len(c.data)
	if h.left >= 0 {
		n = min(n, h.left)
	}
	n = copy(p, c.data[:n])
	if c.data = c.data[n:]; len(c.data) == 0 {
		h.chunks = h.chunks[1:]
	}
	h.size -= n
	note(h.room)
	if h.left >= 0 {
		if h.left -= n; h.left == 0 {
			h.w.fault("cut in between")
			h.cut()
		}
	}
	return n, at, nil
}

func (h *half) write(p []byte) (int, error) {
	for {
		done, by, err := h.put(p)
		if err != nil {
			return 0, err
		}
		if done {
			note(h.wake)
			return len(p), nil
		}
		h.wait(h.room, by)
	}
}

// put sends p on its way when there is room, or says until when to wait for it.
func (h *half) put(p []byte) (done bool, by time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed || h.isCut():
		return false, by, errCut
	case past(h.writeBy):
		return false, by, os.ErrDeadlineExceeded
	case h.size >= h.w.plan.wire:
		return false, h.writeBy, nil
	}
	at := time.Now().Add(h.w.lag(h.dev))
	if at.Before(h.last) {
		at = h.last
	}
	h.last = at
	h.chunks = append(h.chunks, chunk{append([]byte(nil), p...), at})
	h.size += len(p)
	return true, by, nil
}
