package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// boss makes the administrator of s in a browser of their own, and says what
// their password is.
func boss(t *testing.T) (s *server, p *page, password string) {
	t.Helper()
	s, link := setup(t)
	p = browse(t, s, 1440, 900)
	p.goTo(strings.TrimPrefix(link, s.url))
	p.fill("input[name=username]", "boss")
	p.fill("input[name=nickname]", "Boss")
	p.fill("input[name=password]", "correct horse boss")
	p.click("form button.primary")
	p.live()
	return s, p, "correct horse boss"
}

// tile is the number of a tile of the overview, as JavaScript.
func tile(key string) string {
	return fmt.Sprintf(`document.querySelector("[data-tile=%s] b").textContent`, key)
}

func TestTheOverviewFollowsWhoComesAndGoes(t *testing.T) {
	s, b, _ := boss(t)
	b.goTo("/admin")
	b.until(`location.pathname == "/admin/overview" && ` + tile("people"))
	b.until(tile("people") + ` == "0"`) // the administrator's own chat has gone
	eval[bool](b, `(window.same = true)`)
	a := b.beside(800, 600).as(join(t, s, "linmei", "Lin Mei"))
	a.goTo("/")
	a.live()
	b.until(tile("people") + ` == "1"`)
	a.goTo("/doctor")
	b.until(tile("people") + ` == "0"`)
	if !eval[bool](b, `window.same`) {
		t.Error("the page was loaded anew")
	}

	// Without a script the page goes on by itself, and shows what came last.
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	eval[bool](b, `(location.href = "/admin/overview/stream", true)`)
	const shown = `[...document.querySelectorAll(".live [data-tile=people]")].filter(e => e.checkVisibility())`
	b.until(`location.pathname.endsWith("stream") && document.readyState == "loading" && ` + shown + `.length == 1`)
	a.goTo("/")
	b.until(shown + `[0].querySelector("b").textContent == "1" && ` + shown + `.length == 1`)
	if above := eval[bool](b, `document.querySelector(".live").getBoundingClientRect().top < document.querySelector(".tabs").getBoundingClientRect().top`); !above {
		t.Error("the numbers are below the charts")
	}
	b.shot("board-overview-stream")
	b.quiet()
}

func TestAReportGoesFromTheChatToTheAdministratorsAct(t *testing.T) {
	s, b, password := boss(t)
	a, z, mei, zhe := two(t, s, "")
	zhe.says(zhe.with(mei), "you are a fool")
	a.over("you are a fool", `[data-act=report]`)
	a.until(`location.pathname == "/report" && document.querySelector("blockquote")?.textContent.includes("you are a fool")`)
	a.fill("#reason", "rude")
	a.click("main button.primary")
	a.until(`document.querySelector("[role=status]")?.textContent.includes("Thank you")`)
	a.goTo("/c/" + string(mei.with(zhe)))
	a.live()
	a.sees("you are a fool")

	b.goTo("/admin/reports")
	b.until(`document.querySelector("td a")`)
	if row := eval[string](b, `document.querySelector("tbody tr").textContent`); !strings.Contains(row, "rude") || strings.Contains(row, "fool") {
		t.Errorf("the list has %q", row)
	}
	b.click("td a")
	b.until(`document.querySelector(".context [aria-current]")?.textContent.includes("you are a fool")`)
	b.fill("input[name=password]", password)
	b.click("form[action$=remove] button")
	b.until(`location.pathname == "/admin/reports" && document.querySelector(".done")`)
	for _, p := range []*page{a, z} {
		p.until(`!document.querySelector("#log").textContent.includes("you are a fool") && document.querySelector("#log").textContent.includes("hello")`)
	}
	b.goTo("/admin/audit")
	for _, what := range []string{"read messages of a report", "removed a message", "closed a report"} {
		b.until(fmt.Sprintf(`document.querySelector("main").textContent.includes(%q)`, what))
	}
	for _, p := range []*page{a, b, z} {
		p.quiet()
	}
}

// The pages about the installation, with something on each of them.
func TestTheInstallationLooks(t *testing.T) {
	s, b, _ := boss(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := zhe.with(mei)
	zhe.says(conv, "Hello!", "Are you there?", "Answer me, you fool")
	report := func(about map[string]any) {
		t.Helper()
		body, err := json.Marshal(about)
		if err != nil {
			t.Fatal(err)
		}
		p := b.beside(390, 844).as(mei)
		p.goTo("/doctor")
		eval[bool](p, fmt.Sprintf(`(fetch("/api/v1/reports", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(%s)}).then(r => window.reported = r.status), true)`, body))
		p.until(`window.reported == 204`)
	}
	report(map[string]any{"conv": conv, "seq": 3, "reason": "He writes like this to everybody, every day, and does not stop when asked to."})
	report(map[string]any{"user": zhe.ID, "reason": "骚扰"})
	b.goTo("/admin/invitations")
	b.fill("input[name=note]", "The Saturday hikers")
	b.click("form button.primary")
	b.until(`document.querySelector(".secret")`)
	b.goTo("/admin/reports")
	b.until(`document.querySelectorAll("td a").length == 2`)
	of := eval[string](b, `[...document.querySelectorAll("tbody tr")].find(r => r.textContent.includes("everybody")).querySelector("a").getAttribute("href")`)
	for _, lang := range []string{"en", "zh"} {
		b.cookie("kamachat_lang", lang)
		for name, path := range map[string]string{
			"overview": "/admin/overview", "settings": "/admin/settings", "invitations": "/admin/invitations", "reports": "/admin/reports", "report": of, "jobs": "/admin/jobs",
		} {
			b.goTo(path)
			b.until(`document.querySelector("main h1")`)
			b.look(lang, "board-"+name)
		}
		m := b.beside(390, 844).as(mei)
		m.cookie("kamachat_lang", lang)
		m.goTo("/report?conv=" + string(conv) + "&seq=3")
		m.until(`document.querySelector("#reason")`)
		m.look(lang, "board-complain")
		m.quiet()
	}
	b.quiet()
}
