package push

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"kamachat/server/push/pushtest"
	"kamachat/shared/chat"
)

func TestOnlyAddressesOfTheInternetAreCalled(t *testing.T) {
	for ip, want := range map[string]bool{
		"142.250.1.1": true, "2a00:1450:4001::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "fd00::1": false, "::ffff:10.0.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "100.64.0.1": false, "224.0.0.1": false, "ff02::1": false,
		"255.255.255.255": false, "198.18.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "::7f00:1": false,
	} {
		if got := public(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s is public: %v", ip, got)
		}
	}
}

func TestEndpointsAreChecked(t *testing.T) {
	for endpoint, want := range map[string][2]bool{ // as usual, and local
		"https://push.example/x":       {true, true},
		"https://push.example:444/x?y": {true, true},
		"http://push.example/x":        {false, true},
		"https://127.0.0.1/x":          {false, true},
		"https://[::1]:444/x":          {false, true},
		"https://10.0.0.1/x":           {false, true},
		"https://localhost/x":          {true, true}, // seen when it is called
		"https://a:b@push.example/x":   {false, false},
		"https://push.example/x#y":     {false, false},
		"https:///x":                   {false, false},
		"file:///etc/passwd":           {false, false},
		"ftp://push.example/":          {false, false},
		"":                             {false, false},
		"https://push.example/\x7f":    {false, false},
		"https://push.example/" + strings.Repeat("x", maxEndpoint): {false, false},
	} {
		for i, local := range []bool{false, true} {
			if _, err := readEndpoint(endpoint, local); (err == nil) != want[i] {
				t.Errorf("%q, local %v: %v", endpoint, local, err)
			}
		}
	}
}

// What a name leads to is looked at when it is connected to, so an answer of the
// DNS that changes in between is of no use.
func TestServicesInsideAreNotCalled(t *testing.T) {
	g := pushtest.NewGate(t)
	c := newClient(false)
	_, port, _ := strings.Cut(strings.TrimPrefix(g.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		_, err := c.Get("http://" + host + ":" + port)
		if !errors.Is(err, errInside) {
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
	if err != nil || len(as) != 1 || as[0].OK || as[0].Status != 0 || as[0].Reason != errInside.Error() {
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
	c := newClient(true)
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
