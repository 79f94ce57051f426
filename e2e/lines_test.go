package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// lines are the titles of the list: a star is behind what is pinned, and the
// archive's own line is there as it says.
const lines = `[...document.querySelectorAll("#convs .nm, #convs .more")].map(e => e.textContent.trim() + (e.querySelector(".hushed[aria-label=Pinned]") ? "*" : "")).join(", ")`

func (p *page) lists(want string) {
	p.Helper()
	p.until(fmt.Sprintf("%s == %q", lines, want))
}

// menu opens the menu of a line as a right click does, and clicks on one of its items.
func (p *page) menu(conv chat.ConvID, items ...string) {
	p.Helper()
	row := fmt.Sprintf(`document.querySelector('#convs a[href="/c/%s"]')`, conv)
	p.until(row)
	p.settled()
	at := eval[[]float64](p, fmt.Sprintf(`(r => [r.left + 80, r.top + 20])(%s.getBoundingClientRect())`, row))
	for _, typ := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		press := input.DispatchMouseEventParams{Type: typ, X: at[0], Y: at[1], Button: input.MouseButtonRight, ClickCount: 1}
		if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, press); err != nil {
			p.Fatal(err)
		}
	}
	p.until(`document.querySelector("#row-menu:popover-open")`)
	for _, item := range items {
		p.item("#row-menu", item)
	}
}

// item clicks on what is called so.
func (p *page) item(in, words string) {
	p.Helper()
	one := fmt.Sprintf(`[...document.querySelectorAll(%q)].find(b => b.textContent.trim() == %q)`, in+" button", words)
	p.until(one)
	eval[bool](p, "("+one+".click(), true)")
}

