// Package e2e drives the built server with real browsers: what a person would
// see and do. It needs bin/kamachat (make build) and Chromium.
package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

const binary = "../bin/kamachat"

// missing ends a test whose browser is not there: as a failure where
// everything is required, else by saying how to get it.
func missing(t testing.TB, what string) {
	t.Helper()
	words := what + " is missing: run `make build`, and tools/services.sh for the browser"
	if os.Getenv("KAMACHAT_REQUIRE") == "all" {
		t.Fatal(words)
	}
	t.Skip(words)
}

func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "Chromium")
	return ""
}

// A server is the built program, on a port of its own.
type server struct {
	t         testing.TB
	data, url string
	cmd       *exec.Cmd
	flags     []string
	program   string // the binary, another than the built one where the test made it
}

func newServer(t testing.TB, flags ...string) *server {
	t.Helper()
	if _, err := os.Stat(binary); err != nil {
		missing(t, binary)
	}
	s := &server{t: t, data: t.TempDir(), flags: flags, program: binary}
	s.start("127.0.0.1:0")
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			p, _ := os.ReadFile(filepath.Join(s.data, "stderr"))
			t.Logf("the server's log:\n%s", p)
		}
	})
	return s
}

func (s *server) start(addr string) {
	s.t.Helper()
	s.cmd = exec.Command(s.program, append([]string{"--addr", addr, "--data", s.data}, s.flags...)...)
	log, err := os.OpenFile(filepath.Join(s.data, "stderr"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		s.t.Fatalf("the server said %q: %v", line, err)
	}
	s.url = strings.TrimSpace(line[strings.Index(line, "http"):])
	go func() { _, _ = io.Copy(io.Discard, r) }()
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill() // SIGKILL
	_ = s.cmd.Wait()
}

// again starts a killed server on the same address and data.
func (s *server) again() {
	addr := strings.TrimPrefix(s.url, "http://")
	for {
		if ln, err := net.Listen("tcp", addr); err == nil {
			_ = ln.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.start(addr)
}

// A page is one person's browser tab. Its methods end the test on failure.
type page struct {
	testing.TB
	ctx  context.Context
	base string

	close func() // ends the browser

	mu       sync.Mutex
	said     []string // errors and warnings on the console
	expected bool     // losing the server makes the console complain; that is fine
}

// browse opens a browser of its own: own cookies, own storage, unless more says
// another folder for them.
func browse(t testing.TB, s *server, width, height int64, more ...chromedp.ExecAllocatorOption) *page {
	t.Helper()
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Headless,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en"), chromedp.Flag("accept-lang", "en"),
	}
	actx, cancelA := chromedp.NewExecAllocator(context.Background(), append(opts, more...)...)
	ctx, cancel := chromedp.NewContext(actx)
	p := &page{TB: t, ctx: ctx, base: s.url, close: func() { cancel(); cancelA() }}
	t.Cleanup(func() {
		if t.Failed() {
			p.shot(fmt.Sprintf("failed-%d", width))
		}
		p.close()
	})
	p.open(width, height)
	return p
}

// open sets the window up and listens to its console.
func (p *page) open(width, height int64) {
	p.Helper()
	// The first step starts the browser, which lives as long as that step's context.
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		p.Fatal(err)
	}
	// Read marks move only in a window that has the focus; headless ones have none.
	if _, err := chromedp.Call(p.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		p.Fatal(err)
	}
	console := chromedp.Console(p.ctx)
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException || m.Type == chromedp.ConsoleWarning {
				p.mu.Lock()
				p.said = append(p.said, string(m.Type)+": "+m.Text+" "+m.URL)
				p.mu.Unlock()
			}
		}
	}()
}

func (p *page) do(as ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, as...); err != nil {
		p.Fatal(err)
	}
}

func eval[T any](p *page, js string) T {
	p.Helper()
	v, err := tryEval[T](p, js)
	if err != nil {
		p.Fatalf("%s: %v", js, err)
	}
	return v
}

