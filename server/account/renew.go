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
// administrator, which it must differ from, and ends all that p is signed in with
// but keep: others, too, have seen the one before. It returns what the sockets of
// those that ended go by.
func (s *Service) Renew(ctx context.Context, p chat.Person, password string, keep chat.SignIn) ([]string, error) {
	if !p.Renew {
		return nil, chat.Refuse(chat.Forbidden, "there is no password to renew")
	}
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	_, old, err := s.store.UserByName(ctx, p.Username)
	if err != nil {
		return nil, fmt.Errorf("renew password: %w", err)
	}
	if same, err := s.hash.check(ctx, password, old); err != nil {
		return nil, err
	} else if same {
		return nil, chat.Refuse(chat.Invalid, "the new password is the old one")
	}
	hash, err := s.hash.make(ctx, password)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.ChangePassword(ctx, p.ID, old, hash, keep)
	if err != nil {
		return nil, err
	}
	s.log.Info("password renewed", "user", p.ID, "ended", len(ended))
	return ended, nil
}
