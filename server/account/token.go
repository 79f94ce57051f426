package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"kamachat/shared/chat"
)

// newSecret returns 32 random bytes in base64url.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// digest is what is stored of a secret.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// LoginID returns the name that a login's sockets go by: it follows from the
// cookie's or bearer token and does not give it away.
func LoginID(token string) string { return digest("login " + token)[:22] }

// StoredLogin returns what is stored of a login, by its cookie's or bearer token:
// the SHA-256, which does not give it away.
func StoredLogin(token string) string { return digest(token) }

// IssueToken returns a new bearer token of u. Only its SHA-256 is stored.
func (s *Service) IssueToken(ctx context.Context, u chat.UserID) (string, error) {
	t := newSecret()
	if err := s.store.AddToken(ctx, digest(t), u, s.now().UnixMilli()); err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	return t, nil
}

// UserByToken returns whose bearer token it is and the scopes that it is bound
// to, none for a token that may do all that the person may; or chat.SignedOut.
func (s *Service) UserByToken(ctx context.Context, token string) (chat.Person, []string, error) {
	p, scopes, err := s.store.TokenUser(ctx, digest(token))
	switch {
	case errors.Is(err, chat.ErrNotFound) || err == nil && p.Disabled:
		return chat.Person{}, nil, chat.Refuse(chat.SignedOut, "the token is not valid")
	case err != nil:
		return chat.Person{}, nil, fmt.Errorf("look up token: %w", err)
	}
	return p, strings.Fields(scopes), s.mayAct(ctx, p)
}

// RevokeToken makes a bearer token invalid; one that is not valid is fine.
func (s *Service) RevokeToken(ctx context.Context, token string) error {
	return s.store.DeleteToken(ctx, digest(token))
}
