package account

import (
	"context"
	"errors"
	"fmt"

	"kamachat/shared/chat"
)

// Why nobody, or not everybody, may register.
var (
	errClosed    = chat.Refuse(chat.Forbidden, "registration is closed")
	errInvite    = chat.Refuse(chat.Forbidden, "registration is by invitation")
	errNotWorked = chat.Refuse(chat.Forbidden, "the invitation is not valid any more")
)

// MayRegister says why who has an invitation, or none where code is empty, may
// not register now, or nil. The error is a *chat.Refusal.
func (s *Service) MayRegister(ctx context.Context, code string) error {
	switch s.registration() {
	case chat.RegisterOpen:
		return nil
	case chat.RegisterInvite:
		if code == "" {
			return errInvite
		}
		i, err := s.store.Invitation(ctx, code)
		if errors.Is(err, chat.ErrNotFound) {
			return errNotWorked
		}
		if err != nil {
			return fmt.Errorf("look for the invitation: %w", err)
		}
		if !i.Works(s.now().UnixMilli()) {
			return errNotWorked
		}
		return nil
	}
	return errClosed
}

// Register makes an account, where that is allowed. An empty nickname becomes the
// username.
func (s *Service) Register(ctx context.Context, username, password, nickname string) (chat.Person, error) {
	return s.Join(ctx, "", username, password, nickname)
}

// Join is Register by who has an invitation. Where everybody may register the
// code does not count, and no use of it is.
func (s *Service) Join(ctx context.Context, code, username, password, nickname string) (chat.Person, error) {
	if err := s.MayRegister(ctx, code); err != nil {
		return chat.Person{}, err
	}
	p, hash, err := s.newPerson(ctx, username, password, nickname)
	if err != nil {
		return chat.Person{}, err
	}
	// Hashing takes its time: what was allowed before it may be no longer.
	at := s.now().UnixMilli()
	switch s.registration() {
	case chat.RegisterOpen:
		err = s.store.AddUser(ctx, p, hash, at)
	case chat.RegisterInvite:
		err = s.store.AddInvited(ctx, p, hash, code, at)
	default:
		err = errClosed
	}
	if err != nil {
		return chat.Person{}, fmt.Errorf("register: %w", err)
	}
	s.log.Info("registered", "user", p.ID)
	return p, nil
}

// registration says who may register at present.
func (s *Service) registration() chat.Registration {
	if s.policy == nil {
		return chat.RegisterOpen
	}
	return s.policy().Registration
}

// maxGroup is how many people a group may have.
func (s *Service) maxGroup() int {
	if s.policy == nil {
		return chat.MaxMembers
	}
	if n := s.policy().MaxGroup; n > 0 {
		return min(n, chat.MaxMembers)
	}
	return chat.MaxMembers
}

// A Policy is what the installation allows people at a moment.
type Policy struct {
	Registration chat.Registration
	MaxGroup     int  // people in a group; 0: chat.MaxMembers
	ContactsOnly bool // only contacts may write to each other, and be added to groups
}
