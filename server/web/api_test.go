package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

func TestRegisterAndLoginGiveTokenAndCookie(t *testing.T) {
	h := open(t)
	for path, body := range map[string]string{
		"/api/v1/register": `{"username":"Cai","password":"password1","nickname":"蔡"}`,
		"/api/v1/login":    `{"username":"ANN","password":"password1"}`,
	} {
		b := h.browser()
		got := h.do(b, "POST", path, strings.NewReader(body))
		in := decode[struct {
			User  chat.Person
			Token string
		}](t, got)
		if got.status != 200 || !in.User.ID.Valid() || in.Token == "" {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
		for who, r := range map[string]reply{
			"cookie": h.do(b, "GET", "/api/v1/me", nil),
			"token":  h.do(http.DefaultClient, "GET", "/api/v1/me", nil, bearerOf(in.Token)...),
		} {
			if me := decode[struct{ User chat.Person }](t, r); me.User.ID != in.User.ID {
				t.Errorf("%s by %s: got %s", path, who, r.body)
			}
		}
	}
}

func TestRevokedTokenAndEndedCookieGet401(t *testing.T) {
	h := open(t)
	tok := h.token(h.ann)
	b := h.signedIn(h.ann)
	for name, try := range map[string]func(path, method string) reply{
		"token":  func(m, p string) reply { return h.do(http.DefaultClient, m, p, nil, bearerOf(tok)...) },
		"cookie": func(m, p string) reply { return h.do(b, m, p, nil) },
	} {
		if got := try("GET", "/api/v1/me"); got.status != 200 {
			t.Fatalf("%s: %d", name, got.status)
		}
		if got := try("POST", "/api/v1/logout"); got.status != 204 {
			t.Fatalf("%s: logout %d %s", name, got.status, got.body)
		}
		if got := try("GET", "/api/v1/me"); got.status != 401 {
			t.Errorf("%s after logout: %d", name, got.status)
		}
	}
}

func TestStolenCookieIsDeadAfterLogout(t *testing.T) {
	h := open(t)
	b := h.signedIn(h.ann)
	res, err := http.NewRequest("GET", h.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	var stolen string
	for _, c := range b.Jar.Cookies(res.URL) {
		if c.Name == loginCookie {
			stolen = c.Name + "=" + c.Value
		}
	}
	if got := h.do(http.DefaultClient, "GET", "/api/v1/me", nil, "Cookie", stolen); got.status != 200 {
		t.Fatalf("before: %d", got.status)
	}
	h.do(b, "POST", "/logout", nil)
	if got := h.do(http.DefaultClient, "GET", "/api/v1/me", nil, "Cookie", stolen); got.status != 401 {
		t.Errorf("after: %d", got.status)
	}
}

func TestErrorsAreProblemsWithACode(t *testing.T) {
	h := open(t, func(c *Config) { c.Limits.Body = 2000 })
	auth := bearerOf(h.token(h.ann))
	for name, c := range map[string]struct {
		method, path, body string
		auth               []string
		status             int
		code               chat.Code
	}{
		"not signed in":     {"GET", "/api/v1/me", "", nil, 401, chat.SignedOut},
		"bad token":         {"GET", "/api/v1/me", "", bearerOf("x"), 401, chat.SignedOut},
		"wrong password":    {"POST", "/api/v1/login", `{"username":"ann","password":"no"}`, nil, 401, chat.SignedOut},
		"taken":             {"POST", "/api/v1/register", `{"username":"ANN","password":"password1"}`, nil, 409, chat.Taken},
		"not JSON":          {"POST", "/api/v1/register", `{`, nil, 400, chat.Invalid},
		"too large":         {"POST", "/api/v1/register", `{"username":"` + strings.Repeat("x", 2000) + `"}`, nil, 413, chat.TooLong},
		"no such route":     {"GET", "/api/v2/x", "", nil, 404, chat.NotFound},
		"no such conv":      {"GET", "/api/v1/conversations/xyz/messages", "", auth, 404, chat.NotFound},
		"no such person":    {"GET", "/api/v1/conversations/Unobody/messages", "", auth, 404, chat.NotFound},
		"others' conv":      {"GET", "/api/v1/conversations/DUa-Ub/messages", "", auth, 403, chat.Forbidden},
		"bad number":        {"GET", "/api/v1/conversations/" + string(h.bob.ID) + "/messages?before=-1", "", auth, 400, chat.Invalid},
		"bad time":          {"GET", "/api/v1/conversations/" + string(h.bob.ID) + "/at?time=soon", "", auth, 400, chat.Invalid},
		"empty text":        {"POST", "/api/v1/conversations/" + string(h.bob.ID) + "/messages", `{"text":" "}`, auth, 400, chat.Invalid},
		"event by a client": {"POST", "/api/v1/conversations/" + string(h.bob.ID) + "/messages", `{"content":{"k":"event","event":{"what":"made"}}}`, auth, 400, chat.Invalid},
		"group of nobody":   {"POST", "/api/v1/groups", `{"name":"x","members":["Unobody"]}`, auth, 404, chat.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.do(http.DefaultClient, c.method, c.path, strings.NewReader(c.body), c.auth...)
			p := decode[problem](t, got)
			if got.status != c.status || p.Status != c.status || p.Code != c.code || p.Title == "" || p.Type == "" {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, c.status, c.code)
			}
			if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("Content-Type is %q", ct)
			}
		})
	}
}

