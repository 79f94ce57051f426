package session

import (
	"context"
	"sync"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxMissed bounds what a client that can't resume gets on its return, well
// below a session's queue.
const maxMissed = 1000

// catchUp keeps the order of a conversation for clients that know no Seq: what
// is committed while missed entries are read waits behind them, and nothing is
// written twice.
type catchUp struct {
	mu   sync.Mutex
	done bool
	held []item
	sent map[chat.ConvID]int64
}

// hold reports whether it was kept back. What does not fit the session's queue
// later ends the session then.
func (c *catchUp) hold(it item) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return false
	}
	c.held = append(c.held, it)
	return true
}

// sendMissed queues what the person has not been delivered yet, at most the
// newest hundred of each conversation, then what was committed meanwhile.
func (s *Session) sendMissed(ctx context.Context) error {
	err := s.queueMissed(ctx)
	c := s.catch
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range c.held {
		if it.seq > c.sent[it.conv] {
			s.queue(it)
		}
	}
	c.held, c.sent, c.done = nil, nil, true
	return err
}

func (s *Session) queueMissed(ctx context.Context) error {
	convs, _, err := s.cfg.Hub.List(ctx, s.who.User)
	if err != nil {
		return err
	}
	sent := map[chat.ConvID]int64{}
	s.catch.sent = sent
	n := 0
	for _, sum := range convs {
		if sum.LastSeq <= sum.Mine.Delivered || n >= maxMissed {
			continue
		}
		p, err := s.cfg.Hub.After(ctx, s.who.User, sum.Conv, sum.Mine.Delivered)
		if err != nil {
			return err
		}
		people := map[chat.UserID]chat.Person{}
		for _, w := range p.People {
			people[w.ID] = w
		}
		for _, m := range p.Entries {
			sent[m.Conv], n = m.Seq, n+1
			if m.Content.Kind == chat.CallK {
				continue // a call that has rung out is not rung again
			}
			data, ok, err := s.d.Codec.Append(nil, wire.Frame{Body: wire.Posted{Message: m, By: people[m.Author]}})
			if err != nil || !ok {
				continue
			}
			s.queue(item{data: data, conv: m.Conv, seq: m.Seq})
		}
	}
	return nil
}
