package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// crash ends a tab as a fault of the browser does.
func (p *page) crash() {
	p.Helper()
	ended := p.ended()
	go func() { _, _ = chromedp.Call(p.ctx, cdpage.Crash, cdp.Empty{}) }() // nobody is left to answer
	<-ended
}

// ended is closed once the tab's process has crashed.
func (p *page) ended() <-chan struct{} {
	p.Helper()
	ended := make(chan struct{})
	id := chromedp.FromContext(p.ctx).Target.TargetID
	done := false
	if err := chromedp.ListenBrowser(p.ctx, func(ev any) {
		if e, ok := ev.(*target.EventTargetCrashed); ok && e.TargetID == id && !done {
			done = true
			close(ended)
		}
	}); err != nil {
		p.Fatal(err)
	}
	return ended
}

// focus has the page look after what a person who comes back wants.
func (p *page) focus() {
	p.Helper()
	eval[bool](p, `(window.dispatchEvent(new Event("focus")), true)`)
}

// onlyOnce fails unless got has the texts of each tab once and in order.
func onlyOnce(t *testing.T, who string, got []string, tabs ...[]string) {
	t.Helper()
	for _, texts := range tabs {
		own := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !slices.Contains(texts, s) })
		if !slices.Equal(own, texts) {
			t.Errorf("%s has %q, want %q once each and in order", who, own, texts)
		}
	}
}

// Two tabs write in one conversation without a server. One of them is gone
// before the server is back: the other one sends what it wrote.
func TestTabThatLivesSendsThePostsOfOneThatIsGone(t *testing.T) {
	for _, end := range []string{"crashes", "is closed"} {
		t.Run(strings.ReplaceAll(end, " ", "-"), func(t *testing.T) {
			s := newServer(t, "--rate-limit", "off")
			mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
			conv := mei.with(zhe)
			zhe.says(conv, "before")
			p := browse(t, s, 1024, 768, chromedp.UserDataDir(t.TempDir())).as(mei)
			q := p.tab(1024, 768)
			for _, tab := range []*page{p, q} {
				tab.goTo("/c/" + string(conv))
				tab.live()
				tab.sees("before")
				tab.expected = true
			}
			s.kill()
			var one, two []string
			for i := range 5 {
				one = append(one, fmt.Sprint("here ", i))
				p.say(one[i])
				two = append(two, fmt.Sprint("there ", i))
				q.say(two[i])
			}
			p.sees("here 4")
			q.sees("there 4")
			p.until(fmt.Sprintf(`(kamaStore.kept("o/").then(n => window.$n = n), window.$n == %d)`, len(one)+len(two)))
			if n := p.rows("there"); n != 0 {
				t.Errorf("%d posts of a tab that lives were taken over", n)
			}
			if end == "crashes" {
				q.crash()
			} else {
				q.close()
			}
			// The lock of a tab goes with it, a moment later.
			p.until(`(window.dispatchEvent(new Event("focus")), [...document.querySelectorAll("#log .b")].some(b => b.textContent.includes("there 4")))`)
			onlyOnce(t, "the tab that lives", p.texts(), one, two)
			s.again()
			p.until(`document.querySelector(".me .av.on") && !document.querySelector("#log .queued")`)
			onlyOnce(t, "the server", mei.history(conv), one, two)
			o := p.beside(1024, 768).as(zhe)
			o.goTo("/c/" + string(conv))
			o.sees("here 4")
			o.sees("there 4")
			onlyOnce(t, "another browser", o.texts(), one, two)
			p.until(`(kamaStore.kept("o/").then(n => window.$n = n), window.$n == 0)`)
		})
	}
}

// A tab that did not wait for what it took over sends it all the same.
func TestTabThatGaveUpWaitingSendsWhatItTookOver(t *testing.T) {
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	p.kept("me", string(mei.ID))
	post := fmt.Sprintf(`{"tab":"gone","u":{"conv":%q,"ref":"0123456789abcdef0123456789","at":1,"n":1,"c":{"k":"text","text":"of a tab that is gone"}}}`, conv)
	promised[any](p, fmt.Sprintf("kamaStore.write(JSON.stringify({put: [{k: %q, v: %q}]}))", "o/0123456789abcdef0123456789", post))
	// It is taken over, and nobody hears of it.
	if got := promised[string](p, "kamaStore.adopt("+string(mustJSON(t, mei.ID))+")"); !strings.Contains(got, "of a tab that is gone") {
		t.Fatalf("taken over is %s", got)
	}
	p.focus()
	mei.arrived(conv, []string{"of a tab that is gone"})
	p.until(`(kamaStore.kept("o/").then(n => window.$n = n), window.$n === 0)`)
	// Posts are for the account that wrote them.
	if got := promised[string](p, `kamaStore.adopt("U0").then(() => "handed out", String)`); !strings.Contains(got, "somebody else") {
		t.Errorf("another account's posts are %s", got)
	}
	p.quiet()
}
