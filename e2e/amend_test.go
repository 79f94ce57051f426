package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// row is the row whose bubble has text in it, as JavaScript.
func row(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#log [data-key]")].find(r => r.querySelector(".b")?.textContent.includes(%q))`, text)
}

// over moves the mouse over a row and does something with the bar that shows.
func (p *page) over(text, act string) {
	p.Helper()
	p.until(row(text))
	for end := time.Now().Add(time.Minute); !eval[bool](p, `!!`+row(text)+`.querySelector(".rowbar")`); { // the row may be on its way
		if time.Now().After(end) {
			p.Fatalf("there is no bar at %q", text)
		}
		at := eval[[]float64](p, fmt.Sprintf(`(r => [r.left + r.width / 2, r.top + r.height / 2])(%s.querySelector(".b").getBoundingClientRect())`, row(text)))
		for _, x := range []float64{1, at[0]} {
			move := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: at[1]}
			if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, move); err != nil {
				p.Fatal(err)
			}
		}
		p.settled()
	}
	if act != "" {
		eval[bool](p, fmt.Sprintf(`(%s.querySelector(%q).click(), true)`, row(text), ".rowbar "+act))
	}
}

// untilChips waits for the reactions at a row: "👍2*" where one's own is among them.
func (p *page) untilChips(text, want string) {
	p.Helper()
	p.until(fmt.Sprintf(`[...(%s?.querySelectorAll(".react") || [])].map(b => b.textContent + (b.getAttribute("aria-pressed") == "true" ? "*" : "")).join(" ") == %q`, row(text), want))
}

func (p *page) key(k string) {
	p.Helper()
	p.do(chromedp.KeyEvent(k))
}

const (
	arrowUp   = "\u0304"
	arrowDown = "\u0301"
)

func TestMessagesAreAmended(t *testing.T) {
	s := newServer(t)
	a, b, mei, zhe := two(t, s, "")
	conv := mei.with(zhe)

	// Reply: from the bar, with the quote above; a click on the quote leads there.
	a.over("hello", `[data-act=reply]`)
	a.until(`document.querySelector(".about b")?.textContent == "Reply to Azhe" && document.activeElement.id == "text"`)
	a.say("hi yourself")
	b.until(row("hi yourself") + `?.querySelector(".re")?.textContent == "Azhehello"`)
	if eval[bool](a, `!!document.querySelector(".about")`) {
		t.Error("the strip stays after the reply")
	}
	eval[bool](b, fmt.Sprintf(`(%s.querySelector(".re").click(), true)`, row("hi yourself")))
	b.until(`document.querySelector(".row.hit .b")?.textContent.startsWith("hello")`)

	// React: from the bar, and by the chip that is there.
	b.over("hi yourself", `[data-emoji="👍"]`)
	a.untilChips("hi yourself", "👍1")
	eval[bool](a, `(document.querySelector(".react").click(), true)`)
	b.untilChips("hi yourself", "👍2*")
	if got := eval[string](b, `(c => c.getAttribute("aria-label") + ", " + c.title)(document.querySelector(".react"))`); got != "👍: 2, 👍 Azhe, Lin Mei" {
		t.Errorf("the chip is called %s", got)
	}
	eval[bool](b, `(document.querySelector(".react").click(), true)`)
	a.untilChips("hi yourself", "👍1*")

	// Edit: ↑ in the empty composer, Escape to leave it, Enter to save.
	a.fill("#text", "")
	a.key(arrowUp)
	a.until(`document.querySelector(".about b")?.textContent == "Edit message" && document.querySelector("#text").value == "hi yourself"`)
	a.key("\x1b")
	a.until(`!document.querySelector(".about") && document.querySelector("#text").value == ""`)
	a.key(arrowUp)
	a.until(`document.querySelector("#text").value == "hi yourself"`)
	a.fill("#text", "!")
	a.enter()
	for _, p := range []*page{a, b} {
		p.until(row("hi yourself!") + `?.querySelector(".meta")?.textContent.includes("edited")`)
		p.until(`document.querySelectorAll("#log .b").length == 2`)
	}
	a.untilChips("hi yourself!", "👍1*")

	// Unsend: it asks once, in place.
	a.say("oops")
	b.sees("oops")
	b.over("oops", `[data-act=reply]`)
	b.say("what?")
	a.sees("what?")
	a.over("oops", `[data-act=unsend]`)
	a.until(`document.querySelector(".rowbar .sure")?.textContent == "Unsend?"`)
	eval[bool](a, `(document.querySelector(".rowbar .sure").click(), true)`)
	for _, p := range []*page{a, b} {
		p.until(`document.querySelector("#log .unsent")?.textContent == "Message unsent" && ![...document.querySelectorAll("#log .b")].some(x => x.textContent.includes("oops"))`)
		p.until(row("what?") + `.querySelector(".re span").textContent == "Message unsent"`)
	}

	// The same from the server, and in the list.
	b.until(`!document.querySelector("#log .tick:not(.read)")`)
	before := eval[string](b, `[...document.querySelectorAll("#log [data-key]")].map(r => { r = r.cloneNode(true); r.querySelector(".rowbar")?.remove(); return r.outerHTML }).join("\n")`)
	b.do(chromedp.Reload())
	b.live()
	b.sees("what?")
	if after := eval[string](b, `[...document.querySelectorAll("#log [data-key]")].map(r => { r = r.cloneNode(true); r.querySelector(".rowbar")?.remove(); return r.outerHTML }).join("\n")`); plain(after) != plain(before) {
		t.Errorf("the server draws\n%s\nthe browser drew\n%s", plain(after), plain(before))
	}
	var line struct{ Conversations []chat.Summary }
	mei.call("GET", "/api/v1/conversations", nil, &line)
	if l := line.Conversations[0]; l.Conv != conv || l.Last == nil || l.Last.Content.Text != "what?" {
		t.Errorf("the line is %+v", l)
	}
	a.quiet()
	b.quiet()
}

