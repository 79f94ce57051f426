package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"kamachat/server/admin"
	"kamachat/shared/chat"
)

// devicesAs is what the API lists for a browser or, with a token, a program.
func (h *house) devicesAs(c *http.Client, auth ...string) []device {
	h.t.Helper()
	return decode[devicesAnswer](h.t, h.do(c, "GET", "/api/v1/devices", nil, auth...)).Devices
}

// lasts reports whether a browser is still signed in.
func (h *house) lasts(c *http.Client) bool { return h.do(c, "GET", "/api/v1/me", nil).status == 200 }

func TestSettingsAreNobodyElses(t *testing.T) {
	h := openHouse(t, func(h *house, c *Config) {
		c.Admin = admin.New(admin.Config{Store: h.db, Passwords: h.accounts, Sockets: h.hub})
	})
	ann := h.signedIn(h.ann)
	for _, route := range []string{
		"GET /settings", "GET /settings/password", "POST /settings/password", "GET /settings/devices", "POST /settings/devices/end", "POST /settings/devices/end-others",
		"GET /settings/codes", "POST /settings/codes/begin", "POST /settings/codes/confirm", "POST /settings/codes/off",
		"GET /settings/passkeys", "POST /settings/passkeys", "POST /settings/passkeys/begin", "POST /settings/passkeys/proof", "POST /settings/passkeys/sure", "POST /settings/passkeys/remove",
		"GET /settings/leave", "POST /settings/leave",
	} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(h.browser(), method, path, nil); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login") {
			t.Errorf("%s as nobody: %d to %q", route, got.status, got.header.Get("Location"))
		}
		if got := h.do(h.browser(), method, path, nil, bearerOf(h.token(h.ann))...); got.status != 404 {
			t.Errorf("%s with a program's token: %d", route, got.status)
		}
		if method == "GET" {
			if got := h.do(ann, method, path, nil); got.status != 200 || got.header.Get("Cache-Control") != "no-store" || !strings.Contains(got.body, `href="/settings/devices"`) {
				t.Errorf("%s: %d %s", route, got.status, got.body)
			}
			continue
		}
		if got := h.do(ann, method, path, nil, "Sec-Fetch-Site", "cross-site"); got.status != 403 {
			t.Errorf("%s from another site: %d", route, got.status)
		}
	}
	for _, route := range []string{"GET /settings/phone", "POST /settings/phone", "POST /settings/phone/confirm", "GET /settings/nowhere"} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(ann, method, path, nil); got.status != 404 {
			t.Errorf("%s where no codes are sent: %d", route, got.status)
		}
	}
	for _, route := range []string{"GET /api/v1/devices", "DELETE /api/v1/devices", "DELETE /api/v1/devices/x", "PUT /api/v1/me/password"} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(h.browser(), method, path, nil); got.status != 401 {
			t.Errorf("%s as nobody: %d", route, got.status)
		}
	}
}

func TestDevicesAreListedAndEnded(t *testing.T) {
	h := open(t)
	one, two, bob := h.signedIn(h.ann), h.signedIn(h.ann), h.signedIn(h.bob)
	in := decode[entered](t, h.do(h.browser(), "POST", "/api/v1/login", strings.NewReader(`{"username":"ann","password":"password1"}`), "User-Agent", "kama-cli/1.2"))
	ds := h.devicesAs(one)
	if len(ds) != 3 {
		t.Fatalf("listed are %+v", ds)
	}
	var this, program, other string
	for _, d := range ds {
		switch {
		case d.This:
			this = d.ID
		case d.Kind == chat.Program:
			program = d.ID
			if d.Agent != "kama-cli" || d.Addr != "127.0.0.1" || d.CreatedAt == 0 {
				t.Errorf("the program is %+v", d)
			}
		case d.Agent == "Go-http-client":
			other = d.ID
		}
	}
	if h.do(one, "DELETE", "/api/v1/devices/"+url.PathEscape(this), nil).status != 400 {
		t.Error("the one that asks was ended")
	}
	if got := h.do(bob, "DELETE", "/api/v1/devices/"+program, nil); got.status != 404 {
		t.Errorf("somebody else's: %d", got.status)
	}
	if got := h.do(bob, "POST", "/settings/devices/end", form("id", program)); got.status != 404 {
		t.Errorf("somebody else's by the page: %d", got.status)
	}
	closed := make(chan struct{})
	h.hub.mu.Lock()
	h.hub.closed[program] = closed
	h.hub.mu.Unlock()
	if got := h.do(one, "POST", "/settings/devices/end", form("id", program)); got.status != 303 {
		t.Fatalf("ended: %d %s", got.status, got.body)
	}
	<-closed
	if got := h.do(h.browser(), "GET", "/api/v1/me", nil, bearerOf(in.Token)...); got.status != 401 {
		t.Errorf("the program goes on: %d", got.status)
	}
	if got := h.do(one, "DELETE", "/api/v1/devices/"+other, nil); got.status != 204 || h.lasts(two) || !h.lasts(one) || !h.lasts(bob) {
		t.Errorf("the other browser: %d, goes on: %v", got.status, h.lasts(two))
	}
	page := h.do(one, "GET", "/settings/devices", nil)
	if strings.Contains(page.body, program) || !strings.Contains(page.body, "this one") {
		t.Errorf("the page is %s", page.body)
	}
}

