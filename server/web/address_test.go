package web

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestAddressIsThatWhichProxiesWereCalledFrom(t *testing.T) {
	lan := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	for name, c := range map[string]struct {
		peer    string
		proxies []netip.Prefix
		via     []string
		want    string
	}{
		"nobody between":                {"203.0.113.9:1234", nil, nil, "203.0.113.9"},
		"a stranger claims another":     {"203.0.113.9:1234", lan, []string{"198.51.100.1"}, "203.0.113.9"},
		"a proxy here":                  {"127.0.0.1:1", nil, []string{"198.51.100.1"}, "198.51.100.1"},
		"a proxy here, as IPv6":         {"[::ffff:127.0.0.1]:1", nil, []string{"198.51.100.1"}, "198.51.100.1"},
		"a proxy here that says none":   {"127.0.0.1:1", nil, nil, "127.0.0.1"},
		"the last counts":               {"127.0.0.1:1", nil, []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		"of several headers, too":       {"127.0.0.1:1", nil, []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1"},
		"one in the network, untold":    {"10.1.2.3:1", nil, []string{"198.51.100.1"}, "10.1.2.3"},
		"one in the network, told":      {"10.1.2.3:1", lan, []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		"a chain of them":               {"127.0.0.1:1", lan, []string{"1.2.3.4, 198.51.100.1, 10.0.0.7, 10.9.9.9"}, "198.51.100.1"},
		"a chain that all are":          {"10.1.2.3:1", lan, []string{"10.0.0.7"}, "10.0.0.7"},
		"nonsense":                      {"10.1.2.3:1", lan, []string{"1.2.3.4, x"}, "10.1.2.3"},
		"one of IPv6":                   {"[2001:db8:1::5]:1", lan, []string{"2001:db8:2::77"}, "2001:db8:2::/64"},
		"no address at all":             {"pipe", lan, []string{"1.2.3.4"}, "pipe"},
		"nothing behind the last comma": {"127.0.0.1:1", nil, []string{"1.2.3.4,"}, "127.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		for _, v := range c.via {
			r.Header.Add("X-Forwarded-For", v)
		}
		if got := origination(r, c.proxies); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
