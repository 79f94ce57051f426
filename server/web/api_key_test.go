package web

import (
	"net/http"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func TestPostWithAKeyIsStoredOnce(t *testing.T) {
	h := openHouse(t, withRealHub)
	auth := bearerOf(h.token(h.ann))
	group, err := h.accounts.MakeGroup(t.Context(), h.ann.ID, account.NewGroup{Name: "Tea", Members: []chat.UserID{h.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	to := func(conv string) string { return "/api/v1/conversations/" + conv + "/messages" }
	post := func(conv, key, body string) reply {
		return h.do(http.DefaultClient, "POST", to(conv), strings.NewReader(body), append([]string{"Idempotency-Key", key}, auth...)...)
	}
	bob := string(h.bob.ID)
	first := post(bob, "4f0c-1", `{"text":"hi"}`)
	for name, again := range map[string]reply{
		"the same":     post(bob, "4f0c-1", `{"text":"hi"}`),
		"in quotes":    post(bob, `"4f0c-1"`, `{"text":"hi"}`),
		"as a ref":     post(bob, "", `{"text":"hi","ref":"4f0c-1"}`),
		"other words":  post(bob, "4f0c-1", `{"text":"no"}`),
		"the ref wins": post(bob, "another", `{"text":"hi","ref":"4f0c-1"}`),
	} {
		if again.status != 200 || again.body != first.body {
			t.Errorf("%s: %d %s, want %s", name, again.status, again.body, first.body)
		}
	}
	if other := decode[chat.Message](t, post(bob, "4f0c-2", `{"text":"hi"}`)); other.Seq != 2 {
		t.Errorf("another key: %+v", other)
	}
	for name, c := range map[string]struct {
		conv, key string
		status    int
	}{
		"used elsewhere": {string(group), "4f0c-1", 400},
		"too long":       {bob, strings.Repeat("x", chat.MaxRef+1), 400},
		"with spaces":    {bob, "a b", 400},
		"one quote":      {bob, `"`, 200}, // a name like any other
	} {
		if got := post(c.conv, c.key, `{"text":"hi"}`); got.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, c.status)
		}
	}
	page := decode[chat.Page](t, h.do(http.DefaultClient, "GET", to(bob), nil, auth...))
	if page.LastSeq != 3 {
		t.Errorf("there are %d messages, want 3", page.LastSeq)
	}
}
