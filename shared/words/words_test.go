package words

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// composed are the beginnings of keys that the code completes: each is said as
// say("tick." + label). All keys that begin so count as used.
var composed = []string{"tick.", "failed.", "event.", "rule.", "error.", "refused.", "problem.", "said.", "doctor.", "group.joining.", "group.role.", "group.mute.", "group.link.", "group.slow.", "group.done.", "group.leave.", "group.dismiss.", "people.done.", "profile.gender.",
	"admin.act.", "admin.ask.", "admin.will.", "admin.what.",
	"tile.", "chart.", "line.", "span.", "setting.", "outcome.", "job.kind.", "job.state.", "settings.about.", "devices."}

// elsewhere are the keys that are said without being written out in speakers,
// and why.
var elsewhere = []string{
	"day.today", "day.yesterday", "names.join", "names.more", // said by this package
}

// ofOnePage are others, of a page that the server alone has: it is one for both.
var ofOnePage = []string{"register.title", "register.submit", "setup.title", "setup.submit"}

// speakers are the directories whose code says something.
var speakers = []string{"../../ui", "../../server/page", "../../server/push", "../../server/web", "../../server/export", "../../static", "../told"}

var (
	// A literal key as the first argument, or as the second behind a language or page.
	saying = regexp.MustCompile(`\b[sS]ay\(\s*(?:[\w.()]+,\s*)?"([a-z0-9_.]+)"(\s*\+)?`)
	quoted = regexp.MustCompile(`"([a-z0-9_.]+)"`)
)

// sources returns the files below dirs that people write, by path.
func sources(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			own := strings.HasSuffix(path, ".templ") || strings.HasSuffix(path, "aside.js") || strings.HasSuffix(path, "attach.js") || strings.HasSuffix(path, ".go") &&
				!strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, "_templ.go")
			if err != nil || e.IsDir() || !own {
				return err
			}
			b, err := os.ReadFile(path)
			out[path] = string(b)
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return out
}

