package link

import (
	"context"
	"errors"
	"sync"

	"kamachat/shared/wire"
)

// maxQueue is how many frames wait for a connection to take them. More means
// that it is stuck: it is dropped, and the next one asks and posts again.
const maxQueue = 2_048

// A session is one connection.
type session struct {
	cancel context.CancelFunc
	ready  chan struct{} // out is not empty; holds one

	// Guarded by Client.mu.
	out    []wire.Frame
	reason string // why it was dropped
}

// orderLocked passes the Machine's orders on. Client.mu is held.
func (s *session) orderLocked(o Out) {
	s.out = append(s.out, o.Send...)
	if o.Drop == "" && len(s.out) > maxQueue {
		o.Drop = "stuck"
	}
	if o.Drop != "" {
		s.out, s.reason = nil, o.Drop
		s.cancel()
	}
	nudge(s.ready)
}

// connect opens a connection and serves it until it ends.
func (c *Client) connect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dctx, stop := context.WithTimeout(ctx, dialIn)
	conn, err := c.cfg.Dial(dctx, c.cfg.URL)
	stop()
	if err != nil {
		c.cfg.Log("dial failed", err)
		c.act(func(now int64) Out { return c.m.Closed(now, errors.Is(err, ErrSignedOut)) })
		return
	}
	s := &session{cancel: cancel, ready: make(chan struct{}, 1)}
	c.mu.Lock()
	c.cur = s
	c.mu.Unlock()
	c.act(c.m.Opened)

	var wg sync.WaitGroup
	wg.Go(func() { c.write(ctx, conn, s) })
	err = c.read(ctx, conn)
	cancel()
	wg.Wait()

	c.mu.Lock()
	c.cur = nil
	reason := s.reason
	c.mu.Unlock()
	conn.Close(1000, reason)
	c.cfg.Log("connection ended: "+reason, err)
	c.act(func(now int64) Out { return c.m.Closed(now, false) })
}

// read hands every message to the Machine until the connection ends.
func (c *Client) read(ctx context.Context, conn Conn) error {
	for {
		p, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		fs, err := wire.V1.Parse(p)
		if err != nil {
			return err
		}
		c.act(func(now int64) Out { return c.m.Frames(fs, now) })
	}
}

// write sends what is queued until the connection ends, merging what has queued up.
func (c *Client) write(ctx context.Context, conn Conn, s *session) {
	defer s.cancel()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ready:
		}
		c.mu.Lock()
		fs := s.out
		s.out = nil
		c.mu.Unlock()
		for _, p := range c.pack(fs) {
			if err := conn.Write(ctx, p); err != nil {
				return
			}
		}
	}
}

// pack encodes frames into as few WebSocket messages as the limit allows.
func (c *Client) pack(fs []wire.Frame) (msgs [][]byte) {
	var batch [][]byte
	size := 0
	flush := func() {
		if len(batch) > 0 {
			msgs = append(msgs, wire.Join(batch))
		}
		batch, size = nil, 0
	}
	for _, f := range fs {
		p, ok, err := wire.V1.Append(nil, f)
		if err != nil || !ok {
			c.cfg.Log("frame can't be encoded", err)
			continue
		}
		if size+len(p)+2 > wire.MaxFrame {
			flush()
		}
		batch = append(batch, p)
		size += len(p) + 1
	}
	flush()
	return msgs
}
