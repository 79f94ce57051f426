package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// painted is a picture that is not all of one colour.
func painted(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(60 + 120*y/h), uint8(140 + 60*x/w), uint8(170 - 90*y/h), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// onDisk writes a file to be chosen, and returns its path.
func onDisk(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sound is a second of silence.
func sound() []byte {
	b := append([]byte("RIFF\xa4\x3e\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x80\x3e\x00\x00"), make([]byte, 16000)...)
	return b
}

// choose chooses files in the input.
func (p *page) choose(paths ...string) {
	p.Helper()
	p.until(`document.getElementById("files")`)
	p.do(chromedp.SetUploadFiles("#files", paths, chromedp.NodeReady))
}

// chips are what stands above the composer: names and what is said of them.
func (p *page) chips() string {
	p.Helper()
	return eval[string](p, `[...document.querySelectorAll("#attached li")].map(li => li.querySelector("b").textContent + ": " + li.querySelector("small").textContent).join("; ")`)
}

// uploads are the server's files.
func (s *server) uploads() (paths []string) {
	s.t.Helper()
	err := filepath.WalkDir(filepath.Join(s.data, "files"), func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, p)
		}
		return nil // what is removed meanwhile is not there
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return paths
}

// two are the pages of two people who talk to each other.
func two(t *testing.T, s *server, base string) (a, b *page, mei, zhe *person) {
	t.Helper()
	mei, zhe = join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	zhe.says(zhe.with(mei), "hello")
	a = browse(t, s, 1200, 800).as(mei)
	b = a.beside(1200, 800).as(zhe)
	if base != "" {
		a.base = base
		a.as(mei)
	}
	for _, p := range []*page{a, b} {
		p.goTo("/c/" + string(mei.with(zhe)))
		p.live()
		p.sees("hello")
	}
	return a, b, mei, zhe
}

const loaded = `[...document.querySelectorAll("#log a.pic img")].filter(i => i.complete && i.naturalWidth > 0)`

func TestFilesAreChosenSentAndSeen(t *testing.T) {
	s := newServer(t)
	a, b, _, _ := two(t, s, "")
	a.choose(onDisk(t, "山脊 <b>1.png", painted(t, 1600, 1200)), onDisk(t, "notes & plans.txt", []byte("bring water")), onDisk(t, "bird.wav", sound()))
	a.until(`document.querySelectorAll("#attached li").length == 3 && document.querySelector("#attached img")?.naturalWidth == 1600`)
	if got := a.chips(); !strings.HasPrefix(got, "山脊 <b>1.png: ") || !strings.HasSuffix(got, "; notes & plans.txt: 11 B; bird.wav: 16 kB") {
		t.Errorf("the chips say %s", got)
	}
	a.shot("attached")
	// One is thought better of, by the keyboard.
	a.fill(`#attached li:nth-child(3) button[aria-label="Remove bird.wav"]`, "\r")
	a.until(`document.querySelectorAll("#attached li").length == 2`)
	if got := eval[string](a, `document.activeElement.getAttribute("aria-label")`); got != "Remove notes & plans.txt" {
		t.Errorf("then the focus is at %q", got)
	}
	a.choose(onDisk(t, "bird.wav", sound()))
	a.until(`document.querySelectorAll("#attached li").length == 3`)
	a.say("from the top")
	a.until(`!document.querySelector("#attached li") && !document.querySelector("#log .tick.queued")`)
	for name, p := range map[string]*page{"author": a, "other": b} {
		p.until(loaded + `.length == 1 && document.querySelectorAll("#log .sound audio, #log a.file").length == 2`)
		if got := eval[string](p, `(i => i.width + "x" + i.height + " of " + i.naturalWidth + " " + i.alt)(document.querySelector("#log a.pic img"))`); got != "320x240 of 1600 山脊 <b>1.png" {
			t.Errorf("the %s sees %s", name, got)
		}
		if got := eval[string](p, `(f => f.querySelector("b").textContent + ", " + f.querySelector("small").textContent + ", " + f.download)(document.querySelector("#log a.file"))`); got != "notes & plans.txt, 11 B, notes & plans.txt" {
			t.Errorf("the %s sees the file %s", name, got)
		}
		if got := strings.Join(p.texts(), "|"); got != "hello|from the top||TXTnotes & plans.txt11 B|bird.wav" {
			t.Errorf("the %s reads %s", name, got)
		}
		promised[bool](p, `new Promise((done, no) => { const a = document.querySelector("#log audio"); a.onloadedmetadata = () => done(a.duration > 0.9); a.onerror = () => no(a.error.message); a.load(); a.preload = "auto" })`)
	}
	b.shot("received")
	if got := promised[string](b, `fetch(document.querySelector("#log a.file").href).then(r => r.text())`); got != "bring water" {
		t.Errorf("the file has %q", got)
	}
	// The same rows from the server.
	b.do(chromedp.Reload())
	b.live()
	b.until(loaded + `.length == 1 && document.querySelector("#log audio") && document.querySelector("#log a.file")`)
	// Large, and back to where one was.
	eval[bool](b, `(document.querySelector("#log a.pic").focus(), true)`)
	b.click("#log a.pic")
	b.until(`document.querySelector("dialog.viewer[open] > img")?.naturalWidth == 1600`)
	b.settled()
	b.shot("viewer")
	if got := eval[string](b, `(d => d.getAttribute("aria-label") + " " + d.querySelector("a").download + " " + d.contains(document.activeElement))(document.querySelector("dialog.viewer"))`); got != "山脊 <b>1.png 山脊 <b>1.png true" {
		t.Errorf("the viewer is %s", got)
	}
	b.do(chromedp.KeyEvent("\x1b"))
	b.until(`!document.querySelector("dialog") && document.activeElement.matches("a.pic")`)
	a.quiet()
	b.quiet()
}

func TestPicturesArePastedAndDropped(t *testing.T) {
	s := newServer(t)
	a, b, _, _ := two(t, s, "")
	paste := func(also string) {
		t.Helper()
		promised[bool](a, fmt.Sprintf(`new Promise(done => {
			const c = Object.assign(document.createElement("canvas"), {width: 640, height: 200}), dt = new DataTransfer()
			c.toBlob(b => {
				dt.items.add(new File([b], "image.png", {type: "image/png"}))
				if (%q) dt.setData("text/plain", %[1]q)
				document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: dt, bubbles: true, cancelable: true}))
				done(true)
			})
		})`, also))
	}
	// Where no conversation is open there is nobody to send it to.
	a.click(".head .back")
	a.until(`location.pathname == "/" && document.querySelector(".nothing")`)
	paste("")
	a.click(".conv-row")
	a.until(`document.querySelector("#attached")`)
	paste("a table as text, too") // a spreadsheet's picture of what is text
	if got := a.chips(); got != "" {
		t.Errorf("pasting text attached %s", got)
	}
	paste("")
	a.until(`document.querySelector("#attached img")?.naturalWidth == 640`)
	// A real drop: first the place is shown, then it is taken.
	drag := func(what input.DispatchDragEventType, paths ...string) {
		t.Helper()
		if _, err := chromedp.Call(a.ctx, input.DispatchDragEvent, input.DispatchDragEventParams{
			Type: what, X: 700, Y: 300, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1},
		}); err != nil {
			t.Fatal(err)
		}
	}
	file, folder := onDisk(t, "map.pdf", []byte("%PDF-1.7 a map")), t.TempDir()
	drag(input.DispatchDragEventTypeDragEnter, file, folder)
	drag(input.DispatchDragEventTypeDragOver, file, folder)
	a.until(`document.querySelector(".drop:not([hidden])")`)
	a.shot("drop")
	drag(input.DispatchDragEventTypeDrop, file, folder)
	a.until(`document.querySelectorAll("#attached li").length == 2 && !document.querySelector(".drop:not([hidden])")`)
	if got := eval[string](a, `document.querySelector("#attached [role=alert]").textContent`); !strings.Contains(got, "is a folder") {
		t.Errorf("of the folder it says %q", got)
	}
	if at := eval[string](a, `location.pathname`); !strings.HasPrefix(at, "/c/") {
		t.Errorf("the browser went to %s", at)
	}
	a.click("#composer .send") // no text
	for _, p := range []*page{a, b} {
		p.until(loaded + `.length == 1 && document.querySelector("#log a.file b")?.textContent == "map.pdf"`)
	}
	a.quiet()
	b.quiet()
}

