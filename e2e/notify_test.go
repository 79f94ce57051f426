package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

func TestUpdateIsOfferedAndKeepsWhatIsTyped(t *testing.T) {
	program := next(t)
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	path := "/c/" + string(mei.with(zhe))
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo(path)
	p.live()
	p.installed()
	if n := eval[int](p, `document.querySelectorAll(".offer").length`); n != 0 {
		t.Errorf("%d offers though there is nothing new", n)
	}
	p.expected = true
	s.kill()
	s.program = program
	s.again()
	// The program looks for a newer build by itself, once it is connected again.
	p.until(`document.querySelector(".offer .link")`)
	if got := eval[string](p, `document.querySelector("#offers").textContent + "|" + document.querySelector("#offers").getAttribute("role")`); got != "A new version is readyUpdate|status" {
		t.Errorf("the offer is %q", got)
	}
	p.shot("update")
	p.fill("#text", "half a thought\U0001F9F5")
	eval[bool](p, "(window.$old = true)")
	// At once, before the draft would be written by itself.
	p.click(".offer .link")
	p.until("!window.$old")
	p.live()
	if got := eval[string](p, `kama.build + location.pathname + document.getElementById("text").value`); got != "next"+path+"half a thought\U0001F9F5" {
		t.Errorf("after the update it is %q", got)
	}
	p.until("!kama.waiting && !document.querySelector('.offer')")
}

// allow grants a permission without asking the person.
func (p *page) allow(name string) {
	p.Helper()
	if _, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, Origin: p.base,
	}); err != nil {
		p.Fatal(err)
	}
}

// pushable stands in for a push service: browsers have none without a network.
// The keys are those of RFC 8291, appendix A.
func (p *page) pushable(endpoint string) {
	p.Helper()
	p.first(fmt.Sprintf(`if (window.PushManager) {
		let sub = JSON.parse(localStorage.getItem("$sub"))
		const made = json => json && {endpoint: json.endpoint, options: {}, toJSON: () => json,
			unsubscribe: async () => (localStorage.removeItem("$sub"), sub = null, true)}
		PushManager.prototype.getSubscription = async () => made(sub)
		PushManager.prototype.subscribe = async options => {
			sub = {endpoint: %q, key: options.applicationServerKey, keys: {
				p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg"}}
			localStorage.setItem("$sub", JSON.stringify(sub))
			return made(sub)
		}
	}`, endpoint))
}

// told is to how many browsers the server would tell what it has for p. It may
// be asked once in a while only.
func (p *person) told() (endpoints int) {
	p.t.Helper()
	var out struct{ Answers []json.RawMessage }
	p.call("POST", "/api/v1/push/test", nil, &out)
	return len(out.Answers)
}

func TestNotificationsAreSwitchedInTheMenu(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "Lin Mei")
	p := browse(t, s, 1024, 768).as(mei)
	p.allow("notifications")
	p.pushable("https://push.invalid/one")
	p.first(`window.$asked = []; const asks = window.fetch; window.fetch = (url, options) => asks(url, options).then(answer => (
		$asked.push((options?.method || "GET") + " " + String(url) + " " + answer.status), answer))`)
	p.goTo("/")
	p.live()
	p.installed()
	asked := func(what string, times int) {
		t.Helper()
		p.until(fmt.Sprintf("$asked.filter(s => s == %q).length", what))
		if n := eval[int](p, fmt.Sprintf("$asked.filter(s => s == %q).length", what)); n != times {
			t.Errorf("the program asked %v, want %s %d times", eval[[]string](p, "$asked"), what, times)
		}
	}
	const sw = `document.querySelector("#menu [role=switch]")`
	is := func(on bool) {
		t.Helper()
		p.until(fmt.Sprintf(`%s && %[1]s.getAttribute("aria-disabled") == "false" && %[1]s.getAttribute("aria-checked") == "%v"`, sw, on))
	}
	is(false)
	if eval[bool](p, `$asked.some(s => s.includes("/push/"))`) {
		t.Errorf("before anybody switched it on the program asked: %v", eval[[]string](p, "$asked"))
	}
	// By the keyboard alone.
	p.fill(".who-am-i", "\r")
	p.until(`document.querySelector("#menu").matches(":popover-open")`)
	p.fill("#menu [role=switch]", "\r")
	is(true)
	if n := mei.told(); n != 1 {
		t.Errorf("%d browsers are told, want this one", n)
	}
	// Do not disturb.
	p.click(`#menu [data-key=quiet-3600000]`)
	p.until(`document.querySelector('#menu [data-key=quiet-3600000]').getAttribute("aria-pressed") == "true"`)
	eval[bool](p, `(document.querySelector("[data-key=quiet-from]").value = "22:00", document.querySelector("[data-key=quiet-to]").value = "07:30",
		document.querySelector("[data-key=quiet-to]").dispatchEvent(new Event("change", {bubbles: true})))`)
	var q chat.Quiet
	for q.From == "" {
		mei.call("GET", "/api/v1/me/dnd", nil, &q)
	}
	if q.To != "07:30" || q.Zone == "" || q.Until == 0 {
		t.Errorf("the server was told %+v", q)
	}
	p.shot("notes")
	// It stays, and the server is told again.
	p.goTo("/")
	p.live()
	is(true)
	asked("POST /api/v1/push/subscriptions 204", 1)
	p.until(`document.querySelector("[data-key=quiet-from]").value == "22:00"`)
	p.click("#menu [role=switch]")
	is(false)
	asked("DELETE /api/v1/push/subscriptions 204", 1)
	p.goTo("/")
	p.live()
	is(false)
	if eval[bool](p, `$asked.some(s => s.includes("/push/"))`) {
		t.Errorf("switched off, the program asked: %v", eval[[]string](p, "$asked"))
	}
	p.quiet()
}

