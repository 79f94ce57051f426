package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// failing makes a browser whose databases fail to open, each page's first so many
// times. What is opened is in $dbs.
func failing(times int) string {
	return fmt.Sprintf(`{
	const open = IDBFactory.prototype.open
	let left = %d
	window.$dbs = []
	IDBFactory.prototype.open = function(...args) {
		if (left-- > 0) {
			const r = {error: new DOMException("it failed to open", "UnknownError")}
			setTimeout(() => r.onerror({preventDefault() {}}))
			return r
		}
		const r = open.apply(this, args)
		r.addEventListener("success", () => $dbs.push(r.result))
		return r
	}
}`, times)
}

// A database that does not open at first is opened all the same.
func TestDatabaseThatFailsToOpenIsTriedAgain(t *testing.T) {
	for _, times := range []int{1, 4} { // 4: more often than one call tries
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			s := newServer(t)
			mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
			conv := mei.with(zhe)
			zhe.says(conv, "was read")
			p := browse(t, s, 1024, 768).as(mei)
			p.goTo("/c/" + string(conv))
			p.live()
			p.kept("p/"+string(conv)+"/00000000", "was read")
			p.installed()
			p.first(failing(times))
			p.expected = true
			s.kill()
			p.goTo("/c/" + string(conv))
			p.started()
			p.sees("was read")
			p.say("written offline")
			p.until(`(kamaStore.kept("o/").then(n => window.$n = n), window.$n == 1)`)
			s.again()
			mei.arrived(conv, []string{"written offline"})
		})
	}
}

// A database that is closed under the program is opened again.
func TestDatabaseThatIsClosedIsOpenedAgain(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	p := browse(t, s, 1024, 768).as(mei)
	p.first(failing(0))
	p.goTo("/c/" + string(conv))
	p.live()
	page := "p/" + string(conv) + "/00000000"
	for i, then := range []string{"", `d.dispatchEvent(new Event("close"))`} { // as a script closes it, and as a browser does
		zhe.says(conv, fmt.Sprint("before ", i))
		p.kept(page, fmt.Sprint("before ", i))
		eval[bool](p, fmt.Sprintf(`($dbs.forEach(d => { d.close(); %s }), true)`, then))
		zhe.says(conv, fmt.Sprint("after ", i))
		p.kept(page, fmt.Sprint("after ", i))
	}
	p.quiet()
}

// What the browser clears is there again once the server has said who is signed in.
func TestWhatTheBrowserClearsIsKeptAgain(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "was read")
	wire := newCable(t, s)
	p := browse(t, s, 1024, 768)
	p.base = "http://" + wire.from
	p.as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	page := "p/" + string(conv) + "/00000000"
	p.kept(page, "was read")
	p.expected = true
	if _, err := chromedp.Call(p.ctx, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: p.base, StorageTypes: "indexeddb"}); err != nil {
		t.Fatal(err)
	}
	p.until(`(kamaStore.peek("me").then(() => window.$gone = false, () => window.$gone = true), window.$gone)`)
	wire.cut()
	p.until(`!document.querySelector(".me .av.on")`)
	p.say("written meanwhile")
	wire.mend()
	p.focus()
	mei.arrived(conv, []string{"written meanwhile"})
	p.until(`(kamaStore.peek("me").then(v => window.$me = v, () => 0), window.$me)`)
	p.kept(page, "was read")
	p.kept(page, "written meanwhile")
	p.kept("c/"+string(conv), string(conv))
	p.until(`!document.querySelector(".note:not([hidden])")`)
}

// What another version of the program kept is not read, and goes. What the
// person wrote stays.
func TestRecordsOfAnotherVersionGo(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "was read")
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	p.kept("p/"+string(conv)+"/00000000", "was read")
	p.installed()
	p.expected = true
	s.kill()
	p.say("waits")
	p.until(`(kamaStore.kept("o/").then(n => window.$n = n), window.$n == 1)`)
	p.fill("#text", "half a thought")
	p.kept("d/"+string(conv), "half a thought")
	junk := `{"v":0,"me":{"id":"` + string(mei.ID) + `","form":"old"}}`
	promised[string](p, fmt.Sprintf(`kamaStore.write(JSON.stringify({put: [{k: "me", v: %q}, {k: "c/%[2]s", v: "[0]"}, {k: "c/other", v: "[0]"}, {k: "u/other", v: "[0]"}, {k: "p/%[2]s/00000000", v: "[0]"}, {k: "p/%[2]s/00000009", v: "[0]"}]}))`, junk, conv))
	p.goTo("/c/" + string(conv))
	p.started()
	p.sees("waits")
	if got := eval[string](p, `document.querySelector("#text").value`); got != "half a thought" || p.rows("was read") != 0 {
		t.Errorf("the composer has %q, and there are %d rows of an old form", got, p.rows("was read"))
	}
	p.kept("me", `"v":1`)
	if got := promised[[]int](p, `Promise.all(["p/", "u/other", "c/other", "o/", "d/"].map(k => kamaStore.kept(k)))`); fmt.Sprint(got) != "[0 0 0 1 1]" {
		t.Errorf("of pages, people, conversations, posts, drafts are left %v", got)
	}
	s.again()
	mei.arrived(conv, []string{"waits"})
	p.kept("p/"+string(conv)+"/00000000", "was read")
	p.kept("me", "linmei")
}

// What another tab gave up is kept again when it is read again.
func TestWhatAnotherTabGaveUpIsKeptWhenItIsRead(t *testing.T) {
	s := newServer(t)
	mei, zhe, gong := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe"), join(t, s, "gong", "Gong")
	convs := []chat.ConvID{mei.with(zhe), mei.with(gong)}
	zhe.says(convs[0], "was read")
	gong.says(convs[1], "hello")
	p := browse(t, s, 1024, 768).as(mei)
	show := func(name, text string) {
		t.Helper()
		row := fmt.Sprintf(`[...document.querySelectorAll(".conv-row")].find(r => r.textContent.includes(%q))`, name)
		p.until(row)
		eval[bool](p, "("+row+".click(), true)")
		p.sees(text)
	}
	p.goTo("/")
	p.live()
	show("Azhe", "was read")
	p.kept("p/"+string(convs[0])+"/00000000", "was read")
	show("Gong", "hello")
	q := p.tab(1024, 768)
	q.goTo("/login")                    // no program runs there
	q.until(`location.pathname == "/"`) // who is signed in is sent on
	q.live()
	eval[bool](p, `(new BroadcastChannel("kama").onmessage = () => window.$heard = true, true)`)
	promised[string](q, fmt.Sprintf(`kamaStore.write(JSON.stringify({del: ["p/%s/00000000"]}))`, convs[0]))
	p.until("window.$heard")
	gong.says(convs[1], "is written")
	p.kept("p/"+string(convs[1])+"/00000000", "is written")
	if n := promised[int](p, fmt.Sprintf(`kamaStore.kept("p/%s/")`, convs[0])); n != 0 {
		t.Errorf("%d pages were written again though nobody reads there", n)
	}
	show("Azhe", "was read")
	p.kept("p/"+string(convs[0])+"/00000000", "was read")
	p.quiet()
	q.quiet()
}
