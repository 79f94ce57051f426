package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"kamachat/shared/chat"
)

// A sealed thing is kept by whoever it was given to between two steps of a
// sign-in, and can't be changed or made by them.
type sealed struct {
	Kind  string          `json:"k"` // what it is for: one is not taken for another
	User  chat.UserID     `json:"u,omitempty"`
	Proof string          `json:"p,omitempty"` // follows from the password: void once that is another
	Data  json.RawMessage `json:"d,omitempty"`
	Until int64           `json:"e"` // Unix milliseconds
}

// sealFor is how long a step of a sign-in may take.
const sealFor = 5 * time.Minute

// errSealed is the answer to a sealed thing that is not ours, or too old.
var errSealed = chat.Refuse(chat.SignedOut, "it took too long: sign in again")

// keySetting is where the secret is kept that what is sealed and the hashes of
// codes are made with, the same on all nodes.
const keySetting = "seal_key"

// serverKey returns that secret.
func (s *Service) serverKey(ctx context.Context) ([]byte, error) {
	if k := s.factor.key.Load(); k != nil {
		return *k, nil
	}
	v, err := s.store.SettingOnce(ctx, keySetting, newSecret())
	if err != nil {
		return nil, err
	}
	k := []byte(v)
	s.factor.key.Store(&k)
	return k, nil
}

// sum is what proves that text came from here, for one purpose.
func (s *Service) sum(ctx context.Context, purpose, text string) (string, error) {
	key, err := s.serverKey(ctx)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}

func (s *Service) seal(ctx context.Context, t sealed) (string, error) {
	t.Until = s.now().Add(sealFor).UnixMilli()
	b, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	sum, err := s.sum(ctx, "seal", text)
	return text + "." + sum, err
}

// unseal returns what was sealed as kind, or answers errSealed.
func (s *Service) unseal(ctx context.Context, kind, token string) (t sealed, err error) {
	text, got, _ := strings.Cut(token, ".")
	want, err := s.sum(ctx, "seal", text)
	if err != nil {
		return sealed{}, err
	}
	if !hmac.Equal([]byte(got), []byte(want)) {
		return sealed{}, errSealed
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil || t.Kind != kind || s.now().UnixMilli() >= t.Until {
		return sealed{}, errSealed
	}
	return t, nil
}
