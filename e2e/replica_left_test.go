package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"kamachat/shared/chat"
)

// keepsSites is a way to s for a browser that does not know Clear-Site-Data: what
// is wiped there the program wipes.
func keepsSites(t *testing.T, s *server) string {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Del("Clear-Site-Data")
		return nil
	}
	g := httptest.NewServer(proxy)
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
	})
	return g.URL
}

// signsOut ends the session of who's browser from somewhere else.
func (p *person) signsOut(t *testing.T, s *server) {
	t.Helper()
	req, err := http.NewRequest("POST", s.url+"/api/v1/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.cookies {
		req.AddCookie(c)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp.Status)
	}
}

// left is what the browser still has of what was read and written.
func (p *page) left() []string {
	p.Helper()
	return promised[[]string](p, `Promise.all([caches.keys(), indexedDB.databases().then(all => all.map(d => d.name))]).then(all => all.flat())`)
}

// twoTabs are two tabs of mei, who has read something in both.
func twoTabs(t *testing.T, s *server, base string) (p, q *page, mei *person, conv chat.ConvID) {
	t.Helper()
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv = mei.with(zhe)
	zhe.says(conv, "was read")
	p = browse(t, s, 1024, 768)
	p.base = base
	p.as(mei)
	q = p.tab(1024, 768)
	for _, tab := range []*page{p, q} {
		tab.goTo("/c/" + string(conv))
		tab.live()
		tab.sees("was read")
	}
	p.installed()
	p.kept("p/"+string(conv)+"/00000000", "was read")
	return p, q, mei, conv
}

// Signed out in one tab, nothing is left, and the other tab does not bring it back.
func TestSignOutWithTwoTabsLeavesNothing(t *testing.T) {
	for name, knows := range map[string]bool{"Clear-Site-Data": true, "by-the-program": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			base := s.url
			if !knows {
				base = keepsSites(t, s)
			}
			p, q, _, _ := twoTabs(t, s, base)
			p.expected, q.expected = true, true
			p.click(".who-am-i")
			p.click("[data-set=out]")
			for _, tab := range []*page{p, q} {
				tab.until(`location.pathname == "/login" && document.querySelector("#username")`)
			}
			for _, tab := range []*page{p, q} {
				if got := tab.left(); len(got) > 0 {
					t.Errorf("the browser still has %v", got)
				}
			}
		})
	}
}

// The other tab may live on for a while: it keeps nothing any more.
func TestTabKeepsNothingOnceAnotherHasWiped(t *testing.T) {
	s := newServer(t)
	p, q, mei, conv := twoTabs(t, s, s.url)
	p.expected, q.expected = true, true
	if got := promised[string](p, "kamaStore.wipe()"); got != "all" {
		t.Errorf("wiping comes to %q", got)
	}
	q.say("after it was wiped")
	mei.arrived(conv, []string{"after it was wiped"})
	for _, tab := range []*page{p, q} {
		write := fmt.Sprintf(`kamaStore.write(JSON.stringify({who: %q, v: 1, put: [{k: "me", v: "{}"}]})).then(() => "written", String)`, mei.ID)
		for _, js := range []string{write, `kamaStore.peek("me").then(() => "read", String)`, `kamaStore.adopt("").then(() => "taken", String)`} {
			if got := promised[string](tab, js); got == "written" || got == "read" || got == "taken" {
				t.Errorf("%s: %s", js, got)
			}
		}
	}
	q.until(`document.querySelector("#log .tick:not(.queued)")`)
	if got := promised[[]string](p, `indexedDB.databases().then(all => all.map(d => d.name))`); len(got) > 0 {
		t.Errorf("the browser has %v", got)
	}
}

// A page that holds the database open and does not answer can't stop a wipe:
// what it holds is empty, and goes with it.
func TestWipeDoesNotWaitForAPageThatHoldsTheDatabase(t *testing.T) {
	s := newServer(t)
	p, q, mei, _ := twoTabs(t, s, s.url)
	q.goTo("/sw.js") // no program runs there
	promised[bool](q, fmt.Sprintf(`new Promise((ok, no) => {
		const r = indexedDB.open("kama-%s", 1)
		r.onsuccess = () => ok((window.$db = r.result, true))
		r.onerror = () => no(r.error)
	})`, mei.ID))
	const count = `new Promise((ok, no) => {
		const r = $db.transaction("records").objectStore("records").count()
		r.onsuccess = () => ok(r.result)
		r.onerror = () => no(r.error)
	})`
	if n := promised[int](q, count); n == 0 {
		t.Fatal("nothing is kept")
	}
	promised[string](p, "kamaStore.wipe()")
	if n := promised[int](q, count); n != 0 {
		t.Errorf("%d records are left", n)
	}
	eval[bool](q, "($db.close(), true)")
	q.until(`(indexedDB.databases().then(all => window.$n = all.length), window.$n === 0)`)
}

// A session that ended elsewhere leaves nothing where no posts wait, in any tab.
func TestSessionEndedElsewhereLeavesNothing(t *testing.T) {
	s := newServer(t)
	p, q, mei, _ := twoTabs(t, s, keepsSites(t, s))
	p.expected, q.expected = true, true
	mei.signsOut(t, s)
	for _, tab := range []*page{p, q} {
		tab.until(`location.pathname == "/login" && document.querySelector("#username")`)
	}
	for _, tab := range []*page{p, q} {
		if got := tab.left(); len(got) > 0 {
			t.Errorf("the browser still has %v", got)
		}
	}
}
