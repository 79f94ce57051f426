package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// A scene is a server where people have talked, as Lin Mei sees it.
type scene struct {
	*server
	mei, zhe, nobody *person
	hike             chat.ConvID
}

// talk makes the scene in one language.
func talk(t testing.TB, lang string) *scene {
	t.Helper()
	in := func(en, zh string) string {
		if lang == "zh" {
			return zh
		}
		return en
	}
	c := &scene{server: newServer(t)}
	c.mei, c.zhe = join(t, c.server, "linmei", in("Lin Mei", "林梅")), join(t, c.server, "azhe", in("Azhe", "阿哲"))
	yu, gong := join(t, c.server, "xiaoyu", in("Xiao Yu", "小雨")), join(t, c.server, "chengong", in("Chen Gong", "陈工"))
	mum, helper := join(t, c.server, "mum", in("Mum", "妈妈")), join(t, c.server, "anneliese",
		"Anneliese Wertheim-Hohenstaufen von der Lippe-Detmold")
	c.nobody = join(t, c.server, "newcomer", in("Newcomer", "新来的"))

	helper.says(helper.with(c.mei), in("Welcome! This is your first message.", "欢迎！这里是你的第一条消息。"))
	book := c.mei.group(in("Book club", "读书会"), yu, mum)
	yu.says(book, in("Next: The Dark Forest", "下次读《三体》第二部"))
	gong.says(gong.with(c.mei), in("The contract is ready. Have a look when you find the time, there are a few places where I am not sure.", "合同好了，有空看一下，有几处我不太确定。"))
	mum.says(mum.with(c.mei), in("Did you eat?", "吃饭了吗？"))
	c.mei.says(mum.with(c.mei), in("Yes 🍜", "吃了 🍜"))
	design := c.mei.group(in("Design", "设计组"), c.zhe, yu)
	c.mei.says(design, in("new icons are up", "新图标已上传"))
	c.zhe.says(c.zhe.with(c.mei), in("Fine, see you at the station 👍", "好的，车站见 👍"))
	c.mei.says(c.zhe.with(c.mei), in("Till Saturday!", "周六见！"))

	c.hike = c.mei.group(in("Weekend hike", "周末徒步"), c.zhe, yu, gong, mum)
	c.zhe.says(c.hike, in("Saturday, seven o’clock at North Station?", "周六早上七点，北站集合？"), in("The forecast says sun all day ☀️", "天气预报说是晴天 ☀️"))
	c.mei.says(c.hike, in("Works for me. I’ll bring the map and water.", "可以，我带地图和水。"))
	gong.says(c.hike, in("The loop: https://example.org/north-ridge/loop?gpx=1", "路线：https://example.org/north-ridge/loop?gpx=1"),
		"```\nkm   m\n 0   120\n 7.4 910   # "+in("the top, lunch", "山顶，午饭")+"\n13   120\n```")
	c.mei.says(c.hike, in("Thirteen kilometres and eight hundred metres up is a lot for Mum, so let us take the short way back from the top, along the stream, and be at the station by five. Whoever wants more can go on over the ridge.",
		"十三公里加八百米爬升对妈妈来说有点多，我们从山顶沿小溪走近路下来，五点前回到车站。想多走的可以继续翻过山脊。"), "👍", in("ok", "好"))
	yu.says(c.hike, in("@linmei could you check the train back? I found `G1042 18:36`", "@linmei 能帮忙看一下返程车次吗？我查到 `G1042 18:36`"))
	c.mei.says(c.hike, in("On it, I’ll book for all of us.", "好，我来订。"))
	gong.says(c.hike, in("Thank you!\nI’ll bring lunch.", "谢谢！\n我带午饭。"))
	c.zhe.says(c.hike, in("🎉", "🎉"))
	return c
}

// sizes are the windows that everything is looked at in.
var sizes = [][2]int64{{390, 844}, {820, 1180}, {1440, 900}}

// look takes pictures of what p shows in every size and scheme.
func (p *page) look(lang, name string) {
	p.Helper()
	for _, scheme := range []string{"light", "dark"} {
		p.dress(scheme)
		for _, size := range sizes {
			p.do(chromedp.EmulateViewport(size[0], size[1]))
			p.settled()
			who := fmt.Sprintf("%s-%s-%s-%d", name, lang, scheme, size[0])
			if got := eval[string](p, "document.documentElement.lang"); !strings.HasPrefix(got, lang) {
				p.Errorf("%s: the page says that it is in %q", who, got)
			}
			if wide := eval[[]string](p, `[...document.querySelectorAll("body *")].filter(e => !e.closest("pre,.hush,[popover],.app > .conv,.app > .list") &&
				e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className)`); len(wide) > 0 {
				p.Errorf("%s: beyond the right edge: %v", who, wide)
			}
			if w := eval[int](p, `Math.max(document.documentElement.scrollWidth - innerWidth,
				...[...document.querySelectorAll("#scroll,#convs,dialog,.details")].map(e => e.scrollWidth - e.clientWidth))`); w > 0 {
				p.Errorf("%s scrolls sideways by %d px", who, w)
			}
			p.shot(who)
		}
	}
}

