package e2e

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A cable lies between a browser and the server. It can be cut.
type cable struct {
	t        testing.TB
	from, to string // addresses

	mu    sync.Mutex
	ln    net.Listener // nil while it is cut
	conns map[net.Conn]bool
}

func newCable(t testing.TB, s *server) *cable {
	t.Helper()
	c := &cable{t: t, from: "127.0.0.1:0", to: strings.TrimPrefix(s.url, "http://"), conns: map[net.Conn]bool{}}
	c.mend()
	t.Cleanup(c.cut)
	return c
}

// mend lets connections through, at the same address as before.
func (c *cable) mend() {
	c.t.Helper()
	ln, err := net.Listen("tcp", c.from)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.ln, c.from = ln, ln.Addr().String()
	c.mu.Unlock()
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			go c.carry(ln, near)
		}
	}()
}

// carry copies both ways until either end is closed.
func (c *cable) carry(ln net.Listener, near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer far.Close()
	c.mu.Lock()
	if c.ln != ln {
		c.mu.Unlock()
		return
	}
	c.conns[near], c.conns[far] = true, true
	c.mu.Unlock()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
	c.mu.Lock()
	delete(c.conns, near)
	delete(c.conns, far)
	c.mu.Unlock()
}

// cut ends every connection and refuses new ones.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ln != nil {
		_ = c.ln.Close()
		c.ln = nil
	}
	for conn := range c.conns {
		_ = conn.Close()
	}
	clear(c.conns)
}

// texts are what the rows say, in their order.
func (p *page) texts() []string {
	p.Helper()
	return eval[[]string](p, `[...document.querySelectorAll("#log .b")].map(b => [...b.childNodes].filter(n => !n.matches?.(".meta")).map(n => n.textContent).join(""))`)
}

func TestBrowserOfflineForAWhile(t *testing.T) {
	s := newServer(t)
	wire := newCable(t, s)
	a := browse(t, s, 1440, 900)
	b := a.beside(1440, 900)
	a.base = "http://" + wire.from
	a.register("ann")
	b.register("bob")
	a.chatWith("bob")
	a.say("before")
	b.click(".conv-row")
	b.sees("before")

	const line = `document.querySelector(".note:not([hidden])")`
	a.expected = true // sockets that can't be opened are complained about
	wire.cut()
	cut := time.Now()
	var want []string
	for i := range 5 {
		a.say(fmt.Sprint("from a ", i))
		b.say(fmt.Sprint("from b ", i))
		want = append(want, fmt.Sprint("from a ", i), fmt.Sprint("from b ", i))
		if eval[bool](a, "!!"+line) && time.Since(cut) < 1500*time.Millisecond {
			t.Error("the page complains at once")
		}
	}
	a.until(line)
	if d := time.Since(cut); d < 1900*time.Millisecond {
		t.Errorf("the page said so after %v, want 2 s", d)
	}
	a.until(line + `.textContent.includes("5 messages wait here")`)
	if n := eval[int](a, `document.querySelectorAll("#log .tick.queued").length`); n != 5 {
		t.Errorf("%d messages are marked as waiting, want 5", n)
	}
	a.shot("offline")
	wire.mend()

	for _, p := range []*page{a, b} {
		for _, text := range want {
			p.sees(text)
		}
	}
	a.until(`!` + line)
	for _, p := range []*page{a, b} {
		p.until(`document.querySelectorAll("#log .m.mine").length == document.querySelectorAll("#log .m.mine .tick.read").length`)
		got := p.texts()
		for _, text := range append(want, "before") {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != text })); n != 1 {
				t.Errorf("%q is there %d times", text, n)
			}
		}
		for _, who := range []string{"from a", "from b"} {
			if own := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, who) }); !slices.IsSorted(own) {
				t.Errorf("out of order: %q", own)
			}
		}
	}
	if x, y := a.texts(), b.texts(); !slices.Equal(x, y) {
		t.Errorf("one sees %q,\nthe other %q", x, y)
	}
	b.quiet()
}

func TestIMEEnterNeverSends(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "林梅")
	zhe := join(t, s, "azhe", "阿哲")
	p := browse(t, s, 1440, 900).as(mei)
	p.goTo("/c/" + string(zhe.ID))
	p.live()
	p.fill("#text", "ni")
	const key = `document.getElementById("text").dispatchEvent(Object.defineProperty(
		new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, isComposing: %v}), "keyCode", {value: %d}))`
	if !eval[bool](p, fmt.Sprintf(key, true, 13)) {
		t.Error("Enter while composing is taken")
	}
	if !eval[bool](p, fmt.Sprintf(key, false, 229)) { // as Safari says it
		t.Error("Enter with the key code of an input method is taken")
	}
	// As an input method does it.
	compose := input.ImeSetCompositionParams{Text: "你好", SelectionStart: 2, SelectionEnd: 2}
	if _, err := chromedp.Call(p.ctx, input.ImeSetComposition, compose); err != nil {
		t.Fatal(err)
	}
	enter := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Process", Code: "Enter", WindowsVirtualKeyCode: 229}
	if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, enter); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: "你好"}); err != nil {
		t.Fatal(err)
	}
	p.until(`document.getElementById("text").value == "ni你好"`)
	if n := eval[int](p, `document.querySelectorAll("#log [data-key]").length`); n != 0 {
		t.Errorf("%d messages were sent while composing", n)
	}
	p.enter()
	p.sees("ni你好")
	p.until(`document.getElementById("text").value == ""`)
	p.quiet()
}

func TestDraftSurvivesTakeOver(t *testing.T) {
	s := talk(t, "en")
	p := browse(t, s.server, 1440, 900).as(s.mei)
	// The program starts when the test says so.
	p.first(`{ const start = WebAssembly.instantiateStreaming
		const gate = new Promise(go => window.letGo = go)
		WebAssembly.instantiateStreaming = async (...a) => { await gate; return start.apply(WebAssembly, a) } }`)
	p.goTo("/c/" + string(s.hike))
	p.fill("#text", "Half a sentence")
	eval[bool](p, `(document.getElementById("text").setSelectionRange(4, 9), window.row = document.querySelector("#log li:last-child"), true)`)
	eval[bool](p, `(window.letGo(), true)`)
	p.live()
	if got := eval[string](p, `(a => [a.value, a.selectionStart, a.selectionEnd, document.activeElement == a].join())(document.getElementById("text"))`); got != "Half a sentence,4,9,true" {
		t.Errorf("the composer has %s, want the text, the selection and the focus", got)
	}
	if !eval[bool](p, `window.row.isConnected`) {
		t.Error("the rows of the server were drawn again")
	}
	p.fill("#text", "part of one") // over the selection
	p.enter()
	p.sees("Halfpart of onentence")
	p.quiet()
}

// first has every page run js before anything of its own.
func (p *page) first(js string) {
	p.Helper()
	if _, err := chromedp.Call(p.ctx, cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: js}); err != nil {
		p.Fatal(err)
	}
}