// A film that the browser makes itself is played, in the room of its own sides.
func TestFilmsArePlayed(t *testing.T) {
	s := newServer(t)
	a, b, _, _ := two(t, s, "")
	promised[bool](a, `new Promise(done => {
		const c = Object.assign(document.createElement("canvas"), {width: 320, height: 160}), g = c.getContext("2d"), parts = []
		const r = new MediaRecorder(c.captureStream(25), {mimeType: "video/webm"})
		let n = 0
		const draw = () => (g.fillStyle = "hsl(" + n++ * 9 + " 60% 50%)", g.fillRect(0, 0, 320, 160), n < 15 ? setTimeout(draw, 40) : r.stop())
		r.ondataavailable = e => parts.push(e.data)
		r.onstop = () => (kama.attach.offer([new File(parts, "clip.webm", {type: "video/webm"})]), done(true))
		r.start()
		draw()
	})`)
	a.until(`document.querySelector("#attached b")?.textContent == "clip.webm"`)
	a.click("#composer .send")
	for _, p := range []*page{a, b} {
		p.until(`document.querySelector("#log video.film")?.readyState > 0`)
		if got := eval[string](p, `(v => v.videoWidth + "x" + v.videoHeight + " in " + v.width + "x" + v.height + " " + v.controls + " " + v.getAttribute("aria-label"))(document.querySelector("#log video"))`); got != "320x160 in 320x160 true clip.webm" {
			t.Errorf("the film is %s", got)
		}
		promised[bool](p, `(v => (v.muted = true, v.play().then(() => true)))(document.querySelector("#log video"))`)
	}
	a.quiet()
	b.quiet()
}