func TestInternalErrorsTellNothingAndAreLogged(t *testing.T) {
	h := open(t)
	h.hub.fail = errBoom
	got := h.do(http.DefaultClient, "POST", "/api/v1/conversations/"+string(h.bob.ID)+"/messages", strings.NewReader(`{"text":"hi"}`), bearerOf(h.token(h.ann))...)
	if got.status != 500 || strings.Contains(got.body, "hunter2") || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %d %s %v", got.status, got.body, got.header)
	}
	if !strings.Contains(h.logs.String(), "request failed") {
		t.Error("it was not logged")
	}
}

func TestPersonsIDMeansTheConversationWithThem(t *testing.T) {
	h := open(t)
	ann, bob := bearerOf(h.token(h.ann)), bearerOf(h.token(h.bob))
	path := func(p chat.Person) string { return "/api/v1/conversations/" + string(p.ID) + "/messages" }
	post := func(body string) chat.Message {
		got := h.do(http.DefaultClient, "POST", path(h.bob), strings.NewReader(body), ann...)
		return decode[chat.Message](t, got)
	}
	first := post(`{"ref":"r1","text":"hi"}`)
	if again := post(`{"ref":"r1","content":{"k":"text","text":"hi"}}`); again.Seq != first.Seq {
		t.Errorf("the same ref was stored twice: %+v", again)
	}
	if other := post(`{"text":"hi"}`); other.Seq != 2 {
		t.Errorf("without a ref: got %+v", other)
	}
	page := decode[chat.Page](t, h.do(http.DefaultClient, "GET", path(h.ann)+"?limit=1", nil, bob...))
	if page.Conv != chat.Direct(h.ann.ID, h.bob.ID) || len(page.Entries) != 1 || page.LastSeq != 2 {
		t.Errorf("got %+v", page)
	}
	list := decode[struct{ Conversations []chat.Summary }](t, h.do(http.DefaultClient, "GET", "/api/v1/conversations", nil, bob...))
	if len(list.Conversations) != 1 {
		t.Errorf("got %+v", list)
	}
}

func TestConversationsArePaged(t *testing.T) {
	h := open(t)
	auth := bearerOf(h.token(h.ann))
	h.hub.mu.Lock()
	for i := range 5 {
		c := chat.ConvID(fmt.Sprint("G", i))
		h.hub.logs[c] = []chat.Message{{Conv: c, Seq: 1}}
	}
	h.hub.mu.Unlock()
	var got []chat.ConvID
	query := "?limit=2"
	for range 4 {
		l := decode[struct {
			Conversations []chat.Summary
			Next          string
		}](t, h.do(http.DefaultClient, "GET", "/api/v1/conversations"+query, nil, auth...))
		for _, s := range l.Conversations {
			got = append(got, s.Conv)
		}
		if l.Next == "" {
			break
		}
		query = "?limit=2&after=" + url.QueryEscape(l.Next)
	}
	if want := []chat.ConvID{"G0", "G1", "G2", "G3", "G4"}; !slices.Equal(got, want) {
		t.Errorf("the pages hold %v, want %v", got, want)
	}
}