func TestMutedConversationsStayMuted(t *testing.T) {
	c := talk(t, "en")
	p := browse(t, c.server, 1024, 768).as(c.mei)
	p.goTo("/c/" + string(c.hike))
	p.live()
	row := fmt.Sprintf(`document.querySelector('.conv-row[href="/c/%s"] .hushed')`, c.hike)
	p.click(".acts button")
	p.click("[data-key=mute-28800000]")
	p.until(row)
	if got := eval[string](p, row+`.getAttribute("aria-label")`); got != "Muted" {
		t.Errorf("the sign is called %q", got)
	}
	p.until(`document.querySelector(".head .hushed") && document.querySelector("[data-key=mute-28800000]").getAttribute("aria-pressed") == "true"`)
	p.goTo("/")
	p.live()
	p.until(row)
	c.zhe.says(c.hike, "psst")
	p.until(fmt.Sprintf(`document.querySelector('.conv-row[href="/c/%s"] .bd.quiet')`, c.hike))
	p.goTo("/c/" + string(c.hike))
	p.live()
	p.click(".acts button")
	p.click("[data-key=mute-0]")
	p.until("!" + row)
	// Without the server it holds here, and the server is told as soon as it is back;
	// so is the person's other device, which shows it at once.
	other := browse(t, c.server, 1024, 768).as(c.mei)
	other.goTo("/")
	other.live()
	if eval[bool](other, "!!"+row) {
		t.Error("it shows as muted, which it is not")
	}
	p.expected, other.expected = true, true
	c.kill()
	p.click("[data-key='mute--1']")
	p.until(row)
	c.again()
	other.until(row)
	var m struct{ Until int64 }
	c.mei.call("GET", "/api/v1/conversations/"+string(c.hike)+"/mute", nil, &m)
	if m.Until != -1 {
		t.Errorf("the server has it muted until %d", m.Until)
	}
}

