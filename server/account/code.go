package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kamachat/shared/chat"
)

// A CodeSender sends one-time codes to phones.
type CodeSender interface {
	// SendCode sends code to a phone, as Phone writes it. It is tried once.
	SendCode(ctx context.Context, phone, code string) error
}

// CodeStore keeps codes that were sent, and phones.
type CodeStore interface {
	// SaveCode stores the hash of a code until expires, in place of the one before.
	SaveCode(ctx context.Context, name, hash string, expires int64) error
	// TryCode counts a try and returns the hash, or chat.ErrNotFound where there is
	// none, it is too old or was tried most times.
	TryCode(ctx context.Context, name string, most int, now int64) (string, error)
	// UseCode forgets a code and reports to one caller that it was there.
	UseCode(ctx context.Context, name, hash string) (bool, error)
	// PersonByPhone returns who has shown that a phone is theirs, or chat.ErrNotFound.
	PersonByPhone(ctx context.Context, phone string) (chat.UserID, error)
	// PhoneOf returns a phone, empty for none, and whether it was shown to be theirs.
	PhoneOf(ctx context.Context, u chat.UserID) (string, bool, error)
	// ConfirmPhone stores that phone is u's and nobody else's; "" takes it away.
	ConfirmPhone(ctx context.Context, u chat.UserID, phone string, at int64) error
}

// The rules of codes. Of a million codes a guesser has 25 a day for one phone.
const (
	codeFor    = 5 * time.Minute
	codeTries  = 5
	codeEvery  = time.Minute // between two to one phone
	codesDaily = 5           // to one phone
	codesBurst = 10          // from one address at once, then one a minute
)

// sendWithin bounds how long sending one code may take.
const sendWithin = 15 * time.Second

// sending is what sends codes, in the background: who asks for one can't tell by
// the time it takes whether the phone is known.
type sending struct {
	sender  CodeSender // nil: nobody
	queue   chan codeJob
	byPhone *common
	byDay   *common
	byAddr  *common
}

// A codeJob is a code to be sent: to whoever has shown that phone is theirs, or,
// with user, to who is about to show it.
type codeJob struct {
	phone string
	user  chat.UserID
}

// name is what the code is stored by.
func (j codeJob) name() string {
	if j.user != "" {
		return "phone " + string(j.user) + " " + j.phone
	}
	return "sign-in " + j.phone
}

// codeSenders is how many codes are sent at once, codeQueue how many may wait.
const (
	codeSenders = 4
	codeQueue   = 256
)

func newSending(sender CodeSender, lim func(string, rate.Limit, int) *common) sending {
	return sending{
		sender: sender, queue: make(chan codeJob, codeQueue),
		byPhone: lim("code", rate.Every(codeEvery), 1), byDay: lim("codes", rate.Every(24*time.Hour/codesDaily), codesDaily),
		byAddr: lim("codeaddr", rate.Every(time.Minute), codesBurst),
	}
}

// CodesOn reports whether codes can be sent to phones.
func (s *Service) CodesOn() bool { return s.factor.sending.sender != nil }

var (
	errNoCodes = chat.Refuse(chat.NotFound, "codes are not sent here")
	errPhone   = chat.Refuse(chat.Invalid, "a phone number has 7 to 15 digits")
	// errSent is the one answer to every code that does not sign in.
	errSent = chat.Refuse(chat.SignedOut, "the code is wrong or too old")
)

// Phone returns a phone number as it is stored: its digits, behind a + if it
// began with that or with 00.
func Phone(typed string) (string, error) {
	p := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "/", "", "\u00a0", "").Replace(strings.TrimSpace(typed))
	digits, plus := strings.CutPrefix(p, "+")
	if rest, ok := strings.CutPrefix(digits, "00"); ok && !plus {
		digits, plus = rest, true
	}
	if len(digits) < 7 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return "", errPhone
	}
	if plus {
		digits = "+" + digits
	}
	return digits, nil
}

// AskCode has a code to sign in sent to a phone, if somebody has shown that it is
// theirs. The answer is the same, and comes as soon, if not. Codes are limited by
// phone and by address.
func (s *Service) AskCode(ctx context.Context, addr, phone string) error {
	return s.askCode(ctx, addr, phone, "")
}

// AskPhone has a code sent to a phone with which u, who is signed in, can show that
// it is theirs.
func (s *Service) AskPhone(ctx context.Context, addr string, u chat.UserID, phone string) error {
	return s.askCode(ctx, addr, phone, u)
}

