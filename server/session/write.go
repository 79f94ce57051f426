package session

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxMerged is how many queued frames travel in one write.
const maxMerged = 64

// write sends what is queued until the session is closed, then says why. It
// never waits for more than is there: what has queued up goes out together.
func (s *Session) write(ctx context.Context) {
	for {
		select {
		case <-s.out.ready:
		case <-s.done:
			s.farewell(ctx)
			return
		}
		items := s.out.take()
		for rest := items; len(rest) > 0; {
			n := min(len(rest), maxMerged)
			if err := s.writeBatch(ctx, rest[:n]); err != nil {
				s.Close("gone")
				return
			}
			rest = rest[n:]
			if s.closed() {
				break
			}
		}
		s.out.done(items)
	}
}

func (s *Session) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *Session) writeBatch(ctx context.Context, batch []item) error {
	if s.Native() {
		datas := make([][]byte, len(batch))
		for i, it := range batch {
			datas[i] = it.data
		}
		return s.writeText(ctx, wire.Join(datas))
	}
	delivered := map[chat.ConvID]int64{}
	for _, it := range batch {
		if err := s.writeText(ctx, it.data); err != nil {
			return err
		}
		if it.seq > 0 {
			delivered[it.conv] = max(delivered[it.conv], it.seq)
		}
	}
	for conv, seq := range delivered {
		if err := s.cfg.Hub.Seen(ctx, s.who.User, chat.Marks{Conv: conv, Delivered: seq}); err != nil {
			s.logged("delivered mark", err)
		}
	}
	return nil
}

func (s *Session) writeText(ctx context.Context, p []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteWait)
	defer cancel()
	return s.ws.Write(ctx, websocket.MessageText, p)
}

// comeAfter is when a client may be back after being closed for a reason.
var comeAfter = map[string]time.Duration{"slow": time.Second, "restart": time.Second}

// farewellWait bounds the end of a session, in which its peer may no longer read.
const farewellWait = 2 * time.Second

// farewell says why the session ends and closes the connection.
func (s *Session) farewell(ctx context.Context) {
	code := websocket.StatusNormalClosure
	switch s.reason {
	case "gone":
		return
	case "slow":
		code = 4008
	case "signed_out":
		if s.Native() {
			code = 4001
		}
	case "restart":
		code = websocket.StatusServiceRestart
	case "idle":
		code = websocket.StatusPolicyViolation
	}
	var data []byte
	if s.d.Farewell != nil {
		data = s.d.Farewell(s.reason)
	} else {
		bye := wire.Bye{Reason: s.reason, ComeAfter: comeAfter[s.reason].Milliseconds()}
		data, _, _ = s.d.Codec.Append(nil, wire.Frame{Body: bye})
	}
	ctx, cancel := context.WithTimeout(ctx, farewellWait)
	defer cancel()
	if len(data) > 0 && s.ws.Write(ctx, websocket.MessageText, data) != nil {
		return
	}
	// The reader still runs, so the handshake ends as soon as the peer answers.
	_ = s.ws.Close(code, s.reason)
}

// heartbeat pings until ctx ends; a peer that does not answer is gone.
func (s *Session) heartbeat(ctx context.Context) {
	t := time.NewTicker(s.cfg.Heartbeat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			pctx, cancel := context.WithTimeout(ctx, s.cfg.PongWait)
			err := s.ws.Ping(pctx)
			cancel()
			if err != nil {
				s.Close("gone")
				return
			}
		}
	}
}