// TestARowsMenuMutesAndMarksAsUnread: on all devices, and opening it takes the mark away.
func TestARowsMenuMutesAndMarksAsUnread(t *testing.T) {
	s := newServer(t, "--push", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "hello")
	p, other := browse(t, s, 1280, 800).as(mei), browse(t, s, 412, 900).as(mei)
	row := fmt.Sprintf(`.conv-row[href="/c/%s"]`, conv)
	for _, x := range []*page{p, other} {
		x.first(`navigator.setAppBadge = async n => window.$badge = n === undefined ? "dot" : n`)
		x.goTo("/")
		x.live()
	}
	menu := func() {
		p.until(fmt.Sprintf(`document.querySelector('%s')`, row))
		eval[bool](p, fmt.Sprintf(`document.querySelector('%s').dispatchEvent(new MouseEvent("contextmenu", {bubbles: true, cancelable: true, clientX: 120, clientY: 120}))`, row))
		p.until(`document.querySelector("#row-menu").matches(":popover-open") && document.querySelector("#mutes-row [data-key=mute-3600000]")`)
	}
	item := func(words string) {
		menu()
		js := fmt.Sprintf(`[...document.querySelectorAll("#row-menu .menu-item")].find(b => b.textContent == %q)`, words)
		p.until(js)
		eval[bool](p, "("+js+".click(), true)")
		p.until(`!document.querySelector("#row-menu").matches(":popover-open")`)
	}
	menu()
	p.shot("row-menu")
	p.click("#mutes-row [data-key=mute-3600000]")
	for _, x := range []*page{p, other} {
		x.until(fmt.Sprintf(`document.querySelector('%s .hushed')`, row))
	}
	menu()
	p.until(`document.querySelector("#mutes-row [data-key=mute-3600000]").getAttribute("aria-pressed") == "true"`)
	p.click("#mutes-row [data-key=mute-0]")
	other.until(fmt.Sprintf(`!document.querySelector('%s .hushed')`, row))

	other.until(fmt.Sprintf(`document.querySelector('%s .bd').textContent == "1"`, row))
	item("Mark as read")
	other.until(fmt.Sprintf(`!document.querySelector('%s .bd')`, row))
	item("Mark as unread")
	for _, x := range []*page{p, other} {
		x.until(fmt.Sprintf(`document.querySelector('%s .bd')?.getAttribute("aria-label") == "Marked as unread" && document.title.startsWith("(•) ") && window.$badge == "dot"`, row))
	}
	p.shot("row-marked")
	other.click(row)
	for _, x := range []*page{p, other} {
		x.until(fmt.Sprintf(`!document.querySelector('%s .bd') && !document.title.startsWith("(") && window.$badge == 0`, row))
	}
	p.quiet()
}