// A held server lets only so much of an upload through.
type held struct {
	io.ReadCloser
	left int
	open <-chan struct{}
	gone <-chan struct{}
}

func (h *held) Read(p []byte) (int, error) {
	if h.left <= 0 {
		select {
		case <-h.open:
		case <-h.gone:
			return 0, io.ErrUnexpectedEOF
		}
		return h.ReadCloser.Read(p)
	}
	n, err := h.ReadCloser.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}

// slow is the address of a proxy that holds uploads until open is closed.
func slow(t *testing.T, s *server, open <-chan struct{}) string {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/files" {
			r.Body = &held{r.Body, 100_000, open, r.Context().Done()}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.CloseClientConnections)
	return front.URL
}

func TestUploadIsCancelled(t *testing.T) {
	s := newServer(t)
	open := make(chan struct{})
	a, b, mei, zhe := two(t, s, slow(t, s, open))
	a.choose(onDisk(t, "film.bin", make([]byte, 20<<20)), onDisk(t, "small.txt", []byte("small")))
	a.until(`document.querySelectorAll("#attached li").length == 2`)
	a.say("this is at once")
	b.sees("this is at once")
	a.until(`document.querySelector("#attached progress")?.value > 0 && document.querySelector("#attached .waits small")?.textContent == "Comes next"`)
	for len(s.uploads()) == 0 { // it has begun
		time.Sleep(10 * time.Millisecond)
	}
	if got := eval[string](a, `document.querySelector("#attached progress").getAttribute("aria-label") + "|" + document.querySelector("[aria-live=polite].hush").textContent`); got != "Sending film.bin|Sending film.bin" {
		t.Errorf("it is told as %s", got)
	}
	a.shot("uploading")
	a.expected = true
	a.click(`#attached button[aria-label="Cancel sending film.bin"]`)
	close(open)
	for _, p := range []*page{a, b} {
		p.until(`document.querySelector("#log a.file b")?.textContent == "small.txt"`)
	}
	a.until(`!document.querySelector("#attached li")`)
	if got := zhe.history(zhe.with(mei)); len(got) != 3 {
		t.Errorf("the log has %q", got)
	}
	for len(s.uploads()) != 1 { // nothing of the other stays
		time.Sleep(10 * time.Millisecond)
	}
}

