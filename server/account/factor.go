package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"golang.org/x/time/rate"

	"kamachat/shared/chat"
)

// FactorStore keeps what people show at sign-in besides a password.
type FactorStore interface {
	// SettingOnce stores a value unless there is one, and returns the one there is.
	SettingOnce(ctx context.Context, name, value string) (string, error)
	// Spend notes that name was used, until expires, and reports whether that is the first time.
	Spend(ctx context.Context, name string, expires int64) (bool, error)

	// TOTP returns a second factor, or chat.ErrNotFound.
	TOTP(ctx context.Context, u chat.UserID) (chat.TOTP, error)
	// BeginTOTP stores one that is not asked for yet, or answers chat.Taken where one is.
	BeginTOTP(ctx context.Context, u chat.UserID, secret string, at int64) error
	ConfirmTOTP(ctx context.Context, u chat.UserID, secret string, step int64, recovery []string) (bool, error)
	// UseStep and UseRecovery report to one caller that a code may be used, once.
	UseStep(ctx context.Context, u chat.UserID, step int64) (bool, error)
	UseRecovery(ctx context.Context, u chat.UserID, hash string) (bool, error)
	EndTOTP(ctx context.Context, u chat.UserID) error

	Passkeys(ctx context.Context, u chat.UserID) ([]chat.Passkey, error)
	AddPasskey(ctx context.Context, u chat.UserID, k chat.Passkey, most int) error
	// UsePasskey stores what became of a passkey, and reports whether it is still what it was.
	UsePasskey(ctx context.Context, u chat.UserID, k chat.Passkey, was []byte) (bool, error)
	DeletePasskey(ctx context.Context, u chat.UserID, id string) error
}

// factors is what the second steps of sign-ins need.
type factors struct {
	key     atomic.Pointer[[]byte] // serverKey
	byBoth  *common                // tries, by person and address
	byUser  *common                // tries, by person
	sending sending
}

// Tries of a second factor: of a million codes three are right at a time, so that a
// guesser who knows the password has one chance in 200 a day, and the owner, who
// comes from elsewhere, is not kept out by who tries from one address.
const (
	factorRate      = rate.Limit(1. / 60) // per second, of one person from one address
	factorBurst     = 5
	factorRateAll   = rate.Limit(1. / 60) // per second, of one person from anywhere
	factorBurstMost = 50
)

func newFactors(c Config) factors {
	lim := func(name string, r rate.Limit, burst int) *common {
		if c.Limits.Name == rate.Inf { // NoLimits
			r = rate.Inf
		}
		return &common{newLimiter(r, burst, c.Now), name, c.Tries}
	}
	return factors{
		byBoth: lim("factor", factorRate, factorBurst), byUser: lim("factors", factorRateAll, factorBurstMost),
		sending: newSending(c.Codes, lim),
	}
}

// NeedsFactor is the answer to a sign-in that was right so far: who has Ticket and
// shows a second factor with it is in.
type NeedsFactor struct {
	Ticket  string // good for five minutes
	Passkey bool   // a passkey will do, too
}

var errFactor = chat.Refuse(chat.SecondFactor, "a code of the second factor is needed")

// Error implements error.
func (*NeedsFactor) Error() string { return errFactor.Error() }

// Unwrap makes it the refusal that callers are told.
func (*NeedsFactor) Unwrap() error { return errFactor }

// needs answers a *NeedsFactor where u must show a second factor.
func (s *Service) needs(ctx context.Context, u chat.UserID, hash string) error {
	f, err := s.store.TOTP(ctx, u)
	if errors.Is(err, chat.ErrNotFound) || err == nil && !f.Confirmed {
		return nil
	}
	if err != nil {
		return err
	}
	ks, err := s.store.Passkeys(ctx, u)
	if err != nil {
		return err
	}
	t, err := s.seal(ctx, sealed{Kind: "ticket", User: u, Proof: digest(hash)})
	if err != nil {
		return err
	}
	return &NeedsFactor{Ticket: t, Passkey: len(ks) > 0}
}

// holder returns who a ticket was given to, if the account is still what it was.
func (s *Service) holder(ctx context.Context, ticket string) (chat.Person, error) {
	t, err := s.unseal(ctx, "ticket", ticket)
	if err != nil {
		return chat.Person{}, err
	}
	p, err := s.Person(ctx, t.User)
	if err != nil {
		return chat.Person{}, err
	}
	_, hash, err := s.store.UserByName(ctx, p.Username)
	switch {
	case err != nil:
		return chat.Person{}, err
	case subtle.ConstantTimeCompare([]byte(digest(hash)), []byte(t.Proof)) != 1:
		return chat.Person{}, errSealed
	}
	return p, able(p)
}

// able answers chat.Forbidden where p may not sign in.
func able(p chat.Person) error {
	if p.Disabled {
		return chat.Refuse(chat.Forbidden, "the account is disabled")
	}
	return nil
}

// SignInFactor ends a sign-in that was right so far: code is of the authenticator
// or one of those that work once. Tries are limited by person and by address.
func (s *Service) SignInFactor(ctx context.Context, addr, ticket, code string) (chat.Person, error) {
	if err := s.byAddr.take(ctx, addr); err != nil {
		return chat.Person{}, err
	}
	p, err := s.holder(ctx, ticket)
	if err == nil {
		err = s.checkFactor(ctx, addr, p.ID, code)
	}
	if err != nil {
		return chat.Person{}, err
	}
	return p, nil
}

// errCode is the answer to a code that is wrong, was used, or is too old.
var errCode = chat.Refuse(chat.Forbidden, "the code is wrong or was used")

