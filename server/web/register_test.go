package web

import (
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func TestRegisterPageSaysWhyNotAndWhatToDo(t *testing.T) {
	way := chat.RegisterOpen
	h := openHouse(t, func(h *house, c *Config) {
		h.accounts = account.New(account.Config{
			Store: h.db, IDs: chat.NewIDs(1, func() int64 { return 1 }), Poster: h.hub, Cheap: true, Limits: account.NoLimits,
			Policy: func() account.Policy { return account.Policy{Registration: way} },
		})
		c.Accounts = h.accounts
	})
	if err := h.db.AddInvitation(t.Context(), chat.Deed{}, chat.Invitation{Code: "good", Most: 2}); err != nil {
		t.Fatal(err)
	}
	const forms, code = `name="username"`, `name="invite" value="good"`
	for _, c := range []struct {
		way    chat.Registration
		path   string
		has    []string
		hasNot string
	}{
		{chat.RegisterOpen, "/register", []string{forms}, "alert"},
		{chat.RegisterInvite, "/register", []string{"needs an invitation", "Ask whoever runs"}, forms},
		{chat.RegisterInvite, "/register?invite=bad", []string{"no longer valid"}, forms},
		{chat.RegisterInvite, "/register?invite=good", []string{forms, code, "invite=good&amp;lang=zh"}, "alert"},
		{chat.RegisterClosed, "/register?invite=good", []string{"Nobody can register"}, forms},
		{chat.RegisterClosed, "/register?lang=zh", []string{"目前无法在此注册"}, forms},
	} {
		way = c.way
		got := h.do(h.browser(), "GET", c.path, nil)
		for _, want := range c.has {
			if got.status != 200 || !strings.Contains(got.body, want) {
				t.Errorf("%s %s: %d without %q: %s", c.way, c.path, got.status, want, got.body)
			}
		}
		if strings.Contains(got.body, c.hasNot) {
			t.Errorf("%s %s has %q", c.way, c.path, c.hasNot)
		}
	}

	way = chat.RegisterClosed
	if got := h.do(h.browser(), "POST", "/register", form("username", "cat", "password", "password1", "invite", "good")); got.status != 403 {
		t.Errorf("closed, and the form is sent all the same: %d", got.status)
	}
	way = chat.RegisterInvite
	for body, want := range map[string]int{
		`{"username":"dan","password":"password1"}`: 403, `{"username":"dan","password":"password1","invite":"bad"}`: 403,
		`{"username":"dan","password":"password1","invite":"good"}`: 200,
	} {
		if got := h.do(h.browser(), "POST", "/api/v1/register", strings.NewReader(body)); got.status != want {
			t.Errorf("%s: %d %s, want %d", body, got.status, got.body, want)
		}
	}
	if got := h.do(h.browser(), "POST", "/register", form("username", "eva", "password", "password1", "invite", "good")); got.status != 303 {
		t.Errorf("with an invitation: %d %s", got.status, got.body)
	}
	got := h.do(h.browser(), "POST", "/register", form("username", "fay", "password", "password1", "invite", "good"))
	if got.status != 403 || !strings.Contains(got.body, "no longer valid") || !strings.Contains(got.body, code) {
		t.Errorf("with one that is used up: %d %s", got.status, got.body)
	}
}