// plain leaves out of rows what differs between the server's and the browser's
// without being seen: the spaces between elements, and numbered forms of attributes.
func plain(html string) string {
	for _, r := range [][2]string{{"> <", "><"}, {` rel="noopener noreferrer nofollow"`, ""}, {` class="row hit"`, ` class="row"`}} {
		html = strings.ReplaceAll(html, r[0], r[1])
	}
	return html
}

// All that the bar does can be done from the keyboard.
func TestMessagesAreAmendedByKeyboard(t *testing.T) {
	s := newServer(t)
	a, b, _, _ := two(t, s, "")
	a.say("one")
	b.sees("one")
	eval[bool](a, `(document.querySelector("#scroll").focus(), true)`)
	a.enter()
	a.until(`document.activeElement.matches("li[data-key]") && document.activeElement.textContent.includes("one") && document.activeElement.querySelector(".rowbar")`)
	a.key(arrowUp)
	a.until(`document.activeElement.textContent.includes("hello") && document.activeElement.querySelector(".rowbar")`)
	if n := eval[int](a, `document.querySelectorAll(".rowbar").length`); n != 1 {
		t.Errorf("%d bars", n)
	}
	a.enter()
	a.until(`document.activeElement.dataset.emoji == "👍"`)
	if got := eval[string](a, `document.activeElement.getAttribute("aria-label")`); got != "React with 👍" {
		t.Errorf("the button is called %s", got)
	}
	a.enter()
	b.untilChips("hello", "👍1")
	a.until(`document.activeElement.matches("li[data-key],.react")`)
	if hidden := eval[string](a, fmt.Sprintf(`(%s.focus(), [...document.querySelectorAll(".rowbar [hidden]")].map(b => b.dataset.act).join())`, row("hello"))); hidden != "edit,unsend" {
		t.Errorf("of another's message there is no %s", hidden)
	}
	a.key(arrowDown)
	a.until(`document.activeElement.textContent.includes("one")`)
	a.enter()
	for range 6 {
		a.key("\u0303") // to the right
	}
	a.until(`document.activeElement.dataset.act == "reply"`)
	a.key("\x1b")
	a.until(`document.activeElement.matches("li[data-key]")`)
	a.key("\x1b")
	a.until(`document.activeElement.id == "text" && !document.querySelector(".rowbar")`)
	a.quiet()
}

