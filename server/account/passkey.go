package account

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"kamachat/shared/chat"
)

// MaxPasskeys is how many passkeys somebody may have.
const MaxPasskeys = 20

// A Site is where people use us, as their passkeys are bound to it.
type Site struct {
	Host    string   // without a port
	Origins []string // that pages with passkeys may come from
}

// ErrNoPasskeys is the answer at a Site that can't have passkeys, as one that is
// reached by a number instead of a name.
var ErrNoPasskeys = chat.Refuse(chat.Invalid, "passkeys need an address that is a name")

// Never reports whether a site can't have passkeys.
func (t Site) Never() bool {
	_, err := t.party()
	return err != nil
}

func (t Site) party() (*webauthn.WebAuthn, error) {
	w, err := webauthn.New(&webauthn.Config{
		RPID: t.Host, RPDisplayName: "KamaChat", RPOrigins: t.Origins, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil || protocol.ValidateRPID(t.Host) != nil {
		return nil, ErrNoPasskeys
	}
	return w, nil
}

// keyUser is a person as go-webauthn knows them.
type keyUser struct {
	chat.Person
	keys []webauthn.Credential
	rows []chat.Passkey
}

func (u keyUser) WebAuthnID() []byte                         { return []byte(u.ID) }
func (u keyUser) WebAuthnName() string                       { return u.Username }
func (u keyUser) WebAuthnDisplayName() string                { return u.Name() }
func (u keyUser) WebAuthnCredentials() []webauthn.Credential { return u.keys }

func (s *Service) keyUser(ctx context.Context, p chat.Person) (u keyUser, err error) {
	u.Person = p
	if u.rows, err = s.store.Passkeys(ctx, p.ID); err != nil {
		return u, err
	}
	for _, k := range u.rows {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Data, &c); err != nil {
			return u, fmt.Errorf("read passkey: %w", err)
		}
		u.keys = append(u.keys, c)
	}
	return u, nil
}

// keep seals what has to be known of a ceremony when it ends.
func (s *Service) keep(ctx context.Context, kind string, t sealed, session *webauthn.SessionData) (string, error) {
	b, err := json.Marshal(session)
	if err != nil {
		return "", err
	}
	t.Kind, t.Data = kind, b
	return s.seal(ctx, t)
}

// kept returns what keep sealed, once it is known that the ceremony ends well:
// for each it may be called once.
func (s *Service) kept(ctx context.Context, kind, state string) (t sealed, session webauthn.SessionData, err error) {
	if t, err = s.unseal(ctx, kind, state); err == nil {
		err = json.Unmarshal(t.Data, &session)
	}
	return t, session, err
}

// once answers errSealed where a ceremony has ended before.
func (s *Service) once(ctx context.Context, t sealed, session webauthn.SessionData) error {
	first, err := s.store.Spend(ctx, "webauthn "+digest(session.Challenge), t.Until)
	if err == nil && !first {
		err = errSealed
	}
	return err
}

// BeginPasskey begins to make a passkey for p at a site: options are for
// navigator.credentials.create, state is to come back with its answer.
func (s *Service) BeginPasskey(ctx context.Context, at Site, p chat.Person) (options any, state string, err error) {
	w, err := at.party()
	if err != nil {
		return nil, "", err
	}
	u, err := s.keyUser(ctx, p)
	if err != nil {
		return nil, "", err
	}
	if len(u.keys) >= MaxPasskeys {
		return nil, "", chat.Refuse(chat.Forbidden, "there are too many passkeys")
	}
	o, session, err := w.BeginRegistration(u, webauthn.WithExclusions(webauthn.Credentials(u.keys).CredentialDescriptors()))
	if err != nil {
		return nil, "", fmt.Errorf("begin passkey: %w", err)
	}
	state, err = s.keep(ctx, "passkey", sealed{User: p.ID}, session)
	return o.Response, state, err
}

// errPasskey is the answer to what no passkey of ours says.
var errPasskey = chat.Refuse(chat.SignedOut, "the passkey is not known here")

// AddPasskey stores the passkey that was made with BeginPasskey: response is what
// the browser answered, as JSON.
func (s *Service) AddPasskey(ctx context.Context, at Site, p chat.Person, name, state string, response []byte) error {
	w, err := at.party()
	if err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > chat.MaxPasskeyName || strings.ContainsRune(name, 0) {
		return chat.Refuse(chat.Invalid, "a passkey needs a name of at most 40 characters")
	}
	t, session, err := s.kept(ctx, "passkey", state)
	if err != nil {
		return err
	}
	if t.User != p.ID {
		return errSealed
	}
	got, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return s.unlike(p.ID, err)
	}
	c, err := w.CreateCredential(keyUser{Person: p}, session, got)
	if err != nil {
		return s.unlike(p.ID, err)
	}
	if err := s.once(ctx, t, session); err != nil {
		return err
	}
	c.Attestation = webauthn.CredentialAttestation{} // not asked for
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	err = s.store.AddPasskey(ctx, p.ID, chat.Passkey{ID: keyID(c.ID), Name: name, CreatedAt: s.now().UnixMilli(), Data: data}, MaxPasskeys)
	if err == nil {
		s.log.Info("passkey added", "user", p.ID)
	}
	return err
}

