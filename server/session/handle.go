package session

import (
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// handle acts on one frame. An error is answered with Refused. Who asks for much
// gets the next answer when the ones before are written: what a client costs in
// memory does not depend on how often it asks.
func (s *Session) handle(f wire.Frame) error {
	ctx, hub, me := s.host.ctx, s.host.cfg.Hub, s.who.User
	switch f.Body.(type) {
	case wire.Resume, wire.Before, wire.List, wire.Who, wire.Line:
		s.out.ease()
	}
	switch b := f.Body.(type) {
	case wire.Post:
		return s.accepted(func() error {
			return hub.Post(ctx, chat.Draft{Conv: b.Conv, Author: me, Ref: f.Ref, Content: b.Content, Unread: !s.Native()})
		})
	case wire.Seen:
		return hub.Seen(ctx, me, b.Marks)
	case wire.Resume:
		p, err := hub.After(ctx, me, b.Conv, b.After)
		if err != nil {
			return err
		}
		s.Send(wire.Frame{Ref: f.Ref, Body: wire.History{Page: p}})
		return nil
	case wire.Before:
		p, err := hub.Before(ctx, me, b.Conv, b.Seq, b.Limit)
		if err != nil {
			return err
		}
		s.Send(wire.Frame{Ref: f.Ref, Body: wire.History{Page: p}})
		return nil
	case wire.List:
		l, err := hub.Lines(ctx, me, b)
		if err != nil {
			return err
		}
		s.Send(wire.Frame{Ref: f.Ref, Body: l})
		return nil
	case wire.Line:
		l, err := hub.SetLine(ctx, me, b.Conv, b.LineChange)
		if err != nil {
			return err
		}
		s.Send(wire.Frame{Ref: f.Ref, Body: wire.Lined{Conv: b.Conv, Line: l}})
		return nil
	case wire.Who:
		ps, err := hub.Who(ctx, me, b.IDs)
		if err != nil {
			return err
		}
		s.Send(wire.Frame{Ref: f.Ref, Body: wire.People{People: ps}})
		return nil
	case wire.Look:
		hub.Look(ctx, s, b.Hidden)
		return nil
	case wire.Typing:
		return hub.Typing(ctx, me, b.Conv)
	case wire.Signal:
		return hub.Signal(ctx, chat.Draft{Conv: b.Conv, Author: me, Ref: f.Ref, Content: chat.Content{Kind: chat.CallK, Call: &b.Call}, Unread: !s.Native()})
	case wire.Hello:
		return chat.Refuse(chat.Invalid, "hello was said already")
	case wire.Bad:
		return b.Why
	}
	return chat.Refuse(chat.Invalid, "not a frame that clients send")
}

// accepted gives a post to the hub, which answers later, and counts that. Who
// posts while the server goes down is told to do so again when it is back.
func (s *Session) accepted(post func() error) error {
	s.unanswered.Add(1)
	// Looked at after counting: Drain looks at the count after it has begun.
	err := error(&chat.Refusal{Code: chat.Busy, Words: "the server restarts", RetryAfter: time.Second})
	if s.host.Draining() {
		err = s.host.cfg.Hub.Refused(err)
	} else {
		err = post()
	}
	if err != nil {
		s.answered()
	}
	return err
}