// On a touch screen the bar shows where a finger rests.
func TestARestingFingerShowsTheBar(t *testing.T) {
	s := newServer(t)
	a, _, mei, zhe := two(t, s, "")
	if _, err := chromedp.Call(a.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	a.do(chromedp.EmulateViewport(390, 844))
	a.goTo("/c/" + string(mei.with(zhe)))
	a.live()
	a.say("mine")
	a.until(row("mine") + `?.querySelector(".tick:not(.queued)")`)
	touch := func(what input.DispatchTouchEventType, at ...float64) {
		t.Helper()
		e := input.DispatchTouchEventParams{Type: what, TouchPoints: []*input.TouchPoint{}}
		if len(at) > 0 {
			e.TouchPoints = append(e.TouchPoints, &input.TouchPoint{X: at[0], Y: at[1]})
		}
		if _, err := chromedp.Call(a.ctx, input.DispatchTouchEvent, e); err != nil {
			t.Fatal(err)
		}
	}
	at := func(text string) []float64 {
		return eval[[]float64](a, fmt.Sprintf(`(r => [r.left + r.width / 2, r.top + r.height / 2])(%s.querySelector(".b").getBoundingClientRect())`, row(text)))
	}
	a.settled()
	touch(input.DispatchTouchEventTypeTouchStart, at("mine")...)
	a.until(row("mine") + `.querySelector(".rowbar")`)
	touch(input.DispatchTouchEventTypeTouchEnd)
	a.shot("amend-touch")
	if w := eval[float64](a, `(r => Math.max(r.right - innerWidth, -r.left))(document.querySelector(".rowbar").getBoundingClientRect())`); w > 0 {
		t.Errorf("the bar is %v px beyond the edge", w)
	}
	// A tap elsewhere hides it, and shows no other.
	touch(input.DispatchTouchEventTypeTouchStart, at("hello")...)
	touch(input.DispatchTouchEventTypeTouchEnd)
	a.until(`!document.querySelector(".rowbar")`)
	a.quiet()
}

// What is amended while the server is away shows at once, and is done when it is back.
func TestMessagesAreAmendedOffline(t *testing.T) {
	s := newServer(t)
	a, b, mei, zhe := two(t, s, "")
	a.say("first")
	a.say("second")
	b.sees("second")
	a.until(`!document.querySelector("#log .tick.queued")`)
	a.expected, b.expected = true, true
	s.kill()
	a.until(`!document.querySelector(".me .av.on")`)
	a.over("first", `[data-act=edit]`)
	a.until(`document.querySelector("#text").value == "first"`)
	a.fill("#text", " of all")
	a.enter()
	a.over("second", `[data-act=unsend]`)
	a.click(".rowbar .sure")
	a.over("hello", `[data-emoji="🎉"]`)
	waits := func(text string) string { return row(text) + `?.querySelector(".waits")` }
	for _, text := range []string{"first of all", "Message unsent", "hello"} {
		a.until(waits(text))
	}
	a.untilChips("hello", "🎉1*")
	a.shot("amend-offline")
	if n := eval[int](a, `document.querySelectorAll("#log [data-key]").length`); n != 3 {
		t.Errorf("%d rows, want 3: what waits is no row", n)
	}
	// Kept over a reload, without the server: from the replica.
	a.until(`kamaStore`)
	s.again()
	for _, p := range []*page{a, b} {
		p.until(row("first of all") + ` && !document.querySelector("#log .waits")`)
		p.until(`document.querySelector("#log .unsent")`)
		p.sees("hello")
	}
	b.untilChips("hello", "🎉1")
	var page chat.Page
	mei.call("GET", "/api/v1/conversations/"+string(mei.with(zhe))+"/messages?before=0", nil, &page)
	if len(page.Entries) != 6 || page.Entries[1].Content.Text != "first of all" || page.Entries[2].Content.Kind != chat.Gone || len(page.Entries[0].Content.Reactions()) != 1 {
		t.Errorf("stored is %+v", page.Entries)
	}
	// And what was kept follows.
	key := fmt.Sprintf("p/%s/00000000", mei.with(zhe))
	b.until(fmt.Sprintf(`(kamaStore.peek(%q).then(t => window.keptPage = t), (window.keptPage || "").includes('"k":"gone"') && !window.keptPage.includes("second"))`, key))
}

// Two copies of an entry become one in the browser as they do in Go.
func TestKeptCopiesAreJoined(t *testing.T) {
	s := newServer(t)
	a, _, mei, zhe := two(t, s, "")
	key := fmt.Sprintf("p/%s/000000aa", mei.with(zhe))
	copies := []string{
		`{"seq":8501,"c":{"k":"text","text":"b","fate":{"edited":7,"reacts":{"👍":{"U1":9,"U2":-8}},"to":9}}}`,
		`{"seq":8501,"c":{"k":"text","text":"c","fate":{"edited":10,"reacts":{"👍":{"U1":-4},"🎉":{"U3":5}},"to":10}}}`,
		`{"seq":8501,"c":{"k":"text","text":"a"}}`,
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {1, 0, 2}} {
		promised[bool](a, fmt.Sprintf(`kamaStore.write(JSON.stringify({put: [], del: [%q]})).then(() => true)`, key))
		for _, i := range order {
			promised[bool](a, fmt.Sprintf(`kamaStore.write(JSON.stringify({put: [{k: %q, v: JSON.stringify([%s]), m: true}]})).then(() => true)`, key, copies[i]))
		}
		got := promised[string](a, fmt.Sprintf(`kamaStore.peek(%q).then(t => (c => [c.text, c.fate.edited, c.fate.to, c.fate.reacts["👍"].U1, c.fate.reacts["👍"].U2, c.fate.reacts["🎉"].U3].join(" "))(JSON.parse(t)[0].c))`, key))
		if got != "c 10 10 9 -8 5" {
			t.Errorf("in the order %v it becomes %s", order, got)
		}
	}
	gone := `{"seq":8501,"c":{"k":"gone","fate":{"recalled":11,"to":11}}}`
	for _, c := range []string{gone, copies[1]} {
		promised[bool](a, fmt.Sprintf(`kamaStore.write(JSON.stringify({put: [{k: %q, v: JSON.stringify([%s]), m: true}]})).then(() => true)`, key, c))
	}
	if got := promised[string](a, fmt.Sprintf(`kamaStore.peek(%q)`, key)); got != "["+gone+"]" {
		t.Errorf("what was unsent becomes %s", got)
	}
}

// Pictures of what became of messages, in all sizes, schemes and languages.
func TestAmendedLooks(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		t.Run(lang, func(t *testing.T) {
			s := talk(t, lang)
			m := browse(t, s.server, 1440, 900).as(s.mei)
			m.cookie("kamachat_lang", lang)
			post := func(by *person, c chat.Content) {
				by.call("POST", "/api/v1/conversations/"+string(s.hike)+"/messages", map[string]any{"content": c}, nil)
			}
			var page chat.Page
			s.mei.call("GET", "/api/v1/conversations/"+string(s.hike)+"/messages?before=0", nil, &page)
			last := page.Entries[len(page.Entries)-1].Seq
			mine := last - 2 // the one before the thanks
			post(s.mei, chat.Content{Kind: chat.Edit, Of: mine, Text: page.Entries[mine-1].Content.Text + " ✔"})
			for _, emoji := range []string{"👍", "❤️", "🎉"} {
				post(s.zhe, chat.Content{Kind: chat.React, Of: last - 1, Text: emoji})
				post(s.zhe, chat.Content{Kind: chat.React, Of: mine, Text: emoji})
			}
			post(s.mei, chat.Content{Kind: chat.React, Of: last - 1, Text: "❤️"})
			answer := chat.TextContent(map[string]string{"en": "Great, thank you so much!", "zh": "太好了，谢谢！"}[lang])
			answer.Re = &chat.Quote{Seq: mine}
			post(s.zhe, answer)
			answer.Re = &chat.Quote{Seq: last - 1}
			post(s.mei, answer)
			post(s.zhe, chat.TextContent("?"))
			post(s.zhe, chat.Content{Kind: chat.Recall, Of: last})
			m.goTo("/c/" + string(s.hike))
			m.live()
			m.until(`document.querySelectorAll("#log .react").length == 6 && document.querySelector("#log .unsent")`)
			m.look(lang, "amended")
			m.do(chromedp.EmulateViewport(1440, 900))
			m.over(answer.Text, "")
			eval[bool](m, `(document.querySelector(".m.mine:has(.re)").closest("li").focus(), document.querySelector(".rowbar") && true)`)
			m.key(arrowUp)
			m.look(lang, "amend-bar")
			m.do(chromedp.EmulateViewport(1440, 900))
			m.fill("#text", "")
			m.key(arrowUp)
			m.until(`document.querySelector(".about")`)
			m.look(lang, "amend-edit")
			m.quiet()
		})
	}
}
