package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// tries is how often each figure is taken; the median is told.
const tries = 5

// watch notes when frames arrive at the socket, and when rows come into the log.
const watch = `{
	const W = window.WebSocket
	window.came = []
	window.WebSocket = class extends W {
		constructor(...a) { super(...a); this.addEventListener("message", e => { came.push([performance.now(), String(e.data)]) }) }
	}
	window.arrival = text => new Promise(done => {
		const o = new MutationObserver(() => {
			const now = performance.now(), last = document.querySelector("#log li:last-child .b")
			if (!last?.textContent.includes(text)) return
			o.disconnect()
			done(now - came.find(f => f[1].includes(text))[0])
		})
		o.observe(document.getElementById("log"), {childList: true})
	})
}`

// TestPaceOfTheBrowser prints how quick the page is. It needs quiet around it.
func TestPaceOfTheBrowser(t *testing.T) {
	if os.Getenv("KAMACHAT_BENCH") == "" {
		t.Skip("a measurement: KAMACHAT_BENCH=1, or make bench-ui")
	}
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	for i := range 1000 {
		[]*person{mei, zhe}[i/3%2].says(conv, fmt.Sprintf("Number %d of a thousand messages", i))
	}
	path := "/c/" + string(conv)

	took := map[string][]float64{}
	var order []string
	note := func(what string, ms float64) {
		if took[what] == nil {
			order = append(order, what)
		}
		took[what] = append(took[what], ms)
	}
	load := func(p *page, kind string) {
		p.goTo(path)
		p.live()
		note("first contentful paint, "+kind, eval[float64](p, `performance.getEntriesByName("first-contentful-paint")[0].startTime`))
		note("program loaded (kama-wasm), "+kind, eval[float64](p, `performance.getEntriesByName("kama-wasm")[0].startTime`))
		note("interactive, "+kind, eval[float64](p, `performance.getEntriesByName("goapp-interactive")[0].startTime`))
	}
	var p *page
	last := "Number 999 of"
	for _, rate := range []float64{1, 4} {
		at := map[float64]string{1: "", 4: ", CPU ×4"}[rate]
		for range tries {
			p = browse(t, s, 1440, 900).as(mei)
			p.slower(rate)
			load(p, "cold"+at)
			load(p, "warm"+at)
			if len(took["interactive, warm"+at]) < tries {
				p.close()
			}
		}
		p.first(watch)
		p.goTo(path)
		p.live()
		// The whole log comes, 50 rows at a time, while the reader goes up.
		var spent time.Duration
		rows := 0
		for done := false; !done; done = eval[bool](p, `document.querySelector("#log").textContent.includes("Number 0 of")`) {
			top := `document.querySelector("#log li[data-key]").dataset.key`
			before, was := eval[string](p, top), p.busy()
			eval[bool](p, `(document.getElementById("scroll").scrollTop = 0, true)`)
			p.until(fmt.Sprintf(`%s != %q || document.querySelector("#log").textContent.includes("Number 0 of")`, top, before))
			eval[bool](p, `new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true)))) && true`)
			spent += p.busy() - was
			rows += key(before) - key(eval[string](p, top))
		}
		note("50 rows put before, script, style and layout"+at, float64(spent.Microseconds())/1000*50/float64(rows))
		p.click(".pill")
		p.until(fmt.Sprintf(`document.querySelector("#log li:last-child").textContent.includes(%q) && document.querySelector(".pill").hidden`, last))
		for i := range 4 * tries {
			text := fmt.Sprintf("arrival number %d, %g!", i, rate)
			last = text
			eval[bool](p, fmt.Sprintf(`(window.took = arrival(%q), true)`, text))
			zhe.says(conv, text)
			ms, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](`window.took`, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 { // the first finds the code cold
				note("message arrived to its row in the page, 1,000 rows held"+at, ms)
			}
		}
		for range 4 * tries {
			note("one input event in the composer"+at, eval[float64](p, `(() => { const a = document.getElementById("text"), at = performance.now()
			a.value += "x"; a.dispatchEvent(new Event("input", {bubbles: true})); a.offsetHeight
			return performance.now() - at })()`))
		}
		p.slower(1)
		p.quiet()
	}

	var b strings.Builder
	fmt.Fprintf(&b, "\n%-66s %9s %9s %9s\n", "", "median", "fastest", "slowest")
	for _, what := range order {
		ms := slices.Sorted(slices.Values(took[what]))
		fmt.Fprintf(&b, "%-66s %6.1f ms %6.1f ms %6.1f ms\n", what, ms[len(ms)/2], ms[0], ms[len(ms)-1])
	}
	shell, raw := wire(t, s, path, mei)
	fmt.Fprintf(&b, "%-58s %9d bytes, %d raw\n", "a conversation's page on the wire", shell, raw)
	css, raw := wire(t, s, eval[string](p, `document.querySelector("link[rel=stylesheet]").getAttribute("href")`), mei)
	fmt.Fprintf(&b, "%-58s %9d bytes, %d raw\n", "app.css on the wire", css, raw)
	wasm, raw := wire(t, s, eval[string](p, `document.querySelector("script[data-wasm]").dataset.wasm`), mei)
	quality := "as released: make release"
	if wasm > 1_700_000 {
		quality = "packed quickly: make build"
	}
	fmt.Fprintf(&b, "%-58s %9d bytes, %d raw (%s)\n", "app.wasm on the wire, brotli", wasm, raw, quality)
	t.Log(b.String())
}

// slower makes the page's processor as many times slower.
func (p *page) slower(rate float64) {
	p.Helper()
	if _, err := chromedp.Call(p.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: rate}); err != nil {
		p.Fatal(err)
	}
}

// busy is how long the page's main thread has worked on scripts, styles and layout.
func (p *page) busy() (sum time.Duration) {
	p.Helper()
	if _, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		p.Fatal(err)
	}
	got, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.Fatal(err)
	}
	for _, m := range got.Metrics {
		switch m.Name {
		case "ScriptDuration", "LayoutDuration", "RecalcStyleDuration":
			sum += time.Duration(m.Value * float64(time.Second))
		}
	}
	return sum
}

// key is the Seq in a row's key.
func key(of string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(of, "s"))
	return n
}

// wire returns how many bytes the browser gets for path, and how many they are
// unpacked, where that can be told.
func wire(t *testing.T, s *server, path string, who *person) (sent, raw int) {
	t.Helper()
	size := func(accept string) int {
		req, err := http.NewRequest("GET", s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", accept)
		for _, c := range who.cookies {
			req.AddCookie(c)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body := io.Reader(resp.Body)
		if accept == "identity" && resp.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		n, err := io.Copy(io.Discard, body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(path, resp.Status, err)
		}
		return int(n)
	}
	return size("gzip, deflate, br, zstd"), size("identity")
}
