package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"
)

// promised is what a promise comes to.
func promised[T any](p *page, js string) T {
	p.Helper()
	eval[bool](p, "(window.$came = null, Promise.resolve("+js+").then(v => window.$came = {v}, e => window.$came = {e: String(e)}), true)")
	p.until("window.$came")
	if e := eval[string](p, `window.$came.e || ""`); e != "" {
		p.Fatalf("%s: %s", js, e)
	}
	return eval[T](p, "window.$came.v ?? null")
}

// installed waits until the service worker has everything and is in charge.
func (p *page) installed() {
	p.Helper()
	promised[bool](p, `navigator.serviceWorker.ready.then(r => r.active.state == "activated" || new Promise(done => r.active.onstatechange = e => e.target.state == "activated" && done(true)))`)
	p.until("navigator.serviceWorker.controller")
}

// started waits until the program runs, with or without a server.
func (p *page) started() {
	p.Helper()
	p.until(`document.getElementById("app") && performance.getEntriesByName("goapp-interactive").length`)
}

// tab opens another tab of the same browser.
func (p *page) tab(width, height int64) *page {
	p.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	q := &page{TB: p.TB, ctx: ctx, base: p.base, close: cancel}
	p.Cleanup(q.close)
	q.open(width, height)
	return q
}

// builds are the builds whose files the browser keeps.
func (p *page) builds() []string {
	p.Helper()
	return promised[[]string](p, `caches.keys().then(all => all.filter(n => n.startsWith("build-")))`)
}

func TestProgramIsInstallableAndFetchedOnce(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 1024, 768)
	// What the door has fetched ahead is not fetched again.
	p.goTo("/register")
	p.until(`performance.getEntriesByType("resource").some(e => /app-.*wasm/.test(e.name) && e.responseEnd)`)
	p.register("linmei")
	if got := eval[[]float64](p, `performance.getEntriesByType("resource").filter(e => /app-.*wasm/.test(e.name)).map(e => e.transferSize)`); !reflect.DeepEqual(got, []float64{0}) {
		t.Errorf("the program is fetched with %v bytes, want once and from what is there", got)
	}
	p.installed()
	found, err := chromedp.Call(p.ctx, cdpage.GetInstallabilityErrors, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.InstallabilityErrors {
		t.Errorf("it can't be installed: %s %v", e.ErrorID, e.ErrorArguments)
	}
	m, err := chromedp.Call(p.ctx, cdpage.GetAppManifest, cdpage.GetAppManifestParams{})
	if err != nil || m.Data == "" {
		t.Fatalf("there is no manifest: %v", err)
	}
	for _, e := range m.Errors {
		t.Errorf("the manifest: %s", e.Message)
	}
	p.quiet()
}

func TestProgramOpensWithoutTheServer(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	profile := chromedp.UserDataDir(t.TempDir())
	p := browse(t, s, 1024, 768, profile).as(mei)
	p.goTo("/?lang=zh")
	p.live()
	p.installed()
	eval[bool](p, `(document.cookie = "kamachat_theme=dark; path=/; max-age=1000", true)`)
	s.kill()
	p.expected = true
	for _, path := range []string{"/", "/c/" + string(conv)} {
		p.goTo(path)
		p.started()
		if at := eval[string](p, "location.pathname"); at != path {
			t.Errorf("%s opens %s", path, at)
		}
		if look := eval[string](p, `document.documentElement.lang + " " + document.documentElement.dataset.theme`); look != "zh dark" {
			t.Errorf("%s is %s, want what the person chose", path, look)
		}
	}
	p.close()

	p = browse(t, s, 1024, 768, profile)
	p.expected = true
	p.goTo("/c/" + string(conv))
	p.started()
}

