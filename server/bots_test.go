package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	neturl "net/url"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// A bot is no way around a block of its owner, in either direction, also where the
// conversation is open already.
func TestBlocksOfOwnersHoldForTheirBots(t *testing.T) {
	url := inProcess(t)
	a, b := join(t, url, "ann"), join(t, url, "bob")
	var made struct{ Bot chat.Person }
	call(t, "POST", url+"/api/v1/bots", a.token, map[string]string{"username": "helper"}, &made)
	bot := made.Bot.ID
	var token struct{ Secret string }
	call(t, "POST", url+"/api/v1/bots/"+string(bot)+"/tokens", a.token, map[string]any{"scopes": []string{"messages:write", "groups:write"}}, &token)
	posts := func(when string, want chat.Code) {
		t.Helper()
		for _, p := range []struct {
			who, token string
			to         chat.UserID
		}{{"the bot to bob", token.Secret, b.ID}, {"bob to the bot", b.token, bot}} {
			got, code := status(t, "POST", url+"/api/v1/conversations/"+string(p.to)+"/messages", p.token, map[string]string{"text": when})
			if code != want || (got == http.StatusOK) != (want == "") {
				t.Errorf("%s: %s: %d %q, want %q", when, p.who, got, code, want)
			}
		}
		got, code := status(t, "POST", url+"/api/v1/groups", token.Secret, map[string]any{"name": "x", "members": []chat.UserID{b.ID}})
		if code != want || (got < 300) != (want == "") {
			t.Errorf("%s: the bot adds bob to a group: %d %q, want %q", when, got, code, want)
		}
	}
	posts("at first", "")
	for when, block := range map[string]struct {
		by   *someone
		whom chat.UserID
	}{
		"bob has blocked ann":     {b, a.ID},
		"ann has blocked bob":     {a, b.ID},
		"bob has blocked the bot": {b, bot},
	} {
		at := url + "/api/v1/blocks/" + string(block.whom)
		if got, code := status(t, "PUT", at, block.by.token, nil); got != http.StatusNoContent {
			t.Fatalf("block: %d %s", got, code)
		}
		posts(when, chat.Blocked)
		if got, code := status(t, "DELETE", at, block.by.token, nil); got != http.StatusNoContent {
			t.Fatalf("unblock: %d %s", got, code)
		}
		posts(when+" no longer", "")
	}
}

// What a bot is called says nothing of what it is: one that is called like those of
// webhooks is a bot like any other.
func TestBotsCalledLikeWebhooksAreBots(t *testing.T) {
	url := inProcess(t)
	a := join(t, url, "ann")
	var made struct{ Bot chat.Person }
	call(t, "POST", url+"/api/v1/bots", a.token, map[string]string{"username": "hook-mine", "nickname": "Mine"}, &made)
	var token struct{ Secret string }
	call(t, "POST", url+"/api/v1/bots/"+string(made.Bot.ID)+"/tokens", a.token, map[string]any{"scopes": []string{"messages:write"}}, &token)
	if got, code := status(t, "POST", url+"/api/v1/conversations/"+string(a.ID)+"/messages", token.Secret, map[string]string{"text": "x"}); got != http.StatusOK {
		t.Errorf("it writes: %d %s", got, code)
	}
	group := makeGroup(t, url, a, a)
	var in struct{ Hook chat.InHook }
	call(t, "POST", url+"/api/v1/conversations/"+string(group)+"/hooks/in", a.token, map[string]string{"name": "Builds"}, &in)
	if got, code := status(t, "POST", url+"/api/v1/bots/"+string(in.Hook.Bot)+"/tokens", a.token, map[string]any{"scopes": []string{"messages:read"}}); got != http.StatusForbidden {
		t.Errorf("a token for the bot of a webhook: %d %s", got, code)
	}
	// Its page shows the one and not the other, which ends with its webhook.
	var bots struct{ Bots []chat.Person }
	call(t, "GET", url+"/api/v1/bots", a.token, nil, &bots)
	if len(bots.Bots) != 2 {
		t.Errorf("ann has %+v", bots.Bots)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, Transport: &http.Transport{}}
	defer browser.CloseIdleConnections()
	door, err := browser.PostForm(url+"/login", neturl.Values{"username": {"ann"}, "password": {"correct horse ann"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = door.Body.Close()
	res, err := browser.Get(url + "/settings/bots")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(page), "hook-mine") || strings.Contains(string(page), "Builds") {
		t.Errorf("the page of bots is %s, %v", page, err)
	}
}

// What a bot's token opens it opens only while the account of the bot's owner is enabled.
func TestTokensOfBotsRestWithTheirOwners(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	a, b := join(t, url, "ann"), join(t, url, "bob")
	var made struct{ Bot chat.Person }
	call(t, "POST", url+"/api/v1/bots", a.token, map[string]string{"username": "helper"}, &made)
	var token struct{ Secret string }
	call(t, "POST", url+"/api/v1/bots/"+string(made.Bot.ID)+"/tokens", a.token, map[string]any{"scopes": []string{"messages:write"}}, &token)
	for _, c := range []struct {
		act  []string
		want int
	}{{[]string{"disable", "ann"}, http.StatusUnauthorized}, {[]string{"enable", "ann"}, http.StatusOK}, {[]string{"delete", "ann", "--yes"}, http.StatusUnauthorized}} {
		if _, err := inShell(t, data, c.act...); err != nil {
			t.Fatal(err)
		}
		if got, code := status(t, "POST", url+"/api/v1/conversations/"+string(b.ID)+"/messages", token.Secret, map[string]string{"text": c.act[0]}); got != c.want {
			t.Errorf("after %v: %d %q, want %d", c.act, got, code, c.want)
		}
	}
}
