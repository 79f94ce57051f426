package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestOnePersonHasSoManySocketsAndNoMore(t *testing.T) {
	url := inProcess(t)
	var ann, bob struct {
		User  chat.Person
		Token string
	}
	call(t, "POST", url+"/api/v1/register", "", map[string]string{"username": "ann", "password": "correct horse"}, &ann)
	call(t, "POST", url+"/api/v1/register", "", map[string]string{"username": "bob", "password": "correct horse"}, &bob)
	dial := func(token string) *websocket.Conn {
		c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/ws", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{wire.V1.Name()},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.CloseNow() })
		return c
	}
	hello := func(c *websocket.Conn) error {
		_ = c.Write(t.Context(), websocket.MessageText, []byte(`{"k":"hello","b":{}}`))
		_, _, err := c.Read(t.Context())
		return err
	}
	first := dial(ann.Token)
	if err := hello(first); err != nil {
		t.Fatal(err)
	}
	// A socket counts once it was accepted, which its welcome proves.
	for range maxSockets - 1 {
		if err := hello(dial(ann.Token)); err != nil {
			t.Fatal(err)
		}
	}
	if err := hello(dial(ann.Token)); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("one more: %v, want to be told to come later", err)
	}
	if err := hello(dial(bob.Token)); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	_ = first.Close(websocket.StatusNormalClosure, "")
	eventually(t, func() string { return "a socket instead of the closed one" }, func() bool {
		return hello(dial(ann.Token)) == nil
	})
}
