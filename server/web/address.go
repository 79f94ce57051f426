package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// cameFrom is the key of where a request comes from, as behind found out.
type cameFrom struct{}

// behind finds out where requests come from.
func (s *server) behind(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// In place: who counts requests asks this one for its route.
		*r = *r.WithContext(context.WithValue(r.Context(), cameFrom{}, origination(r, s.Proxies)))
		next.ServeHTTP(w, r)
	})
}

// address is where a request comes from, for limits.
func address(r *http.Request) string {
	if at, ok := r.Context().Value(cameFrom{}).(string); ok {
		return at
	}
	return origination(r, nil)
}

// origination is the peer's address or, where that is this machine or in one of
// proxies, what it says in X-Forwarded-For: of that the last which is none of
// proxies, since what is before it anybody can write. An IPv6 network of 64 bits
// counts as one.
func origination(r *http.Request, proxies []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	isProxy := func(ip netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap().WithZone("")) })
	}
	if ip.Unmap().IsLoopback() || isProxy(ip) {
		via := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, text := range slices.Backward(via) {
			f, err := netip.ParseAddr(strings.TrimSpace(text))
			if err != nil {
				break
			}
			if ip = f; !isProxy(f) {
				break
			}
		}
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
