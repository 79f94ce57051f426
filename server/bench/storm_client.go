package bench

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// How a real client comes back (ui/link, which this room may not import).
const (
	minBackoff = 500 * time.Millisecond
	maxBackoff = 30 * time.Second
	comeSpread = time.Second // added at random to the server's word on when to come back
	welcomeIn  = 15 * time.Second
)

// backoff is how long to wait after so many attempts that failed, anywhere
// between half a second and a bound that doubles from 2 s to 30 s.
func backoff(tries int) time.Duration {
	bound := min(2*time.Second<<min(tries, 4), maxBackoff)
	return minBackoff + rand.N(bound-minBackoff)
}

// A stormClient is one person's client: it comes back by itself, asks for what
// it missed and keeps what it wrote until that is stored.
type stormClient struct {
	*storm
	person Person
	conv   chat.ConvID
	writes bool

	mu       sync.Mutex
	sock     *socket // nil while there is none
	welcomes int
	before   int   // welcomes when the storm began
	base     int64 // the conversation's end before this run; 0 where it is not among a person's latest
	last     int64 // every entry up to here has come
	track    track
	outbox   []int64 // numbers of what is not yet stored
	err      error   // why the last connection ended
}

// hasLocked reports whether n messages of this run are there, and none waits.
func (cl *stormClient) hasLocked(n int64) bool { return cl.last >= cl.base+n && len(cl.outbox) == 0 }

// lose cuts the connection.
func (cl *stormClient) lose() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.sock != nil {
		cl.sock.close()
	}
}

// write puts message n into the outbox and sends it where there is a connection.
func (cl *stormClient) write(n int64) {
	cl.mu.Lock()
	cl.outbox = append(cl.outbox, n)
	s := cl.sock
	cl.mu.Unlock()
	if s != nil {
		_ = s.write(cl.appendPost(nil, n)) // it waits in the outbox all the same
	}
}

func (cl *stormClient) appendPost(dst []byte, n int64) []byte {
	return appendFrame(dst, opText, appendNative(nil, cl.stamp, cl.person.ID, cl.conv, note{cl.id, 0, n, 0}))
}

func appendNativeFrame(dst []byte, f wire.Frame) []byte {
	p, _, err := wire.V1.Append(nil, f)
	if err != nil {
		return dst // it can't be: the frames are ours
	}
	return appendFrame(dst, opText, p)
}

// live connects again and again until the storm is over. The first time it
// waits for its turn at gate.
func (cl *stormClient) live(gate chan struct{}) {
	first := true
	for tries := 0; cl.ctx.Err() == nil; tries++ {
		leave := func() {}
		if first {
			gate <- struct{}{}
			leave = sync.OnceFunc(func() { <-gate })
		}
		welcome, come, err := cl.session(leave)
		leave()
		if cl.ctx.Err() != nil {
			return
		}
		if welcome {
			first, tries = false, 0
		}
		cl.mu.Lock()
		cl.err = err
		cl.mu.Unlock()
		if come > 0 {
			sleep(cl.ctx, come+rand.N(comeSpread))
		} else {
			sleep(cl.ctx, backoff(tries))
		}
	}
}

// session is one connection, from dialling to its end. It tells whether it was
// welcome, when it calls welcomed, and the server's word on when to come back.
func (cl *stormClient) session(welcomed func()) (welcome bool, come time.Duration, err error) {
	began := time.Now()
	cl.attempts.Add(1)
	ctx, cancel := context.WithTimeout(cl.ctx, welcomeIn)
	sock, err := dialPerson(ctx, cl.URL, Native, cl.person)
	cancel()
	if err != nil {
		cl.refused.Add(1)
		cl.storm.mu.Lock()
		cl.why = err
		cl.storm.mu.Unlock()
		return false, 0, err
	}
	defer sock.close()
	defer context.AfterFunc(cl.ctx, sock.close)()
	patience := time.AfterFunc(welcomeIn, sock.close)
	defer patience.Stop()
	cl.mu.Lock()
	cl.sock = sock
	cl.mu.Unlock()
	defer func() {
		cl.mu.Lock()
		cl.sock = nil
		cl.mu.Unlock()
	}()
	for {
		frames, err := sock.frames()
		if err != nil {
			return welcome, come, err
		}
		for _, f := range frames {
			switch b := f.Body.(type) {
			case wire.Bye:
				come = time.Duration(b.ComeAfter) * time.Millisecond
			case wire.Welcome:
				welcome = true
				patience.Stop()
				welcomed()
				cl.came(began)
			}
			if out := cl.take(f); len(out) == 0 {
				continue
			} else if err := sock.write(out); err != nil {
				return welcome, come, err
			}
		}
		if err := sock.answer(); err != nil {
			return welcome, come, err
		}
	}
}

// frames waits for frames.
func (s *socket) frames() ([]wire.Frame, error) {
	for {
		msg, ok, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case ok:
			return wire.V1.Parse(msg)
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// came records the times of a welcome.
func (cl *stormClient) came(began time.Time) {
	cl.storm.mu.Lock()
	defer cl.storm.mu.Unlock()
	record(cl.welcome, int64(time.Since(began)))
	if cut := cl.cut.Load(); cut > 0 {
		record(cl.back, int64(time.Since(cl.start))-cut)
	}
}

// take learns from one frame and returns what is to be sent for it.
func (cl *stormClient) take(f wire.Frame) (out []byte) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	end := int64(0) // of the log, as far as the server told
	switch b := f.Body.(type) {
	case wire.Welcome:
		for _, s := range b.Convs {
			if s.Conv == cl.conv {
				end = s.LastSeq
			}
		}
		if cl.welcomes++; cl.welcomes == 1 {
			cl.base, cl.last = end, end
		}
		for _, n := range cl.outbox {
			out = cl.appendPost(out, n)
		}
	case wire.Posted:
		if b.Conv == cl.conv {
			cl.entryLocked(b.Message)
			end = b.Seq
		}
	case wire.History:
		for _, m := range b.Entries {
			cl.entryLocked(m)
		}
		end = b.LastSeq
	case wire.Refused:
		if b.RetryAfter > 0 {
			time.AfterFunc(time.Duration(b.RetryAfter)*time.Millisecond, cl.again)
		}
	}
	if end > cl.last {
		out = appendNativeFrame(out, wire.Frame{Ref: "resume", Body: wire.Resume{Conv: cl.conv, After: cl.last}})
	}
	return out
}

// again sends what waits in the outbox.
func (cl *stormClient) again() {
	cl.mu.Lock()
	var out []byte
	for _, n := range cl.outbox {
		out = cl.appendPost(out, n)
	}
	s := cl.sock
	cl.mu.Unlock()
	if s != nil {
		_ = s.write(out) // what was not sent waits in the outbox all the same
	}
}

// entryLocked takes one entry of the log, where it follows what is there.
func (cl *stormClient) entryLocked(m chat.Message) {
	if m.Seq != cl.last+1 {
		return // had it before, or something is missing, which is then asked for
	}
	cl.last++
	if t, ok := noteOf(m.Content.Text); ok && t.run == cl.id {
		cl.track.saw(t.n)
		if m.Author == cl.person.ID {
			cl.outbox = slices.DeleteFunc(cl.outbox, func(n int64) bool { return n == t.n })
		}
	}
}
