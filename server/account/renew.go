package account

import (
	"context"
	"fmt"

	"kamachat/shared/chat"
)

// ErrRenew is the answer to everything that somebody asks whose password was given
// by an administrator, until they have chosen another.
var ErrRenew = chat.Refuse(chat.Forbidden, "a new password must be chosen first")

// Hash makes of a password what is stored of it.
func (s *Service) Hash(ctx context.Context, password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	return s.hash.make(ctx, password)
}

// Renew gives p the password that p chose in place of the one from an
// administrator, which it must differ from.
func (s *Service) Renew(ctx context.Context, p chat.Person, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	_, old, err := s.store.UserByName(ctx, p.Username)
	if err != nil {
		return fmt.Errorf("renew password: %w", err)
	}
	if same, err := s.hash.check(ctx, password, old); err != nil {
		return err
	} else if same {
		return chat.Refuse(chat.Invalid, "the new password is the old one")
	}
	hash, err := s.hash.make(ctx, password)
	if err != nil {
		return err
	}
	if err := s.store.RenewPassword(ctx, p.ID, hash); err != nil {
		return err
	}
	s.log.Info("password renewed", "user", p.ID)
	return nil
}
