package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// dialed tries to open a socket, native unless query says whose it is, and
// waits for the welcome or the greeting. Where it is refused before, err is a *chat.Refusal.
func dialed(t *testing.T, url, token, query string, header ...string) (*websocket.Conn, error) {
	t.Helper()
	o := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}
	for i := 0; i < len(header); i += 2 {
		o.HTTPHeader.Set(header[i], header[i+1])
	}
	if query == "" {
		o.Subprotocols = []string{wire.V1.Name()}
	}
	c, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/ws"+query, o)
	if err != nil {
		if res == nil || res.StatusCode < 400 {
			return nil, err
		}
		var p struct {
			Code       chat.Code
			RetryAfter int64 `json:"retry_after"`
		}
		if res.Header.Get("Retry-After") == "" {
			return nil, fmt.Errorf("%s without Retry-After", res.Status)
		}
		if jerr := json.NewDecoder(res.Body).Decode(&p); jerr != nil {
			return nil, errors.Join(err, jerr)
		}
		return nil, &chat.Refusal{Code: p.Code}
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	if query == "" {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"k":"hello","b":{}}`)); err != nil {
			return nil, err
		}
	}
	_, _, err = c.Read(t.Context())
	return c, err
}

// account registers somebody and returns the token.
func registered(t *testing.T, url, name string) string {
	t.Helper()
	var in struct{ Token string }
	call(t, "POST", url+"/api/v1/register", "", map[string]string{"username": name, "password": "correct horse"}, &in)
	return in.Token
}

func TestOnePersonHasSoManySocketsAndNoMore(t *testing.T) {
	url := inProcess(t, "--max-connections-per-person", "5")
	ann, bob := registered(t, url, "ann"), registered(t, url, "bob")
	first, err := dialed(t, url, ann, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := dialed(t, url, ann, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dialed(t, url, ann, ""); !errors.Is(err, &chat.Refusal{Code: chat.RateLimited}) {
		t.Errorf("one more: %v, want to be told to come later", err)
	}
	if _, err := dialed(t, url, bob, ""); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	_ = first.Close(websocket.StatusNormalClosure, "")
	eventually(t, func() string { return "a socket instead of the closed one" }, func() bool {
		_, err := dialed(t, url, ann, "")
		return err == nil
	})
}

func TestSoManySocketsInAll(t *testing.T) {
	url := inProcess(t, "--max-connections", "2")
	ann, bob := registered(t, url, "ann"), registered(t, url, "bob")
	for _, token := range []string{ann, bob} {
		if _, err := dialed(t, url, token, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dialed(t, url, bob, ""); !errors.Is(err, &chat.Refusal{Code: chat.Busy}) {
		t.Errorf("one more: %v, want busy", err)
	}
	// A request that is refused gives its place back.
	for range 3 {
		if _, err := dialed(t, url, "nobody's", ""); !errors.Is(err, &chat.Refusal{Code: chat.Busy}) {
			t.Errorf("one more: %v, want busy before anything is looked up", err)
		}
	}
}

func TestSoManySocketsFromOneAddress(t *testing.T) {
	url := inProcess(t, "--max-connections-per-address", "2")
	ann := registered(t, url, "ann")
	via := func(addr string) error {
		_, err := dialed(t, url, ann, "", "X-Forwarded-For", addr)
		return err
	}
	for range 2 {
		if err := via("192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := via("192.0.2.1"); !errors.Is(err, &chat.Refusal{Code: chat.RateLimited}) {
		t.Errorf("one more: %v, want to be told to come later", err)
	}
	if err := via("192.0.2.2"); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func TestAddressIsTooFast(t *testing.T) {
	url := inProcess(t, "--rate-limit", "20/s:200", "--rate-limit-per-address", "0.001/s:3")
	ann := registered(t, url, "ann") // one
	var errs []error
	for range 3 {
		_, err := dialed(t, url, ann, "")
		errs = append(errs, err)
	}
	if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], &chat.Refusal{Code: chat.RateLimited}) {
		t.Errorf("three sockets after a request: %v, want the last to be told to come later", errs)
	}
	if res, err := http.Get(url + "/api/v1/me"); err != nil || res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the API: %v, %v", res, err)
	}
	if res, err := http.Get(url + "/login"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("a page: %v, %v", res, err)
	}
}
