package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// stalled is s behind a proxy whose answers to what only the service worker asks for,
// while it is being installed, wait until the test ends.
func stalled(t *testing.T, s *server) *server {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	on := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/shell" {
			select {
			case <-over:
			case <-r.Context().Done():
				return
			}
		}
		on.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	t.Cleanup(func() { close(over) })
	behind := *s
	behind.url = front.URL
	return &behind
}

// Whoever signs out at once, while the browser still keeps what the program is made
// of, is out, and nothing is left of it.
func TestSignOutDoesNotWaitForTheWorkerToBeInstalled(t *testing.T) {
	p := browse(t, stalled(t, newServer(t)), 1024, 768)
	p.register("linmei")
	p.until(`(navigator.serviceWorker.getRegistration().then(r => window.$reg = r), window.$reg && window.$reg.installing)`)
	// Browsers unregister a worker once it is installed, or has failed to: nobody waits for that.
	promised[bool](p, `kama.forget().then(() => true)`)
	p.signOutLeavesNothing()
	p.quiet()
}

// signOutLeavesNothing signs out by the menu, and looks what is left of it.
func (p *page) signOutLeavesNothing() {
	p.Helper()
	p.click(".who-am-i")
	p.click("[data-set=out]")
	p.until(`location.pathname == "/login" && document.querySelector("#username")`)
	const left = `Promise.all([caches.keys(), indexedDB.databases().then(all => all.map(d => d.name)),
		navigator.serviceWorker.getRegistrations().then(all => all.map(r => r.scope)), Object.keys(localStorage)]).then(all => all.flat())`
	if got := promised[[]string](p, left); len(got) > 0 {
		p.Errorf("signed out, the browser still has %v", got)
	}
}
