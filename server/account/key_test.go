package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"golang.org/x/time/rate"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func TestAgentsAreMadeReadable(t *testing.T) {
	const mozilla, webkit = "Mozilla/5.0 ", " AppleWebKit/537.36 (KHTML, like Gecko) "
	for ua, want := range map[string]string{
		mozilla + "(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                              "Firefox · Linux",
		mozilla + "(Windows NT 10.0; Win64; x64)" + webkit + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":                 "Edge · Windows",
		mozilla + "(Linux; Android 10; K)" + webkit + "Chrome/140.0.0.0 Mobile Safari/537.36":                               "Chrome · Android",
		mozilla + "(iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1": "Safari · iPhone",
		mozilla + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15":                   "Safari · macOS",
		mozilla + "(Linux; Android 14)" + webkit + "Chrome/116 Mobile Safari/537.36 MicroMessenger/8.0.49":                  "WeChat · Android",
		"curl/8.5.0":            "curl",
		"Go-http-client/1.1":    "Go-http-client",
		"kama cli 3":            "kama",
		"":                      "",
		"Mozilla/5.0":           "",
		"\x00\x1b[31mevil/1":    "[31mevil",
		strings.Repeat("名", 99): strings.Repeat("名", 20),
	} {
		if got := account.Agent(ua); got != want {
			t.Errorf("%q is %q, want %q", ua, got, want)
		}
	}
}

// What the library of cookies stores of one is what we end it by.
func TestCookiesAreStoredAsWeSayTheyAre(t *testing.T) {
	db := open(t)
	m := scs.New()
	m.Store, m.HashTokenInStore = db.Logins(), true
	ctx, err := m.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	m.Put(ctx, "user", "U1")
	token, _, err := m.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if in, _, err := db.Lasting(t.Context(), []string{account.StoredLogin(token)}, nil); err != nil || !in[account.StoredLogin(token)] {
		t.Errorf("stored is something else: %v %v", in, err)
	}
}