func keyID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// unlike logs what was wrong with a passkey and answers errPasskey.
func (s *Service) unlike(u chat.UserID, err error) error {
	var why *protocol.Error
	if errors.As(err, &why) {
		s.log.Info("passkey refused", "user", u, "why", why.Details)
	}
	return errPasskey
}

// DeletePasskey takes a passkey from u.
func (s *Service) DeletePasskey(ctx context.Context, u chat.UserID, id string) error {
	return s.store.DeletePasskey(ctx, u, id)
}

// BeginPasskeySignIn begins a sign-in by passkey: alone, or with a ticket as the
// second factor of who has that. options are for navigator.credentials.get.
func (s *Service) BeginPasskeySignIn(ctx context.Context, at Site, ticket string) (options any, state string, err error) {
	w, err := at.party()
	if err != nil {
		return nil, "", err
	}
	if ticket == "" {
		o, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return nil, "", fmt.Errorf("begin sign-in by passkey: %w", err)
		}
		state, err = s.keep(ctx, "sign-in", sealed{}, session)
		return o.Response, state, err
	}
	p, err := s.holder(ctx, ticket)
	if err != nil {
		return nil, "", err
	}
	return s.beginWith(ctx, w, p, "second", ticket, errPasskey)
}

// beginWith asks for a passkey of p's for a purpose, bound to proof; none is the answer
// to who has none.
func (s *Service) beginWith(ctx context.Context, w *webauthn.WebAuthn, p chat.Person, purpose, proof string, none error) (options any, state string, err error) {
	u, err := s.keyUser(ctx, p)
	if err != nil {
		return nil, "", err
	}
	if len(u.keys) == 0 {
		return nil, "", none
	}
	o, session, err := w.BeginLogin(u, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("begin with a passkey: %w", err)
	}
	state, err = s.keep(ctx, purpose, sealed{User: p.ID, Proof: proof}, session)
	return o.Response, state, err
}

// PasskeySignIn ends a sign-in by passkey: response is what the browser answered,
// as JSON. Who signs in so shows two factors at once, the device and what unlocks it,
// so that no other is asked for.
func (s *Service) PasskeySignIn(ctx context.Context, addr string, at Site, state string, response []byte) (chat.Person, error) {
	if err := s.byAddr.take(ctx, addr); err != nil {
		return chat.Person{}, err
	}
	w, err := at.party()
	if err != nil {
		return chat.Person{}, err
	}
	got, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return chat.Person{}, s.unlike("", err)
	}
	var u keyUser
	var c *webauthn.Credential
	t, session, err := s.kept(ctx, "sign-in", state)
	if err == nil {
		var any webauthn.User
		any, c, err = w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) { return s.byHandle(ctx, handle) }, session, got)
		if err != nil {
			return chat.Person{}, s.unlike(chat.UserID(got.Response.UserHandle), err)
		}
		u = any.(keyUser)
	} else if t, session, err = s.kept(ctx, "second", state); err != nil {
		return chat.Person{}, err
	} else {
		p, err := s.holder(ctx, t.Proof)
		if err == nil {
			u, err = s.keyUser(ctx, p)
		}
		if err != nil {
			return chat.Person{}, err
		}
		if c, err = w.ValidateLogin(u, session, got); err != nil {
			return chat.Person{}, s.unlike(p.ID, err)
		}
	}
	if err := able(u.Person); err != nil {
		return chat.Person{}, err
	}
	if err := s.once(ctx, t, session); err != nil {
		return chat.Person{}, err
	}
	return u.Person, s.used(ctx, u, c)
}

// byHandle returns the person whose id a passkey holds.
func (s *Service) byHandle(ctx context.Context, handle []byte) (webauthn.User, error) {
	u := chat.UserID(handle)
	if !u.Valid() {
		return nil, chat.ErrNotFound
	}
	p, err := s.Person(ctx, u)
	if err != nil {
		return nil, err
	}
	return s.keyUser(ctx, p)
}

// used stores what became of a passkey of u by its use. One that counts its uses
// and has counted fewer than before may be a copy, and is refused.
func (s *Service) used(ctx context.Context, u keyUser, c *webauthn.Credential) error {
	for i, k := range u.rows {
		if !bytes.Equal(u.keys[i].ID, c.ID) {
			continue
		}
		if c.Authenticator.CloneWarning {
			s.log.Warn("a passkey may have been copied", "user", u.ID)
			return chat.Refuse(chat.Forbidden, "the passkey may have been copied: remove it")
		}
		data, err := json.Marshal(c)
		if err != nil {
			return err
		}
		ok, err := s.store.UsePasskey(ctx, u.ID, chat.Passkey{ID: k.ID, Data: data, UsedAt: s.now().UnixMilli()}, k.Data)
		if err == nil && !ok {
			err = errPasskey
		}
		return err
	}
	return errPasskey
}