func TestPageSaysWhereWebAssemblyIsBlocked(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	p := browse(t, s, 390, 844).as(mei)
	p.first("delete window.WebAssembly")
	p.goTo("/c/" + string(mei.with(zhe)))
	p.until(`document.getElementById("plain")?.checkVisibility()`)
	p.shot("blocked")
	if over := eval[int](p, "document.documentElement.scrollHeight - innerHeight"); over > 0 {
		t.Errorf("the page is %d pixels too high", over)
	}
	if n := promised[int](p, "navigator.serviceWorker.getRegistrations().then(all => all.length)"); n > 0 {
		t.Error("there is a service worker, whose shell is of no use")
	}
	p.fill("#text", "without it")
	p.click(".send")
	p.sees("without it")
	p.quiet()
}

// A gate lies between a browser and the server, as a proxy does.
type gate struct {
	*httptest.Server
	status atomic.Int64 // what pages are answered, 0 what the server says
	shut   atomic.Pointer[chan struct{}]
}

func newGate(t *testing.T, s *server) *gate {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Mode") == "navigate" {
			if c := g.shut.Load(); c != nil {
				<-*c
			}
			if n := g.status.Load(); n != 0 {
				http.Error(w, "the proxy's own words", int(n))
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		if c := g.shut.Load(); c != nil {
			close(*c)
		}
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

func TestShellStandsInForAServerThatDoesNotAnswer(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "Lin Mei")
	g := newGate(t, s)
	p := browse(t, s, 1024, 768)
	p.base = g.URL
	p.as(mei).goTo("/")
	p.live()
	p.installed()
	// The server's page has data; the shell has none.
	fresh := func() bool { return eval[bool](p, `!!document.getElementById("boot")`) }
	p.goTo("/")
	if p.started(); !fresh() {
		t.Error("the shell is shown though the server answers")
	}
	p.expected = true
	for _, status := range []int64{502, 503, 504} {
		g.status.Store(status)
		p.goTo("/")
		if p.started(); fresh() {
			t.Errorf("status %d: it is not the shell", status)
		}
	}
	g.status.Store(500)
	p.goTo("/")
	if got := eval[string](p, "document.body.innerText"); got != "the proxy's own words\n" {
		t.Errorf("an error of the server's own is shown as %q", got)
	}
	g.status.Store(0)
	never := make(chan struct{})
	g.shut.Store(&never)
	p.goTo("/c/" + string(mei.ID))
	if p.started(); fresh() {
		t.Error("a server that is silent: it is not the shell")
	}
}

// next builds the program once more, as another version.
func next(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "kamachat")
	if p, err := exec.Command("go", "build", "-ldflags", "-X main.version=next", "-o", out, "../server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	return out
}

func TestUpdateWaitsUntilItIsAskedFor(t *testing.T) {
	program := next(t)
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	path := "/c/" + string(mei.with(zhe))
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo(path)
	p.live()
	p.installed()
	before := p.builds()
	if len(before) != 1 {
		t.Fatalf("it keeps the builds %v", before)
	}
	p.fill("#text", "half a thought")
	// The program asks by itself once it is back: it may be told before we ask.
	eval[bool](p, "(window.$old = true, kama.onUpdate = () => window.$told = true, true)")

	p.expected = true
	s.kill()
	s.program = program
	s.again()
	p.until(`document.querySelector(".me .av.on")`)
	eval[bool](p, "(kama.check(), true)")
	p.until("window.$told && kama.waiting")
	// Nothing has changed under the person's hands, and both builds are whole.
	if got := eval[string](p, `kama.build + ":" + document.getElementById("text").value`); got == "next:half a thought" || eval[string](p, `document.getElementById("text").value`) != "half a thought" {
		t.Errorf("after the new build came: %s", got)
	}
	if got := p.builds(); len(got) != 2 {
		t.Errorf("it keeps the builds %v, want the old and the new one", got)
	}

	// Another tab is told as well, and is left alone when this one swaps.
	q := p.tab(1024, 768)
	q.expected = true
	q.goTo("/")
	q.live()
	q.until("kama.waiting")
	eval[bool](q, "(window.$old = true)")
	eval[bool](p, "(kama.update(), true)")
	p.until("!window.$old")
	p.live()
	if got := eval[string](p, "kama.build + location.pathname"); got != "next"+path {
		t.Errorf("the page is %s, want next%s", got, path)
	}
	p.installed()
	p.until("!kama.waiting")
	if got := p.builds(); len(got) != 1 || got[0] == before[0] {
		t.Errorf("it keeps the builds %v, want only the new one; the old one was %v", got, before)
	}
	if !eval[bool](q, "window.$old && kama.waiting") {
		t.Error("the other tab was loaded again without being asked")
	}
	eval[bool](q, "(kama.update(), true)")
	q.until("!window.$old && window.kama && !kama.waiting")
	// The swap loads the page once, and the new build works without the server.
	eval[bool](p, "(window.$new = true)")
	s.kill()
	p.until(`!document.querySelector(".me .av.on")`)
	if !eval[bool](p, "window.$new") {
		t.Error("the page was loaded twice")
	}
	p.goTo("/")
	p.started()
	if got := eval[string](p, "kama.build"); got != "next" {
		t.Errorf("without the server it is the build %s", got)
	}
}

func TestSignOutLeavesNoTraceAndSignInWorksAtOnce(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 1024, 768)
	p.register("linmei")
	p.installed()
	promised[bool](p, `new Promise((done, no) => {
		localStorage.setItem("trace", "1")
		const r = indexedDB.open("trace", 1)
		r.onupgradeneeded = () => r.result.createObjectStore("kept").put("text", "key")
		r.onsuccess = () => done(true)
		r.onerror = () => no(r.error)
	})`)
	p.signOutLeavesNothing()
	p.fill("#username", "linmei")
	p.fill("#password", "correct horse linmei")
	p.click("form button.primary")
	p.live()
	p.installed()
	if got := p.builds(); len(got) != 1 {
		t.Errorf("signed in again, it keeps the builds %v", got)
	}
	p.quiet()
}