func TestEveryKeyThatIsSaidExists(t *testing.T) {
	n, who := 0, speakers
	if runtime.GOOS == "js" { // where what the server alone says is left out
		who = []string{"../../ui", "../../static", "../told"}
	}
	for path, src := range sources(t, who...) {
		for _, m := range saying.FindAllStringSubmatch(src, -1) {
			n++
			_, ok := phrases[m[1]]
			if plus := m[2] != ""; plus && !slices.Contains(composed, m[1]) || !plus && !ok {
				t.Errorf("%s says %q, which is no phrase", path, m[1])
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d keys found: are they said in another way now?", n)
	}
}

func TestEveryPhraseIsSaid(t *testing.T) {
	used := map[string]bool{}
	said := elsewhere
	if runtime.GOOS != "js" {
		said = append(slices.Clone(said), ofOnePage...)
	}
	for _, key := range said {
		used[key] = true
		if _, ok := phrases[key]; !ok {
			t.Errorf("%q is no phrase", key)
		}
	}
	for _, src := range sources(t, speakers...) {
		for _, m := range quoted.FindAllStringSubmatch(src, -1) {
			used[m[1]] = true
		}
	}
	for key := range phrases {
		base := strings.TrimSuffix(key, ".one")
		if !used[key] && !used[base] && !slices.ContainsFunc(composed, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nothing says %q", key)
		}
	}
}

// singular reports whether key is the form of another key for one thing.
func singular(key string) bool {
	base, ok := strings.CutSuffix(key, ".one")
	_, has := phrases[base]
	return ok && has
}

func TestEveryPhraseIsInBothLanguages(t *testing.T) {
	holes := regexp.MustCompile(`\{[0-9]\}`)
	han := regexp.MustCompile(`\p{Han}`)
	for key, p := range phrases {
		if p[0] == "" || p[1] == "" != singular(key) {
			t.Errorf("%q misses a language: %q", key, p)
			continue
		}
		if singular(key) {
			continue
		}
		if han.MatchString(p[0]) || !han.MatchString(p[1]) && key != "list.says" && key != "names.join" {
			t.Errorf("%q has its languages mixed up: %q", key, p)
		}
		en, zh := holes.FindAllString(p[0], -1), holes.FindAllString(p[1], -1)
		slices.Sort(en)
		slices.Sort(zh)
		if !slices.Equal(en, zh) {
			t.Errorf("%q takes other arguments in one language: %q", key, p)
		}
	}
}

func TestNoPhraseIsGivenTwice(t *testing.T) {
	if sum := len(chatPhrases) + len(pagePhrases) + len(problemPhrases) + len(doctorPhrases) + len(adminPhrases) + len(boardPhrases) + len(apiPhrases) + len(groupPhrases) + len(exportPhrases) + len(botPhrases) + len(peoplePhrases) + len(keyPhrases); sum != len(phrases) {
		t.Errorf("%d phrases have %d keys", sum, len(phrases))
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	src := sources(t, "../chat")["../chat/refusal.go"]
	codes := regexp.MustCompile(`Code = "([a-z_]+)"`).FindAllStringSubmatch(src, -1)
	if len(codes) < 9 {
		t.Fatalf("only %d codes found", len(codes))
	}
	for _, m := range codes {
		for _, prefix := range []string{"refused.", "problem."} {
			if _, ok := phrases[prefix+m[1]]; !ok {
				t.Errorf("no phrase %q", prefix+m[1])
			}
		}
	}
}

func TestWordsOfRefusalsAreStillSaid(t *testing.T) {
	all := strings.Join(slices.Collect(maps.Values(sources(t, "../../server", "../chat"))), "\n")
	for key := range phrases {
		if said, ok := strings.CutPrefix(key, "said."); ok && !strings.Contains(all, `"`+said+`"`) {
			t.Errorf("nothing is refused with %q any more", said)
		}
	}
}

func TestSay(t *testing.T) {
	type code string
	for _, c := range []struct {
		l    Lang
		key  string
		args []any
		want string
	}{
		{EN, "close", nil, "Close"},
		{ZH, "close", nil, "关闭"},
		{"zh-CN", "close", nil, "关闭"},
		{"fr", "close", nil, "Close"},
		{"", "close", nil, "Close"},
		{EN, "no.such.key", []any{1}, "no.such.key"},
		{EN, "head.members", []any{1}, "1 member"},
		{EN, "head.members", []any{int64(12)}, "12 members"},
		{EN, "head.members", []any{0}, "0 members"},
		{ZH, "head.members", []any{1}, "1 位成员"},
		{EN, "event.added", []any{"Ann", "{0} and {1}"}, "Ann added {0} and {1}"},
		{EN, "event.added", []any{code("Ann")}, "Ann added {1}"},
		{EN, "event.added", []any{nil, uint8(3)}, " added 3"},
		{ZH, "note.queued", []any{2}, "离线 · 2 条消息已保存，恢复后自动发送"},
	} {
		if got := Say(c.l, c.key, c.args...); got != c.want {
			t.Errorf("%s %s %v: %q, want %q", c.l, c.key, c.args, got, c.want)
		}
	}
}

func TestProblem(t *testing.T) {
	for _, c := range []struct{ code, said, want string }{
		{"signed_out", "wrong username or password", "用户名或密码不正确。"},
		{"signed_out", "not signed in", "你已退出登录，请登录后再试。"},
		{"of_tomorrow", "", "服务器出错了，请稍后再试。"},
	} {
		if runtime.GOOS == "js" && c.said == "wrong username or password" {
			continue // only pages of the server say so
		}
		if got := Problem(ZH, c.code, c.said); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
	if got := Refused(EN, "of_tomorrow"); got != Say(EN, "refused.internal") {
		t.Errorf("got %q", got)
	}
}

func TestMatch(t *testing.T) {
	for header, want := range map[string]Lang{
		"": EN, "zh": ZH, "zh-CN,zh;q=0.9,en;q=0.8": ZH, "zh-Hant-TW": ZH, "en-GB,en;q=0.9,zh;q=0.1": EN, "fr,zh;q=0.5,en;q=0.2": ZH,
		"fr": EN, "*": EN, "en;q=0.1, ZH-cn;Q=0.7": ZH, "zh;q=0": EN, ";;,=,q": EN, "zh;q=x": EN,
	} {
		if got := Match(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
