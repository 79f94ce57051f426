package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"kamachat/shared/words"
)

// examined opens the doctor's page and waits until every check has ended.
func (p *page) examined() map[string]string {
	p.Helper()
	p.goTo("/doctor")
	return p.results()
}

// results are the states of the rows, once all have one.
func (p *page) results() map[string]string {
	p.Helper()
	p.until(`document.querySelector("#again") && !document.querySelector("#again").disabled`)
	return eval[map[string]string](p, `Object.fromEntries([...document.querySelectorAll("[data-check]")].map(r => [r.dataset.check, r.dataset.state || ""]))`)
}

// finding is the sentence of a row.
func (p *page) finding(check string) string {
	p.Helper()
	return eval[string](p, fmt.Sprintf(`document.querySelector("[data-check=%s] p").textContent`, check))
}

// begins is a sentence of the doctor's up to its first argument.
func begins(key string) string {
	s, _, _ := strings.Cut(words.Say(words.EN, "doctor."+key), "{")
	return s
}

// is fails unless the row is in that state and says that sentence.
func (p *page) is(got map[string]string, check, state, key string) {
	p.Helper()
	if said := p.finding(check); got[check] != state || !strings.HasPrefix(said, begins(check+"."+key)) {
		p.Errorf("%s: %s, %q; want %s, %q", check, got[check], said, state, begins(check+"."+key))
	}
}

func TestDoctorFindsAWorkingServerWell(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 390, 844)
	p.register("linmei")
	p.installed()
	got := p.examined()
	for check, state := range got {
		want := "works"
		switch check {
		case "persist": // as the browser likes
			want = state
		case "push": // Chromium's answer depends on how it was built
			want = state
		}
		if state != want || state == "" {
			t.Errorf("%s: %q, %s", check, state, p.finding(check))
		}
	}
	if len(got) != 13 {
		t.Errorf("there are %d checks: %v", len(got), got)
	}
	if sum := eval[string](p, `document.querySelector("[role=status]").textContent`); !strings.HasPrefix(sum, begins("sum.done")) {
		t.Errorf("the live region says %q", sum)
	}
	// Nothing of the checks stays.
	if left := promised[[]string](p, `indexedDB.databases().then(all => all.map(d => d.name).filter(n => /doctor/.test(n)))`); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	p.quiet()

	eval[bool](p, `(Object.defineProperty(navigator, "clipboard", {value: {writeText: async t => { window.$copied = t }}}), document.querySelector("#copy").click(), true)`)
	p.until("window.$copied")
	report := eval[string](p, "window.$copied")
	if !strings.Contains(report, "\nsocket: works. ") || strings.Contains(report, strings.TrimPrefix(s.url, "http://")) || strings.Contains(report, "linmei") {
		t.Errorf("the report is\n%s", report)
	}
	// Where nothing may be copied, the text is there to be copied by hand.
	eval[bool](p, `(navigator.clipboard.writeText = async () => { throw new Error("no") }, document.querySelector("#copy").click(), true)`)
	p.until(`document.querySelector("#report").checkVisibility() && document.activeElement.id == "report"`)
}

func TestDoctorTellsStrangersWhatNeedsNoSignIn(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 820, 1180)
	p.expected = true // that /ws is no page is noted on the console
	got := p.examined()
	p.is(got, "connection", "works", "local")
	p.is(got, "clock", "works", "right")
	p.is(got, "socket", "none", "reached")
	p.is(got, "storage", "works", "works")
	p.is(got, "worker", "attention", "missing")
	p.is(got, "kept", "none", "none")
	if !eval[bool](p, `!!document.querySelector("a[href='/login?next=%2Fdoctor']")`) {
		t.Error("there is no way to sign in")
	}
}

// deaf is a proxy that knows nothing of sockets: it passes everything else on.
func deaf(t *testing.T, s *server, rewrite func(*http.Request)) *httptest.Server {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.Out.Header.Del("Upgrade")
		r.Out.Header.Del("Connection")
		if rewrite != nil {
			rewrite(r.Out)
		}
	}}
	srv := httptest.NewServer(proxy)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv
}

func TestDoctorFindsWhatAProxyBreaks(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "Lin Mei")
	p := browse(t, s, 1024, 768)
	p.expected = true
	for name, c := range map[string]struct {
		rewrite                  func(*http.Request)
		site, siteKey, socketKey string
	}{
		"no sockets":   {nil, "works", "same", "blocked"},
		"another host": {func(r *http.Request) { r.Host = "127.0.0.1:1" }, "broken", "other", "site"},
		"another /ws": {func(r *http.Request) {
			if r.URL.Path == "/ws" {
				r.URL.Path = "/nowhere"
			}
		}, "works", "same", "lost"},
	} {
		p.base = deaf(t, s, c.rewrite).URL
		p.as(mei)
		got := p.examined()
		p.is(got, "connection", "works", "local")
		p.is(got, "site", c.site, c.siteKey)
		p.is(got, "socket", "broken", c.socketKey)
		p.is(got, "program", "works", "works")
		if t.Failed() {
			t.Fatalf("behind a proxy with %s", name)
		}
	}
}