func TestGroupIsMadeAndPeopleAreFound(t *testing.T) {
	h := open(t)
	ann := bearerOf(h.token(h.ann))
	got := h.do(http.DefaultClient, "POST", "/api/v1/groups", strings.NewReader(`{"name":" Tea ","members":["`+string(h.bob.ID)+`"]}`), ann...)
	g := decode[struct {
		Group struct {
			ID   chat.ConvID
			Name string
		}
	}](t, got).Group
	if !g.ID.IsGroup() || g.Name != "Tea" {
		t.Errorf("got %s", got.body)
	}
	if ms := h.hub.logs[g.ID]; len(ms) != 1 || ms[0].Content.Event.What != "made" {
		t.Errorf("the group's log is %+v", ms)
	}
	ps := decode[struct{ People []chat.Person }](t, h.do(http.DefaultClient, "GET", "/api/v1/people?q=BO", nil, ann...)).People
	if len(ps) != 1 || ps[0].ID != h.bob.ID {
		t.Errorf("found %+v", ps)
	}
}

// Who signs in by the API gets a token and a cookie: one device, that ends as one.
func TestSignInByTheAPIIsOneDevice(t *testing.T) {
	h := open(t)
	devices := func(b *http.Client, extra ...string) (n, these int) {
		t.Helper()
		got := h.do(b, "GET", "/api/v1/devices", nil, extra...)
		if got.status != 200 {
			return 0, 0
		}
		for _, d := range decode[devicesAnswer](t, got).Devices {
			if n++; d.This {
				these++
			}
		}
		return n, these
	}
	for how, out := range map[string]func(b *http.Client, token string) reply{
		"by cookie": func(b *http.Client, token string) reply { return h.do(b, "POST", "/logout", form()) },
		"by token": func(b *http.Client, token string) reply {
			return h.do(http.DefaultClient, "POST", "/api/v1/logout", nil, bearerOf(token)...)
		},
		"by another": func(b *http.Client, token string) reply {
			return h.do(http.DefaultClient, "DELETE", "/api/v1/devices", nil, bearerOf(h.token(h.ann))...)
		},
	} {
		b := h.browser()
		token := decode[entered](t, h.do(b, "POST", "/api/v1/login", strings.NewReader(`{"username":"ann","password":"password1"}`))).Token
		if n, these := devices(b); n != 1 || these != 1 {
			t.Errorf("%s: by the cookie %d devices, %d this one", how, n, these)
		}
		if n, these := devices(http.DefaultClient, bearerOf(token)...); n != 1 || these != 1 {
			t.Errorf("%s: by the token %d devices, %d this one", how, n, these)
		}
		if got := out(b, token); got.status/100 > 3 {
			t.Fatalf("%s: %d %s", how, got.status, got.body)
		}
		if got := h.do(b, "GET", "/api/v1/me", nil); got.status != 401 {
			t.Errorf("%s: the cookie still works: %d", how, got.status)
		}
		if got := h.do(http.DefaultClient, "GET", "/api/v1/me", nil, bearerOf(token)...); got.status != 401 {
			t.Errorf("%s: the token still works: %d", how, got.status)
		}
		h.do(http.DefaultClient, "DELETE", "/api/v1/devices", nil, bearerOf(h.token(h.ann))...)
		if _, err := h.accounts.EndOthers(t.Context(), h.ann.ID, chat.SignIn{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Tokens that are bound to scopes are no cookies: pages ask for no scope.
func TestTokenOfABotIsNoCookie(t *testing.T) {
	h := open(t)
	bot, err := h.accounts.MakeBot(t.Context(), h.ann, "helper", "Helper")
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := h.accounts.MakeToken(t.Context(), h.ann.ID, bot.ID, "one", []string{"people:read"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/people?q=a", "/api/v1/me", "/"} {
		if got := h.do(h.browser(), "GET", path, nil, "Cookie", loginCookie+"="+token); got.status != 401 && got.status != 303 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := h.do(http.DefaultClient, "GET", "/api/v1/people?q=a", nil, bearerOf(token)...); got.status != 200 {
		t.Errorf("as a token: %d", got.status)
	}
}
