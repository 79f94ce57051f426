package push

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"kamachat/server/outward"
	"kamachat/server/push/pushtest"
	"kamachat/shared/chat"
)

// What a name leads to is looked at when it is connected to, so an answer of the
// DNS that changes in between is of no use.
func TestServicesInsideAreNotCalled(t *testing.T) {
	g := pushtest.NewGate(t)
	c := outward.Client(false, answerWithin, workers)
	_, port, _ := strings.Cut(strings.TrimPrefix(g.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		_, err := c.Get("http://" + host + ":" + port)
		if !errors.Is(err, outward.ErrInside) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := len(g.Requests()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestEndpointInsideIsRefusedOrNotCalled(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Local = false })
	p256dh, auth := pushtest.NewBrowser(t).Keys()
	sub := chat.Subscription{
		User: bob, Login: "L", Site: "https://chat.example",
		P256dh: p256dh, Auth: auth,
	}
	for endpoint, code := range map[string]chat.Code{
		strings.Replace(w.gate.URL, "http:", "https:", 1): chat.Invalid,
		w.gate.URL: chat.Invalid,
	} {
		sub.Endpoint = endpoint
		if err := w.Subscribe(t.Context(), sub); !errors.Is(err, &chat.Refusal{Code: code}) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	sub.Endpoint = "https://localhost:" + w.gate.URL[strings.LastIndexByte(w.gate.URL, ':')+1:] + "/x"
	if err := w.Subscribe(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	as, err := w.Test(t.Context(), bob)
	if err != nil || len(as) != 1 || as[0].OK || as[0].Status != 0 || as[0].Reason != outward.ErrInside.Error() {
		t.Errorf("the test says %+v, %v", as, err)
	}
	w.say(ann, direct, chat.TextContent("x"))
	w.pass(gather)
	if s := w.Stats(); s != (Stats{Failed: 1}) || len(w.gate.Requests()) != 0 {
		t.Errorf("counted %+v, %d requests arrived", s, len(w.gate.Requests()))
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	g, other := pushtest.NewGate(t), pushtest.NewGate(t)
	c := outward.Client(true, answerWithin, workers)
	defer c.CloseIdleConnections()
	g.Config.Handler = http.RedirectHandler(other.URL, http.StatusTemporaryRedirect)
	res, err := c.Post(g.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusTemporaryRedirect || len(other.Requests()) != 0 {
		t.Errorf("status %d, %d requests elsewhere", res.StatusCode, len(other.Requests()))
	}
}
