package push

import (
	"context"
	"slices"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

// maxAsks is how many requests wait to be told. Of more the oldest go.
const maxAsks = 1_000

// asksAt is where requests are answered.
const asksAt = "/contacts"

// An asking is a request to be a contact that its person is to be told of.
type asking struct {
	chat.Request
	due   time.Time // when to look
	tries int       // that failed
}

// Asked notes that somebody wants to be another's contact. It only remembers it.
func (s *Service) Asked(r chat.Request) {
	if s.Off || !s.anybody.Load() {
		return
	}
	s.expect(asking{Request: r, due: s.Now().Add(gather)})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) expect(a asking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asks) >= maxAsks {
		s.asks = slices.Delete(s.asks, 0, 1)
		s.missed.Add(1)
	}
	s.asks = append(s.asks, a)
}

// roundOfAsks tells of the requests that are due by now, and says whether more is to
// come. Who looks at the program sees them there.
func (s *Service) roundOfAsks(ctx context.Context, now time.Time) bool {
	s.mu.Lock()
	var due []asking
	s.asks = slices.DeleteFunc(s.asks, func(a asking) bool {
		is := !a.due.After(now)
		if is {
			due = append(due, a)
		}
		return is
	})
	s.mu.Unlock()
	for _, a := range due {
		if err := s.tellAsked(ctx, a.Request, now); err != nil {
			a.tries++
			if ctx.Err() == nil {
				s.Log.Error("notice of a request", "user", a.To, "tries", a.tries, "err", err)
			}
			if a.due = now.Add(gap); a.tries < maxTries {
				s.expect(a)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asks) > 0
}

// tellAsked queues a notice of r for each browser of its person.
func (s *Service) tellAsked(ctx context.Context, r chat.Request, now time.Time) error {
	looking := s.Presence
	if s.Looking != nil {
		looking = s.Looking
	}
	if on, err := looking.Online(ctx, r.To); err == nil && on[r.To] {
		return nil
	}
	quiet, err := s.Store.Quiet(ctx, r.To)
	if err != nil || quietAt(quiet[r.To], now) {
		return err
	}
	subs, err := s.Store.Subscriptions(ctx, r.To)
	if err != nil || len(subs) == 0 {
		return err
	}
	by, err := s.Store.People(ctx, r.From)
	if err != nil || len(by) == 0 {
		return err
	}
	name := "asks-" + string(r.From)
	for _, sub := range subs {
		n := notice{Title: by[0].Name(), Body: words.Say(words.Lang(sub.Lang), "people.asks"), Seq: r.At, Tag: name, Icon: by[0].Avatar, Path: asksAt}
		if r.Message != "" {
			n.Body += ": " + r.Message
		}
		n.trim()
		s.jobs.put(&job{sub: sub, seq: r.At, body: n.encode(), topic: topicOf(sub, chat.ConvID(name)), ttl: keepMessage, urgency: "normal"})
	}
	return nil
}
