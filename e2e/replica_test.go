package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// killed ends the browser as a crash does: nothing is told, nothing is tidied up.
func (p *page) killed() {
	p.Helper()
	b := chromedp.FromContext(p.ctx).Browser.Process()
	_ = b.Kill()
	_, _ = b.Wait()
	p.close()
}

// kept waits until what is there is in the browser's own database.
func (p *page) kept(key, part string) {
	p.Helper()
	for end := time.Now().Add(time.Minute); ; {
		text := promised[string](p, fmt.Sprintf(`kamaStore.peek(%q).then(v => v || "")`, key))
		if strings.Contains(text, part) {
			return
		}
		if time.Now().After(end) { // far longer than it takes: for a message instead of a test that hangs
			p.Fatalf("%s is %.200q, want %q in it; there are %s", key, text, part, promised[string](p, "kamaStore.keys()"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// history returns what is said in conv, as the server has it.
func (p *person) history(conv chat.ConvID) (texts []string) {
	p.t.Helper()
	before := ""
	for {
		var out struct{ Entries []chat.Message }
		p.call("GET", "/api/v1/conversations/"+string(conv)+"/messages?limit=100"+before, nil, &out)
		var page []string
		for _, m := range out.Entries {
			page = append(page, m.Content.Text)
		}
		texts = append(page, texts...)
		if len(out.Entries) == 0 || out.Entries[0].Seq <= 1 {
			return texts
		}
		before = "&before=" + strconv.FormatInt(out.Entries[0].Seq, 10)
	}
}

// arrived waits until conv ends with texts, and fails where one is there twice
// or out of order.
func (p *person) arrived(conv chat.ConvID, texts []string) {
	p.t.Helper()
	end := time.Now().Add(time.Minute) // far longer than it takes: for a message instead of a test that hangs
	for {
		var got []string
		for _, text := range p.history(conv) {
			if slices.Contains(texts, text) {
				got = append(got, text)
			}
		}
		if len(got) >= len(texts) || time.Now().After(end) {
			if !slices.Equal(got, texts) {
				p.t.Fatalf("%s has %q, want each of %q once and in order", conv, got, texts)
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// A day on a train: no server, two tabs, a browser that crashes. What was there
// can be read, and what is written arrives once and in order.
func TestWordsOfAnOfflineDayArriveOnceAndInOrder(t *testing.T) {
	s := newServer(t, "--rate-limit", "off")
	mei, zhe, gong := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe"), join(t, s, "gong", "Gong")
	convs := []chat.ConvID{mei.with(zhe), mei.with(gong), mei.group("Kitchen", zhe, gong)}
	zhe.says(convs[0], "from zhe 1", "from zhe 2")
	gong.says(convs[1], "from gong")
	zhe.says(convs[2], "to all 1", "to all 2", "to all 3")
	profile := chromedp.UserDataDir(t.TempDir())
	p := browse(t, s, 1024, 768, profile).as(mei)
	for i, last := range []string{"from zhe 2", "from gong", "to all 3"} {
		p.goTo("/c/" + string(convs[i]))
		p.live()
		p.sees(last)
		p.kept("p/"+string(convs[i])+"/00000000", last)
	}
	p.installed()
	s.kill()

	want := map[chat.ConvID][]string{}
	write := func(p *page, conv chat.ConvID, text string) {
		p.say(text)
		want[conv] = append(want[conv], text)
		p.sees(text)
	}
	p.expected = true
	p.goTo("/")
	p.started()
	p.until(`document.querySelectorAll(".conv-row").length == 3`)
	for _, conv := range convs { // a deep link, and what was read is there
		p.goTo("/c/" + string(conv))
		p.started()
	}
	p.sees("to all 1")
	for i := range 10 {
		write(p, convs[2], fmt.Sprint("train ", i))
	}
	// A second tab writes elsewhere.
	q := p.tab(1024, 768)
	q.expected = true
	q.goTo("/c/" + string(convs[0]))
	q.started()
	q.sees("from zhe 2")
	for i := range 5 {
		write(q, convs[0], fmt.Sprint("tunnel ", i))
	}
	eval[bool](p, fmt.Sprintf(`(goappNav ? 0 : 0, document.querySelector('a[href$="%s"]').click(), true)`, gong.ID))
	p.sees("from gong")
	for i := range 5 {
		write(p, convs[1], fmt.Sprint("bridge ", i))
	}
	eval[bool](p, `(document.querySelector("#text").focus(), true)`)
	p.fill("#text", "half a thought")
	p.kept("d/"+string(convs[1]), "half a thought")
	p.killed()

	// The browser is back before the server is.
	p = browse(t, s, 1024, 768, profile).as(mei)
	p.expected = true
	p.goTo("/c/" + string(convs[1]))
	p.started()
	p.sees("bridge 4")
	if got := eval[string](p, `document.querySelector("#text").value`); got != "half a thought" {
		t.Errorf("the composer has %q, want what was being written", got)
	}
	p.until(`document.querySelector(".note:not([hidden])")?.textContent.includes("20")`)
	p.shot("train")
	s.again()
	p.until(`!document.querySelector(".note:not([hidden])")`)
	for conv, texts := range want {
		mei.arrived(conv, texts)
	}
	// Another browser sees the same.
	o := p.beside(1024, 768).as(zhe)
	o.goTo("/c/" + string(convs[2]))
	o.sees("train 9")
	if got := o.texts(); !slices.Equal(got[len(got)-10:], want[convs[2]]) {
		t.Errorf("another browser shows %q", got)
	}
	p.kept("p/"+string(convs[1])+"/00000000", "bridge 4")
	if left := promised[string](p, `kamaStore.adopt()`); left != "[]" {
		t.Errorf("posts are left behind: %s", left)
	}
}

// rounds is how often the connection is cut: OFFLINE_ROUNDS, 50 unless less is asked for.
func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("OFFLINE_ROUNDS"))
	if err != nil {
		return 50
	}
	return n
}

// Two tabs of one person write while their connections break at any moment.
func TestCutAtAnyMomentTwoTabsLoseNothing(t *testing.T) {
	t.Run("two-conversations", func(t *testing.T) { cutAtAnyMoment(t, false) })
	t.Run("one-conversation", func(t *testing.T) { cutAtAnyMoment(t, true) })
}

func cutAtAnyMoment(t *testing.T, together bool) {
	const seed = 4
	rnd := rand.New(rand.NewPCG(seed, seed))
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	group := conv
	if !together {
		group = mei.group("Kitchen", zhe)
	}
	wire := newCable(t, s)
	p := browse(t, s, 1024, 768, chromedp.UserDataDir(t.TempDir()))
	p.base = "http://" + wire.from
	p.as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	q := p.tab(1024, 768)
	q.goTo("/c/" + string(group))
	q.live()
	p.expected, q.expected = true, true
	var one, two []string
	for i := range rounds(t) {
		wait := time.Duration(rnd.IntN(60)) * time.Millisecond
		done := make(chan struct{})
		go func() {
			time.Sleep(wait)
			wire.cut()
			close(done)
		}()
		for k := range 1 + rnd.IntN(3) {
			one = append(one, fmt.Sprintf("here %d.%d", i, k))
			p.say(one[len(one)-1])
			two = append(two, fmt.Sprintf("there %d.%d", i, k))
			q.say(two[len(two)-1])
		}
		<-done
		wire.mend()
		eval[bool](p, `(window.dispatchEvent(new Event("online")), true)`)
		eval[bool](q, `(window.dispatchEvent(new Event("online")), true)`)
	}
	mei.arrived(conv, one)
	mei.arrived(group, two)
	for _, tab := range []struct {
		*page
		conv chat.ConvID
	}{{p, conv}, {q, group}} {
		all := slices.DeleteFunc(mei.history(tab.conv), func(s string) bool { return s == "" }) // who made the group says nothing
		tab.until(`!document.querySelector("#log .queued")`)
		tab.sees(all[len(all)-1])
		got := tab.texts()
		if len(got) < min(len(all), 50) || !slices.Equal(got, all[len(all)-len(got):]) {
			t.Errorf("the page shows %q,\nthe server has %q", got, all)
		}
		tab.until(`(kamaStore.kept("o/").then(n => window.$n = n), window.$n === 0)`)
	}
}

// Who shares a browser sees nothing of who was there before.
func TestAnotherAccountSeesNothingOfTheFirst(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "only for mei")
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	p.sees("only for mei")
	p.kept("p/"+string(conv)+"/00000000", "only for mei")
	names := `indexedDB.databases().then(all => all.map(d => d.name).sort())`
	if got := promised[[]string](p, names); !slices.Equal(got, []string{"kama", "kama-" + string(mei.ID)}) {
		t.Errorf("there is %v", got)
	}
	// The session is another's now, without a word of goodbye.
	gong := join(t, s, "gong", "Gong")
	p.as(gong)
	p.goTo("/")
	p.live()
	p.until(`document.querySelector(".profile, .me")`)
	p.kept("me", string(gong.ID))
	if got := promised[[]string](p, names); !slices.Equal(got, []string{"kama", "kama-" + string(gong.ID)}) {
		t.Errorf("there is %v", got)
	}
}

// In a browser that keeps nothing the chat works on line, and says what it can't do.
func TestBrowserWithoutADatabaseWorksOnLine(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	p := browse(t, s, 1024, 768).as(mei)
	p.first(`Object.defineProperty(window, "indexedDB", {value: undefined})`)
	p.goTo("/c/" + string(conv))
	p.live()
	p.say("works")
	mei.arrived(conv, []string{"works"})
	p.expected = true
	s.kill()
	p.until(`document.querySelector(".note:not([hidden])")?.textContent.includes("keeps nothing")`)
	p.say("waits")
	p.until(`document.querySelector(".note:not([hidden])")?.textContent.includes("leave this page open")`)
	s.again()
	mei.arrived(conv, []string{"works", "waits"})
}

// What was kept is found again without a network, and shown where it stands.
func TestMessagesAreFoundAndShownWithoutTheServer(t *testing.T) {
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	p := browse(t, s, 1024, 768).as(mei)
	zhe.says(conv, "the first")
	p.goTo("/c/" + string(conv))
	p.live()
	for i := range 300 {
		zhe.says(conv, fmt.Sprintf("number %d of the 会议室 list", i))
	}
	p.sees("number 299 ")
	p.kept(fmt.Sprintf("p/%s/%08x", conv, 301/50), "number 299 ")
	p.installed()
	s.kill()
	p.expected = true
	p.goTo("/")
	p.started()
	eval[bool](p, `(document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})), true)`)
	p.until(`document.querySelector("#jump")`)
	p.fill("#jump", "number 12 会议")
	p.until(`[...document.querySelectorAll(".switcher mark")].some(m => m.textContent == "number")`)
	p.shot("search")
	if n := eval[int](p, `document.querySelectorAll(".switcher mark").length`); n != 11 { // 12, and 120 to 129
		t.Errorf("%d messages are found", n)
	}
	p.fill("#jump", "list number 12 会议室")
	p.until(`document.querySelectorAll(".switcher mark").length == 11`)
	eval[bool](p, `([...document.querySelectorAll(".switcher button")].at(-1).click(), true)`)
	p.until(`document.querySelector("#log .hit")?.textContent.includes("number 12 ")`)
	middle := eval[float64](p, `(() => { const b = document.querySelector("#scroll").getBoundingClientRect(), r = document.querySelector(".hit").getBoundingClientRect(); return (r.top - b.top) / b.height })()`)
	if middle < 0.1 || middle > 0.9 {
		t.Errorf("what was found is at %v of the height", middle)
	}
	p.shot("found")
	// Scrolling on shows everything between there and the end, in order.
	for range 40 {
		eval[bool](p, `(document.querySelector("#scroll").scrollBy(0, 3000), true)`)
		if p.rows("number 299 ") > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.sees("number 299 ")
	// A day: all of it is of today, so the first is the first of all; tomorrow is the end.
	eval[bool](p, `(document.querySelector(".acts button:last-child").click(), true)`)
	p.until(`document.querySelector("#date")`)
	day := `(document.querySelector("#date").value = %q, document.querySelector("#date").dispatchEvent(new Event("change", {bubbles: true})), true)`
	eval[bool](p, fmt.Sprintf(day, time.Now().AddDate(0, 0, -1).Format(time.DateOnly)))
	p.until(`document.querySelector("#log .hit")?.textContent.includes("the first")`)
	eval[bool](p, fmt.Sprintf(day, time.Now().AddDate(0, 0, 2).Format(time.DateOnly)))
	p.until(`[...document.querySelectorAll("#log li")].at(-1).textContent.includes("number 299 ")`)
	// And back to where it was found, and by one press to the end.
	eval[bool](p, `(document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})), true)`)
	p.until(`document.querySelector("#jump")`)
	p.fill("#jump", "number 7 ")
	p.until(`document.querySelector(".switcher mark")`)
	eval[bool](p, `([...document.querySelectorAll(".switcher button")].at(-1).click(), true)`)
	p.until(`document.querySelector("#log .hit")?.textContent.includes("number 7 ")`)
	p.click(".pill")
	p.until(`[...document.querySelectorAll("#log li")].at(-1).textContent.includes("number 299 ")`)
	texts := p.texts()
	for i := 1; i < len(texts); i++ {
		var a, b int
		fmt.Sscanf(texts[i-1], "number %d", &a)
		fmt.Sscanf(texts[i], "number %d", &b)
		if b != a+1 {
			t.Fatalf("%q is shown behind %q", texts[i], texts[i-1])
		}
	}
}

// crowded makes a browser that has room for 20 pages. Chromium's own way to set a
// quota, Storage.overrideQuotaForOrigin, has no effect where it runs headless.
const crowded = `{
	const pages = new Set(), put = IDBObjectStore.prototype.put, del = IDBObjectStore.prototype.delete
	IDBObjectStore.prototype.put = function(value, key) {
		if (String(key).startsWith("p/") && !pages.has(key)) {
			if (pages.size >= 20) throw new DOMException("no room", "QuotaExceededError")
			pages.add(key)
			this.transaction.addEventListener("abort", () => pages.delete(key))
		}
		return put.call(this, value, key)
	}
	IDBObjectStore.prototype.delete = function(key) {
		pages.delete(key)
		return del.call(this, key)
	}
}`

// Where the browser has no room left, old entries go, and never what was written.
func TestFullBrowserGivesOldPagesUp(t *testing.T) {
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv, other := mei.with(zhe), mei.group("Kitchen", zhe)
	p := browse(t, s, 1024, 768).as(mei)
	p.first(crowded)
	zhe.says(other, "asleep")
	p.goTo("/c/" + string(other))
	p.live()
	p.sees("asleep")
	p.kept("p/"+string(other)+"/00000000", "asleep")
	p.goTo("/c/" + string(conv))
	p.live()
	texts := make([]string, 1500)
	for i := range texts {
		texts[i] = fmt.Sprintf("number %d: it gets crowded", i)
	}
	zhe.says(conv, texts...)
	last := fmt.Sprintf("number %d:", len(texts)-1)
	p.sees(last)
	p.kept(fmt.Sprintf("p/%s/%08x", conv, (len(texts)-1)/50), last)
	p.expected = true
	s.kill()
	p.say("written in a full browser")
	p.until(`document.querySelector(".note:not([hidden])")?.textContent.includes("1 message waits here and goes out")`)
	keys := promised[string](p, "kamaStore.keys()")
	if n := strings.Count(keys, `"p/`); n > 20 || n < 2 || strings.Contains(keys, string(other)) {
		t.Errorf("%d of 31 pages are kept: %s", n, keys)
	}
	p.goTo("/c/" + string(conv))
	p.started()
	p.sees("written in a full browser")
	s.again()
	mei.arrived(conv, []string{"written in a full browser"})
}

// A session that is ended elsewhere takes what was read with it, and leaves the
// posts that wait, of whichever tab.
func TestSessionEndedElsewhereLeavesPostsOfOtherTabs(t *testing.T) {
	s := newServer(t)
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	zhe.says(conv, "was read")
	wire := newCable(t, s)
	p := browse(t, s, 1024, 768)
	p.base = "http://" + wire.from
	p.as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	p.kept("p/"+string(conv)+"/00000000", "was read")
	q := p.tab(1024, 768)
	q.goTo("/")
	q.live()
	p.expected, q.expected = true, true
	wire.cut()
	p.say("waits")
	p.until(`document.querySelector("#log .b") && [...document.querySelectorAll("#log .b")].at(-1).textContent.includes("waits")`)
	p.kept("me", string(mei.ID))
	mei.signsOut(t, s)
	wire.mend()
	for _, tab := range []*page{q, p} {
		eval[bool](tab, `(window.dispatchEvent(new Event("online")), true)`)
	}
	q.until(`location.pathname == "/login"`)
	p.until(`location.pathname == "/login"`)
	keys := promised[[]string](p, fmt.Sprintf(`new Promise((ok, no) => { const r = indexedDB.open("kama-%s", 1); r.onerror = no; r.onsuccess = () => { const k = r.result.transaction("records").objectStore("records").getAllKeys(); k.onsuccess = () => ok(k.result) } })`, mei.ID))
	if len(keys) != 2 || !strings.HasPrefix(keys[1], "o/") || keys[0] != "me" {
		t.Errorf("kept are %q, want who it was and the post", keys)
	}
}
