// Package outward makes requests to addresses that people gave: of push services
// and webhooks. None of them may lead to what only this machine can reach.
package outward

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// MaxURL is the longest URL that is called, in bytes.
const MaxURL = 2048

// ErrInside is why a request to an address is not made.
var ErrInside = errors.New("the address is not a public one")

// notPublic are networks that are not called, besides those that
// netip.Addr knows as private, loopback, link-local or multicast. Those that
// wrap an IPv4 address in an IPv6 one could lead to any of them.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// public reports whether ip is an address of the internet.
func public(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// onlyPublic refuses to connect to addresses inside: URLs come from
// people, and must not lead to what only this machine can reach. It sees the
// address that is connected to, whatever a name was resolved to before.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !public(at.Addr()) {
		return ErrInside
	}
	return nil
}

// Client returns what asks with at most perHost requests to a host at once, each
// answered within a time. It follows no redirects and uses no proxy, behind which
// addresses can't be seen. local: addresses inside may be called, too.
func Client(local bool, within time.Duration, perHost int) *http.Client {
	d := &net.Dialer{Timeout: 5 * time.Second}
	if !local {
		d.Control = onlyPublic
	}
	return &http.Client{
		Timeout:       within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: d.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: within,
			MaxIdleConns: 32, MaxIdleConnsPerHost: perHost, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10,
		},
	}
}

// ReadURL reads a URL that somebody gave: https, or http where local.
func ReadURL(s string, local bool) (*url.URL, error) {
	if len(s) > MaxURL {
		return nil, fmt.Errorf("more than %d bytes", MaxURL)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("no URL") // err would quote it
	case u.Scheme != "https" && !(local && u.Scheme == "http"):
		return nil, errors.New("want https")
	case u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New("want a host and a path")
	}
	// What can be seen now is refused now; a name is resolved when it is called.
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !local && !public(ip) {
		return nil, ErrInside
	}
	return u, nil
}
