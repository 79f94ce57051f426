package account_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// phones remembers the codes that were sent.
type phones struct {
	sent []string // phone and code
	fail error
}

func (p *phones) SendCode(_ context.Context, phone, code string) error {
	p.sent = append(p.sent, phone+" "+code)
	return p.fail
}

// last is the code that was sent last.
func (p *phones) last(t *testing.T) string {
	t.Helper()
	if len(p.sent) == 0 {
		t.Fatal("nothing was sent")
	}
	_, c, _ := strings.Cut(p.sent[len(p.sent)-1], " ")
	return c
}

const annPhone = "+8613800000000"

// phoned is a service that sends codes, on a clock, and ann who has shown that
// annPhone is hers; bob only says that +4930123456 is his.
func phoned(t *testing.T) (s *account.Service, c *clock, p *phones, db *store.DB, logs *bytes.Buffer, ann chat.Person) {
	t.Helper()
	c, p, db, logs = newClock(), &phones{}, open(t), &bytes.Buffer{}
	s = service(t, func(cfg *account.Config) {
		cfg.Now, cfg.Codes, cfg.Store, cfg.Log = c.now, p, db, slog.New(slog.NewTextHandler(logs, nil))
		cfg.Limits = account.Limits{Address: rate.Inf, Name: 1000, NameBurst: 1000}
	})
	ann = register(t, s, "ann")
	bob := register(t, s, "bob")
	if err := db.SaveProfile(t.Context(), bob.ID, "Bob", "", chat.Profile{Phone: "+4930123456"}, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.AskPhone(t.Context(), "a", ann.ID, "+86 138-0000-0000"); err != nil {
		t.Fatal(err)
	}
	if err := s.SendNext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.ConfirmPhone(t.Context(), "a", bob.ID, annPhone, p.last(t)); code(err) != chat.Forbidden {
		t.Fatalf("somebody else confirms: %v", err)
	}
	if err := s.ConfirmPhone(t.Context(), "a", ann.ID, annPhone, p.last(t)); err != nil {
		t.Fatal(err)
	}
	c.move(time.Hour)
	return s, c, p, db, logs, ann
}

// ask has a code for signing in sent.
func ask(t *testing.T, s *account.Service, phone string) {
	t.Helper()
	if err := s.AskCode(t.Context(), "a", phone); err != nil {
		t.Fatal(err)
	}
	if err := s.SendNext(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestACodeByPhoneSignsItsOwnerInOnce(t *testing.T) {
	s, _, p, _, logs, ann := phoned(t)
	ask(t, s, annPhone)
	right := p.last(t)
	for name, c := range map[string][2]string{
		"empty": {annPhone, ""}, "blank": {annPhone, "      "}, "longer": {annPhone, right + "0"}, "shorter": {annPhone, right[:5]},
		"letters": {annPhone, "abcdef"}, "another phone": {"+8613800000001", right}, "digits of another script": {annPhone, "１２３４５６"},
	} {
		if _, err := s.SignInCode(t.Context(), "a", c[0], c[1]); code(err) != chat.SignedOut {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := s.SignInCode(t.Context(), "a", " "+annPhone+" ", right[:3]+" "+right[3:]); err != nil || got.ID != ann.ID {
		t.Fatalf("the right one: %+v %v", got, err)
	}
	if _, err := s.SignInCode(t.Context(), "a", annPhone, right); code(err) != chat.SignedOut {
		t.Errorf("again: %v", err)
	}
	if strings.Contains(logs.String(), right) || strings.Contains(logs.String(), annPhone) {
		t.Error("a code or a phone is in the log")
	}
}

func TestACodeByPhoneHasFiveTriesAndFiveMinutes(t *testing.T) {
	wrong := func(right string) string {
		if right == "000000" {
			return "000001"
		}
		return "000000"
	}
	t.Run("tries", func(t *testing.T) {
		s, _, p, _, _, _ := phoned(t)
		ask(t, s, annPhone)
		for range 5 {
			if _, err := s.SignInCode(t.Context(), "a", annPhone, wrong(p.last(t))); code(err) != chat.SignedOut {
				t.Fatal(err)
			}
		}
		if _, err := s.SignInCode(t.Context(), "a", annPhone, p.last(t)); code(err) != chat.SignedOut {
			t.Errorf("the sixth: %v", err)
		}
	})
	t.Run("time", func(t *testing.T) {
		s, c, p, _, _, _ := phoned(t)
		ask(t, s, annPhone)
		c.move(5 * time.Minute)
		if _, err := s.SignInCode(t.Context(), "a", annPhone, p.last(t)); code(err) != chat.SignedOut {
			t.Errorf("after five minutes: %v", err)
		}
	})
	t.Run("the one before", func(t *testing.T) {
		s, c, p, _, _, _ := phoned(t)
		ask(t, s, annPhone)
		before := p.last(t)
		c.move(time.Minute)
		ask(t, s, annPhone)
		if _, err := s.SignInCode(t.Context(), "a", annPhone, before); before != p.last(t) && code(err) != chat.SignedOut {
			t.Errorf("the one before: %v", err)
		}
		if _, err := s.SignInCode(t.Context(), "a", annPhone, p.last(t)); err != nil {
			t.Errorf("the last: %v", err)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		s, _, p, _, _, _ := phoned(t)
		ask(t, s, annPhone)
		right := p.last(t)
		var in atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := s.SignInCode(t.Context(), "a", annPhone, right); err == nil {
					in.Add(1)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("%d came in", in.Load())
		}
	})
}

func TestUnknownPhonesAreAnsweredAsKnownOnes(t *testing.T) {
	s, _, p, db, _, ann := phoned(t)
	before := len(p.sent)
	for _, phone := range []string{"+8613800000009", "+4930123456"} { // nobody's, and one that was not shown to be bob's
		ask(t, s, phone)
		if len(p.sent) != before {
			t.Errorf("%s was sent a code", phone)
		}
		// Something is there to be tried, and nothing matches.
		name := "sign-in " + phone
		if hash, err := db.TryCode(t.Context(), name, 5, 0); err != nil || hash == "" {
			t.Errorf("%s: nothing is stored: %v", phone, err)
		}
		if _, err := s.SignInCode(t.Context(), "a", phone, "123456"); code(err) != chat.SignedOut {
			t.Errorf("%s: %v", phone, err)
		}
	}
	// Who has another phone by now is not reached by the one before.
	if err := db.SaveProfile(t.Context(), ann.ID, "Ann", "", chat.Profile{Phone: "+8613900000000"}, 2); err != nil {
		t.Fatal(err)
	}
	for _, phone := range []string{annPhone, "+8613900000000"} {
		ask(t, s, phone)
	}
	if len(p.sent) != before {
		t.Errorf("sent: %v", p.sent[before:])
	}
}

func TestCodesToPhonesAreThrottled(t *testing.T) {
	s, c, p, _, _, _ := phoned(t)
	ask(t, s, annPhone)
	if err := s.AskCode(t.Context(), "b", "+86 138 0000 0000"); code(err) != chat.RateLimited {
		t.Errorf("at once, written otherwise, from elsewhere: %v", err)
	}
	for range 3 { // one was for showing that it is hers
		c.move(time.Minute)
		ask(t, s, annPhone)
	}
	c.move(time.Minute)
	if err := s.AskCode(t.Context(), "a", annPhone); code(err) != chat.RateLimited {
		t.Errorf("the sixth in a day: %v", err)
	}
	sent := len(p.sent)
	for i := range 20 {
		_ = s.AskCode(t.Context(), "evil", fmt.Sprint("+4930000000", i))
	}
	if err := s.AskCode(t.Context(), "evil", "+493011111"); code(err) != chat.RateLimited {
		t.Errorf("many phones from one address: %v", err)
	}
	if len(p.sent) != sent {
		t.Error("something was sent on the way of the request")
	}
	for name, phone := range map[string]string{"empty": "", "letters": "+86abc0000000", "short": "123456", "long": strings.Repeat("1", 16), "zero byte": "+8613800000\x00000"} {
		if err := s.AskCode(t.Context(), "c", phone); code(err) != chat.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCodesByPhoneAreFollowedByTheSecondFactor(t *testing.T) {
	s, c, p, _, _, ann := phoned(t)
	secret, _, err := s.BeginTOTP(t.Context(), ann, "KamaChat")
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := s.ConfirmTOTP(t.Context(), "a", ann, otpAt(t, secret, c.now()))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, annPhone)
	_, err = s.SignInCode(t.Context(), "a", annPhone, p.last(t))
	var need *account.NeedsFactor
	if !errors.As(err, &need) {
		t.Fatalf("got %v", err)
	}
	if got, err := s.SignInFactor(t.Context(), "a", need.Ticket, recovery[0]); err != nil || got.ID != ann.ID {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestWithoutASenderNobodyComesByPhone(t *testing.T) {
	s := service(t)
	ann := register(t, s, "ann")
	_, byCode := s.SignInCode(t.Context(), "a", annPhone, "123456")
	for name, err := range map[string]error{
		"ask": s.AskCode(t.Context(), "a", annPhone), "sign in": byCode, "show": s.AskPhone(t.Context(), "a", ann.ID, annPhone),
		"confirm": s.ConfirmPhone(t.Context(), "a", ann.ID, annPhone, "123456"),
	} {
		if code(err) != chat.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheDisabledComeInByNoDoor(t *testing.T) {
	s, c, p, db, _, ann := phoned(t)
	secret, _, err := s.BeginTOTP(t.Context(), ann, "KamaChat")
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := s.ConfirmTOTP(t.Context(), "a", ann, otpAt(t, secret, c.now()))
	if err != nil {
		t.Fatal(err)
	}
	tk := ticket(t, s)
	ask(t, s, annPhone)
	if err := db.SetDisabled(t.Context(), chat.Deed{What: chat.ActDisable}, ann.ID, true); err != nil {
		t.Fatal(err)
	}
	_, byPassword := s.SignIn(t.Context(), "a", "ann", "password1")
	_, byFactor := s.SignInFactor(t.Context(), "a", tk, recovery[0])
	_, byPhone := s.SignInCode(t.Context(), "a", annPhone, p.last(t))
	if got := []chat.Code{code(byPassword), code(byFactor), code(byPhone)}; !slices.Equal(got, []chat.Code{chat.Forbidden, chat.Forbidden, chat.Forbidden}) {
		t.Errorf("by password, factor, phone: %v", got)
	}
	c.move(time.Hour)
	sent := len(p.sent)
	ask(t, s, annPhone)
	if len(p.sent) != sent {
		t.Error("a code was sent")
	}
}
