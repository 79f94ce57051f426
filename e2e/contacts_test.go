package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// press submits the form whose address ends so.
func (p *page) press(end string) {
	p.Helper()
	p.click(fmt.Sprintf("form[action$=%q] button", end))
}

// done waits for what a page says was done.
func (p *page) done(words string) {
	p.Helper()
	p.until(fmt.Sprintf(`document.querySelector("[role=status]")?.textContent == %q`, words))
}

// Two people become contacts, one blocks the other: that is told in words, at
// once, and taken back.
func TestPeopleBecomeContactsAndBlockEachOther(t *testing.T) {
	s := newServer(t)
	ann, bob := join(t, s, "ann", "Ann"), join(t, s, "bob", "Bob")
	a := browse(t, s, 1440, 900).as(ann)
	b := a.beside(390, 844).as(bob)
	b.goTo("/")
	b.live()

	// Ann finds Bob from the menu of the program, and asks.
	a.goTo("/")
	a.live()
	a.click(`#menu a[href="/contacts"]`)
	a.until(`location.pathname == "/contacts" && document.querySelector("main h1")`)
	a.fill("input[name=q]", "bo")
	a.enter()
	a.click(`main a[href="/people/` + string(bob.ID) + `"]`)
	a.until(`location.pathname.startsWith("/people/")`)
	a.fill("input[name=message]", "It is me, Ann")
	a.press("/ask")
	a.done("Asked.")

	// Bob is told when he looks, and accepts: both have the conversation.
	b.goTo("/")
	b.live()
	b.until(`document.querySelector("#offers a[href='/contacts']")?.parentNode.textContent.includes("contact: 1")`)
	b.shot("asks-390")
	b.click(`#offers a[href="/contacts"]`)
	b.until(`document.querySelector("#requests")?.textContent.includes("It is me, Ann")`)
	b.shot("contacts-asks-390")
	b.press("/accept")
	b.done("You are contacts now.")
	for _, p := range []*page{a, b} {
		p.goTo("/")
		p.live()
		p.until(`document.querySelector("#convs a")`)
	}
	a.click("#convs a")
	b.click("#convs a")
	a.say("hello Bob")
	b.sees("hello Bob")
	b.say("hello Ann")
	a.sees("hello Ann")

	// From the conversation to the person, who is blocked.
	b.click(`.acts button[aria-label="Details"]`)
	b.click(`.details a[href="/people/` + string(ann.ID) + `"]`)
	b.until(`document.querySelector(".badge.good")`)
	b.until(`document.querySelector("form[action$=\"/block\"]")`)
	eval[bool](b, `(document.querySelectorAll("details").forEach((d) => (d.open = true)), true)`)
	b.shot("person-390")
	b.press("/block")
	b.done("Blocked.")
	a.say("are you there?")
	a.until(`[...document.querySelectorAll("#log [data-key]")].some(r => r.textContent.includes("are you there?") && r.textContent.includes("one of you has blocked the other"))`)
	a.shot("blocked-1440")
	b.press("/unblock")
	b.done("Unblocked.")
	a.say("and now?")
	b.goTo("/c/" + string(ann.ID))
	b.sees("and now?")
	if n := b.rows("are you there?"); n != 0 {
		t.Errorf("what was refused is there %d times", n)
	}
	a.quiet()
	b.quiet()
}

// Who is unseen is offline for the other within moments, and sees them offline, too.
func TestUnseenIsOfflineAtOnce(t *testing.T) {
	s := newServer(t)
	ann, bob := join(t, s, "ann", "Ann"), join(t, s, "bob", "Bob")
	ann.says(ann.with(bob), "hello")
	a := browse(t, s, 1440, 900).as(ann)
	b := a.beside(1440, 900).as(bob)
	for _, p := range []*page{a, b} {
		p.goTo("/")
		p.live()
	}
	for _, p := range []*page{a, b} {
		p.until(`document.querySelector("#convs .av.on")`)
	}
	c := a.beside(390, 844).as(ann)
	c.goTo("/settings/privacy")
	c.click("input[name=unseen]")
	c.click("main form button.primary")
	c.done("Saved.")
	for _, p := range []*page{a, b} {
		p.until(`document.querySelector("#convs .av") && !document.querySelector("#convs .av.on")`)
	}
	c.click("input[name=unseen]")
	c.click("main form button.primary")
	c.until(`document.querySelector("[role=status]") && !document.querySelector("input[name=unseen]").checked`)
	for _, p := range []*page{a, b} {
		p.until(`document.querySelector("#convs .av.on")`)
		p.quiet()
	}
}

// All about people is done without a script, on a telephone and on a desk.
func TestPagesOfPeopleLook(t *testing.T) {
	s := newServer(t)
	ann := join(t, s, "ann", "Lin Mei")
	names := []string{"Azhe", "Anneliese Wertheim-Hohenstaufen von der Lippe-Detmold", "陈工", "Xiao Yu", "Bo"}
	var others []*person
	for i, name := range names {
		o := join(t, s, fmt.Sprint("person", i), name)
		o.call("PUT", "/api/v1/me/profile", map[string]any{"nickname": name, "profile": map[string]any{"signature": "慢慢走，不着急。Walk slowly, arrive anyway.", "gender": "female", "birthday": "1990-02-03"}}, nil)
		others = append(others, o)
	}
	ask := func(from, to *person, text string) {
		from.call("PUT", "/api/v1/requests/"+string(to.ID), map[string]string{"message": text}, nil)
	}
	for _, o := range others[:2] {
		ask(ann, o, "It is me")
		o.call("POST", "/api/v1/requests/"+string(ann.ID)+"/accept", nil, nil)
	}
	ask(others[2], ann, "我是周末一起徒步的陈工，想和你聊聊下次的路线，还有上次你说的那张地图。")
	ask(ann, others[3], "Shall we?")
	ann.call("PUT", "/api/v1/blocks/"+string(others[4].ID), nil, nil)
	ann.group("Weekend hike 周末徒步", others[0], others[1])

	p := browse(t, s, 1440, 900).as(ann)
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "me.png")
	if err := os.WriteFile(picture, painted(t, 200, 200), 0o600); err != nil {
		t.Fatal(err)
	}
	p.goTo("/settings/profile")
	p.do(chromedp.SetUploadFiles("input[type=file]", []string{picture}, chromedp.NodeReady))
	p.press("/picture")
	p.done("Saved.")
	p.until(`document.querySelector("main img")?.naturalWidth == 200`)
	p.fill("input[name=signature]", "In the hills")
	p.press("/settings/profile")
	p.done("Saved.")
	p.quiet()
	p = p.beside(1440, 900).as(ann)
	for _, lang := range []string{"en", "zh"} {
		p.cookie("kamachat_lang", lang)
		for name, path := range map[string]string{
			"contacts": "/contacts?q=a", "blocked": "/contacts?only=blocked", "person": "/people/" + string(others[1].ID), "asks": "/people/" + string(others[2].ID),
			"self": "/people/" + string(ann.ID), "profile": "/settings/profile", "privacy": "/settings/privacy",
		} {
			p.goTo(path)
			p.until(`document.querySelector("main h1")`)
			p.look(lang, "people-"+name)
		}
	}
	p.quiet()
}
