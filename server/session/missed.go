package session

import (
	"context"
	"errors"

	"kamachat/shared/chat"
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

// greet greets a client that can't resume, and queues what the person has not been
// delivered yet, at most the newest hundred of each conversation, then what was committed
// meanwhile. One that was not sent all of it is closed and comes back: what is written
// next would count for all before. What is posted after the greeting it gets, also where
// another device of its person has it by then: where it stands is read before.
func (s *Session) greet() error {
	all, err := s.host.cfg.Hub.Standing(s.host.ctx, s.who.User)
	if err != nil {
		return err
	}
	s.cursor.begin(all)
	s.queue(item{data: s.d.Greeting})
	if err := s.queueMissed(s.host.ctx, all); err != nil {
		return err
	}
	if err := s.ease(); err != nil {
		return err
	}
	s.release()
	return nil
}

// queueMissed queues what is missing of all, and moves the cursor to where it got.
func (s *Session) queueMissed(ctx context.Context, all []chat.Head) error {
	n := 0
	for _, c := range all {
		if c.LastSeq <= c.Mine.Delivered {
			continue
		}
		if n >= maxMissed {
			break
		}
		p, err := s.host.cfg.Hub.After(ctx, s.who.User, c.Conv, c.Mine.Delivered)
		if err != nil {
			return err
		}
		by := peopleOf(p)
		for _, m := range p.Entries {
			n++
			s.cursor.passed(m.Conv, m.Seq)
			if m.Content.Kind == chat.CallK {
				s.cursor.silent(m.Conv, m.Seq)
				continue // a call that has rung out is not rung again
			}
			it := s.entry(m, by[m.Author])
			if it.data == nil {
				continue
			}
			if err := s.ease(); err != nil {
				return err
			}
			s.queue(it)
		}
	}
	return nil
}
