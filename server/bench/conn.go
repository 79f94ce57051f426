package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A conn is one signed-in person. One goroutine reads, posts what the answers
// make room for, and owns what has no lock.
type conn struct {
	run    *run
	person Person
	sock   *socket
	conv   chat.ConvID // "" when it only listens
	writer *writer     // nil: posts nothing
	reader *reader     // nil: reads no history
	shard  *shard      // where it records times
	dialed time.Duration

	welcome chan struct{} // closed when the server has let us in
	ended   chan struct{} // closed when the goroutine is gone
	err     error         // why; valid after ended

	delivered atomic.Int64
	tracks    []track // one for each writer of conv
	lastSeq   int64
	seqJumps  int64
	now       int64 // when what is looked at came
}

// dialPerson opens the socket of a person in a dialect.
func dialPerson(ctx context.Context, base, dialect string, p Person) (*socket, error) {
	if dialect == Classic {
		q := url.Values{"client_id": {string(p.ID)}, "token": {p.Token}}
		return dialSocket(ctx, base+"/ws?"+q.Encode(), "", nil)
	}
	s, err := dialSocket(ctx, base+"/ws", wire.V1.Name(), http.Header{"Authorization": {"Bearer " + p.Token}})
	if err != nil {
		return nil, err
	}
	hello, _, err := wire.V1.Append(nil, wire.Frame{Body: wire.Hello{Device: "bench"}})
	if err == nil {
		err = s.send(hello)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// dial connects, waits for the welcome, and leaves the goroutine that reads,
// which ends with the connection.
func (c *conn) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, welcomeIn)
	defer cancel()
	c.dialed = time.Since(c.run.start)
	var err error
	if c.sock, err = dialPerson(ctx, c.run.URL, c.run.Dialect, c.person); err != nil {
		return err
	}
	go c.read()
	select {
	case <-c.welcome:
		return nil
	case <-c.ended:
		return c.err
	case <-ctx.Done():
		return errors.New("there was no welcome")
	}
}

func (c *conn) read() {
	defer close(c.ended)
	for {
		c.now = c.run.now()
		err := c.take() // at first, what came right behind the handshake
		if err == nil {
			err = c.reply()
		}
		if err == nil {
			err = c.sock.fill()
		}
		if err != nil {
			c.err = errors.Join(c.err, err)
			return
		}
	}
}

// take looks at all that has come: one look at the clock and one lock for all.
func (c *conn) take() error {
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	if w := c.writer; w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
	}
	for {
		msg, ok, err := c.sock.next()
		if err != nil || !ok {
			return err
		}
		if c.run.Dialect == Classic {
			err = readClassic(msg, c.onPostedLocked, c.onWordsLocked)
		} else if c.reader == nil || !c.reader.takeLocked(msg) {
			err = readNative(msg, c.onPostedLocked, c.onOtherLocked)
		}
		if err != nil {
			return err
		}
	}
}

// reply sends what is due after take, in one system call.
func (c *conn) reply() error {
	if err := c.sock.answer(); err != nil {
		return err
	}
	if c.writer != nil {
		return c.writer.flush()
	}
	if c.reader != nil {
		return c.reader.flush()
	}
	return nil
}

func (c *conn) onPostedLocked(p posted) {
	if len(c.tracks) == 0 {
		return // of nobody we know
	}
	if c.lastSeq > 0 && p.seq > 0 && p.seq != c.lastSeq+1 { // the seed's dialect tells no seq
		c.seqJumps++
	}
	c.lastSeq = p.seq
	if p.run != c.run.id || p.from >= int64(len(c.tracks)) {
		return // of a run before
	}
	c.delivered.Store(c.delivered.Load() + 1)
	c.tracks[p.from].saw(p.n)
	own := c.writer != nil && c.writer.no == p.from
	h := c.shard.them
	if own {
		c.writer.acknowledgeLocked(p)
		h = c.shard.own
	}
	record(h, c.now-p.due)
}

func (c *conn) onOtherLocked(f wire.Frame) {
	switch b := f.Body.(type) {
	case wire.Welcome:
		if c.reader != nil {
			c.reader.listed(b.Convs, b.Next)
		}
		c.welcomedLocked()
	case wire.Refused:
		switch {
		case c.writer != nil:
			c.writer.refusedLocked(f.Ref, b)
		case c.reader != nil:
			c.reader.refused(b)
		}
	case wire.Listed:
		if c.reader != nil {
			c.reader.listed(b.Convs, b.Next)
		}
	case wire.History: // merged with something else
		if c.reader != nil {
			c.reader.gotLocked([]byte(f.Ref), len(b.Entries))
		}
	case wire.Bye:
		c.err = fmt.Errorf("the server said bye: %s", b.Reason)
	}
}

// onWordsLocked takes what the seed's server says besides messages: a greeting,
// or that it took a message not, and not which.
func (c *conn) onWordsLocked(words string) {
	switch {
	case !c.isWelcome():
		c.welcomedLocked()
	case c.writer != nil && !strings.HasPrefix(words, `{"send_id"`):
		c.writer.failLocked(fmt.Errorf("refused: %.200s", words))
	}
}

func (c *conn) isWelcome() bool {
	select {
	case <-c.welcome:
		return true
	default:
		return false
	}
}

func (c *conn) welcomedLocked() {
	if !c.isWelcome() {
		record(c.shard.welcome, c.now-int64(c.dialed))
		close(c.welcome)
	}
}
