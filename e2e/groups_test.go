package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// Everything about a group is done without a script, on a telephone and on a desk.
func TestGroupsAreLookedAfterWithoutAScript(t *testing.T) {
	s := newServer(t)
	ann, bob, cai, eve := join(t, s, "ann", "Ann"), join(t, s, "bob", "Bob"), join(t, s, "cai", "蔡"), join(t, s, "eve", "Eve")
	conv := ann.group("Weekend hike", bob, cai)
	at := "/g/" + string(conv)
	ann.call("PATCH", "/api/v1/groups/"+string(conv), map[string]any{"notice": "Saturday, seven o’clock.\nBring water.", "joining": "approval"}, nil)

	p := browse(t, s, 1440, 900).as(ann)
	noScript := func(p *page) {
		if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
	}
	noScript(p)
	p.do(chromedp.Navigate(s.url + at + "/invites"))
	p.click(`button[value=link]`)
	p.until(`document.querySelector(".secret")`)
	link := eval[string](p, `new URL(document.querySelector(".secret").textContent).pathname`)

	// A stranger comes by the link of a plain member: it leads to a request.
	b := p.beside(390, 844).as(bob)
	noScript(b)
	b.do(chromedp.Navigate(s.url + at + "/invites"))
	b.click(`button[value=link]`)
	b.until(`document.querySelector(".secret")`)
	asks := eval[string](b, `new URL(document.querySelector(".secret").textContent).pathname`)
	e := p.beside(390, 844)
	noScript(e)
	e.do(chromedp.Navigate(s.url + asks))
	e.until(`location.pathname == "/login"`)
	e.fill("#username", "eve")
	e.fill("#password", "correct horse eve")
	e.click("button.primary")
	e.until(fmt.Sprintf(`location.pathname == %q`, asks))
	e.shot("group-door-390")
	e.fill("input[name=message]", "let me in")
	e.click("button.primary")
	e.until(`document.querySelector("[role=status]")`)

	// Every page of the group, as it looks.
	for _, lang := range []string{"en", "zh"} {
		for _, scheme := range []string{"light", "dark"} {
			for _, size := range [][2]int64{{390, 844}, {1440, 900}} {
				p.dress(scheme)
				p.do(chromedp.EmulateViewport(size[0], size[1]))
				for _, name := range []string{"", "members", "requests", "invites", "edit"} {
					p.do(chromedp.Navigate(s.url + at + "/" + name + "?lang=" + lang))
					if name == "" {
						p.do(chromedp.Navigate(s.url + at + "?lang=" + lang))
					}
					if name == "members" {
						p.do(chromedp.Navigate(s.url + at + "/members?find=e&lang=" + lang))
					}
					p.until(`document.querySelector("#main h1")`)
					if wide := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
						t.Errorf("%s in %s at %d is %d px too wide", name, lang, size[0], wide)
					}
					if name == "members" || name == "invites" {
						eval[bool](p, `(document.querySelectorAll("details").forEach((d, i) => d.open = i == 0), true)`)
					}
					p.shot(fmt.Sprintf("group-%s-%s-%s-%d", name, lang, scheme, size[0]))
				}
			}
		}
	}

	p.do(chromedp.Navigate(s.url + at + "/requests?lang=en"))
	p.click(`button[value=accept]`)
	p.until(`location.search == "?done=accept"`)
	var out struct{ Members []struct{ User chat.Person } }
	ann.call("GET", "/api/v1/groups/"+string(conv)+"/members?q=eve", nil, &out)
	if len(out.Members) != 1 || out.Members[0].User.ID != eve.ID {
		t.Errorf("after she was let in: %+v", out)
	}
	e.do(chromedp.Navigate(s.url + link))
	e.until(fmt.Sprintf(`document.querySelector("a.primary").pathname == "/c/%s"`, conv))
}

