package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// sms hands the codes that are sent to phones to the test.
type sms chan string

func (c sms) SendCode(_ context.Context, _, code string) error {
	c <- code
	return nil
}

func TestPeopleSignInByPhone(t *testing.T) {
	sent := make(sms, 8)
	h := openHouse(t, func(h *house, c *Config) {
		h.accounts = account.New(account.Config{Store: h.db, IDs: h.ids, Poster: h.hub, Cheap: true, Limits: account.NoLimits, Codes: sent})
		c.Accounts = h.accounts
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.accounts.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	b := h.signedIn(h.ann)
	const phone = "+86 138 0000 0000"
	if got := h.do(b, "GET", "/settings", nil); !strings.Contains(got.body, "/settings/phone") {
		t.Error("the index has no phone")
	}
	if got := h.do(b, "POST", "/settings/phone", form("phone", phone)); got.status != 403 {
		t.Errorf("without the password: %d", got.status)
	}
	if got := h.do(b, "POST", "/settings/phone", form("phone", phone, "password", "password1")); got.status != 200 || !strings.Contains(got.body, "on its way") {
		t.Fatalf("asked: %d %s", got.status, got.body)
	}
	code := <-sent
	bob := h.signedIn(h.bob)
	if got := h.do(bob, "POST", "/settings/phone/confirm", form("phone", phone, "code", code)); got.status != 403 {
		t.Errorf("confirmed by another: %d", got.status)
	}
	if got := h.do(b, "POST", "/settings/phone/confirm", form("phone", phone, "code", code)); got.status != 303 {
		t.Fatalf("confirmed: %d %s", got.status, got.body)
	}
	n := h.browser()
	if got := h.do(n, "GET", "/login", nil); !strings.Contains(got.body, "/login/phone") {
		t.Error("the door does not lead there")
	}
	known, unknown := h.do(n, "POST", "/login/phone", form("phone", phone)), h.do(n, "POST", "/login/phone", form("phone", "+86 138 0000 0001"))
	if known.status != 200 || known.status != unknown.status || strings.ReplaceAll(known.body, phone, "") != strings.ReplaceAll(unknown.body, "+86 138 0000 0001", "") {
		t.Errorf("known: %d %s\nunknown: %d %s", known.status, known.body, unknown.status, unknown.body)
	}
	code = <-sent
	for name, c := range map[string]string{"empty": "", "wrong": "12345"} {
		if got := h.do(n, "POST", "/login/phone/code", form("phone", phone, "code", c)); got.status != 401 || !strings.Contains(got.body, "wrong or too old") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := h.do(n, "POST", "/login/phone/code", form("phone", phone, "code", code, "next", "//evil.example")); got.status != 303 || got.header.Get("Location") != "/" || !h.lasts(n) {
		t.Errorf("the right one: %d %q", got.status, got.header.Get("Location"))
	}
	// By the API, too.
	if got := h.do(http.DefaultClient, "POST", "/api/v1/login/code", strings.NewReader(`{"phone":"`+phone+`"}`)); got.status != 204 {
		t.Fatalf("asked by the API: %d %s", got.status, got.body)
	}
	got := h.do(h.browser(), "POST", "/api/v1/login/phone", strings.NewReader(`{"phone":"`+phone+`","code":"`+<-sent+`"}`))
	if in := decode[entered](t, got); got.status != 200 || in.User.ID != h.ann.ID {
		t.Errorf("by the API: %d %s", got.status, got.body)
	}
	if got := h.do(b, "POST", "/settings/phone/remove", nil); got.status != 303 {
		t.Errorf("removed: %d", got.status)
	}
	if got := h.do(n, "POST", "/login/phone/code", form("phone", phone, "code", "123456")); got.status != 401 {
		t.Errorf("after it was removed: %d", got.status)
	}
}

func TestPhonesSignNobodyInWhereNoCodesAreSent(t *testing.T) {
	h := open(t)
	for route, want := range map[string]int{"GET /login/phone": 404, "POST /login/phone": 404, "POST /login/phone/code": 404, "POST /api/v1/login/code": 404, "POST /api/v1/login/phone": 404} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(h.browser(), method, path, strings.NewReader(`{"phone":"+8613800000000","code":"123456"}`)); got.status != want {
			t.Errorf("%s: %d", route, got.status)
		}
	}
	if got := h.do(h.browser(), "GET", "/login", nil); strings.Contains(got.body, "/login/phone") {
		t.Error("the door leads there")
	}
}

func TestPasskeysAreOfferedWhereTheyWork(t *testing.T) {
	h := open(t)
	for host, offered := range map[string]bool{"": false, "chat.example.org": true, "chat.example.org:8443": true, "localhost:1": true} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/login", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := strings.Contains(string(body), "passkey-in"); got != offered {
			t.Errorf("at %q: %v", host, got)
		}
	}
	for name, body := range map[string]string{"nothing": "{}", "no JSON": "x", "a void ticket": `{"ticket":"x.y"}`} {
		for _, path := range []string{"/login/passkey", "/login/passkey/begin"} {
			got := h.do(h.browser(), "POST", path, strings.NewReader(body))
			if got.status != 400 && got.status != 401 || !strings.Contains(got.body, `"problem"`) {
				t.Errorf("%s at %s: %d %s", name, path, got.status, got.body)
			}
		}
	}
}