func TestSharedThingsWaitForThePage(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 1024, 768)
	p.register("linmei")
	p.installed()
	promised[bool](p, `(() => {
		const form = new FormData()
		form.set("title", "Ridge"); form.set("text", "look & see 你好"); form.set("url", "https://example.org/?a=b")
		form.append("files", new File(["one"], "地图.txt", {type: "text/plain"}))
		form.append("files", new File(["two!"], "b.gpx", {type: "application/gpx+xml"}))
		return fetch("/share", {method: "POST", body: form, redirect: "manual"}).then(r => r.type == "opaqueredirect")
	})()`)
	const take = `kama.shared().then(async it => it && [it.title, it.text, it.url, ...await Promise.all(it.files.map(async f => f.name + "|" + f.type + "|" + await f.text()))])`
	want := []string{"Ridge", "look & see 你好", "https://example.org/?a=b", "地图.txt|text/plain|one", "b.gpx|application/gpx+xml|two!"}
	for range 2 { // until it has found its place it is not lost by a reload
		if got := promised[[]string](p, take); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q", got)
		}
	}
	promised[bool](p, `kama.unshare()`)
	if got := promised[[]string](p, take); got != nil {
		t.Errorf("it is still there: %q", got)
	}
	// Without a worker the server sends it on in the address.
	eval[bool](p, `(history.replaceState(null, "", "/?share=1#text=a+b%26c"), true)`)
	if got := promised[[]string](p, take); !reflect.DeepEqual(got, []string{"", "a b&c", ""}) || eval[string](p, "location.href") != p.base+"/" {
		t.Errorf("by the address: %q, which is then %s", got, eval[string](p, "location.href"))
	}
	p.quiet()
}

