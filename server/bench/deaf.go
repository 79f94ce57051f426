package bench

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// deafBuffer is how much the kernel takes for one who does not read, in bytes,
// as far as it listens: what is more waits at the server.
const deafBuffer = 4 << 10

// deaf is a member whose connection stands and who reads nothing any more. The
// server has to cut it; then it comes back and is deaf again.
type deaf struct {
	run    *run
	person Person
	cuts   atomic.Int64
	broke  atomic.Bool   // it could not come back
	first  chan error    // whether it came at all
	ended  chan struct{} // nil before it begins
}

// live connects again and again until ctx ends.
func (d *deaf) live(ctx context.Context) {
	defer close(d.ended)
	for first := true; ctx.Err() == nil; first = false {
		s, err := d.come(ctx)
		if first {
			d.first <- err
		}
		if err != nil {
			d.broke.Store(d.broke.Load() || ctx.Err() == nil)
			return
		}
		stop := context.AfterFunc(ctx, s.close)
		for err == nil { // a write fails once the server has cut us
			err = s.write(appendFrame(nil, opPong, nil))
			sleep(ctx, 50*time.Millisecond)
		}
		stop()
		s.close()
		if ctx.Err() == nil {
			d.cuts.Add(1)
		}
	}
}

// come opens the connection and waits for the first answer, at most welcomeIn.
func (d *deaf) come(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, welcomeIn)
	defer cancel()
	s, err := dialPerson(ctx, d.run.URL, d.run.Dialect, d.person)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, s.close)()
	if c, ok := s.conn.(*net.TCPConn); ok {
		_ = c.SetReadBuffer(deafBuffer) // only a wish
	}
	for {
		_, ok, err := s.next()
		if ok {
			return s, nil
		}
		if err == nil {
			err = s.fill()
		}
		if err != nil {
			s.close()
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// deafen lets the deaf in.
func (r *run) deafen() error {
	for _, d := range r.deaf {
		d.first, d.ended = make(chan error, 1), make(chan struct{})
		go d.live(r.ctx)
	}
	for _, d := range r.deaf {
		if err := <-d.first; err != nil {
			return err
		}
	}
	return nil
}
