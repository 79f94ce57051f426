package session

import (
	"context"
	"errors"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxMissed bounds what a client that can't resume gets on its return.
const maxMissed = 1000

// errEnds says that the server does.
var errEnds = errors.New("the server ends")

// ease waits until there is room for more in the queue. Meanwhile others are
// welcomed: how long it takes is up to the peer.
func (s *Session) ease() error {
	if s.out.eases() {
		return nil
	}
	s.giveTurn()
	s.out.ease()
	if s.turn = s.host.turn(); !s.turn {
		return errEnds
	}
	return nil
}

// sendMissed queues what the person has not been delivered yet, at most the
// newest hundred of each conversation, then what was committed meanwhile.
func (s *Session) sendMissed(ctx context.Context) error {
	sent := map[chat.ConvID]int64{}
	if err := s.queueMissed(ctx, sent); err != nil {
		return err
	}
	if err := s.ease(); err != nil {
		return err
	}
	s.release(sent)
	return nil
}

// queueMissed notes in sent how far it got in each conversation.
func (s *Session) queueMissed(ctx context.Context, sent map[chat.ConvID]int64) error {
	behind, err := s.host.cfg.Hub.Behind(ctx, s.who.User)
	if err != nil {
		return err
	}
	n := 0
	for _, c := range behind {
		if n >= maxMissed {
			break
		}
		p, err := s.host.cfg.Hub.After(ctx, s.who.User, c.Conv, c.Mine.Delivered)
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
			if err := s.ease(); err != nil {
				return err
			}
			s.queue(item{data: data, conv: m.Conv, seq: m.Seq, own: m.Author == s.who.User})
		}
	}
	return nil
}