func TestPushIsOneNotificationForAConversation(t *testing.T) {
	s := newServer(t)
	mei, zhe, yu := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe"), join(t, s, "xiaoyu", "Xiao Yu")
	yu.says(yu.with(mei), "hello")
	p := browse(t, s, 1024, 768).as(mei)
	allow := browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: browser.PermissionSettingGranted, Origin: s.url}
	if _, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, allow); err != nil {
		t.Fatal(err)
	}
	p.goTo("/c/" + string(mei.with(zhe)))
	p.live()
	p.installed()

	found := make(chan serviceworker.RegistrationID, 8)
	if err := chromedp.Listen(p.ctx, func(ev any) {
		if e, ok := ev.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				select {
				case found <- r.RegistrationID:
				default:
				}
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(p.ctx, serviceworker.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	id := <-found
	push := func(conv any, seq int, body string) {
		t.Helper()
		data, err := json.Marshal(map[string]any{"conv": conv, "seq": seq, "title": "Somebody", "body": body, "unread": seq})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(p.ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{
			Origin: s.url, RegistrationID: id, Data: string(data),
		}); err != nil {
			t.Fatal(err)
		}
	}
	const list = `navigator.serviceWorker.ready.then(r => r.getNotifications()).then(all => all.map(n => n.tag + " " + n.body).sort())`
	shows := func(want ...string) {
		t.Helper()
		p.until(fmt.Sprintf("(%s.then(got => window.$list = JSON.stringify(got)), window.$list == JSON.stringify(%s))", list, mustJSON(t, append([]string{}, want...))))
	}
	other, seen := mei.with(yu), mei.with(zhe)
	push(other, 1, "one")
	shows(string(other) + " one")
	push(other, 3, "three")
	shows(string(other) + " three")
	push(other, 2, "two, late")
	// The conversation in front is told to its page instead.
	eval[bool](p, "(kama.onPush = push => window.$push = push, true)")
	push(seen, 4, "here")
	p.until(`window.$push && window.$push.body == "here"`)
	shows(string(other) + " three")
	promised[any](p, fmt.Sprintf("kama.seen(%q)", other))
	shows()
	// What a click asks of a page that runs: to show the conversation, without a reload.
	promised[bool](p, fmt.Sprintf(`new Promise(done => {
		const line = new MessageChannel()
		line.port1.onmessage = e => done(window.$same = e.data)
		navigator.serviceWorker.dispatchEvent(new MessageEvent("message", {data: {kind: "open", path: "/c/%s"}, ports: [line.port2]}))
	})`, other))
	p.until(fmt.Sprintf(`window.$same && location.pathname == "/c/%s" && document.querySelector("h1").textContent == "Xiao Yu"`, other))
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestWithoutTheServerMutesAreKnownAndTheDoctorIsThere: what was muted shows as
// muted, and the page that tells what works opens and says what doesn't.
func TestWithoutTheServerMutesAreKnownAndTheDoctorIsThere(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "hello")
	mei.call("PUT", "/api/v1/conversations/"+string(conv)+"/mute", map[string]int64{"until": -1}, nil)
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	p.installed()
	p.until(`document.querySelector(".head .hushed")`)
	p.expected = true
	s.kill()
	p.goTo("/c/" + string(conv))
	p.started()
	p.until(`document.querySelector(".head .hushed")`)

	p.click(".who-am-i")
	p.click("#menu a[href='/doctor']")
	got := p.results()
	for check, want := range map[string]string{"connection": "broken", "socket": "none", "program": "none", "worker": "works", "kept": "works", "storage": "works"} {
		if got[check] != want {
			t.Errorf("without the server %s is %q, want %q: %s", check, got[check], want, p.finding(check))
		}
	}
	// Signing out somewhere takes what was muted along.
	p.goTo("/c/" + string(conv))
	p.started()
	promised[bool](p, "kama.forget().then(() => true)")
	if left := eval[[]string](p, "Object.keys(localStorage)"); slices.Contains(left, "kama-mutes") {
		t.Errorf("left in localStorage: %v", left)
	}
}