// checkFactor uses a code of u's second factor up, or says that it is wrong.
func (s *Service) checkFactor(ctx context.Context, addr string, u chat.UserID, code string) error {
	both := addr + " " + string(u)
	if err := s.factor.byBoth.take(ctx, both); err != nil {
		return err
	}
	if err := s.factor.byUser.take(ctx, string(u)); err != nil {
		return err
	}
	f, err := s.store.TOTP(ctx, u)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return err
	}
	ok := false
	if f.Confirmed {
		code = plainCode(code)
		if step, right := s.step(f.Secret, code); right && step > f.LastStep {
			ok, err = s.store.UseStep(ctx, u, step)
		} else if len(code) == recoveryLen {
			ok, err = s.store.UseRecovery(ctx, u, digest("recovery "+code))
		}
	}
	if err != nil {
		return err
	}
	if !ok {
		s.log.Info("second factor refused", "user", u, "addr", addr)
		return errCode
	}
	s.factor.byBoth.forget(ctx, both)
	s.factor.byUser.forget(ctx, string(u))
	return nil
}

// plainCode is a code without what people put between its parts.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
}

// stepSeconds is how long a code of an authenticator is the current one.
const stepSeconds = 30

// step returns which time step a code is of: this one, or one beside it for
// clocks that are not quite right. No code is of none.
func (s *Service) step(secret, code string) (step int64, right bool) {
	if len(code) != 6 {
		return 0, false
	}
	now := s.now().Unix() / stepSeconds
	for i := now - 1; i <= now+1; i++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(i), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, right = i, true
		}
	}
	return step, right
}

// Factors is what somebody shows at sign-in besides the password.
type Factors struct {
	TOTP     bool // one-time codes are asked for
	Recovery int  // codes that work once and were not used
	Passkeys []chat.Passkey
}

// Factors returns those of u.
func (s *Service) Factors(ctx context.Context, u chat.UserID) (f Factors, err error) {
	t, err := s.store.TOTP(ctx, u)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return f, err
	}
	f.TOTP, f.Recovery = t.Confirmed, len(t.Recovery)
	f.Passkeys, err = s.store.Passkeys(ctx, u)
	return f, err
}

// BeginTOTP begins to set one-time codes up for p: it returns the secret and the
// otpauth:// address that authenticators read as a QR code. issuer is what they
// show beside the username. Nothing is asked for until ConfirmTOTP.
func (s *Service) BeginTOTP(ctx context.Context, p chat.Person, issuer string) (secret, address string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(issuer, ":", " "), AccountName: p.Username, SecretSize: 20})
	if err != nil {
		return "", "", fmt.Errorf("make secret: %w", err)
	}
	if err := s.store.BeginTOTP(ctx, p.ID, key.Secret(), s.now().UnixMilli()); err != nil {
		return "", "", err
	}
	return key.Secret(), key.URL(), nil
}

// PendingTOTP returns what BeginTOTP did, or chat.NotFound where nothing is
// pending.
func (s *Service) PendingTOTP(ctx context.Context, p chat.Person, issuer string) (secret, address string, err error) {
	f, err := s.store.TOTP(ctx, p.ID)
	if err == nil && f.Confirmed {
		err = chat.ErrNotFound
	}
	if err != nil {
		return "", "", err
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(f.Secret)
	if err != nil {
		return "", "", fmt.Errorf("read secret: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(issuer, ":", " "), AccountName: p.Username, Secret: raw})
	if err != nil {
		return "", "", fmt.Errorf("read secret: %w", err)
	}
	return key.Secret(), key.URL(), nil
}

// Codes that work once.
const (
	recoveryCodes = 10
	recoveryLen   = 16 // characters of base32, 80 bits
)

// ConfirmTOTP has p's one-time codes asked for from now on, as code shows that
// they work. It returns the codes that work once, which are not to be had again.
func (s *Service) ConfirmTOTP(ctx context.Context, addr string, p chat.Person, code string) ([]string, error) {
	if err := s.factor.byBoth.take(ctx, addr+" "+string(p.ID)); err != nil {
		return nil, err
	}
	f, err := s.store.TOTP(ctx, p.ID)
	if errors.Is(err, chat.ErrNotFound) || err == nil && f.Confirmed {
		return nil, chat.Refuse(chat.NotFound, "there is nothing to confirm")
	}
	if err != nil {
		return nil, err
	}
	step, right := s.step(f.Secret, plainCode(code))
	if !right {
		return nil, errCode
	}
	codes, hashes := make([]string, recoveryCodes), make([]string, recoveryCodes)
	for i := range codes {
		var b [recoveryLen * 5 / 8]byte
		rand.Read(b[:]) // never fails
		c := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
		codes[i], hashes[i] = c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:], digest("recovery "+c)
	}
	ok, err := s.store.ConfirmTOTP(ctx, p.ID, f.Secret, step, hashes)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, chat.Refuse(chat.NotFound, "there is nothing to confirm")
	}
	s.log.Info("second factor switched on", "user", p.ID)
	return codes, nil
}

// EndTOTP has p's one-time codes asked for no longer. It takes a code, from who has
// proven before, by Knows or Prove, that they are p.
func (s *Service) EndTOTP(ctx context.Context, addr string, p chat.Person, code string) error {
	if err := s.checkFactor(ctx, addr, p.ID, code); err != nil {
		return err
	}
	if err := s.store.EndTOTP(ctx, p.ID); err != nil {
		return err
	}
	s.log.Info("second factor switched off", "user", p.ID)
	return nil
}
