package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A view is a page as somebody sees it.
type view struct {
	name, path string
	as         string // whose browser: ann, root, or nobody's
	ready      string // true once all is drawn; empty: as soon as it is loaded
	status     int    // that a page of an error is answered with
}

// drawn is the ready of what the app draws.
const drawn = `performance.getEntriesByName("goapp-interactive").length && document.querySelector(".me .av.on")`

// A dress is how a page is looked at.
type dress struct {
	scheme        string
	width, height int64
}

var (
	phoneLight = dress{"light", 390, 844}
	phoneDark  = dress{"dark", 390, 844}
	deskLight  = dress{"light", 1280, 800}
	deskDark   = dress{"dark", 1280, 800}
)

// in runs "kamachat admin" beside a server.
func (s *server) in(words ...string) {
	s.t.Helper()
	if out, err := exec.Command(s.program, append(append([]string{"admin"}, words...), "--data", s.data)...).CombinedOutput(); err != nil {
		s.t.Fatalf("admin %s: %v %s", words, err, out)
	}
}

// form sends a form as the page would.
func (p *page) form(path string, fields map[string]string) {
	p.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		p.Fatal(err)
	}
	js := fmt.Sprintf(`fetch(%q, {method: "POST", body: new URLSearchParams(%s)}).then(r => r.status)`, path, body)
	if got, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](js, chromedp.EvalAwaitPromise)); err != nil || got >= 400 {
		p.Fatalf("%s: %d %v", path, got, err)
	}
}

// everyPage makes a server where something is on every page, and lists them.
func everyPage(t *testing.T) (by map[string]*page, views []view) {
	t.Helper()
	s, root := administrator(t)
	ann, bob, dan := join(t, s, "ann", "Ann Wertheim-Hohenstaufen"), join(t, s, "bob", "阿哲"), join(t, s, "dan", "Dan")
	join(t, s, "eve", "Eve")
	hike, direct := ann.group("Weekend hike", bob), ann.with(bob)
	bob.says(hike, "Saturday, seven o’clock?", "The forecast says sun all day ☀️")
	ann.says(direct, "Hello")
	bob.says(direct, "You fool, https://example.org/a/very/long/address/that/does/not/break/anywhere/at/all?x=1")
	a := root.beside(1280, 800).as(ann)
	a.goTo("/contacts")
	a.form("/people/"+string(bob.ID)+"/ask", map[string]string{"message": "It’s me"})
	a.form("/g/"+string(hike)+"/edit", map[string]string{"name": "Weekend hike", "notice": "Bring boots.", "joining": "approval", "slow": "0"})
	a.form("/settings/bots", map[string]string{"username": "annsbot", "nickname": "Helper"})
	a.form("/g/"+string(hike)+"/hooks/in", map[string]string{"name": "Builds"})
	a.form("/settings/export", nil)
	dan.call("PUT", "/api/v1/requests/"+string(ann.ID), map[string]any{"message": "Hi, we met at the lake"}, nil)
	var link struct {
		Code   string
		Invite struct{ Code string }
	}
	ann.call("POST", "/api/v1/groups/"+string(hike)+"/invites", map[string]any{}, &link)
	code := link.Code + link.Invite.Code
	dan.call("POST", "/api/v1/groups/"+string(hike)+"/join", map[string]any{"message": "May I come along?"}, nil)
	ann.call("POST", "/api/v1/reports", map[string]any{"conv": direct, "seq": 2, "reason": "He writes like this to everybody, every day."}, nil)
	ann.call("POST", "/api/v1/reports", map[string]any{"user": bob.ID, "reason": "骚扰"}, nil)
	s.in("invite", "--note", "The choir")
	s.in("disable", "eve")
	root.goTo("/admin/reports")
	report := eval[string](root, `[...document.querySelectorAll("td.num a")].at(-1).getAttribute("href")`)

	by = map[string]*page{"root": root, "ann": a, "nobody": root.beside(1280, 800)}
	add := func(as string, all map[string]string) {
		for name, path := range all {
			views = append(views, view{name: name, path: path, as: as})
		}
	}
	add("nobody", map[string]string{"signin": "/login", "register": "/register", "api-docs": "/api/docs"})
	add("ann", map[string]string{
		"contacts": "/contacts", "contacts-search": "/contacts?q=b", "contacts-blocked": "/contacts?only=blocked", "person": "/people/" + string(bob.ID), "new": "/new",
		"group": "/g/" + string(hike), "group-members": "/g/" + string(hike) + "/members", "group-requests": "/g/" + string(hike) + "/requests",
		"group-invites": "/g/" + string(hike) + "/invites", "group-edit": "/g/" + string(hike) + "/edit", "group-hooks": "/g/" + string(hike) + "/hooks", "group-door": "/join/" + code,
		"settings": "/settings", "settings-profile": "/settings/profile", "settings-privacy": "/settings/privacy", "settings-password": "/settings/password",
		"settings-codes": "/settings/codes", "settings-passkeys": "/settings/passkeys", "settings-devices": "/settings/devices", "settings-bots": "/settings/bots",
		"settings-export": "/settings/export", "settings-leave": "/settings/leave", "export": "/c/" + string(hike) + "/export", "report": "/report?conv=" + string(direct) + "&seq=2",
		"doctor": "/doctor",
	})
	add("root", map[string]string{
		"admin-overview": "/admin/overview", "admin-people": "/admin/people", "admin-person": "/admin/people/" + string(bob.ID), "admin-act": "/admin/people/act?act=delete&id=" + string(bob.ID),
		"admin-groups": "/admin/groups", "admin-group": "/admin/groups/" + string(hike), "admin-group-act": "/admin/groups/act?act=dismiss-group&id=" + string(hike),
		"admin-reports": "/admin/reports", "admin-report": report, "admin-invitations": "/admin/invitations", "admin-audit": "/admin/audit", "admin-settings": "/admin/settings", "admin-jobs": "/admin/jobs",
	})
	views = append(views,
		view{name: "chat", path: "/", as: "ann", ready: drawn}, view{name: "chat-open", path: "/c/" + string(direct), as: "ann", ready: drawn},
		view{name: "error-404", path: "/nowhere", as: "ann", status: 404}, view{name: "error-group", path: "/g/G1", as: "ann", status: 404},
		view{name: "error-join", path: "/join/nothing", as: "ann", status: 404}, view{name: "doctor-nobody", path: "/doctor", as: "nobody", status: 426}, // what its try without a sign-in is answered with
		view{name: "error-setup", path: "/setup?key=x", as: "nobody", status: 403},
	)
	slices.SortFunc(views, func(x, y view) int { return strings.Compare(x.name, y.name) })
	return by, views
}

