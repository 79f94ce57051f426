package find

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"":                "",
		" -- !? ":         "",
		"Hello, World":    "hello world",
		"It's 14:02":      "it s 14 02",
		"今天开会":            "今天 天开 开会",
		"好":               "好",
		"明天 meeting 在A座":  "明天 meeting 在 a 座",
		"ＷｅＣｈａｔ８":         "wechat8",
		"Straße ÄRGER":    "straße ärger",
		"こんにちは":           "こん んに にち ちは",
		"a_b":             "a b",
		"emoji 👍 here":    "emoji here",
		"e\u0301te\u0301": "e\u0301te\u0301",
	} {
		if got := strings.Join(Tokens(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		query, text, hit string // hit: what the first term is; "" for no match
	}{
		{"hello", "say Hello there", "Hello"},
		{"hel", "say Hello there", "Hel"},
		{"ello", "say Hello there", ""}, // not in the middle of a word
		{"there hello", "say Hello there", "there"},
		{"there hallo", "say Hello there", ""},
		{"开会", "今天开会吗", "开会"},
		{"会开", "今天开会吗", ""},
		{"天开会", "今天开会吗", "天开会"},
		{"开会 room", "开会 in Room 5", "开会"},
		{"room", "在Room5", "Room"},
		{"wechat", "ＷｅＣｈａｔ", "ＷｅＣｈａｔ"},
		{"ärger", "kein ÄRGER", "ÄRGER"},
		{"the", "bathe the", "the"},
		{"", "anything", ""},
		{"?!", "what?!", ""},
		{"x", "", ""},
	} {
		from, to, ok := Parse(tt.query).Match(tt.text)
		if got := tt.text[from:to]; ok != (tt.hit != "") || got != tt.hit {
			t.Errorf("%q in %q: got %q, %v, want %q", tt.query, tt.text, got, ok, tt.hit)
		}
	}
}

// A text that matches has all tokens of the query, so that an index of tokens finds it.
func FuzzMatch(f *testing.F) {
	f.Add("开会 room", "明天开会 in Room 5")
	f.Add("İ", "i̇")
	f.Add("\xff", "a\xffb")
	f.Fuzz(func(t *testing.T, query, text string) {
		q := Parse(query)
		from, to, ok := q.Match(text)
		if from < 0 || to < from || to > len(text) {
			t.Fatalf("%d to %d of %d", from, to, len(text))
		}
		piece, a, b := Snippet(text, from, to, 10)
		if piece[a:b] != text[from:to] || utf8.ValidString(text) && !utf8.ValidString(piece) {
			t.Fatalf("%q %d %d in a piece of %q", piece, a, b, text)
		}
		if !ok {
			return
		}
		low := strings.ToLower(text)
		for _, term := range q.Terms() {
			if !strings.Contains(low, term) && utf8.ValidString(text) && isPlain(text) {
				t.Fatalf("the sieve has %q, %q lacks it", term, low)
			}
		}
		tokens := Tokens(text)
		runs(query, func(run []rune, cjk bool) {
			if !cjk || len(run) < 2 || !utf8.ValidString(query) {
				return
			}
			for i := range len(run) - 1 {
				if !slices.Contains(tokens, string(run[i:i+2])) && len(q.terms) < MaxTerms {
					t.Fatalf("%q is not among the tokens of %q", string(run[i:i+2]), text)
				}
			}
		})
	})
}

// isPlain reports whether lower case needs no folding of widths.
func isPlain(s string) bool {
	for _, r := range s {
		if r > 0x24f && !(r >= 0x3000 && r < 0xa000) {
			return false
		}
	}
	return true
}