func tryEval[T any](p *page, js string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js))
}

// leaving reports whether err says that the page gave way to another meanwhile.
func leaving(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "navigated or closed") || strings.Contains(err.Error(), "context was destroyed") ||
		strings.Contains(err.Error(), "Cannot find context"))
}

// until waits until js is true. The wait is long: only a page that never gets
// there fails, not a slow machine.
func (p *page) until(js string) {
	p.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(25 * time.Millisecond) {
		ok, err := tryEval[bool](p, "!!("+js+")")
		if err != nil && !leaving(err) {
			p.Fatalf("%s: %v", js, err)
		}
		if ok {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("waited in vain for %s\nconsole: %v\npage: %.3000s", js, p.complaints(), eval[string](p, "document.body.innerText"))
		}
	}
}

func (p *page) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.said...)
}

// quiet fails when the console had something to complain about.
func (p *page) quiet() {
	p.Helper()
	if c := p.complaints(); len(c) > 0 && !p.expected {
		p.Errorf("console: %s", strings.Join(c, "\n"))
	}
}

func (p *page) goTo(path string) {
	p.Helper()
	p.do(chromedp.Navigate(p.base + path))
}

// live waits until the app has taken over and the connection stands.
func (p *page) live() {
	p.Helper()
	p.until(`performance.getEntriesByName("goapp-interactive").length && document.querySelector(".me .av.on")`)
}

func (p *page) click(css string) {
	p.Helper()
	p.until(fmt.Sprintf("document.querySelector(%q)", css))
	eval[bool](p, fmt.Sprintf("(document.querySelector(%q).click(), true)", css))
}

// fill types text into a field as a keyboard would.
func (p *page) fill(css, text string) {
	p.Helper()
	// A field that is still hidden doesn't take the focus.
	p.until(fmt.Sprintf("(e => e && (e.focus(), e == document.activeElement))(document.querySelector(%q))", css))
	p.do(chromedp.KeyEvent(text))
}

// say sends a message with the keyboard.
func (p *page) say(text string) {
	p.Helper()
	p.fill("#text", text)
	p.enter()
}

// enter presses the Enter key, as one key event with its character in it.
func (p *page) enter() {
	p.Helper()
	key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13}
	if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, key); err != nil {
		p.Fatal(err)
	}
	key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
	if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, key); err != nil {
		p.Fatal(err)
	}
}

// rows is how many rows of the log have exactly this text.
func (p *page) rows(text string) int {
	p.Helper()
	return eval[int](p, fmt.Sprintf(`[...document.querySelectorAll("#log [data-key]")].filter(r => r.querySelector(".b")?.textContent.includes(%q)).length`, text))
}

func (p *page) sees(text string) {
	p.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll("#log .b")].some(b => b.textContent.includes(%q))`, text))
}

// register makes an account through the page and waits for the app.
func (p *page) register(name string) {
	p.Helper()
	p.goTo("/register")
	p.fill("input[name=username]", name)
	p.fill("input[name=nickname]", strings.ToUpper(name[:1])+name[1:])
	p.fill("input[name=password]", "correct horse "+name)
	p.click("form button.primary")
	p.live()
}

// chatWith finds a person in the dialog and opens the conversation.
func (p *page) chatWith(name string) {
	p.Helper()
	p.click(".me > .icon")
	p.fill("#find-people", name)
	p.until(fmt.Sprintf(`[...document.querySelectorAll("dialog .person")].some(e => e.textContent.includes("@%s"))`, name))
	p.click("dialog .person")
	p.until(`document.querySelector("#text") && !document.querySelector("dialog[open]")`)
}

// shot writes a screenshot where KAMACHAT_SHOTS says.
func (p *page) shot(name string) {
	dir := os.Getenv("KAMACHAT_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		p.Logf("screenshot %s: %v", name, err)
	}
}

// dress sets the colour scheme that the system asks for.
func (p *page) dress(scheme string) {
	p.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		p.Fatal(err)
	}
}
