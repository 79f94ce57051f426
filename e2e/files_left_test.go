package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// filesLeft waits until so many files are kept in the browser.
func (p *page) filesLeft(n int) {
	p.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := promised[int](p, `kama.attach.left()`)
		if got == n {
			return
		}
		if time.Now().After(end) { // far longer than it takes: for a message instead of a test that hangs
			p.Fatalf("%d files are kept, want %d", got, n)
		}
	}
}

// A tab in which a file was sent without a server crashes: another one sends it.
func TestFileOfATabThatIsGoneIsSentByAnother(t *testing.T) {
	s := newServer(t)
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
	q.choose(onDisk(t, "ridge.png", painted(t, 64, 48)))
	q.until(`document.querySelector("#attached li")`)
	q.click("#composer .send")
	q.filesLeft(1)
	if got := p.chips(); got != "" {
		t.Errorf("a tab that lives has its file taken: %s", got)
	}
	q.crash()
	p.until(`(document.dispatchEvent(new Event("visibilitychange")), document.querySelector("#attached .waits b")?.textContent == "ridge.png")`)
	s.again()
	p.until(loaded + `.length == 1 && !document.querySelector("#attached li, #log .tick.queued")`)
	p.filesLeft(0)
	if got := mei.history(conv); len(got) != 2 {
		t.Errorf("the log has %d messages, want 2", len(got))
	}
}

// The session ends elsewhere while a file waits: it is sent once the same person
// signs in again, and is gone when somebody else does.
func TestFileWaitsUntilOneSignsInAgain(t *testing.T) {
	for name, same := range map[string]bool{"same": true, "other": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
			zhe.says(mei.with(zhe), "before")
			p := browse(t, s, 1024, 768).as(mei)
			p.goTo("/c/" + string(zhe.ID))
			p.live()
			p.sees("before")
			p.expected = true
			s.kill()
			p.choose(onDisk(t, "ridge.png", painted(t, 64, 48)))
			p.until(`document.querySelector("#attached li")`)
			p.click("#composer .send")
			p.filesLeft(1)
			p.cookie("kamachat_login", "ended")
			s.again()
			p.until(`location.pathname == "/login"`)
			who, peer := mei, zhe
			if !same {
				who, peer = zhe, mei
			}
			p.as(who)
			p.goTo("/c/" + string(peer.ID))
			p.live()
			p.sees("before")
			if same {
				p.until(loaded + `.length == 1 && !document.querySelector("#attached li, #log .tick.queued")`)
			}
			p.filesLeft(0)
			if got, want := len(mei.history(mei.with(zhe))), map[bool]int{true: 2, false: 1}[same]; got != want {
				t.Errorf("the log has %d messages, want %d", got, want)
			}
		})
	}
}

// What is chosen while the program is still on its way is not lost, either.
func TestFileChosenEarlyIsThere(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	zhe.says(mei.with(zhe), "before")
	p := browse(t, s, 1024, 768).as(mei)
	// The program is held until the file is chosen.
	p.first(`const start = WebAssembly.instantiateStreaming, held = new Promise(go => window.$go = go)
		WebAssembly.instantiateStreaming = async (...a) => { await held; return start(...a) }`)
	p.goTo("/c/" + string(zhe.ID))
	p.choose(onDisk(t, "early.txt", []byte("early")))
	eval[bool](p, `(window.$go(), true)`)
	p.live()
	p.until(`document.querySelector("#attached b")?.textContent == "early.txt"`)
	p.click("#composer .send")
	p.until(`document.querySelector("#log a.file b")?.textContent == "early.txt"`)
	p.quiet()
}