// An administrator lets somebody in, whose list shows the group at once.
func TestApplicantSeesTheGroupOnceLetIn(t *testing.T) {
	s := newServer(t)
	ann, bob, eve := join(t, s, "ann", "Ann"), join(t, s, "bob", "Bob"), join(t, s, "eve", "Eve")
	conv := ann.group("Weekend hike", bob)
	at := "/api/v1/groups/" + string(conv)
	ann.call("PATCH", at, map[string]any{"joining": "approval"}, nil)
	ann.call("PUT", at+"/members/"+string(bob.ID)+"/role", map[string]any{"role": "admin"}, nil)
	ann.says(conv, "before you came")

	e := browse(t, s, 1440, 900).as(eve)
	e.goTo("/")
	e.live()
	eve.call("POST", at+"/join", map[string]any{"message": "let me in"}, nil)
	b := e.beside(1440, 900).as(bob)
	b.goTo("/c/" + string(conv))
	b.live()
	b.click(".head .acts button")
	b.click(`.details a[href^="/g/"]`)
	b.until(`document.querySelector("nav.side .count")`)
	b.click(`nav.side a[href$="/requests"]`)
	b.until(`document.querySelector("button[value=accept]")`)
	b.shot("group-app-requests")
	b.click("button[value=accept]")
	b.until(`location.search == "?done=accept"`)

	e.until(`[...document.querySelectorAll(".conv-row")].some(r => r.textContent.includes("Weekend hike") && r.textContent.includes("Bob let Eve in"))`)
	e.click(".conv-row")
	e.until(`document.querySelector("#log").textContent.includes("Bob let Eve in") && document.querySelector(".head .names p").textContent == "3 members"`)
	e.shot("group-app-let-in")
	e.say("thank you")
	b.goTo("/c/" + string(conv))
	b.sees("thank you")

	// What the rules say of who may write is said where one writes.
	ann.call("PATCH", at, map[string]any{"announce": true}, nil)
	e.until(`!document.querySelector("#composer") && document.querySelector(".conv .hint").textContent.includes("Only the owner and administrators")`)
	e.shot("group-app-announce")
	b.until(`document.querySelector("#composer")`)
	ann.call("PATCH", at, map[string]any{"announce": false}, nil)
	e.until(`document.querySelector("#text")`)
	e.say("again")
	b.sees("again")
	e.quiet()
}

// Who is removed while looking at a group is shown nothing of it any more, also
// after a reload without the server.
func TestRemovedWhileLookingAtIt(t *testing.T) {
	s := newServer(t)
	ann, bob := join(t, s, "ann", "Ann"), join(t, s, "bob", "Bob")
	conv := ann.group("Weekend hike", bob)
	ann.says(conv, "the secret place")
	ann.says(ann.with(bob), "hello bob")
	for _, width := range []int64{390, 1440} {
		b := browse(t, s, width, 844).as(bob)
		b.goTo("/c/" + string(conv))
		b.live()
		b.sees("the secret place")
		ann.call("DELETE", "/api/v1/groups/"+string(conv)+"/members/"+string(bob.ID), nil, nil)
		b.until(`location.pathname == "/" && !document.body.innerText.includes("the secret place") && !document.body.innerText.includes("Weekend hike")`)
		b.until(`document.querySelector(".nothing p").textContent == "You are no longer in this group"`)
		b.until(`[...document.querySelectorAll(".conv-row")].some(r => r.textContent.includes("hello bob"))`)
		b.shot(fmt.Sprintf("group-app-removed-%d", width))
		ann.call("POST", "/api/v1/groups/"+string(conv)+"/members", map[string]any{"people": []chat.UserID{bob.ID}}, nil)
		b.until(`[...document.querySelectorAll(".conv-row")].some(r => r.textContent.includes("Ann added Bob"))`)
		b.quiet()
		b.close()
	}
}

// TestAGroupIsMadeWithAWayIn: in the app with what is short, and on its page, which
// needs no script, with all there is.
func TestAGroupIsMadeWithAWayIn(t *testing.T) {
	s := newServer(t, "--push", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	joining := func(conv string) string {
		var g struct {
			Group struct{ Joining, Notice string }
		}
		mei.call("GET", "/api/v1/groups/"+conv, nil, &g)
		return g.Group.Joining + " " + g.Group.Notice
	}
	opened := func(p *page) string {
		p.until(`location.pathname.startsWith("/c/G")`)
		return eval[string](p, "location.pathname.slice(3)")
	}
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo("/")
	p.live()
	p.click(".me .icon")
	p.click(".dialog-foot .plain")
	p.fill("#group-name", "Tea")
	p.until(`document.querySelector("#joining select")?.value == "invite"`)
	eval[bool](p, `(document.querySelector("#joining select").value = "approval", true)`)
	p.fill("#find-people", "azhe")
	p.until(`[...document.querySelectorAll(".new-dialog .people button")].length == 1`)
	p.click(".new-dialog .people button")
	p.until(`document.querySelector(".new-dialog .chip")`)
	p.shot("new-dialog")
	p.click(".dialog-foot .primary")
	if got := joining(opened(p)); got != "approval " {
		t.Errorf("made by the dialog it is %q", got)
	}
	p.click(".me .icon")
	p.click(".dialog-foot .plain")
	p.click("#joining a")
	p.until(`location.pathname == "/new" && document.querySelector("main form")`)

	q := browse(t, s, 412, 900).as(mei)
	if _, err := chromedp.Call(q.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	q.goTo("/new")
	q.fill("#name", "Walk")
	q.fill("textarea[name=notice]", "Boots.")
	q.fill("#q", "azh")
	q.enter()
	q.until(fmt.Sprintf(`document.querySelector("input[value=%s]") && document.querySelector("#name").value == "Walk"`, zhe.ID))
	q.click(fmt.Sprintf("input[value=%s]", zhe.ID))
	q.shot("new-page")
	q.click("button[value=make]")
	if got := joining(opened(q)); got != "invite Boots." {
		t.Errorf("made by the page it is %q", got)
	}
	p.quiet()
	q.quiet()
}
