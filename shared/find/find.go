// Package find says which texts a search means. The browser searches what it
// keeps by it, and a server can index by the same tokens.
//
// A text is cut into tokens: words of letters and digits, in lower case, and,
// for scripts that put no spaces between words, each pair of neighbouring
// characters (bigrams; a character that stands alone is a token by itself).
package find

import (
	"strings"
	"unicode"
)

// MaxTerms is how many terms a query has at most; the rest is ignored.
const MaxTerms = 16

// together reports whether r belongs to a script without spaces between words.
func together(r rune) bool {
	return r >= 0x2e80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0xe00 && r < 0xe80
}

// runs calls f with each run of characters of one kind, folded.
func runs(text string, f func(run []rune, cjk bool)) {
	var run []rune
	cjk := false
	end := func() {
		if len(run) > 0 {
			f(run, cjk)
		}
		run = run[:0]
	}
	for _, r := range text {
		t := together(r)
		if !t && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			end()
			continue
		}
		if t != cjk {
			end()
		}
		cjk = t
		run = append(run, unicode.ToLower(narrow(r)))
	}
	end()
}

// narrow makes full-width Latin letters and digits what they are elsewhere.
func narrow(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		return r - 0xfee0
	}
	return r
}

// Tokens returns the tokens of a text in the order of the text, doubles included.
func Tokens(text string) (ts []string) {
	runs(text, func(run []rune, cjk bool) {
		if !cjk || len(run) == 1 {
			ts = append(ts, string(run))
			return
		}
		for i := range len(run) - 1 {
			ts = append(ts, string(run[i:i+2]))
		}
	})
	return ts
}

// A Query is what somebody looks for: texts in which all of it occurs.
type Query struct {
	terms []term
}

type term struct {
	text string
	word bool // it has to begin a word
}

// Parse reads a query. One without a letter or digit means nothing.
func Parse(q string) (out Query) {
	runs(q, func(run []rune, cjk bool) {
		if len(out.terms) < MaxTerms {
			out.terms = append(out.terms, term{string(run), !cjk})
		}
	})
	return out
}

// Empty reports whether q means nothing.
func (q Query) Empty() bool { return len(q.terms) == 0 }

// Terms returns what has to occur in a text in lower case, for a first sieve.
func (q Query) Terms() (ts []string) {
	for _, t := range q.terms {
		ts = append(ts, t.text)
	}
	return ts
}

// Match reports whether q means text, and where in it, in bytes, the first term is.
func (q Query) Match(text string) (from, to int, ok bool) {
	if q.Empty() {
		return 0, 0, false
	}
	low, at := fold(text)
	for i, t := range q.terms {
		p := t.in(low)
		if p < 0 {
			return 0, 0, false
		}
		if i == 0 {
			from, to = at[p], at[p+len(t.text)]
		}
	}
	return from, to, true
}

// in returns where t first is in a folded text, or -1.
func (t term) in(low string) int {
	for from := 0; ; {
		i := strings.Index(low[from:], t.text)
		if i < 0 {
			return -1
		}
		i += from
		if !t.word || !wordBefore(low[:i]) {
			return i
		}
		from = i + len(t.text)
	}
}

// wordBefore reports whether a word goes on at the end of s.
func wordBefore(s string) bool {
	var last rune
	for i := len(s) - 1; i >= 0; i-- { // the last character of s
		if s[i]&0xc0 != 0x80 {
			last = []rune(s[i:])[0]
			break
		}
	}
	return last != 0 && !together(last) && (unicode.IsLetter(last) || unicode.IsDigit(last))
}

// fold returns text in lower case, and for each byte of that, and its end,
// where in text it comes from.
func fold(text string) (low string, at []int) {
	var b strings.Builder
	for i, r := range text {
		n := b.Len()
		b.WriteRune(unicode.ToLower(narrow(r)))
		for ; n < b.Len(); n++ {
			at = append(at, i)
		}
	}
	return b.String(), append(at, len(text))
}

// Snippet returns the piece of text around from to, of at most about n bytes
// on each side, and where these are in it.
func Snippet(text string, from, to, n int) (piece string, f, t int) {
	start, end := max(from-n, 0), min(to+n, len(text))
	for start > 0 && text[start]&0xc0 == 0x80 {
		start--
	}
	for end < len(text) && text[end]&0xc0 == 0x80 {
		end++
	}
	piece = text[start:end]
	if start > 0 {
		piece = "…" + piece
		start -= len("…")
	}
	if end < len(text) {
		piece += "…"
	}
	return piece, from - start, to - start
}
