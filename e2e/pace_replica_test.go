package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Of what the replica is filled with.
const (
	keptEntries = 100_000 // in one conversation
	keptLines   = 2_000   // conversations
)

// fillReplica writes, in the page, what a year of use would have kept.
const fillReplica = `(async (me, peer, conv, entries, lines) => {
	const at = i => 1760000000000 + i * 60000
	const words = "morning 会议 report lunch 明天 train ticket 图片 thanks draft 周末 river code review 电影".split(" ")
	const entry = i => ({id: String(1e15 + i), conv, seq: i, from: i % 3 ? peer : me, at: at(i), c: {k: "text", text: "No. " + i + " " + words[i % words.length] + " " + words[(i * 7) % words.length] + " and some more to read"}})
	for (let page = 0; page * 50 < entries; page += 200) {
		const put = []
		for (let p = page; p < page + 200 && p * 50 < entries; p++) {
			const es = []
			for (let i = p * 50 + 1; i <= Math.min(entries, p * 50 + 50); i++) es.push(entry(i))
			put.push({k: "p/" + conv + "/" + p.toString(16).padStart(8, "0"), v: JSON.stringify(es)})
		}
		await kamaStore.write(JSON.stringify({put}))
	}
	const put = []
	const line = (conv, last, title) => put.push({k: "c/" + conv, v: JSON.stringify({conv, title, avatar: "", members: 3, last_seq: last.seq, last, mine: {read: last.seq, delivered: last.seq}, all: {}, unread: 0, own: {read: last.seq, delivered: last.seq}, low: {}, at: last.at})})
	line(conv, entry(entries), "")
	for (let i = 1; i < lines; i++) line("Gkept" + i, {...entry(i), conv: "Gkept" + i, seq: 1}, "Group number " + i)
	await kamaStore.write(JSON.stringify({put}))
	return true
})`

// TestPaceOfTheReplica prints how quick the page is without a server, with much
// kept. It needs quiet around it.
func TestPaceOfTheReplica(t *testing.T) {
	if os.Getenv("KAMACHAT_BENCH") == "" {
		t.Skip("a measurement: KAMACHAT_BENCH=1, or make bench-ui")
	}
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "the first")
	path := "/c/" + string(conv)
	p := browse(t, s, 1440, 900, chromedp.UserDataDir(t.TempDir())).as(mei)
	took := map[string][]float64{}
	var order []string
	note := func(what string, ms float64) {
		if took[what] == nil {
			order = append(order, what)
		}
		took[what] = append(took[what], ms)
	}
	mark := func(name string) float64 {
		return eval[float64](p, fmt.Sprintf(`performance.getEntriesByName(%q)[0].startTime`, name))
	}
	slower := p.slower
	p.goTo(path)
	p.live()
	p.sees("the first")
	p.installed()
	for _, rate := range []float64{1, 4} {
		slower(rate)
		for range tries {
			p.goTo(path)
			p.live()
			note(fmt.Sprintf("CPU ×%g: first paint, with service worker", rate), mark("first-contentful-paint"))
			note(fmt.Sprintf("CPU ×%g: interactive, with service worker", rate), mark("goapp-interactive"))
		}
	}
	slower(1)
	promised[bool](p, fmt.Sprintf(`%s(%q, %q, %q, %d, %d)`, fillReplica, mei.ID, zhe.ID, conv, keptEntries, keptLines))
	s.kill()
	p.expected = true
	for _, rate := range []float64{1, 4} {
		slower(rate)
		for range tries {
			p.goTo(path)
			p.started()
			p.sees(fmt.Sprintf("No. %d ", keptEntries))
			note(fmt.Sprintf("CPU ×%g: first paint, offline", rate), mark("first-contentful-paint"))
			note(fmt.Sprintf("CPU ×%g: interactive with rows, offline", rate), mark("goapp-interactive"))
		}
		// Scrolling up through kept pages: the longest the page stood still.
		eval[bool](p, `(window.longest = 0, window.last = performance.now(), (function f() { const now = performance.now(); longest = Math.max(longest, now - last); last = now; requestAnimationFrame(f) })(), true)`)
		for range 20 {
			before := eval[string](p, `(() => { const key = document.querySelector("#log li[data-key]").dataset.key; document.getElementById("scroll").scrollTop = 0; return key })()`)
			p.until(fmt.Sprintf(`document.querySelector("#log li[data-key]").dataset.key != %q`, before))
		}
		note(fmt.Sprintf("CPU ×%g: longest frame while 20 pages of 50 are put before", rate), eval[float64](p, `longest`))
		for _, q := range []string{"No 77777", "会议 report", "nothing like this"} {
			eval[bool](p, `(document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})), true)`)
			p.until(`document.querySelector("#jump")`)
			note(fmt.Sprintf("CPU ×%g: %d messages searched for %q", rate, keptEntries, q), promised[float64](p, fmt.Sprintf(
				`(async () => { const at = performance.now(); const n = (await kamaStore.search(JSON.stringify(%q.toLowerCase().split(" ")), 40)).length; return performance.now() - at })()`, q)))
			eval[bool](p, `(document.querySelector("dialog").close(), true)`)
		}
	}
	slower(1)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-66s %9s %9s %9s\n", fmt.Sprintf("%d entries of one conversation, %d conversations", keptEntries, keptLines), "median", "fastest", "slowest")
	for _, what := range order {
		ms := slices.Sorted(slices.Values(took[what]))
		fmt.Fprintf(&b, "%-66s %6.1f ms %6.1f ms %6.1f ms\n", what, ms[len(ms)/2], ms[0], ms[len(ms)-1])
	}
	heap := eval[float64](p, `kamaHeap() / 1e6`)
	if heap > 40 {
		t.Errorf("the program uses %.1f MB, want at most 40", heap)
	}
	fmt.Fprintf(&b, "%-66s %6.1f MB\n", "heap of the program", heap)
	t.Log(b.String())
}
