package account

import (
	"context"
	"crypto/subtle"
	"fmt"

	"kamachat/shared/chat"
)

// setupSetting is where the hash of the setup key is kept.
const setupSetting = "setup_key"

// SetupKey is called once at each start. While there is no administrator it
// makes a new one-time key, which replaces the one before; its holder may
// create the administrator with Setup. Otherwise it returns "".
func (s *Service) SetupKey(ctx context.Context) (string, error) {
	some, err := s.store.HasAdmin(ctx)
	if err != nil || some {
		return "", err
	}
	key := newSecret()
	if err := s.store.SaveSetting(ctx, setupSetting, digest(key)); err != nil {
		return "", fmt.Errorf("make setup key: %w", err)
	}
	return key, nil
}

// SetupOpen reports whether key may still create the administrator.
func (s *Service) SetupOpen(ctx context.Context, key string) (bool, error) {
	want, err := s.store.Setting(ctx, setupSetting)
	if err != nil {
		return false, err
	}
	return want != "" && subtle.ConstantTimeCompare([]byte(digest(key)), []byte(want)) == 1, nil
}

// Setup creates the administrator. The key works once.
func (s *Service) Setup(ctx context.Context, key, username, password, nickname string) (chat.Person, error) {
	open, err := s.SetupOpen(ctx, key)
	if err != nil {
		return chat.Person{}, err
	}
	if !open {
		return chat.Person{}, chat.Refuse(chat.Forbidden, "the setup link is not valid")
	}
	p, hash, err := s.newPerson(ctx, username, password, nickname)
	if err != nil {
		return chat.Person{}, err
	}
	p.Admin = true
	if err := s.store.AddFirstAdmin(ctx, p, hash, s.now().UnixMilli(), setupSetting, digest(key)); err != nil {
		return chat.Person{}, fmt.Errorf("set up: %w", err)
	}
	s.log.Info("administrator created", "user", p.ID)
	return p, nil
}
