package account

import (
	"context"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"

	"kamachat/shared/chat"
)

// HasPasskey reports whether u can prove by a passkey who they are.
func (s *Service) HasPasskey(ctx context.Context, u chat.UserID) (bool, error) {
	keys, err := s.store.Passkeys(ctx, u)
	return len(keys) > 0, err
}

// BeginProof begins to prove by a passkey that it is p who uses a sign-in, named as
// in chat.SignIn: options are for navigator.credentials.get, state is to come back
// with its answer.
func (s *Service) BeginProof(ctx context.Context, at Site, p chat.Person, login string) (options any, state string, err error) {
	w, err := at.party()
	if err != nil {
		return nil, "", err
	}
	return s.beginWith(ctx, w, p, "proof", login, errProof)
}

// The answers to what proves nothing: Forbidden, since who asks stays signed in.
var (
	errProof = chat.Refuse(chat.Forbidden, "the passkey is not known here")
	errLate  = chat.Refuse(chat.Forbidden, "it took too long: try again")
)

// Prove answers nil where response, as JSON, is what the browser answered to
// BeginProof by the same person in the same sign-in: once for each. The device has
// verified the person, so that this is no less than the password, nor than the
// password and a code. Tries are limited as those of signing in are.
func (s *Service) Prove(ctx context.Context, addr string, at Site, p chat.Person, login, state string, response []byte) error {
	if err := s.byAddr.take(ctx, addr); err != nil {
		return err
	}
	w, err := at.party()
	if err != nil {
		return err
	}
	t, session, err := s.kept(ctx, "proof", state)
	if err == nil && (t.User != p.ID || t.Proof != login) {
		err = errSealed
	}
	if err != nil {
		return late(err)
	}
	got, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		s.unlike(p.ID, err)
		return errProof
	}
	u, err := s.keyUser(ctx, p)
	if err != nil {
		return err
	}
	c, err := w.ValidateLogin(u, session, got)
	if err != nil {
		s.unlike(p.ID, err)
		return errProof
	}
	if err := s.once(ctx, t, session); err != nil {
		return late(err)
	}
	if err = s.used(ctx, u, c); errors.Is(err, errPasskey) {
		return errProof
	}
	return err
}

// late is err, as who is signed in is told it.
func late(err error) error {
	if errors.Is(err, errSealed) {
		return errLate
	}
	return err
}
