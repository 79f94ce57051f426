package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kamachat/server/push/pushtest"
	"kamachat/shared/chat"
)

// subscriber is a person without a socket, who subscribes at gate.
func subscriber(t *testing.T, url, name string, gate *pushtest.Gate) (id chat.UserID, token string, b pushtest.Browser) {
	t.Helper()
	var in struct {
		User  chat.Person
		Token string
	}
	call(t, "POST", url+"/api/v1/register", "", map[string]string{"username": name, "password": "correct horse", "nickname": strings.ToUpper(name)}, &in)
	b = pushtest.NewBrowser(t)
	p256dh, auth := b.Keys()
	ask(t, "POST", url+"/api/v1/push/subscriptions", in.Token, map[string]any{
		"endpoint": gate.URL + "/" + name, "keys": map[string]string{"p256dh": p256dh, "auth": auth},
	})
	return in.User.ID, in.Token, b
}

// ask is call without an answer.
func ask(t *testing.T, method, url, token string, in any) {
	t.Helper()
	var body []byte // nothing, where there is nothing to say
	if in != nil {
		body, _ = json.Marshal(in)
	}
	req, _ := http.NewRequest(method, url, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("%s %s: %s", method, url, res.Status)
	}
}

// notices are the bodies of what b was told at path, oldest first.
func notices(t *testing.T, gate *pushtest.Gate, path string, b pushtest.Browser) (out []string) {
	t.Helper()
	for _, r := range gate.Requests() {
		if r.Path != path {
			continue
		}
		plain, err := b.Open(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		var n struct {
			Title, Body string
			Conv        chat.ConvID
		}
		if err := json.Unmarshal(plain, &n); err != nil {
			t.Fatal(err)
		}
		out = append(out, n.Title+": "+n.Body)
	}
	return out
}

func TestWhoHasNoSocketIsPushed(t *testing.T) {
	gate := pushtest.NewGate(t)
	url := inProcess(t, "--push", "local")
	a := join(t, url, "ann")
	id, token, b := subscriber(t, url, "bob", gate)
	conv := chat.Direct(a.ID, id)
	a.say(conv, "hello")
	eventually(t, func() string { return strings.Join(notices(t, gate, "/bob", b), "; ") }, func() bool {
		return slices.Equal(notices(t, gate, "/bob", b), []string{"ANN: hello"})
	})

	// Signed out, they are told no more: the next to hear is who comes after.
	ask(t, "POST", url+"/api/v1/logout", token, nil)
	cat, _, c := subscriber(t, url, "cat", gate)
	a.say(conv, "are you there?")
	a.say(chat.Direct(a.ID, cat), "hi")
	eventually(t, func() string { return strings.Join(notices(t, gate, "/cat", c), "; ") }, func() bool {
		return slices.Equal(notices(t, gate, "/cat", c), []string{"ANN: hi"})
	})
	if got := notices(t, gate, "/bob", b); len(got) != 1 {
		t.Errorf("after signing out bob was told %q", got)
	}
}

// A push service that does not answer holds nobody up.
func TestSlowPushServiceDelaysNoDelivery(t *testing.T) {
	gate := pushtest.NewGate(t)
	stuck, free := make(chan struct{}, 100), make(chan struct{})
	gate.Answer(func(pushtest.Request) (int, string) {
		stuck <- struct{}{}
		<-free
		return http.StatusCreated, ""
	})
	url := inProcess(t, "--push", "local")
	t.Cleanup(func() { close(free) }) // before the server ends
	a, d := join(t, url, "ann"), join(t, url, "dan")
	id, _, _ := subscriber(t, url, "bob", gate)
	a.say(chat.Direct(a.ID, id), "hello")
	<-stuck
	for i := range 20 {
		a.say(chat.Direct(a.ID, d.ID), fmt.Sprint("ann ", i))
	}
	agree(t, url, chat.Direct(a.ID, d.ID), 20, a, d)
	if n := len(gate.Requests()); n != 1 {
		t.Errorf("%d requests came, want one that is not answered yet", n)
	}
}