func TestFilesChosenOfflineAreKeptAndSentOnce(t *testing.T) {
	s := newServer(t)
	wire := newCable(t, s)
	a, b, mei, zhe := two(t, s, "http://"+wire.from)
	a.installed()
	a.expected = true
	wire.cut()
	a.choose(onDisk(t, "kept.png", painted(t, 300, 200)), onDisk(t, "later.txt", []byte("later")))
	a.until(`document.querySelectorAll("#attached li").length == 2`)
	a.click("#composer .send")
	a.choose(onDisk(t, "not sent.txt", []byte("thinking")))
	a.until(`document.querySelectorAll("#attached li").length == 3 && [...document.querySelectorAll("#attached .waits small")].some(e => e.textContent == "Waits for the connection")`)
	a.shot("offline")
	a.filesLeft(3)
	a.do(chromedp.Reload())
	a.started()
	a.until(`document.querySelectorAll("#attached .waits").length == 2 && document.querySelectorAll("#attached .chosen").length == 1 && document.querySelector("#attached img")?.naturalWidth == 300`)
	wire.mend()
	for _, p := range []*page{a, b} {
		p.until(loaded + `.length == 1 && document.querySelector("#log a.file b")?.textContent == "later.txt"`)
	}
	a.until(`document.querySelectorAll("#attached li").length == 1`)
	if got := a.chips(); got != "not sent.txt: 8 B" {
		t.Errorf("what was not sent is %s", got)
	}
	// The page goes before it knows that it was posted: the next posts it under
	// the same ref, and it is stored once.
	a.filesLeft(1)
	a.click("#composer .send")
	b.until(`document.querySelectorAll("#log a.file").length == 2`)
	a.do(chromedp.Reload())
	a.live()
	a.until(loaded + `.length == 1`)
	a.filesLeft(0)
	a.until(`!document.querySelector("#attached li, #log .tick.queued")`)
	if got := mei.history(mei.with(zhe)); len(got) != 4 {
		t.Errorf("the log has %q, want 4", got)
	}
	for name, p := range map[string]*page{"author": a, "other": b} {
		if got := eval[int](p, `document.querySelectorAll("#log .b").length`); got != 4 {
			t.Errorf("the %s has %d messages, want 4", name, got)
		}
	}
}