// Every page holds on a phone and on a desk, in both languages: nothing lies beyond
// its edges, the console is silent, it has a title, and everything on it is said in
// words. With KAMACHAT_SHOTS (make shots) pictures are taken in every dress.
func TestEveryPageHolds(t *testing.T) {
	by, views := everyPage(t)
	for lang, dresses := range map[string][]dress{"en": {phoneLight}, "zh": {deskDark}} {
		if os.Getenv("KAMACHAT_SHOTS") != "" {
			dresses = []dress{phoneLight, phoneDark, deskLight, deskDark}
		}
		for _, p := range by {
			p.cookie("kamachat_lang", lang)
		}
		for _, v := range views {
			p := by[v.as]
			p.do(chromedp.EmulateViewport(dresses[0].width, dresses[0].height))
			before := len(p.complaints())
			p.goTo(v.path)
			if v.ready != "" {
				p.until(v.ready)
			} else {
				p.until(`document.readyState == "complete"`)
			}
			for _, d := range dresses {
				p.dress(d.scheme)
				p.do(chromedp.EmulateViewport(d.width, d.height))
				p.settled()
				name := fmt.Sprintf("page-%s-%s-%s-%d", v.name, lang, d.scheme, d.width)
				p.holds(name, lang)
				p.shot(name)
			}
			for _, c := range p.complaints()[before:] {
				if v.status == 0 || !strings.Contains(c, fmt.Sprint(v.status)) {
					t.Errorf("%s in %s: console: %s", v.name, lang, c)
				}
			}
		}
	}
}

// holds checks what p shows.
func (p *page) holds(name, lang string) {
	p.Helper()
	if got := eval[string](p, "document.documentElement.lang"); !strings.HasPrefix(got, lang) {
		p.Errorf("%s: the page says that it is in %q", name, got)
	}
	if title := eval[string](p, "document.title"); title == "" || !strings.Contains(title, "KamaChat") {
		p.Errorf("%s: the title is %q", name, title)
	}
	if w := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); w > 0 {
		p.Errorf("%s scrolls sideways by %d px: %v", name, w, eval[[]string](p, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className).slice(0, 9)`))
	}
	// The keys of the catalogue are words with dots between them.
	const raw = `(() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let n; n = walk.nextNode();) if (/^[a-z]+(\.[a-z_-]+)+$/.test(n.textContent.trim()) && !/\.(json|yaml)$/.test(n.textContent) && !n.parentElement.closest("script,style,code,pre,[translate=no]")) found.push(n.textContent);
		return found })()`
	if keys := eval[[]string](p, raw); len(keys) > 0 {
		p.Errorf("%s shows %q", name, keys)
	}
}
