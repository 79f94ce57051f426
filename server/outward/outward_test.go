package outward

import (
	"net/netip"
	"strings"
	"testing"
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
		"https://push.example/" + strings.Repeat("x", MaxURL): {false, false},
	} {
		for i, local := range []bool{false, true} {
			if _, err := ReadURL(endpoint, local); (err == nil) != want[i] {
				t.Errorf("%q, local %v: %v", endpoint, local, err)
			}
		}
	}
}