func TestLinesArePinnedArchivedAndDeletedOnAllDevices(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "Lin Mei")
	others := map[string]*person{}
	for _, name := range []string{"Azhe", "Bo", "Cai", "Dai"} {
		o := join(t, s, strings.ToLower(name), name)
		o.says(o.with(mei), "hello from "+name, "and again")
		others[name] = o
	}
	zhe, bo, cai := others["Azhe"], others["Bo"], others["Cai"]
	p := browse(t, s, 1200, 800).as(mei)
	q := p.beside(390, 844).as(mei)
	devices := []*page{p, q}
	for _, d := range devices {
		d.goTo("/")
		d.live()
		d.lists("Dai, Cai, Bo, Azhe")
	}
	all := func(want string) {
		t.Helper()
		for _, d := range devices {
			d.lists(want)
		}
	}

	// From the pane beside the conversation.
	p.goTo("/c/" + string(mei.with(zhe)))
	p.live()
	p.sees("and again")
	p.click(".acts button")
	p.item(".details", "Pin to the top")
	all("Azhe*, Dai, Cai, Bo")
	p.until(`[...document.querySelectorAll(".details button")].some(b => b.textContent.trim() == "Unpin")`)
	p.look("en", "lines-details")
	p.do(chromedp.EmulateViewport(1200, 800))
	p.click(".details .icon")

	// From the menu of a line. What is archived stays where it is, whatever comes.
	p.menu(mei.with(bo))
	p.settled()
	p.shot("lines-menu")
	p.item("#row-menu", "Archive")
	all("Azhe*, Dai, Cai, Archived (1)")
	bo.says(mei.with(bo), "are you there?")
	q.click("#convs .more")
	q.lists("Azhe*, Dai, Cai, Archived (1), Bo")
	q.until(`document.querySelector("#convs li:last-child .bd")?.textContent == "3"`)
	q.shot("lines-archive-phone")
	if got := eval[string](p, "document.title"); !strings.HasPrefix(got, "(4) ") { // Azhe's are read
		t.Errorf("the page is called %q: what is archived is not to be counted", got)
	}
	// It is found all the same.
	eval[bool](p, `(document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})), true)`)
	p.fill("#jump", "bo")
	p.until(`[...document.querySelectorAll("dialog .person b")].some(e => e.textContent == "Bo")`)
	p.key("\x1b")
	p.until(`!document.querySelector("dialog[open]")`)

	// What is deleted is gone everywhere, and only for oneself. It asks once.
	conv := mei.with(cai)
	for _, d := range devices {
		d.goTo("/c/" + string(conv))
		d.live()
		d.sees("hello from Cai")
		d.kept("p/"+string(conv)+"/00000000", "hello from Cai")
	}
	p.fill("#text", "half a ")
	p.menu(conv, "Delete for me…")
	p.settled()
	p.shot("lines-delete")
	p.item("#row-menu", "Really delete all messages?")
	p.until(`location.pathname == "/"`)
	p.lists("Azhe*, Dai, Archived (1)")
	q.until(`!document.querySelector("#log .b")`) // it is open there
	q.click(".head .back")
	q.lists("Azhe*, Dai, Archived (1)")
	for _, d := range devices {
		d.until(fmt.Sprintf(`(kamaStore.kept("p/%[1]s/").then(n => window.$left = n), window.$left === 0)`, conv))
	}
	if texts := cai.history(conv); len(texts) != 2 {
		t.Errorf("the other person has %v", texts)
	}
	if texts := mei.history(conv); len(texts) != 0 {
		t.Errorf("the server still gives %v", texts)
	}
	// It comes back with the next message, and with nothing else.
	cai.says(conv, "one more thing")
	p.lists("Azhe*, Cai, Dai, Archived (1)")
	for _, d := range devices {
		d.goTo("/c/" + string(conv))
		d.live()
		d.sees("one more thing")
		if got := eval[int](d, `document.querySelectorAll("#log .b").length`); got != 1 {
			t.Errorf("%d messages came back", got)
		}
		if got := eval[string](d, `document.querySelector("#text").value`); got != "" {
			t.Errorf("what was being written is still there: %q", got)
		}
		d.quiet()
	}

	// Offline, over a reload: here at once, elsewhere as soon as the server is back.
	p.installed()
	p.expected, q.expected = true, true
	s.kill()
	p.until(`document.querySelector(".note:not([hidden])")`)
	p.menu(mei.with(zhe), "Unpin")
	p.menu(mei.with(others["Dai"]), "Pin to the top")
	p.menu(conv, "Delete for me…", "Really delete all messages?")
	p.lists("Dai*, Azhe, Archived (1)")
	p.until(`kamaStore.kept("o/").then(n => window.$waits = n) && window.$waits == 3`)
	p.do(chromedp.Reload())
	p.started()
	p.lists("Dai*, Azhe, Archived (1)")
	p.settled()
	p.shot("lines-offline")
	s.again()
	q.goTo("/")
	q.live()
	all("Dai*, Azhe, Archived (1)")
	p.until(`kamaStore.kept("o/").then(n => window.$waits = n) && window.$waits == 0`)
	p.until(`document.querySelector(".me .av.on")`)

	q.cookie("kamachat_lang", "zh")
	q.goTo("/c/" + string(mei.with(zhe)))
	q.live()
	q.click("#convs .more")
	q.click(".acts button")
	q.until(`document.querySelector(".details .menu-item")`)
	q.look("zh", "lines")
}

func TestLinesWithoutAScript(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	bo := join(t, s, "bo", "Bo")
	zhe.says(mei.with(zhe), "hello")
	bo.says(mei.with(bo), "hello")
	p := browse(t, s, 390, 844).as(mei)
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	conv := mei.with(zhe)
	press := func(do string) {
		t.Helper()
		p.goTo("/c/" + string(conv) + "?menu")
		p.until(`document.querySelector(".acts form")`)
		p.shot("lines-noscript-" + do)
		p.click(".acts [value=" + do + "]")
		p.until(`location.search == "" && document.readyState == "complete" && !document.querySelector(".acts form")`)
	}
	press("pin")
	p.goTo("/")
	p.lists("Azhe*, Bo")
	press("archive")
	p.goTo("/")
	p.lists("Bo, Archived (1), Azhe")
	p.click("#convs summary")
	p.shot("lines-noscript-list")
	press("unarchive")
	press("delete")
	p.until(`location.pathname == "/"`)
	p.lists("Bo")
	zhe.says(conv, "again")
	p.goTo("/")
	p.lists("Azhe, Bo")
	p.goTo("/c/" + string(conv))
	p.until(`document.querySelectorAll("#log .b").length == 1`)
	p.quiet()
}