func TestMutedAndMarkedWithoutAScript(t *testing.T) {
	s := newServer(t, "--push", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	mei.says(conv, "hello")
	p := browse(t, s, 412, 900).as(mei)
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	menu := "/c/" + string(conv) + "?menu"
	p.goTo(menu)
	p.click(".acts details summary")
	p.shot("menu-plain")
	p.click(`button[value="hush 8"]`)
	p.until(`!location.search && document.querySelector(".conv-row .hushed")`)
	p.goTo(menu)
	p.click(`button[value="hush 0"]`)
	p.until(`!location.search && !document.querySelector(".conv-row .hushed")`)
	p.goTo(menu)
	p.click(`button[value=mark]`)
	p.until(`location.pathname == "/" && document.querySelector(".conv-row .bd")?.textContent == "•"`)
	p.goTo(menu)
	p.click(`button[value=unmark]`)
	p.until(`location.pathname == "/" && !document.querySelector(".conv-row .bd")`)
	p.quiet()
}

// hide has the page believe that it is out of sight, or not.
func (p *page) hide(hidden bool) {
	p.Helper()
	eval[bool](p, fmt.Sprintf(`(Object.defineProperty(document, "visibilityState", {value: %v ? "hidden" : "visible", configurable: true}),
		Object.defineProperty(document, "hidden", {value: %[1]v, configurable: true}),
		document.hasFocus = () => !%[1]v, document.dispatchEvent(new Event("visibilitychange")))`, hidden))
}

func TestHiddenPageTellsAndIsTold(t *testing.T) {
	s := newServer(t, "--push", "off")
	mei, zhe, yu := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe"), join(t, s, "xiaoyu", "Xiao Yu")
	conv := mei.with(zhe)
	zhe.says(conv, "old news")
	p := browse(t, s, 1024, 768).as(mei)
	p.allow("notifications")
	p.first(`window.$sent = []; const send = WebSocket.prototype.send; WebSocket.prototype.send = function(d) { $sent.push(String(d)); send.call(this, d) }
		navigator.setAppBadge = async n => window.$badge = n`)
	p.goTo("/")
	p.live()
	p.installed()
	p.until("window.$badge === 1")
	p.click(".who-am-i")
	p.until(`document.querySelector("#menu [role=switch][aria-disabled=false]")`)
	p.click("#menu [role=switch]")
	p.until(`document.querySelector("#notes-say").textContent == "They show as long as KamaChat is open."`)

	const list = `navigator.serviceWorker.ready.then(r => r.getNotifications()).then(all => all.map(n => n.title + ": " + n.body).sort())`
	shows := func(want ...string) {
		t.Helper()
		p.until(fmt.Sprintf("(%s.then(got => window.$list = JSON.stringify(got)), window.$list == JSON.stringify(%s))", list, mustJSON(t, append([]string{}, want...))))
	}
	looks := func(hidden bool, times int) {
		t.Helper()
		p.until(fmt.Sprintf(`$sent.join("\n").split('{"hidden":%v}').length == %d`, hidden, times+1))
	}
	p.hide(true)
	looks(true, 1)
	// What is muted is not told of.
	mei.call("PUT", "/api/v1/conversations/"+string(mei.with(yu))+"/mute", map[string]int64{"until": -1}, nil)
	zhe.says(conv, "one")
	shows("Azhe: one")
	// After a new connection the server hears it again, and mutes are known.
	p.expected = true
	s.kill()
	s.again()
	looks(true, 2)
	p.until(fmt.Sprintf(`document.querySelector('.conv-row[href="/c/%s"]') || true`, mei.with(yu)))
	zhe.says(conv, "two")
	shows("Azhe: two")
	p.hide(false)
	looks(false, 1)
	// Seen, it goes away.
	p.goTo("/c/" + string(conv))
	p.live()
	shows()
	p.until("window.$badge === 0")
}

func TestWhatIsSharedWaitsForAConversation(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "hello")
	p := browse(t, s, 390, 844).as(mei)
	p.goTo("/")
	p.live()
	p.installed()
	share := func(text, file string) {
		t.Helper()
		promised[bool](p, fmt.Sprintf(`(() => {
			const form = new FormData()
			form.set("title", "Ridge"); form.set("text", %q); form.set("url", "https://example.org/")
			if (%q) form.append("files", new File(["one"], %[2]q))
			return fetch("/share", {method: "POST", body: form, redirect: "manual"}).then(r => r.type == "opaqueredirect")
		})()`, text, file))
	}
	share("the way up https://example.org/", "")
	p.goTo("/?share=1")
	p.until(`document.querySelector(".offer")?.textContent == "Choose a conversation to share toCancel"`)
	p.do(chromedp.Reload()) // it is not lost by that
	p.until(`document.querySelector(".offer")?.textContent == "Choose a conversation to share toCancel"`)
	p.shot("share")
	p.click(".conv-row")
	p.until(`document.querySelector("#text")?.value == "Ridge\nthe way up https://example.org/"`)
	if eval[bool](p, `!!document.querySelector(".offer")`) {
		t.Error("it still asks")
	}
	p.kept("d/"+string(conv), "Ridge")
	// Where a conversation is open it goes there, below what is written.
	share("and down", "map.gpx")
	p.goTo("/c/" + string(conv))
	p.until(`document.querySelector("#text")?.value == "Ridge\nthe way up https://example.org/\nRidge\nand down\nhttps://example.org/"`)
	p.until(`document.querySelector("#attached .chosen b")?.textContent == "map.gpx"`)
	p.shot("share-file")
	// Nothing is sent, and it is not asked again.
	p.goTo("/")
	p.live()
	if eval[bool](p, `!!document.querySelector(".offer")`) {
		t.Error("it asks again")
	}
	p.quiet()
}

// Pictures of what aside.js draws, in all sizes, schemes and languages.
func TestNoticesLookRight(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		c := talk(t, lang)
		p := browse(t, c.server, 1440, 900).as(c.mei)
		p.allow("notifications")
		c.mei.call("PUT", "/api/v1/conversations/"+string(c.hike)+"/mute", map[string]int64{"until": -1}, nil)
		p.goTo("/?lang=" + lang)
		p.live()
		p.installed()
		p.expected = true // there is no push service
		p.click(".who-am-i")
		p.click("#menu [role=switch][aria-disabled=false]")
		p.until(`document.querySelector("#menu [role=switch][aria-checked=true]")`)
		eval[bool](p, `(kama.waiting = true, kama.onUpdate(), true)`)
		p.look(lang, "notes")
		p.goTo("/c/" + string(c.hike))
		p.live()
		p.click(".acts button")
		p.until(`document.querySelector(".head .hushed") && document.querySelector("#mutes [aria-pressed=true]")`)
		p.look(lang, "mute")
	}
}