func TestEverythingElseIsEndedAtOnce(t *testing.T) {
	for name, end := range map[string]func(h *house, one *http.Client) reply{
		"by the page": func(h *house, one *http.Client) reply { return h.do(one, "POST", "/settings/devices/end-others", nil) },
		"by the API":  func(h *house, one *http.Client) reply { return h.do(one, "DELETE", "/api/v1/devices", nil) },
		"by another password": func(h *house, one *http.Client) reply {
			return h.do(one, "POST", "/settings/password", form("password", "password1", "new", "password2", "again", "password2"))
		},
		"by another password, API": func(h *house, one *http.Client) reply {
			return h.do(one, "PUT", "/api/v1/me/password", strings.NewReader(`{"old":"password1","new":"password2"}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			one, two, bob, program := h.signedIn(h.ann), h.signedIn(h.ann), h.signedIn(h.bob), h.token(h.ann)
			id := ""
			for _, d := range h.devicesAs(two) {
				if d.This {
					id = d.ID
				}
			}
			closed := make(chan struct{})
			h.hub.mu.Lock()
			h.hub.closed[id] = closed
			h.hub.mu.Unlock()
			if got := end(h, one); got.status >= 400 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			<-closed
			if !h.lasts(one) || !h.lasts(bob) || h.lasts(two) {
				t.Error("the wrong ones go on")
			}
			if got := h.do(h.browser(), "GET", "/api/v1/me", nil, bearerOf(program)...); got.status != 401 {
				t.Errorf("the program goes on: %d", got.status)
			}
		})
	}
}

func TestAPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	for name, c := range map[string]struct {
		old, new, again string
		status          int
		says            string
	}{
		"wrong":     {"password2", "password3", "password3", 403, "The password is wrong"},
		"none":      {"", "password3", "password3", 403, "Enter your password"},
		"different": {"password1", "password3", "password4", 400, "differ"},
		"short":     {"password1", "pass", "pass", 400, "8"},
		"the same":  {"password1", "password1", "password1", 400, "another password"},
	} {
		got := h.do(b, "POST", "/settings/password", form("password", c.old, "new", c.new, "again", c.again))
		if got.status != c.status || !strings.Contains(got.body, c.says) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := h.do(b, "POST", "/settings/password", form("password", "password1", "new", "password3", "again", "password3")); got.header.Get("Location") != "/settings/password?done=password" {
		t.Fatalf("changed: %d %s", got.status, got.body)
	}
	if got := h.do(b, "GET", "/settings/password?done=password", nil); !strings.Contains(got.body, "signed out everywhere else") {
		t.Error("nothing says so")
	}
	if got := h.do(h.browser(), "POST", "/login", form("username", "ann", "password", "password3")); got.status != 303 {
		t.Errorf("the new password: %d", got.status)
	}
}

var (
	secretIn = regexp.MustCompile(`translate="no">([A-Z2-7 ]+)<`)
	codeIn   = regexp.MustCompile(`[a-z2-7]{4}(-[a-z2-7]{4}){3}`)
	ticketIn = regexp.MustCompile(`name="ticket" value="([^"]+)"`)
)

// withTOTP switches one-time codes on for ann and returns the secret and the
// recovery codes. The code of this time step is used up by that.
func (h *house) withTOTP(b *http.Client) (secret string, recovery []string) {
	h.t.Helper()
	if got := h.do(b, "POST", "/settings/codes/begin", form("password", "password1")); got.status != 303 {
		h.t.Fatalf("begin: %d %s", got.status, got.body)
	}
	got := h.do(b, "GET", "/settings/codes", nil)
	m := secretIn.FindStringSubmatch(got.body)
	if m == nil || !strings.Contains(got.body, `<svg class="qr"`) {
		h.t.Fatalf("no secret in %s", got.body)
	}
	secret = strings.ReplaceAll(m[1], " ", "")
	got = h.do(b, "POST", "/settings/codes/confirm", form("code", h.code(secret, 0)))
	recovery = codeIn.FindAllString(got.body, -1)
	if got.status != 200 || len(recovery) != 10 {
		h.t.Fatalf("confirm: %d %s", got.status, got.body)
	}
	return secret, recovery
}

// code is of an authenticator, so many steps from now.
func (h *house) code(secret string, steps int) string {
	h.t.Helper()
	c, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func TestOneTimeCodesAreAskedForAtSignIn(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	secret, recovery := h.withTOTP(b)
	n := h.browser()
	got := h.do(n, "POST", "/login", form("username", "ann", "password", "password1", "next", "/settings"))
	m := ticketIn.FindStringSubmatch(got.body)
	if got.status != 200 || m == nil || len(n.Jar.Cookies(mustURL(h.URL))) > 0 && h.lasts(n) {
		t.Fatalf("the second step: %d %s", got.status, got.body)
	}
	for name, c := range map[string][2]string{
		"empty": {m[1], ""}, "letters": {m[1], "abcdef"}, "the code that confirmed": {m[1], h.code(secret, -9)}, "an old one": {m[1], h.code(secret, -3)},
		"half a recovery code": {m[1], recovery[0][:9]},
	} {
		if got := h.do(n, "POST", "/login/factor", form("ticket", c[0], "code", c[1])); got.status != 403 || h.lasts(n) {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	for name, ticket := range map[string]string{"no ticket": "", "another": m[1] + "x", "of nobody": "e30." + strings.Split(m[1], ".")[1]} {
		if got := h.do(n, "POST", "/login/factor", form("ticket", ticket, "code", recovery[1])); got.status != 401 || h.lasts(n) {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	// A clock that is a little fast.
	if got := h.do(n, "POST", "/login/factor", form("ticket", m[1], "code", h.code(secret, 1), "next", "/settings")); got.status != 303 || got.header.Get("Location") != "/settings" || !h.lasts(n) {
		t.Fatalf("the right one: %d %s", got.status, got.body)
	}
	// Each code works once.
	again := h.browser()
	if got := h.do(again, "POST", "/login/factor", form("ticket", m[1], "code", h.code(secret, 0))); got.status != 403 || h.lasts(again) {
		t.Errorf("a code again: %d", got.status)
	}
	spaced := strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " "))
	if got := h.do(again, "POST", "/login/factor", form("ticket", m[1], "code", spaced)); got.status != 303 || !h.lasts(again) {
		t.Errorf("a recovery code: %d", got.status)
	}
	third := h.browser()
	if got := h.do(third, "POST", "/login/factor", form("ticket", m[1], "code", recovery[3])); got.status != 403 {
		t.Errorf("a recovery code again: %d", got.status)
	}
	if got := h.do(b, "GET", "/settings/codes", nil); !strings.Contains(got.body, "9 recovery codes") || strings.Contains(got.body, secret) {
		t.Errorf("the page: %s", got.body)
	}
	for _, leak := range append(recovery, secret, m[1], "password1") {
		if strings.Contains(h.logs.String(), leak) {
			t.Error("a secret is in the log")
		}
	}
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestTheAPIAsksForTheSecondFactor(t *testing.T) {
	h := open(t)
	_, recovery := h.withTOTP(h.signedIn(h.ann))
	n := h.browser()
	got := h.do(n, "POST", "/api/v1/login", strings.NewReader(`{"username":"ann","password":"password1"}`))
	p := decode[problem](t, got)
	if got.status != 401 || p.Code != chat.SecondFactor || p.Ticket == "" || h.lasts(n) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := h.do(n, "POST", "/api/v1/login/factor", strings.NewReader(`{"ticket":"`+p.Ticket+`","code":"000000"}`)); got.status != 403 {
		t.Errorf("a wrong code: %d %s", got.status, got.body)
	}
	got = h.do(n, "POST", "/api/v1/login/factor", strings.NewReader(`{"ticket":"`+p.Ticket+`","code":"`+recovery[0]+`"}`))
	if in := decode[entered](t, got); got.status != 200 || in.User.ID != h.ann.ID || h.do(h.browser(), "GET", "/api/v1/me", nil, bearerOf(in.Token)...).status != 200 {
		t.Errorf("the right one: %d %s", got.status, got.body)
	}
	if got := h.do(n, "POST", "/api/v1/login", strings.NewReader(`{"username":"ann","password":"password2"}`)); decode[problem](t, got).Code != chat.SignedOut {
		t.Errorf("a wrong password tells of the second factor: %s", got.body)
	}
}

func TestATicketIsVoidWithThePassword(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	_, recovery := h.withTOTP(b)
	p := decode[problem](t, h.do(h.browser(), "POST", "/api/v1/login", strings.NewReader(`{"username":"ann","password":"password1"}`)))
	if got := h.do(b, "PUT", "/api/v1/me/password", strings.NewReader(`{"old":"password1","new":"password2"}`)); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := h.do(h.browser(), "POST", "/api/v1/login/factor", strings.NewReader(`{"ticket":"`+p.Ticket+`","code":"`+recovery[0]+`"}`)); got.status != 401 {
		t.Errorf("with the old password's ticket: %d %s", got.status, got.body)
	}
}

func TestOneTimeCodesAreSwitchedOffByWhoHasThem(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	_, recovery := h.withTOTP(b)
	for name, c := range map[string][2]string{"no password": {"", recovery[0]}, "wrong password": {"x", recovery[0]}, "no code": {"password1", ""}, "wrong code": {"password1", "123456"}} {
		if got := h.do(b, "POST", "/settings/codes/off", form("password", c[0], "code", c[1])); got.status != 403 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := h.do(b, "POST", "/settings/codes/begin", form("password", "password1")); got.status != 409 {
		t.Errorf("set up anew while it is on: %d", got.status)
	}
	if got := h.do(b, "POST", "/settings/codes/off", form("password", "password1", "code", recovery[0])); got.status != 303 {
		t.Fatalf("off: %d %s", got.status, got.body)
	}
	h.signedIn(h.ann)
}

func TestSettingOneTimeCodesUpTakesThePassword(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	if got := h.do(b, "POST", "/settings/codes/begin", nil); got.status != 403 {
		t.Errorf("without: %d", got.status)
	}
	if got := h.do(b, "POST", "/settings/passkeys/begin", strings.NewReader("{}")); got.status != 403 || !strings.Contains(got.body, "problem") {
		t.Errorf("a passkey without: %d %s", got.status, got.body)
	}
	h.do(b, "POST", "/settings/codes/begin", form("password", "password1"))
	other := h.signedIn(h.ann)
	if got := h.do(other, "GET", "/settings/codes", nil); secretIn.MatchString(got.body) {
		t.Error("another browser sees the secret")
	}
}

func TestAnAccountIsLeftForGood(t *testing.T) {
	h, boss, b := administered(t)
	ann, two := h.signedIn(h.ann), h.signedIn(h.ann)
	for name, c := range map[string]struct {
		b      *http.Client
		form   *formBody
		status int
	}{
		"not meant":      {ann, form("password", "password1"), 400},
		"wrong password": {ann, form("password", "x", "meant", "1"), 403},
		"last admin":     {b, form("password", "password1", "meant", "1"), 403},
	} {
		if got := h.do(c.b, "POST", "/settings/leave", c.form); got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if p, err := h.accounts.Person(t.Context(), boss.ID); err != nil || p.Gone() {
		t.Fatalf("the administrator: %+v %v", p, err)
	}
	if got := h.do(ann, "POST", "/settings/leave", form("password", "password1", "meant", "1")); got.status != 303 || got.header.Get("Location") != "/login" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if h.lasts(ann) || h.lasts(two) || !slices.Contains(h.hub.users, h.ann.ID) {
		t.Error("something of ann goes on")
	}
	if p, err := h.accounts.Person(t.Context(), h.ann.ID); err != nil || !p.Gone() {
		t.Errorf("left is %+v %v", p, err)
	}
	if ds := h.deeds(); !slices.Equal(ds, []string{"delete ann"}) {
		t.Errorf("noted: %v", ds)
	}
}
