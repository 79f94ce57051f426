package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// restored puts a backup in the place of all that the server had. It is not running.
func (s *server) restored(from string) {
	s.t.Helper()
	if out, err := exec.Command(s.program, "restore", "--data", s.data, "--force", from).CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
}

// backup writes one, while the server runs.
func (s *server) backup() string {
	s.t.Helper()
	to := filepath.Join(s.t.TempDir(), "kamachat.tar.zst")
	if out, err := exec.Command(s.program, "backup", "--data", s.data, to).CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return to
}

// signsIn has p signed in once more, after all sign-ins have ended.
func (p *person) signsIn() {
	p.t.Helper()
	var out struct{ Token string }
	p.token = ""
	p.cookies = p.call("POST", "/api/v1/login", map[string]string{"username": p.Username, "password": "correct horse " + p.Username}, &out)
	p.token = out.Token
}

// A backup is restored, and the log goes on from there with other entries under
// Seqs that a browser has seen. It shows what the server has, and nothing else; what was
// not sent yet goes out once.
func TestBrowserShowsWhatWasRestored(t *testing.T) {
	// One browser has stayed open, and its person signs in again. Another one was closed, and
	// begins with what it has kept, before the server is back: it is signed in already.
	for name, open := range map[string]bool{"stayed open": true, "begins with what it kept": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, "--rate-limit", "off")
			mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
			conv := mei.with(zhe)
			for i := range 60 {
				zhe.says(conv, fmt.Sprint("before ", i, "."))
			}
			to := s.backup()
			zhe.says(conv, "lost 1", "lost 2")
			profile := chromedp.UserDataDir(t.TempDir())
			p := browse(t, s, 1024, 768, profile).as(mei)
			p.goTo("/c/" + string(conv))
			p.live()
			p.installed()
			p.sees("lost 2")
			p.say("lost 3")
			page := func(seq int) string { return fmt.Sprintf("p/%s/%08x", conv, (seq-1)/50) }
			p.kept(page(63), "lost 3")
			p.until(`!document.querySelector("#log .tick.queued")`)
			p.expected = true
			s.kill()
			p.say("waits")
			p.sees("waits")
			for promised[int](p, `kamaStore.kept("o/")`) == 0 { // posts are written at once
			}
			s.restored(to)
			if !open {
				p.killed()
			}
			s.again()
			zhe.signsIn()
			zhe.says(conv, "after 1", "after 2", "after 3", "after 4")
			if open {
				p.until(`location.pathname == "/login"`)
				p.fill("input[name=username]", mei.Username)
				p.fill("input[name=password]", "correct horse linmei")
				p.click("form button.primary")
				mei.signsIn()
			} else {
				mei.signsIn()
				s.kill()
				p = browse(t, s, 1024, 768, profile).as(mei)
				p.expected = true
				p.goTo("/c/" + string(conv))
				p.started()
				p.sees("lost 3") // that is what it knows
				s.again()
			}
			p.live()
			p.sees("after 4")
			mei.arrived(conv, []string{"waits"})
			want := mei.history(conv)
			if len(want) != 65 || slices.ContainsFunc(want, func(s string) bool { return strings.HasPrefix(s, "lost") }) {
				t.Fatalf("the server has %q", want)
			}
			p.until(`!document.querySelector("#log .tick.queued")`)
			// All of it, up to the first entry.
			p.until(`(document.getElementById("scroll").scrollTop = 0, [...document.querySelectorAll("#log .b")].some(b => b.textContent.includes("before 0.")))`)
			eval[bool](p, `(document.getElementById("scroll").scrollTop = 1e9, true)`)
			p.sees("waits")
			shown := p.texts()
			for _, text := range shown {
				if strings.Contains(text, "lost") {
					t.Errorf("it shows %q", text)
				}
			}
			for i, text := range want[60:] {
				if got := shown[len(shown)-5+i]; !strings.Contains(got, text) {
					t.Errorf("it shows %q where the server has %q", got, text)
				}
			}
			if n := p.rows("waits"); n != 1 {
				t.Errorf("what waited is shown %d times", n)
			}
			// What is kept is the same.
			p.kept(page(65), "waits")
			for _, seq := range []int{1, 65} {
				if text := promised[string](p, fmt.Sprintf(`kamaStore.peek(%q).then(v => v || "")`, page(seq))); strings.Contains(text, "lost") {
					t.Errorf("kept are %s", text)
				}
			}
			if left := promised[string](p, `kamaStore.adopt()`); left != "[]" {
				t.Errorf("posts are left behind: %s", left)
			}
		})
	}
}
