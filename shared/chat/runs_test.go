package chat

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// marked writes runs so that they can be read in a table.
func marked(runs []Run) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString([]string{"", "L", "C", "B", "M"}[r.Kind])
		b.WriteString("[" + r.Text + "]")
	}
	return b.String()
}

func TestRuns(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"hello":                       "[hello]",
		"see https://a.example/b?c=d": "[see ]L[https://a.example/b?c=d]",
		"HTTP://A.example":            "L[HTTP://A.example]",
		"(http://a.b/c), yes":         "[(]L[http://a.b/c][), yes]",
		"http://a.b/c_(d)":            "L[http://a.b/c_(d)]",
		"(http://a.b/c_(d))":          "[(]L[http://a.b/c_(d)][)]",
		"http://a.b/c...":             "L[http://a.b/c][...]",
		"http://a.b/?q=1#x!":          "L[http://a.b/?q=1#x][!]",
		"看http://a.b/c，很好。":           "[看]L[http://a.b/c][，很好。]",
		"【http://a.b/c】":              "[【]L[http://a.b/c][】]",
		"http://a.b/c吧":               "L[http://a.b/c][吧]",
		"http://a.b吧":                 "L[http://a.b][吧]",
		"https://a.b/wiki/北京":         "L[https://a.b/wiki/北京]",
		"http://[::1]:8080/x":         "L[http://[::1]:8080/x]",
		"“http://a.b”":                "[“]L[http://a.b][”]",
		"<http://a.b>":                "[<]L[http://a.b][>]",
		"http:// http://. https://":   "[http:// http://. https://]",
		"xhttp://a.b":                 "[xhttp://a.b]",
		"javascript:alert(1)":         "[javascript:alert(1)]",
		"javascript:http://a.b":       "[javascript:]L[http://a.b]",
		"ftp://a.b data:text/html,x":  "[ftp://a.b data:text/html,x]",
		"http://a.b/\u202egnp.exe":    "L[http://a.b/][\u202egnp.exe]",
		"http://a.b/\xff":             "L[http://a.b/][\xff]",
		"http://a.b\nhttp://c.d":      "L[http://a.b][\n]L[http://c.d]",
		"run `go test` now":           "[run ]C[go test][ now]",
		"`http://a.b` `@bob`":         "C[http://a.b][ ]C[@bob]",
		"a ` b":                       "[a ` b]",
		"a `b\nc` d":                  "[a `b\nc` d]",
		"a ` ` b":                     "[a ` ` b]",
		"``a`b``":                     "C[a`b]",
		"`a``b`":                      "C[a``b]",
		"```a```":                     "B[a]",
		"x\n```go\nfunc f()\n```\ny":  "[x]B[func f()][y]",
		"```\n  indented\n\n```":      "B[  indented]",
		"```go\r\nx\r\n```":           "B[x]",
		"```two words\nx```":          "B[two words\nx]",
		"```\n```":                    "[```\n```]",
		"```not closed `x`":           "[```not closed ]C[x]",
		"``````":                      "[``````]",
		"```a```\n```b```":            "B[a]B[b]",
		"hi @bob, @林小雨 你好":            "[hi ]M[@bob][, ]M[@林小雨][ 你好]",
		"你好@小林":                       "[你好]M[@小林]",
		"@a_1":                        "M[@a_1]",
		"me@example.org a.@b @":       "[me@example.org a.@b @]",
		"@@bob @a@b":                  "[@@bob ]M[@a][@b]",
		"(@bob)":                      "[(]M[@bob][)]",
		"https://a.b/@bob":            "L[https://a.b/@bob]",
	} {
		runs := Runs(in)
		if got := marked(runs); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
		check(t, in, runs)
	}
}

// check fails where runs can't be those of text, whatever it is.
func check(t interface{ Fatalf(string, ...any) }, text string, runs []Run) {
	var all strings.Builder
	for i, r := range runs {
		all.WriteString(r.Raw)
		switch {
		case r.Raw == "" || r.Text == "":
			t.Fatalf("%q: run %d is empty", text, i)
		case !strings.Contains(r.Raw, r.Text):
			t.Fatalf("%q: run %d shows %q, which nobody wrote", text, i, r.Text)
		case (r.Kind == RunLink) != (r.Href != ""):
			t.Fatalf("%q: run %d leads to %q", text, i, r.Href)
		case r.Kind == RunLink && scheme(r.Href) == 0:
			t.Fatalf("%q: run %d leads to %q", text, i, r.Href)
		case r.Kind == RunPlain && r.Raw != r.Text:
			t.Fatalf("%q: run %d shows %q", text, i, r.Text)
		case r.Kind == RunPlain && i > 0 && runs[i-1].Kind == RunPlain:
			t.Fatalf("%q: run %d could be in the one before", text, i)
		}
	}
	if all.String() != text {
		t.Fatalf("%q: all runs are %q", text, all.String())
	}
}

func TestRunsOfAnything(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"`", "``", "```", "\n", " ", "a", "林", "@", "http://", "https://", "HTTP://", "(", ")", "[", "]", ".", "，", "\xff", "\u202e", "_", "é"})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.Map(rapid.SliceOfN(pieces, 0, 40), func(s []string) string { return strings.Join(s, "") })).Draw(t, "text")
		check(t, text, Runs(text))
	})
}

func FuzzRuns(f *testing.F) {
	for _, s := range []string{"see https://a.b/(c).", "```go\nx\n```", "`a` @bob", "看http://a.b，@小林"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { check(t, s, Runs(s)) })
}

// TestRunsTakeLinearTime repeats what could be searched again and again. A
// quadratic scan of these takes hours, which the test run's own limit ends.
func TestRunsTakeLinearTime(t *testing.T) {
	for _, s := range []string{"`", "` ", "` `` ", "``a`", "``` ", "```a", "@", "@a", "a@", "http://", "http://.", "http://a", "http://a(", "http://a)", ")", "h", "` ```", "`\n"} {
		for _, text := range []string{strings.Repeat(s, 1_000_000/len(s)), "http://a" + strings.Repeat(s, 1_000_000/len(s))} {
			n := 0
			for _, r := range Runs(text) {
				n += len(r.Text)
			}
			if n == 0 {
				t.Errorf("nothing is left of %q a million times", s)
			}
		}
	}
}