func (s *Service) askCode(ctx context.Context, addr, phone string, u chat.UserID) error {
	to := &s.factor.sending
	if to.sender == nil {
		return errNoCodes
	}
	phone, err := Phone(phone)
	if err != nil {
		return err
	}
	if err := to.byAddr.take(ctx, addr); err != nil {
		return err
	}
	if err := to.byPhone.take(ctx, phone); err != nil {
		return err
	}
	if err := to.byDay.take(ctx, phone); err != nil {
		return err
	}
	select {
	case to.queue <- codeJob{phone, u}:
		return nil
	default:
		return &chat.Refusal{Code: chat.Busy, Words: "too many codes are being sent", RetryAfter: codeEvery}
	}
}

// sendCodes sends what was asked for until ctx ends.
func (s *Service) sendCodes(ctx context.Context) {
	var workers sync.WaitGroup
	for range codeSenders {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case j := <-s.factor.sending.queue:
					if err := s.sendCode(ctx, j); err != nil && ctx.Err() == nil {
						s.log.Error("a code is not sent", "err", err)
					}
				}
			}
		})
	}
	workers.Wait()
}

// sendCode makes a code, stores its hash and sends it. Where nobody is to get it
// something is stored all the same, so that a try costs the same.
func (s *Service) sendCode(ctx context.Context, j codeJob) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	known := j.user != ""
	if !known {
		u, err := s.store.PersonByPhone(ctx, j.phone)
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return err
		}
		if err == nil {
			p, err := s.Person(ctx, u)
			if err != nil {
				return err
			}
			known = !p.Disabled
		}
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	code := fmt.Sprintf("%06d", n)
	keep := code
	if !known {
		keep = newSecret()
	}
	hash, err := s.sum(ctx, j.name(), keep)
	if err != nil {
		return err
	}
	if err := s.store.SaveCode(ctx, j.name(), hash, s.now().Add(codeFor).UnixMilli()); err != nil || !known {
		return err
	}
	return s.factor.sending.sender.SendCode(ctx, j.phone, code)
}

// useCode uses the code of j up, or answers errSent.
func (s *Service) useCode(ctx context.Context, j codeJob, code string) error {
	code = plainCode(code)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return errSent
	}
	want, err := s.store.TryCode(ctx, j.name(), codeTries, s.now().UnixMilli())
	if errors.Is(err, chat.ErrNotFound) {
		return errSent
	}
	if err != nil {
		return err
	}
	got, err := s.sum(ctx, j.name(), code)
	if err != nil {
		return err
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return errSent
	}
	if ok, err := s.store.UseCode(ctx, j.name(), want); err != nil || !ok {
		return errors.Join(err, errSent)
	}
	return nil
}

// SignInCode returns who has this phone, if code was sent there, or answers a
// *NeedsFactor where they must show a second factor, too. Each code works once, for
// five minutes and five tries.
func (s *Service) SignInCode(ctx context.Context, addr, phone, code string) (chat.Person, error) {
	if !s.CodesOn() {
		return chat.Person{}, errNoCodes
	}
	if err := s.byAddr.take(ctx, addr); err != nil {
		return chat.Person{}, err
	}
	phone, err := Phone(phone)
	if err != nil {
		return chat.Person{}, err
	}
	if err := s.useCode(ctx, codeJob{phone: phone}, code); err != nil {
		return chat.Person{}, err
	}
	u, err := s.store.PersonByPhone(ctx, phone)
	if errors.Is(err, chat.ErrNotFound) {
		return chat.Person{}, errSent
	}
	if err != nil {
		return chat.Person{}, err
	}
	p, err := s.Person(ctx, u)
	if err == nil {
		err = able(p)
	}
	if err != nil {
		return chat.Person{}, err
	}
	_, hash, err := s.store.UserByName(ctx, p.Username)
	if err == nil {
		err = s.needs(ctx, p.ID, hash)
	}
	if err != nil {
		return chat.Person{}, err
	}
	return p, nil
}

// ConfirmPhone makes a phone u's, if code was sent there for that.
func (s *Service) ConfirmPhone(ctx context.Context, addr string, u chat.UserID, phone, code string) error {
	if !s.CodesOn() {
		return errNoCodes
	}
	if err := s.byAddr.take(ctx, addr); err != nil {
		return err
	}
	phone, err := Phone(phone)
	if err != nil {
		return err
	}
	if err := s.useCode(ctx, codeJob{phone, u}, code); err != nil {
		if errors.Is(err, errSent) && chat.AsRefusal(err).Code == chat.SignedOut {
			err = errCode
		}
		return err
	}
	return s.store.ConfirmPhone(ctx, u, phone, s.now().UnixMilli())
}

// ForgetPhone takes u's phone away.
func (s *Service) ForgetPhone(ctx context.Context, u chat.UserID) error {
	return s.store.ConfirmPhone(ctx, u, "", s.now().UnixMilli())
}

// PhoneOf returns u's phone, empty for none, and whether u has shown that it is theirs.
func (s *Service) PhoneOf(ctx context.Context, u chat.UserID) (string, bool, error) {
	return s.store.PhoneOf(ctx, u)
}
