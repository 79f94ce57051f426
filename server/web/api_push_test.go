package web

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/server/inproc"
	"kamachat/server/push"
	"kamachat/shared/chat"
)

// withPush is a house whose push services may be on this machine.
func withPush(t *testing.T) *house {
	t.Helper()
	return openHouse(t, func(h *house, c *Config) {
		withRealHub(h, c)
		p, err := push.Open(t.Context(), push.Config{Store: h.db, Presence: inproc.NewPresence(), Local: true})
		if err != nil {
			t.Fatal(err)
		}
		c.Push = p
	})
}

// subscription is what a browser would send.
func subscription(t *testing.T, endpoint string) *strings.Reader {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := base64.RawURLEncoding.EncodeToString(k.PublicKey().Bytes())
	return strings.NewReader(`{"endpoint":"` + endpoint + `","expirationTime":null,"keys":{"p256dh":"` + key + `","auth":"AAAAAAAAAAAAAAAAAAAAAA"}}`)
}

// pushed are the endpoints of u.
func (h *house) pushed(u chat.UserID) (es []string) {
	h.t.Helper()
	ss, err := h.db.Subscriptions(h.t.Context(), u)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range ss {
		es = append(es, s.Endpoint)
	}
	return es
}

func TestBrowserSubscribesAndIsTested(t *testing.T) {
	h := withPush(t)
	var got atomic.Int64
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Add(1)
		w.WriteHeader(http.StatusCreated)
	}))
	defer gate.Close()
	b := h.signedIn(h.ann)
	key := decode[struct{ Key string }](t, h.do(b, "GET", "/api/v1/push/key", nil)).Key
	if raw, err := base64.RawURLEncoding.DecodeString(key); err != nil || len(raw) != 65 {
		t.Errorf("the key is %q", key)
	}
	if r := h.do(b, "POST", "/api/v1/push/subscriptions", subscription(t, gate.URL+"/1"), "Accept-Language", "zh-CN", "Origin", h.URL); r.status != 204 {
		t.Fatalf("subscribe: %d %s", r.status, r.body)
	}
	ss, err := h.db.Subscriptions(t.Context(), h.ann.ID)
	if err != nil || len(ss) != 1 {
		t.Fatal(ss, err)
	}
	left := time.Until(time.UnixMilli(ss[0].Until))
	if s := ss[0]; s.Lang != "zh" || s.Site != strings.Replace(h.URL, "http:", "https:", 1) || s.Login == "" || left < 29*24*time.Hour || left > 30*24*time.Hour {
		t.Errorf("got %+v", s)
	}
	as := decode[struct{ Answers []push.Answer }](t, h.do(b, "POST", "/api/v1/push/test", nil)).Answers
	if len(as) != 1 || !as[0].OK || as[0].Status != 201 || got.Load() != 1 {
		t.Errorf("the test says %+v, %d requests came", as, got.Load())
	}
	if r := h.do(b, "POST", "/api/v1/push/test", nil); r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("again at once: %d %s", r.status, r.body)
	}
	if r := h.do(b, "DELETE", "/api/v1/push/subscriptions", strings.NewReader(`{"endpoint":"`+gate.URL+`/1"}`)); r.status != 204 {
		t.Errorf("delete: %d %s", r.status, r.body)
	}
	if es := h.pushed(h.ann.ID); len(es) != 0 {
		t.Errorf("left are %v", es)
	}
}

func TestSignOutEndsSubscriptionsOfThatLogin(t *testing.T) {
	h := withPush(t)
	b, other, token := h.signedIn(h.ann), h.signedIn(h.ann), bearerOf(h.token(h.ann))
	for i, r := range []reply{
		h.do(b, "POST", "/api/v1/push/subscriptions", subscription(t, "https://push.example/b")),
		h.do(other, "POST", "/api/v1/push/subscriptions", subscription(t, "https://push.example/other")),
		h.do(http.DefaultClient, "POST", "/api/v1/push/subscriptions", subscription(t, "https://push.example/token"), token...),
	} {
		if r.status != 204 {
			t.Fatalf("%d: %d %s", i, r.status, r.body)
		}
	}
	for i, step := range []struct {
		out  func() reply
		left []string
	}{
		{func() reply { return h.do(b, "POST", "/logout", nil) }, []string{"https://push.example/other", "https://push.example/token"}},
		{func() reply { return h.do(http.DefaultClient, "POST", "/api/v1/logout", nil, token...) }, []string{"https://push.example/other"}},
		// Signing in anew ends the login before.
		{func() reply { return h.do(other, "POST", "/login", form("username", "bob", "password", "password1")) }, nil},
	} {
		if r := step.out(); r.status >= 400 {
			t.Fatalf("step %d: %d %s", i, r.status, r.body)
		}
		es := h.pushed(h.ann.ID)
		if slices.Sort(es); !slices.Equal(es, step.left) {
			t.Errorf("step %d: left are %v, want %v", i, es, step.left)
		}
	}
}