func TestHostileFilesAreOnlyFiles(t *testing.T) {
	s := newServer(t, "--max-upload", "100000")
	a, b, _, _ := two(t, s, "")
	evil := []byte(`<!DOCTYPE html><script>document.title = "owned"; parent.postMessage("owned", "*")</script>`)
	a.choose(onDisk(t, "cat.png", evil), onDisk(t, "drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)),
		onDisk(t, "\u202egpj.exe", []byte("MZ")), onDisk(t, "nothing.png", nil), onDisk(t, "large.bin", make([]byte, 100_001)))
	a.until(`document.querySelectorAll("#attached li").length == 4`)
	if got := eval[string](a, `document.querySelector("#attached [role=alert]").textContent`); got != "“large.bin” is too large: a file may have 100 kB." {
		t.Errorf("of the large one it says %q", got)
	}
	a.click("#composer .send")
	for _, p := range []*page{a, b} {
		p.until(`document.querySelectorAll("#log a.file").length == 4`)
		if got := eval[string](p, `[...document.querySelectorAll("#log a.file b")].map(e => e.textContent).join("|") + document.querySelectorAll("#log a.pic").length`); got != "cat.png|drawing.svg|gpj.exe|nothing.png0" {
			t.Errorf("they are shown as %s", got)
		}
	}
	// Even in a frame or as an image of our own pages it does nothing.
	if got := promised[string](b, `new Promise(done => {
		addEventListener("message", e => done(String(e.data)))
		const f = document.createElement("iframe")
		f.src = document.querySelector("#log a.file").href
		document.body.append(f)
		fetch(f.src).then(r => setTimeout(done, 300, r.headers.get("content-type") + " " + r.headers.get("content-disposition")))
	})`); got != `application/octet-stream attachment; filename=cat.png` {
		t.Errorf("it did or is %s", got)
	}
	if title := eval[string](b, "document.title"); strings.Contains(title, "owned") {
		t.Error("a script ran")
	}
	// A stranger has no way to it.
	mallory := join(t, s, "mallory", "")
	m := a.beside(800, 600).as(mallory)
	m.goTo("/")
	m.live()
	at := eval[string](b, `new URL(document.querySelector("#log a.file").href).pathname`)
	if got := promised[int](m, fmt.Sprintf(`fetch(%q).then(r => r.status)`, at)); got != 404 {
		t.Errorf("a stranger got %d", got)
	}
}

func TestSigningOutForgetsFiles(t *testing.T) {
	s := newServer(t)
	a, _, _, _ := two(t, s, "")
	a.choose(onDisk(t, "seen.png", painted(t, 300, 200)))
	a.click("#composer .send")
	a.until(loaded + `.length == 1 && !document.querySelector("#attached li, #log .tick.queued")`)
	picture := eval[string](a, `new URL(document.querySelector("#log a.pic").href).pathname`)
	cached := fmt.Sprintf(`fetch(%q, {cache: "only-if-cached", mode: "same-origin"}).then(r => r.status, () => 0)`, picture)
	if got := promised[int](a, cached); got != 200 {
		t.Fatalf("the picture is not in the browser's cache: %d", got)
	}
	a.choose(onDisk(t, "secret.txt", []byte("secret")))
	a.filesLeft(1)
	eval[bool](a, `(window.confirm = words => (window.name = words, true), true)`)
	a.click(".who-am-i")
	a.until(`document.querySelector("#menu").matches(":popover-open")`)
	eval[bool](a, `([...document.querySelectorAll("#menu button")].find(b => b.textContent == "Sign out").click(), true)`)
	a.until(`location.pathname == "/login"`)
	if got := eval[string](a, "window.name"); !strings.Contains(got, "1 message is not sent yet") {
		t.Errorf("it asked %q", got)
	}
	if left := promised[string](a, `indexedDB.databases().then(all => all.map(d => d.name).join())`); strings.Contains(left, "kama-") {
		t.Errorf("left are %s", left)
	}
	a.expected = true
	if got := promised[int](a, cached); got == 200 {
		t.Error("the picture is still in the browser's cache")
	}
}

func TestFilesAreSentWithoutScript(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	a := browse(t, s, 390, 844).as(mei)
	if _, err := chromedp.Call(a.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	a.goTo("/c/" + string(zhe.ID))
	a.choose(onDisk(t, "ridge.png", painted(t, 640, 480)))
	a.shot("noscript-chosen")
	a.click("#composer .send")
	a.until(loaded + `.length == 1`)
	if w := eval[int](a, `Math.max(document.documentElement.scrollWidth - innerWidth, document.getElementById("composer").scrollWidth - document.getElementById("composer").clientWidth)`); w > 0 {
		t.Errorf("it scrolls sideways by %d px", w)
	}
	a.shot("noscript-sent")
	b := browse(t, s, 1200, 800).as(zhe)
	b.goTo("/c/" + string(mei.ID))
	b.live()
	b.until(loaded + `.length == 1`)
	b.quiet()
}

// Pictures of what attach.js draws, in all sizes, schemes and languages.
func TestFilesLookRight(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		c := talk(t, lang)
		a := browse(t, c.server, 1440, 900).as(c.mei)
		a.cookie("kamachat_lang", lang)
		a.goTo("/c/" + string(c.hike))
		a.live()
		a.choose(onDisk(t, "north-ridge.png", painted(t, 1600, 1200)), onDisk(t, "tall.png", painted(t, 300, 2000)),
			onDisk(t, "a file with a rather long name that does not fit anywhere.pdf", []byte("%PDF-1.7")), onDisk(t, "bird.wav", sound()))
		a.until(`document.querySelectorAll("#attached li").length == 4 && [...document.querySelectorAll("#attached img")].every(i => i.naturalWidth)`)
		a.look(lang, "files-chosen")
		a.click("#composer .send")
		a.until(`!document.querySelector("#attached li") && ` + loaded + `.length == 2`)
		a.look(lang, "files-sent")
		a.click("#log a.pic")
		a.until(`document.querySelector("dialog.viewer > img")?.naturalWidth`)
		a.look(lang, "files-viewer")
		a.quiet()
	}
}