// A clock stands still until it is moved.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}
func (c *clock) now() time.Time       { return time.UnixMilli(c.ms.Load()) }
func (c *clock) move(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func TestUsesOfSignInsAreNotedBehindTheRequests(t *testing.T) {
	c, db := newClock(), open(t)
	s := service(t, func(cfg *account.Config) { cfg.Now, cfg.Store = c.now, db })
	ann := register(t, s, "ann")
	token, err := s.IssueToken(t.Context(), ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.NoteSignIn(t.Context(), ann.ID, token, chat.Program, "curl/8", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	seen := func() int64 {
		ds, err := s.Devices(t.Context(), ann.ID)
		if err != nil || len(ds) != 1 {
			t.Fatalf("%v %v", ds, err)
		}
		return ds[0].SeenAt
	}
	use := func() {
		s.Saw(chat.SignIn{Hash: account.StoredLogin(token), ID: account.LoginID(token), User: ann.ID, Addr: "192.0.2.2"})
		if err := s.NoteSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := c.now().UnixMilli()
	for _, step := range []struct {
		by   time.Duration
		want time.Duration
	}{{0, 0}, {9 * time.Minute, 0}, {time.Minute, 10 * time.Minute}, {5 * time.Minute, 10 * time.Minute}, {5 * time.Minute, 20 * time.Minute}} {
		c.move(step.by)
		use()
		if got := seen() - first; got != step.want.Milliseconds() {
			t.Errorf("after %v more it was seen at %v, want %v", step.by, time.Duration(got)*time.Millisecond, step.want)
		}
	}
	if err := s.EndDevice(t.Context(), ann.ID, account.LoginID(token)); err != nil {
		t.Fatal(err)
	}
	c.move(time.Hour)
	s.Saw(chat.SignIn{Hash: account.StoredLogin(token), ID: account.LoginID(token), User: ann.ID})
	if err := s.NoteSeen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ds, err := s.Devices(t.Context(), ann.ID); len(ds) != 0 || err != nil {
		t.Errorf("what has ended is listed: %v %v", ds, err)
	}
}

// factored is a service on a clock, with somebody who has one-time codes.
func factored(t *testing.T, limits account.Limits, change ...func(*account.Config)) (s *account.Service, c *clock, secret string, recovery []string) {
	t.Helper()
	c = newClock()
	s = service(t, append(change, func(cfg *account.Config) { cfg.Now, cfg.Limits = c.now, limits })...)
	ann := register(t, s, "ann")
	secret, address, err := s.BeginTOTP(t.Context(), ann, "KamaChat example.org")
	if err != nil || !strings.HasPrefix(address, "otpauth://totp/KamaChat%20example.org:ann?") || !strings.Contains(address, secret) {
		t.Fatalf("%s %v", address, err)
	}
	if again, same, err := s.PendingTOTP(t.Context(), ann, "KamaChat example.org"); again != secret || same != address || err != nil {
		t.Fatalf("pending is %s %s %v", again, same, err)
	}
	if _, err := s.SignIn(t.Context(), "a", "ann", "password1"); err != nil {
		t.Fatalf("asked for before it is confirmed: %v", err)
	}
	if _, err := s.ConfirmTOTP(t.Context(), "a", ann, otpAt(t, secret, c.now().Add(time.Hour))); code(err) != chat.Forbidden {
		t.Fatalf("confirmed by a wrong code: %v", err)
	}
	recovery, err = s.ConfirmTOTP(t.Context(), "a", ann, otpAt(t, secret, c.now()))
	if err != nil || len(recovery) != 10 {
		t.Fatal(recovery, err)
	}
	return s, c, secret, recovery
}

// otpAt is the code of an authenticator at a time.
func otpAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	c, err := hotp.GenerateCodeCustom(secret, uint64(at.Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ticket is that of a sign-in whose password was right.
func ticket(t *testing.T, s *account.Service) string {
	t.Helper()
	_, err := s.SignIn(t.Context(), "t", "ann", "password1")
	var need *account.NeedsFactor
	if !errors.As(err, &need) || code(err) != chat.SecondFactor {
		t.Fatalf("sign-in: %v", err)
	}
	return need.Ticket
}

func TestCodesOfAuthenticatorsWorkOnceAndInTheirTime(t *testing.T) {
	for name, c := range map[string]struct {
		off  time.Duration
		want chat.Code
	}{
		"this one": {0, ""}, "the next": {30 * time.Second, ""}, "the one before": {-30 * time.Second, ""},
		"two on": {60 * time.Second, chat.Forbidden}, "two before": {-60 * time.Second, chat.Forbidden},
	} {
		s, clk, secret, _ := factored(t, account.NoLimits)
		clk.move(5 * time.Minute)
		used := otpAt(t, secret, clk.now().Add(c.off))
		if _, err := s.SignInFactor(t.Context(), "a", ticket(t, s), used); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.SignInFactor(t.Context(), "a", ticket(t, s), used); code(err) != chat.Forbidden {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}

func TestOneOfManyUsesOfACodeWins(t *testing.T) {
	s, clk, secret, recovery := factored(t, account.NoLimits)
	clk.move(5 * time.Minute)
	for name, c := range map[string]string{"code": otpAt(t, secret, clk.now()), "recovery code": recovery[0]} {
		tk := ticket(t, s)
		var in atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := s.SignInFactor(t.Context(), "a", tk, c); err == nil {
					in.Add(1)
				} else if code(err) != chat.Forbidden {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("%s: %d came in", name, in.Load())
		}
	}
}

func TestGuessingASecondFactorIsLimitedByPersonAndAddress(t *testing.T) {
	few := account.Limits{Address: rate.Inf, Name: 1000, NameBurst: 1000}
	s, clk, secret, recovery := factored(t, few)
	clk.move(time.Hour)
	tk := ticket(t, s)
	guess := func(addr string) chat.Code {
		_, err := s.SignInFactor(t.Context(), addr, tk, "000000")
		return code(err)
	}
	for range 5 {
		if got := guess("evil"); got != chat.Forbidden {
			t.Fatalf("a guess: %s", got)
		}
	}
	if got := guess("evil"); got != chat.RateLimited {
		t.Errorf("the sixth: %s", got)
	}
	if _, err := s.SignInFactor(t.Context(), "evil", tk, otpAt(t, secret, clk.now())); code(err) != chat.RateLimited {
		t.Errorf("the right one then: %v", err)
	}
	if _, err := s.SignInFactor(t.Context(), "home", tk, recovery[0]); err != nil {
		t.Errorf("the owner from elsewhere: %v", err)
	}
	for i := range 50 {
		guess(fmt.Sprint("evil", i))
	}
	if got := guess("yet another"); got != chat.RateLimited {
		t.Errorf("from everywhere: %s", got)
	}
}

func TestTicketsAreOfOurMakingAndShort(t *testing.T) {
	s, clk, _, recovery := factored(t, account.NoLimits)
	other, _, _, _ := factored(t, account.NoLimits)
	good := ticket(t, s)
	body, sum, _ := strings.Cut(good, ".")
	for name, tk := range map[string]string{
		"none": "", "no sum": body, "empty sum": body + ".", "another body": "e30." + sum, "cut": good[:len(good)-1], "of another server": ticket(t, other), "a dot": ".",
	} {
		if _, err := s.SignInFactor(t.Context(), "a", tk, recovery[0]); code(err) != chat.SignedOut {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What was sealed for another purpose is no ticket.
	at := account.Site{Host: "chat.example.org", Origins: []string{"https://chat.example.org"}}
	_, state, err := s.BeginPasskeySignIn(t.Context(), at, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignInFactor(t.Context(), "a", state, recovery[0]); code(err) != chat.SignedOut {
		t.Errorf("the state of a passkey: %v", err)
	}
	clk.move(5 * time.Minute)
	if _, err := s.SignInFactor(t.Context(), "a", good, recovery[0]); code(err) != chat.SignedOut {
		t.Errorf("after five minutes: %v", err)
	}
}

func TestPasskeysNeedASiteWithAName(t *testing.T) {
	for host, never := range map[string]bool{"chat.example.org": false, "localhost": false, "127.0.0.1": true, "[::1]": true, "": true, "chat example": true} {
		at := account.Site{Host: host, Origins: []string{"https://" + host}}
		if at.Never() != never {
			t.Errorf("%q: %v", host, at.Never())
		}
	}
	s := service(t)
	for name, response := range map[string]string{"empty": "", "nothing": "{}", "half": `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, "no JSON": "x"} {
		at := account.Site{Host: "localhost", Origins: []string{"http://localhost"}}
		_, state, err := s.BeginPasskeySignIn(t.Context(), at, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.PasskeySignIn(t.Context(), "a", at, state, []byte(response)); code(err) != chat.SignedOut {
			t.Errorf("%s: %v", name, err)
		}
	}
}