func TestMuteAndQuietAreSetAndRead(t *testing.T) {
	h := withPush(t)
	auth := bearerOf(h.token(h.ann))
	bob, direct := "/api/v1/conversations/"+string(h.bob.ID)+"/mute", chat.Direct(h.ann.ID, h.bob.ID)
	g, err := h.accounts.MakeGroup(t.Context(), h.ann.ID, account.NewGroup{Name: "Tea", Members: []chat.UserID{h.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, body string) reply {
		t.Helper()
		r := h.do(http.DefaultClient, method, path, strings.NewReader(body), auth...)
		if r.status != 200 {
			t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
		}
		return r
	}
	if m := decode[chat.Mute](t, call("GET", bob, "")); m != (chat.Mute{Conv: direct}) {
		t.Errorf("at first %+v", m)
	}
	call("PUT", bob, `{"until":-1}`)
	call("PUT", "/api/v1/conversations/"+string(g)+"/mute", `{"until":99999999999999}`)
	if m := decode[chat.Mute](t, call("GET", bob, "")); m != (chat.Mute{Conv: direct, Until: chat.Forever}) {
		t.Errorf("then %+v", m)
	}
	if ms := decode[struct{ Mutes []chat.Mute }](t, call("GET", "/api/v1/me/mutes", "")).Mutes; len(ms) != 2 {
		t.Errorf("muted are %+v", ms)
	}
	call("PUT", bob, `{"until":0}`)
	if ms := decode[struct{ Mutes []chat.Mute }](t, call("GET", "/api/v1/me/mutes", "")).Mutes; len(ms) != 1 || ms[0].Conv != g {
		t.Errorf("muted are %+v", ms)
	}

	if q := decode[chat.Quiet](t, call("GET", "/api/v1/me/dnd", "")); q != (chat.Quiet{}) {
		t.Errorf("at first %+v", q)
	}
	want := chat.Quiet{Until: -1, From: "22:00", To: "07:00", Zone: "Asia/Shanghai"}
	call("PUT", "/api/v1/me/dnd", `{"until":-1,"from":"22:00","to":"07:00","zone":"Asia/Shanghai"}`)
	if q := decode[chat.Quiet](t, call("GET", "/api/v1/me/dnd", "")); q != want {
		t.Errorf("then %+v", q)
	}
}

func TestPushRoutesRefuse(t *testing.T) {
	h := withPush(t)
	auth := bearerOf(h.token(h.ann))
	others, err := h.accounts.MakeGroup(t.Context(), h.bob.ID, account.NewGroup{Name: "Others", Members: []chat.UserID{h.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	mute := "/api/v1/conversations/" + string(h.bob.ID) + "/mute"
	for name, c := range map[string]struct {
		method, path, body string
		auth               []string
		code               chat.Code
	}{
		"key, not signed in":  {"GET", "/api/v1/push/key", "", nil, chat.SignedOut},
		"test, not signed in": {"POST", "/api/v1/push/test", "", nil, chat.SignedOut},
		"no endpoint":         {"POST", "/api/v1/push/subscriptions", `{}`, auth, chat.Invalid},
		"no keys":             {"POST", "/api/v1/push/subscriptions", `{"endpoint":"https://push.example/x"}`, auth, chat.Invalid},
		"not JSON":            {"DELETE", "/api/v1/push/subscriptions", `x`, auth, chat.Invalid},
		"mute without a time": {"PUT", mute, `{}`, auth, chat.Invalid},
		"mute till -2":        {"PUT", mute, `{"until":-2}`, auth, chat.Invalid},
		"others' group":       {"PUT", "/api/v1/conversations/" + string(others) + "/mute", `{"until":-1}`, auth, chat.NotFound},
		"others' talk":        {"PUT", "/api/v1/conversations/DUa-Ub/mute", `{"until":-1}`, auth, chat.Forbidden},
		"dnd without an end":  {"PUT", "/api/v1/me/dnd", `{"from":"22:00"}`, auth, chat.Invalid},
	} {
		r := h.do(http.DefaultClient, c.method, c.path, strings.NewReader(c.body), c.auth...)
		if p := decode[problem](t, r); p.Code != c.code {
			t.Errorf("%s: got %d %s, want %s", name, r.status, r.body, c.code)
		}
	}
}
