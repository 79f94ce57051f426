package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestTwoPeopleChat(t *testing.T) {
	s := newServer(t)
	a, b := browse(t, s, 1440, 900), browse(t, s, 390, 844)
	a.register("ann")
	b.register("bob")
	a.chatWith("bob")
	a.say("Hello Bob, 你好 <b>not bold</b>")
	b.until(`document.querySelector(".convs .bd")?.textContent == "1"`)
	b.click(".conv-row")
	b.sees("Hello Bob, 你好 <b>not bold</b>")
	a.until(`document.querySelector("#log .tick.read")`)
	b.say("Hello Ann")
	a.sees("Hello Ann")
	for i := range 5 {
		a.say(fmt.Sprint("a", i))
		b.say(fmt.Sprint("b", i))
	}
	for i := range 5 {
		a.sees(fmt.Sprint("b", i))
		b.sees(fmt.Sprint("a", i))
	}
	a.do(chromedp.Reload())
	a.live()
	b.do(chromedp.Reload())
	b.live()
	for _, p := range []*page{a, b} {
		if n := p.rows("Hello Ann"); n != 1 {
			t.Errorf("after a reload the message is there %d times", n)
		}
		if w := eval[int](p, "document.documentElement.scrollWidth - innerWidth"); w > 0 {
			t.Errorf("the page scrolls sideways by %d px", w)
		}
		if n := eval[int](p, `document.querySelectorAll("b:not(#app b)").length + document.querySelectorAll("#log .b b").length`); n != 0 {
			t.Errorf("typed markup became %d elements", n)
		}
	}
	a.quiet()
	b.quiet()
}

func TestGroupReachesEveryMember(t *testing.T) {
	s := newServer(t)
	a, b, c := browse(t, s, 1440, 900), browse(t, s, 1440, 900), browse(t, s, 390, 844)
	a.register("ann")
	b.register("bob")
	c.register("cat")
	a.click(".me > .icon")
	a.click(".dialog-foot .plain")
	a.fill("#group-name", "Weekend hike")
	for i, name := range []string{"bob", "cat"} {
		eval[bool](a, `(document.querySelector("#find-people").value = "", true)`)
		a.fill("#find-people", name)
		a.until(fmt.Sprintf(`document.querySelectorAll("dialog .person").length == 1 && document.querySelector("dialog .person").textContent.includes("@%s")`, name))
		a.click("dialog .person")
		a.until(fmt.Sprintf(`document.querySelectorAll(".chip").length == %d`, i+1))
	}
	a.click(".dialog-foot .primary")
	a.until(`document.querySelector(".head h1")?.textContent == "Weekend hike"`)
	for _, p := range []*page{b, c} {
		p.until(`[...document.querySelectorAll(".conv-row .nm")].some(e => e.textContent == "Weekend hike")`)
		p.click(".conv-row")
		p.until(`document.querySelector(".head h1")?.textContent == "Weekend hike"`)
	}
	a.say("seven o'clock?")
	b.sees("seven o'clock?")
	c.sees("seven o'clock?")
	c.say("fine")
	a.sees("fine")
	b.sees("fine")
	// What belongs to the group is shown in the group only.
	a.chatWith("bob")
	b.say("to all")
	c.sees("to all")
	if n := a.rows("to all"); n != 0 {
		t.Error("a message of the group is shown in a conversation of two")
	}
	for _, p := range []*page{a, b, c} {
		p.quiet()
	}
}

func TestServerKilledDuringASendStoresItOnce(t *testing.T) {
	s := newServer(t)
	a, b := browse(t, s, 1440, 900), browse(t, s, 1440, 900)
	a.register("ann")
	b.register("bob")
	a.chatWith("bob")
	a.say("before")
	b.until(`document.querySelector(".conv-row")`)
	b.click(".conv-row")
	b.sees("before")
	a.expected, b.expected = true, true
	for round := range 3 {
		text := fmt.Sprint("during ", round)
		a.fill("#text", text)
		a.enter()
		s.kill()
		offline := fmt.Sprint("written offline ", round)
		a.say(offline)
		a.sees(offline)
		s.again()
		for _, p := range []*page{a, b} {
			p.sees(text)
			p.sees(offline)
		}
		a.until(`!document.querySelector("#log .tick.queued")`)
		for name, p := range map[string]*page{"author": a, "reader": b} {
			if n, m := p.rows(text), p.rows(offline); n != 1 || m != 1 {
				t.Errorf("round %d: the %s sees the messages %d and %d times", round, name, n, m)
			}
		}
	}
	a.do(chromedp.Reload())
	a.live()
	for round := range 3 {
		if n := a.rows(fmt.Sprint("during ", round)); n != 1 {
			t.Errorf("after a reload, message %d is there %d times", round, n)
		}
	}
}

func TestChatWorksWithoutScript(t *testing.T) {
	s := newServer(t)
	b := browse(t, s, 1440, 900)
	b.register("bob")
	a := browse(t, s, 1440, 900)
	if _, err := chromedp.Call(a.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	// Pages without script are driven by keyboard and read through the protocol,
	// whose own evaluation works all the same.
	a.goTo("/register")
	a.fill("input[name=username]", "ann")
	a.fill("input[name=password]", "correct horse ann")
	a.enter()
	a.until(`document.querySelector(".list")`)
	a.goTo("/new?q=bob")
	a.click(`a[href^="/c/U"]`)
	a.until(`document.querySelector("textarea[name=text]")`)
	a.fill("textarea[name=text]", "no script here")
	a.click("#composer .send")
	a.sees("no script here")
	b.until(`document.querySelector(".conv-row")`)
	b.click(".conv-row")
	b.sees("no script here")
	b.say("read you")
	b.until(`!document.querySelector("#log .tick.queued")`)
	a.do(chromedp.Reload())
	a.sees("read you")
	a.quiet()
	b.quiet()
}
