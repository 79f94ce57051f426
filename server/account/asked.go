package account

import (
	"context"

	"kamachat/shared/chat"
)

// maxManagers is how many of those who look after a group are told that somebody
// asks to come in; maxAsked of how many groups at once one is told.
const (
	maxManagers = 100
	maxAsked    = 20
)

// A Bell tells people who are there that those who wait for their answer are others now.
type Bell interface {
	// Ask tells the sessions of to on all nodes: of who wants to come into the group
	// conv, or, where it is empty, to be a contact.
	Ask(ctx context.Context, conv chat.ConvID, to ...chat.UserID) error
}

// Notices reach people who are not there.
type Notices interface {
	// Asked is told of each new request to be a contact. It returns at once.
	Asked(r chat.Request)
}

// SetBell tells the service who rings where somebody is asked for something. It is
// called once, before the service is used; without it nobody is told.
func (s *Service) SetBell(b Bell, n Notices) { s.bell, s.notices = b, n }

// ring tells to that who waits for them has changed. What is lost shows the next time
// that they look.
func (s *Service) ring(ctx context.Context, conv chat.ConvID, to ...chat.UserID) {
	if s.bell == nil {
		return
	}
	if err := s.bell.Ask(ctx, conv, to...); err != nil {
		s.log.Warn("who waits for an answer is not told", "conv", conv, "err", err)
	}
}

// ringAt is ring of those who may let people into a group.
func (s *Service) ringAt(ctx context.Context, conv chat.ConvID) {
	if s.bell == nil {
		return
	}
	us, err := s.store.Managers(ctx, conv, maxManagers)
	if err != nil {
		s.log.Warn("who waits for an answer is not told", "conv", conv, "err", err)
		return
	}
	s.ring(ctx, conv, us...)
}

// asked tells to that they have a new request to be a contact; nothing where r is empty.
func (s *Service) asked(ctx context.Context, r chat.Request) {
	if r.To == "" {
		return
	}
	s.ring(ctx, "", r.To)
	if s.notices != nil {
		s.notices.Asked(r)
	}
}

// GroupsAsked returns which groups that by looks after people wait to come into, at
// most 20, the one whose first has waited longest first.
func (s *Service) GroupsAsked(ctx context.Context, by chat.UserID) ([]chat.GroupAsked, error) {
	return s.store.GroupsAsked(ctx, by, maxAsked)
}