// settled waits until what was asked for is on the screen. What is folded away
// doesn't move on.
func (p *page) settled() {
	p.Helper()
	const js = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
		Promise.allSettled(document.getAnimations().filter(a => a.effect.target.checkVisibility()).map(a => a.finished)).then(() => done(true)))))`
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise)); err != nil {
		p.Fatal(err)
	}
}

func TestLooks(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := talk(t, lang)
			m := browse(t, s.server, 1440, 900).as(s.mei)
			m.cookie("kamachat_lang", lang)
			z := m.beside(1440, 900).as(s.zhe)
			z.goTo("/c/" + string(s.mei.ID))
			z.live()
			m.goTo("/")
			m.live()
			m.until(`document.querySelector(".conv-row .tick.read")`)
			z.click(fmt.Sprintf(`.conv-row[href="/c/%s"]`, s.hike))
			m.look(lang, "list")
			m.click(".who-am-i")
			m.until(`document.querySelector("#menu").matches(":popover-open")`)
			m.look(lang, "menu")
			m.click(".who-am-i")
			z.until(`document.querySelectorAll("#log [data-key]").length > 10`)
			eval[bool](z, `(setInterval(() => { const a = document.getElementById("text"); a.value = "hm"; a.dispatchEvent(new Event("input", {bubbles: true})) }, 1000), true)`)
			m.click(fmt.Sprintf(`.conv-row[href="/c/%s"]`, s.hike))
			m.until(`document.querySelectorAll("#log [data-key]").length > 10 && document.querySelector(".typing").textContent`)
			m.look(lang, "open")
			if lang == "en" && os.Getenv("KAMACHAT_SCREENSHOT") != "" {
				m.picture("../docs/screenshot.png")
			}
			m.click("#composer button.icon")
			m.until(`document.querySelector(".picker")`)
			m.look(lang, "emoji")
			m.click("#composer button.icon")
			m.until(`!document.querySelector(".picker")`)
			eval[bool](m, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true}))`)
			m.until(`document.activeElement.id == "jump"`)
			m.do(chromedp.KeyEvent("a"))
			m.until(`(n => n > 0 && n < 7)(document.querySelectorAll(".switcher .person").length)`)
			m.look(lang, "switch")
			m.do(chromedp.KeyEvent("\u001b"))
			m.until(`!document.querySelector("dialog[open]")`)
			m.click(".head .acts button")
			m.until(`document.querySelector(".details")`)
			m.look(lang, "details")
			m.click(".details-head button")
			m.click(".me > .icon")
			m.until(`document.querySelector("dialog .person")`)
			m.look(lang, "new")
			m.click(".dialog-foot .plain")
			m.until(`document.activeElement.id == "group-name"`)
			m.fill("#group-name", map[string]string{"en": "Sunday", "zh": "周日"}[lang])
			for i := range 3 {
				eval[bool](m, fmt.Sprintf(`(document.querySelectorAll("dialog .person")[%d].click(), true)`, i))
				m.until(fmt.Sprintf(`document.querySelectorAll(".chip").length == %d`, i+1))
			}
			m.look(lang, "group")
			m.do(chromedp.KeyEvent("\u001b"))
			m.until(`!document.querySelector("dialog[open]")`)
			m.quiet()
			z.quiet()

			n := m.beside(1440, 900).as(s.nobody)
			n.cookie("kamachat_lang", lang)
			n.goTo("/")
			n.live()
			n.look(lang, "empty")
			n.quiet()

			door := m.beside(1440, 900)
			door.cookie("kamachat_lang", lang)
			door.goTo("/login")
			door.look(lang, "signin")
			door.goTo("/register")
			door.look(lang, "register")
			door.quiet()
			door.goTo("/nowhere")
			door.look(lang, "error")
		})
	}
}

// picture writes the README's.
func (p *page) picture(path string) {
	p.Helper()
	p.dress("light")
	p.do(chromedp.EmulateViewport(1440, 900))
	p.settled()
	time.Sleep(300 * time.Millisecond)
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	if len(png) > 200<<10 {
		p.Errorf("the picture has %d KB", len(png)>>10)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		p.Fatal(err)
	}
}
