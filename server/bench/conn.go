package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxMessage is the largest WebSocket message taken from the server: a welcome
// with 500 conversations, or many entries merged.
const maxMessage = 8 << 20

// A conn is one signed-in person. Its reader owns what has no lock.
type conn struct {
	run    *run
	person Person
	ws     *websocket.Conn
	conv   chat.ConvID // "" when idle
	writer *writer     // nil: only reads
	shard  *shard      // where it records times

	welcome chan struct{} // closed when the server has let us in
	ended   chan struct{} // closed when the reader is gone
	err     error         // why; valid after ended

	delivered atomic.Int64
	tracks    []track // one for each writer of conv
	lastSeq   int64
	seqJumps  int64
}

// dial connects, says hello and starts the reader, which ends with ctx or the connection.
func (c *conn) dial(ctx context.Context) error {
	url := "ws" + strings.TrimPrefix(c.run.URL, "http") + "/ws"
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		Subprotocols: []string{wire.V1.Name()},
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + c.person.Token}},
	})
	if err != nil {
		return err
	}
	if ws.Subprotocol() != wire.V1.Name() {
		ws.CloseNow()
		return fmt.Errorf("the server does not speak %s", wire.V1.Name())
	}
	ws.SetReadLimit(maxMessage)
	c.ws = ws
	go c.read(ctx)
	if err := c.send(ctx, wire.Frame{Body: wire.Hello{Device: "bench"}}); err != nil {
		return err
	}
	select {
	case <-c.welcome:
		return nil
	case <-c.ended:
		return c.err
	}
}

func (c *conn) send(ctx context.Context, f wire.Frame) error {
	p, _, err := wire.V1.Append(nil, f)
	if err != nil {
		return err
	}
	return c.ws.Write(ctx, websocket.MessageText, p)
}

func (c *conn) read(ctx context.Context) {
	defer close(c.ended)
	var buf bytes.Buffer
	for {
		_, r, err := c.ws.Reader(ctx)
		if err == nil {
			buf.Reset()
			_, err = buf.ReadFrom(r)
		}
		if err == nil {
			err = read(buf.Bytes(), c.onPosted, c.onOther)
		}
		if err != nil {
			c.err = errors.Join(c.err, err)
			return
		}
	}
}

func (c *conn) onPosted(p posted) {
	now := c.run.now()
	if c.lastSeq > 0 && p.seq != c.lastSeq+1 {
		c.seqJumps++
	}
	c.lastSeq = p.seq
	if p.run != c.run.id || p.from >= int64(len(c.tracks)) {
		return // of a run before
	}
	c.delivered.Add(1)
	c.tracks[p.from].saw(p.n)
	own := c.writer != nil && c.writer.no == p.from
	if own {
		c.writer.acknowledge(p.ref)
	}
	c.shard.record(own, now-p.due)
}

func (c *conn) onOther(f wire.Frame) {
	switch b := f.Body.(type) {
	case wire.Welcome:
		select {
		case <-c.welcome:
		default:
			close(c.welcome)
		}
	case wire.Refused:
		if c.writer != nil {
			c.writer.refused(f.Ref, b)
		}
	case wire.Bye:
		c.err = fmt.Errorf("the server said bye: %s", b.Reason)
	}
}

// A writer posts in its connection's conversation.
type writer struct {
	*conn
	no    int64         // among the writers of the conversation
	first time.Duration // open loop: when the first post is due, after the beginning
	step  time.Duration // open loop: how far posts are apart; 0 means a closed loop
	slots chan struct{} // closed loop: one token for each post that may be in flight

	again sync.WaitGroup // posts that wait to be sent again

	mu      sync.Mutex
	pending map[int64]int64 // number → due, of posts without an answer
	sent    int64           // posts are numbered from 0 to below sent
	acked   int64
	strange int64 // acknowledgements of what was not waiting for one
	refusal int64
	err     error // a refusal that is for good
}

// write posts until stop ends.
func (w *writer) write(ctx, stop context.Context) {
	for n := int64(0); ; n++ {
		var due int64
		if w.step == 0 {
			select {
			case <-stop.Done():
				return
			case <-w.ended:
				return
			case <-w.slots:
			}
			due = w.run.now()
		} else {
			at := w.run.begin + w.first + time.Duration(n)*w.step
			if !sleep(stop, at-time.Duration(w.run.now())) {
				return
			}
			due = int64(at)
		}
		if stop.Err() != nil {
			return
		}
		w.mu.Lock()
		w.pending[n] = due
		w.sent++
		w.mu.Unlock()
		if w.post(ctx, n, due) != nil {
			return // the reader tells why
		}
	}
}

func (w *writer) post(ctx context.Context, n, due int64) error {
	return w.send(ctx, wire.Frame{
		Ref:  w.run.ref(n, w.person.ID),
		Body: wire.Post{Conv: w.conv, Content: chat.TextContent(note{w.run.id, w.no, n, due}.text())},
	})
}

// acknowledge settles the post that ref names.
func (w *writer) acknowledge(ref string) {
	n, ok := w.run.number(ref)
	w.mu.Lock()
	_, waits := w.pending[n]
	if ok = ok && waits; ok {
		delete(w.pending, n)
		w.acked++
	} else {
		w.strange++
	}
	w.mu.Unlock()
	if ok && w.step == 0 {
		w.slots <- struct{}{} // never blocks: the token was taken for this post
	}
}

// refused sends the post again when the server says it may be.
func (w *writer) refused(ref string, r wire.Refused) {
	n, ok := w.run.number(ref)
	w.mu.Lock()
	due, waits := w.pending[n]
	w.refusal++
	forGood := !ok || !waits || r.RetryAfter == 0
	if forGood && w.err == nil {
		w.err = fmt.Errorf("refused: %s: %s", r.Code, r.Words)
	}
	w.mu.Unlock()
	if forGood {
		w.run.fail()
		return
	}
	w.again.Go(func() { // ends with the run, which waits for it
		if sleep(w.run.ctx, time.Duration(r.RetryAfter)*time.Millisecond) {
			w.post(w.run.ctx, n, due) // the reader tells of an error
		}
	})
}

// ref names post n of one person in this run. Refs grow with time, as databases
// like it, and no two people use the same, as with real clients.
func (r *run) ref(n int64, by chat.UserID) string { return fmt.Sprintf("%s%09x-%s", r.stamp, n, by) }

func (r *run) number(ref string) (int64, bool) {
	hex, ok := strings.CutPrefix(ref, r.stamp)
	hex, _, _ = strings.Cut(hex, "-")
	n, err := strconv.ParseInt(hex, 16, 64)
	return n, ok && err == nil
}

// sleep waits for d, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
