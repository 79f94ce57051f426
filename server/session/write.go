package session

import (
	"context"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxMerged is how many queued frames travel in one write.
const maxMerged = 64

// write sends what is queued until nothing is left, then ends: the next to
// queue something starts it again. It never waits for more than is there: what
// has queued up goes out together. When the session is closed, it says why.
func (s *Session) write() {
	defer s.leave()
	for {
		items, closed := s.out.take()
		s.host.queued(len(items))
		if closed {
			s.farewell(items)
			return
		}
		if len(items) == 0 {
			return
		}
		err := s.writeAll(items)
		s.out.done(items)
		if err != nil {
			s.Close(s.unwritten())
		}
	}
}

// unwritten is the reason of a session whose peer could not be written to.
func (s *Session) unwritten() string {
	if s.sock.raw.slow.Load() {
		return wire.ByeSlow
	}
	return gone
}

// writeAll writes items in batches, unless the session is cut meanwhile.
func (s *Session) writeAll(items []item) error {
	for len(items) > 0 && !s.cut() {
		n := min(len(items), maxMerged)
		if err := s.writeBatch(items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// writeBatch writes a batch in one go: merged into one message where the
// dialect knows that, as one run of messages otherwise.
func (s *Session) writeBatch(batch []item) error {
	s.sock.raw.cork()
	err := s.writeMessages(batch)
	if uerr := s.sock.raw.uncork(); err == nil {
		err = uerr
	}
	if err != nil {
		return err
	}
	size := 0
	for _, it := range batch {
		size += len(it.data)
	}
	s.host.cfg.Meter.Wrote(len(batch), size)
	if !s.Native() {
		s.delivered(batch)
	}
	return nil
}

func (s *Session) writeMessages(batch []item) error {
	if s.Native() && len(batch) > 1 {
		datas := make([][]byte, len(batch))
		for i, it := range batch {
			datas[i] = it.data
		}
		return s.writeText(wire.Join(datas))
	}
	for _, it := range batch {
		if err := s.writeText(it.data); err != nil {
			return err
		}
	}
	return nil
}

// writeText writes a message. Its time is bounded by the connection's deadline,
// which costs less than a context.
func (s *Session) writeText(p []byte) error {
	return s.sock.Write(context.Background(), websocket.MessageText, p)
}

// delivered moves the marks of clients that send none: what was written counts
// as delivered, and what its reader wrote as read. That is one step in memory
// for each conversation of a batch.
func (s *Session) delivered(batch []item) {
	var ms []chat.Marks
	for _, it := range batch {
		if it.seq == 0 {
			continue
		}
		if n := len(ms); n > 0 && ms[n-1].Conv == it.conv {
			ms[n-1] = ms[n-1].Merge(it.marks())
			continue
		}
		ms = append(ms, it.marks())
	}
	for _, m := range ms {
		if err := s.host.cfg.Hub.Seen(s.host.ctx, s.who.User, m); err != nil {
			s.logged("delivered mark", err)
		}
	}
}

// closeCodes are the WebSocket codes of reasons; others are normal closures.
var closeCodes = map[string]websocket.StatusCode{
	wire.ByeSlow: 4008, wire.ByeRestart: websocket.StatusServiceRestart, wire.ByeIdle: websocket.StatusPolicyViolation, wire.ByeFlood: websocket.StatusPolicyViolation,
}

// farewell writes what was queued where the peer still reads, says why the
// session ends and closes the connection. The session's timer bounds it.
func (s *Session) farewell(items []item) {
	raw := s.sock.raw
	if s.reason == wire.ByeSlow {
		s.host.cfg.Log.Info("session was too slow", "user", s.who.User, "session", s.who.ID)
	}
	if s.reason == gone || raw.broken.Load() || s.writeAll(items) != nil || s.goodbye() != nil {
		_ = raw.Close()
		_ = s.sock.CloseNow() // ends a ping under way
		return
	}
	code, ok := closeCodes[s.reason]
	switch {
	case s.reason == wire.ByeSignedOut && s.Native():
		code = 4001
	case !ok:
		code = websocket.StatusNormalClosure
	}
	// The reader still runs, so the handshake ends as soon as the peer answers.
	_ = s.sock.Close(code, s.reason)
}

// goodbye says why the session ends.
func (s *Session) goodbye() error {
	var data []byte
	if s.d.Farewell != nil {
		data = s.d.Farewell(s.reason)
	} else {
		data, _, _ = s.d.Codec.Append(nil, wire.Frame{Body: wire.Bye{Reason: s.reason, ComeAfter: s.comeAfter.Milliseconds()}})
	}
	if len(data) == 0 {
		return nil
	}
	return s.writeBatch([]item{{data: data}})
}