func TestDoctorSeesAWrongClock(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 390, 844)
	p.expected = true
	p.first(`const right = Date.now; window.$off = 2 * 3600e3; Date.now = () => right() + window.$off`)
	got := p.examined()
	p.is(got, "clock", "attention", "ahead")
	if said := p.finding("clock"); !strings.Contains(said, " 2 hours ") {
		t.Errorf("two hours are told as %q", said)
	}
	eval[bool](p, `(window.$off = -90e3, document.querySelector("#again").click(), true)`)
	got = p.results()
	p.is(got, "clock", "attention", "behind")
	if said := p.finding("clock"); !strings.Contains(said, " 90 seconds ") {
		t.Errorf("a minute and a half is told as %q", said)
	}
}

func TestDoctorsRowsEndWhateverTheBrowserDoes(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "Lin Mei")
	p := browse(t, s, 390, 844).as(mei)
	p.expected = true
	p.first(`indexedDB.__proto__.open = () => { throw new DOMException("no", "SecurityError") }
		delete window.WebAssembly
		navigator.storage.__proto__.persisted = () => new Promise(() => {})
		WebSocket.prototype.send = () => {}`)
	got := p.examined()
	p.is(got, "storage", "broken", "broken")
	p.is(got, "kept", "broken", "broken")
	p.is(got, "program", "broken", "blocked")
	p.is(got, "socket", "broken", "silent")
	if said := p.finding("persist"); got["persist"] != "broken" || said != words.Say(words.EN, "doctor.late") {
		t.Errorf("a promise that is never kept: %s %q", got["persist"], said)
	}
}

func TestDoctorSendsATestPush(t *testing.T) {
	s := newServer(t)
	mei := join(t, s, "linmei", "Lin Mei")
	p := browse(t, s, 1024, 768).as(mei)
	// What the server answers is told; that it pushes is tested elsewhere.
	p.first(`window.$answers = []
		const ask = window.fetch
		window.fetch = (url, o) => url == "/api/v1/push/test" ? Promise.resolve(Response.json({answers: window.$answers})) : ask(url, o)
		Object.defineProperty(Notification, "permission", {get: () => "granted"})`)
	got := p.examined()
	p.is(got, "push", "attention", "quiet")
	for _, c := range []struct{ answers, state, key, tells string }{
		{`[]`, "attention", "nobody", ""},
		{`[{host: "push.example", status: 403, ok: false, reason: "no"}]`, "broken", "refused", "push.example 403 no"},
	} {
		eval[bool](p, "(window.$answers = "+c.answers+", document.querySelector('#again').click(), true)")
		p.results()
		p.click("[data-check=push] button")
		p.until(`!document.querySelector("[data-check=push] button")`)
		p.is(map[string]string{"push": eval[string](p, `document.querySelector("[data-check=push]").dataset.state`)}, "push", c.state, c.key)
		if said := p.finding("push"); !strings.Contains(said, c.tells) {
			t.Errorf("%s is told as %q", c.answers, said)
		}
		if told := eval[string](p, `document.querySelector("[role=status]").textContent`); !strings.HasSuffix(told, p.finding("push")) {
			t.Errorf("the live region says %q", told)
		}
	}
}

// setup is the link that makes the first administrator of a server of its own.
func setup(t *testing.T) (s *server, link string) {
	t.Helper()
	s = newServer(t)
	s.kill()
	s.cmd = exec.Command(s.program, "--addr", "127.0.0.1:0", "--data", s.data)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for link == "" && lines.Scan() {
		_, at, _ := strings.Cut(lines.Text(), "http")
		switch {
		case strings.Contains(at, "/setup?"):
			link = "http" + at
		case at != "":
			s.url = "http" + at
		}
	}
	if link == "" {
		t.Fatal("the server gave no link")
	}
	return s, link
}

func TestDoctorLooks(t *testing.T) {
	s, link := setup(t)
	p := browse(t, s, 1440, 900)
	p.goTo(strings.TrimPrefix(link, s.url))
	p.fill("input[name=username]", "root")
	p.fill("input[name=password]", "correct horse root")
	p.click("form button.primary")
	p.live()
	p.installed()
	got := p.examined()
	for _, check := range []string{"database", "store", "carrier", "run"} {
		p.is(got, check, "works", "works")
	}
	p.is(got, "redis", "none", "none")
	if got["disk"] == "" || len(got) != 19 {
		t.Errorf("the administrator sees %v", got)
	}
	for _, lang := range []string{"en", "zh"} {
		p.goTo("/doctor?lang=" + lang)
		p.results()
		p.look(lang, "doctor")
	}
	p.quiet()
}