func TestPasskeysBelongToTheNameOfTheSite(t *testing.T) {
	s := &server{Config: Config{Origins: []string{"https://app.chat.example.org", "*.example.net"}}}
	for name, c := range map[string]struct {
		host, origin, id string
		origins          []string
	}{
		"plain":                  {"Chat.example.org", "https://chat.example.org", "chat.example.org", []string{"https://Chat.example.org"}},
		"with a port":            {"chat.example.org:8443", "", "chat.example.org", []string{"https://chat.example.org:8443"}},
		"a developer's":          {"localhost:8000", "http://localhost:8000", "localhost", []string{"https://localhost:8000", "http://localhost:8000"}},
		"a further one below it": {"chat.example.org", "https://app.chat.example.org", "chat.example.org", []string{"https://chat.example.org", "https://app.chat.example.org"}},
		"a further one beside":   {"chat.example.org", "https://x.example.net", "chat.example.org", []string{"https://chat.example.org"}},
		"one that is not ours":   {"chat.example.org", "https://evil.chat.example.org", "chat.example.org", []string{"https://chat.example.org"}},
		"without TLS":            {"chat.example.org", "http://chat.example.org", "chat.example.org", []string{"https://chat.example.org"}},
	} {
		r := httptest.NewRequest("POST", "/login/passkey", nil)
		r.Host = c.host
		r.Header.Set("Origin", c.origin)
		if got := s.keySite(r); got.Host != c.id || !slices.Equal(got.Origins, c.origins) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A sign-in that was ended from another device while its person says the password
// again is not brought back by that.
func TestSayingThePasswordBringsNoSignInBack(t *testing.T) {
	var end func()
	h := openHouse(t, func(h *house, c *Config) { c.Accounts = &interrupted{Accounts: c.Accounts, then: func() { end() }} })
	one, two := h.signedIn(h.ann), h.signedIn(h.ann)
	end = func() {
		end = func() {}
		if got := h.do(two, "POST", "/settings/devices/end-others", nil); got.status != 303 {
			t.Errorf("ended: %d", got.status)
		}
	}
	if got := h.do(one, "POST", "/settings/codes/begin", form("password", "password1")); got.status != 401 {
		t.Errorf("it went on: %d", got.status)
	}
	if h.lasts(one) || !h.lasts(two) {
		t.Error("the wrong ones go on")
	}
}

// interrupted does something between looking up where somebody is signed in and
// what comes after that.
type interrupted struct {
	Accounts
	then func()
}

func (i *interrupted) Devices(ctx context.Context, u chat.UserID) ([]chat.SignIn, error) {
	ds, err := i.Accounts.Devices(ctx, u)
	i.then()
	return ds, err
}
