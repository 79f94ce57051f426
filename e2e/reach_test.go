package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// nameless returns what can be pressed or filled but has no name.
const nameless = `[...document.querySelectorAll("button,a,input:not([type=hidden]),textarea,select,[role=img],[tabindex]")].filter(e =>
	e.checkVisibility() && !(e.getAttribute("aria-label") || e.title || [...(e.labels || [])].some(l => l.textContent.trim()) || e.textContent.trim())).map(e => e.outerHTML)`

// where tells what has the focus and whether it shows: as an outline or as the
// border of the frame around it.
const where = `(() => { const a = document.activeElement, s = e => getComputedStyle(e)
	const shows = e => s(e).outlineStyle != "none" && parseFloat(s(e).outlineWidth) > 0
	const name = [".list #find", ".conv-row", ".head .acts button", "#scroll", "#files", "#text", "#composer .icon", ".send"].find(q => a.matches(q)) || a.tagName
	return name + (shows(a) || a.parentElement && shows(a.parentElement) || a.matches("#text") && a.closest("form").matches(":focus-within") ? "" : " (unseen)") })()`

func TestEverythingHasANameAndIsReachedByKeyboard(t *testing.T) {
	s := talk(t, "en")
	p := browse(t, s.server, 1440, 900).as(s.mei)
	p.goTo("/c/" + string(s.hike))
	p.live()
	for css, attrs := range map[string]map[string]string{
		"#log":     {"role": "log", "aria-live": "polite"},
		"#text":    {"aria-label": "Message to Weekend hike"},
		"#scroll":  {"aria-label": "Messages"},
		"nav.list": {"aria-label": "Conversations"},
		".typing":  {"aria-live": "polite"},
	} {
		for name, want := range attrs {
			if got := eval[string](p, `document.querySelector("`+css+`").getAttribute("`+name+`") || ""`); got != want {
				t.Errorf("%s has %s %q, want %q", css, name, got, want)
			}
		}
	}
	named := func(what string) {
		t.Helper()
		if got := eval[[]string](p, nameless); len(got) > 0 {
			t.Errorf("%s: without a name: %s", what, strings.Join(got, "\n"))
		}
	}
	named("the page")

	// By Tab from the list over the conversation to the composer.
	eval[bool](p, `(document.getElementById("find").focus(), true)`)
	var path []string
	for range 30 {
		at := eval[string](p, where)
		if len(path) == 0 || path[len(path)-1] != at {
			path = append(path, at)
		}
		if at == ".send" {
			break
		}
		p.do(chromedp.KeyEvent("\t"))
	}
	want := ".list #find .conv-row .head .acts button #scroll #files #text #composer .icon .send"
	got := strings.Join(path, " ")
	// Links in what was said come between the log and the composer.
	if strings.ReplaceAll(got, " A ", " ") != want {
		t.Errorf("the focus goes %s, want %s", got, want)
	}

	// Dialogs keep the focus, close on Escape and give it back.
	for _, opener := range []string{".me > .icon", "ctrl-k", ".head .acts button", ".who-am-i"} {
		open, css := opener, "dialog"
		switch opener {
		case "ctrl-k":
			open = "#text"
			eval[bool](p, `(document.querySelector("#text").focus(), document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})))`)
		case ".head .acts button":
			css = ".details"
			fallthrough
		default:
			if opener == ".who-am-i" {
				css = "#menu:popover-open"
			}
			eval[bool](p, `(document.querySelector("`+opener+`").focus(), true)`)
			p.enter()
		}
		p.until(`document.querySelector("` + css + `")`)
		if css != "#menu:popover-open" {
			p.until(`document.querySelector("` + css + `").contains(document.activeElement)`)
		}
		named(opener)
		if css == "dialog" {
			for range 12 {
				p.do(chromedp.KeyEvent("\t"))
				if !eval[bool](p, `document.activeElement == document.body || document.querySelector("dialog").contains(document.activeElement)`) {
					t.Errorf("%s: the focus leaves the dialog for %s", opener, eval[string](p, where))
					break
				}
			}
		}
		p.do(chromedp.KeyEvent("\u001b"))
		p.until(`!document.querySelector("` + css + `")`)
		if !eval[bool](p, `document.activeElement.matches("`+open+`")`) {
			t.Errorf("%s: the focus came back to %s", opener, eval[string](p, `document.activeElement.outerHTML.slice(0, 200)`))
		}
	}
	p.quiet()
}
