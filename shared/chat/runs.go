package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A RunKind says what a part of a text is.
type RunKind uint8

// The kinds of runs.
const (
	RunPlain   RunKind = iota
	RunLink            // an http or https address, in Href
	RunCode            // a span of code within a line: `so`
	RunBlock           // lines of code between ```
	RunMention         // @someone; Text has the @
)

// A Run is a part of a text to be shown in one way. Text is what is shown,
// Raw what was written: all Raw together are the text.
type Run struct {
	Kind RunKind
	Text string
	Href string
	Raw  string
}

// Runs takes a message's text apart, in one pass, whatever the text is.
// It finds what people write without thinking: addresses, code, @names.
func Runs(text string) []Run {
	s := scanner{text: text}
	for s.at < len(text) {
		switch c := text[s.at]; {
		case c == '`':
			s.ticks()
		case c == 'h' || c == 'H':
			s.link()
		case c == '@':
			s.mention()
		default:
			s.at++
		}
	}
	s.plain(len(text))
	return s.runs
}

// A scanner is where Runs has got to.
type scanner struct {
	text string
	from int // begin of what is in no run yet
	at   int
	runs []Run

	// Up to where it is known that nothing closes, so that no stretch of the
	// text is searched twice: a fence, and code spans of one and two ticks.
	noFence bool
	noSpan  [3]int
}

// plain ends the plain run before to.
func (s *scanner) plain(to int) {
	if s.from < to {
		raw := s.text[s.from:to]
		s.runs = append(s.runs, Run{Kind: RunPlain, Text: raw, Raw: raw})
	}
	s.from = to
}

// add makes the text from begin to end a run, which may begin before s.at.
func (s *scanner) add(begin, end int, k RunKind, text, href string) {
	s.plain(begin)
	s.runs = append(s.runs, Run{Kind: k, Text: text, Href: href, Raw: s.text[begin:end]})
	s.from, s.at = end, end
}

// ticks reads a block or span of code, or passes the backticks.
func (s *scanner) ticks() {
	n := run(s.text[s.at:], '`')
	switch {
	case n >= 3 && !s.noFence && s.block():
	case n < 3 && s.at >= s.noSpan[n] && s.span(n):
	default:
		s.at += n
	}
}

func run(s string, c byte) (n int) {
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}

// block reads from ``` to ```. The line breaks around it belong to it, since
// it is shown on lines of its own, and so does a language's name.
func (s *scanner) block() bool {
	const fence = "```"
	inner := s.text[s.at+len(fence):]
	n := strings.Index(inner, fence)
	if n < 0 {
		s.noFence = true
		return false
	}
	begin, end := s.at, s.at+len(fence)+n+len(fence)
	code := inner[:n]
	if first, more, ok := strings.Cut(code, "\n"); ok && language(strings.TrimSuffix(first, "\r")) {
		code = more
	}
	code = strings.TrimRight(code, "\r\n")
	if strings.TrimSpace(code) == "" {
		return false
	}
	if begin > s.from && s.text[begin-1] == '\n' {
		begin--
	}
	if end < len(s.text) && s.text[end] == '\n' {
		end++
	}
	s.add(begin, end, RunBlock, code, "")
	return true
}

// language reports whether a line after ``` names a language, or is empty.
func language(s string) bool {
	return len(s) <= 20 && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+-#._", r)
	})
}

// span reads from n backticks to as many on the same line.
func (s *scanner) span(n int) bool {
	begin := s.at + n
	for i := begin; ; {
		if i == len(s.text) || s.text[i] == '\n' {
			s.noSpan[n] = i
			return false
		}
		if s.text[i] != '`' {
			i++
			continue
		}
		m := run(s.text[i:], '`')
		if m == n {
			code := s.text[begin:i]
			if strings.TrimSpace(code) == "" {
				return false
			}
			s.add(s.at, i+n, RunCode, code, "")
			return true
		}
		i += m
	}
}

// link reads an address, or passes one letter.
func (s *scanner) link() {
	rest := s.text[s.at:]
	n := scheme(rest)
	first, _ := utf8.DecodeRuneInString(rest[n:])
	if n == 0 || !unicode.IsLetter(first) && !unicode.IsDigit(first) && first != '[' || latin(before(s.text, s.at)) {
		s.at++
		return
	}
	end := n + address(rest[n:])
	s.add(s.at, s.at+end, RunLink, rest[:end], rest[:end])
}

// scheme returns the length of http:// or https:// at the beginning of s.
func scheme(s string) int {
	for _, p := range []string{"https://", "http://"} {
		if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) {
			return len(p)
		}
	}
	return 0
}

// address returns how much of s belongs to an address that begins it.
func address(s string) int {
	end, last := len(s), rune(0)
	for i, r := range s {
		// Chinese and Japanese need no space between an address and what
		// follows, so their letters end it where they follow a Latin one.
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsGraphic(r) || strings.ContainsRune("<>\"`，。！？；：、（）【】「」『』《》〈〉“”‘’…￥", r) ||
			wide(r) && latin(last) {
			end = i
			break
		}
		last = r
	}
	s = s[:end]
	open := [...]int{balance(s, '(', ')'), balance(s, '[', ']'), balance(s, '{', '}')}
	for s != "" {
		c := s[len(s)-1]
		pair := strings.IndexByte(")]}", c)
		switch {
		case strings.IndexByte(".,;:!?'*|", c) >= 0:
		case pair >= 0 && open[pair] < 0:
			open[pair]++
		default:
			return len(s)
		}
		s = s[:len(s)-1]
	}
	return 0
}

// balance returns how many more open than closed brackets s has.
func balance(s string, open, closed byte) (n int) {
	for i := range len(s) {
		switch s[i] {
		case open:
			n++
		case closed:
			n--
		}
	}
	return n
}

// mention reads @someone, or passes the @. What follows a letter or a dot is
// an e-mail address.
func (s *scanner) mention() {
	rest := s.text[s.at+1:]
	n := strings.IndexFunc(rest, func(r rune) bool {
		return r == utf8.RuneError || r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	if n < 0 {
		n = len(rest)
	}
	if p := before(s.text, s.at); n == 0 || latin(p) || strings.ContainsRune("_.-+@", p) {
		s.at++
		return
	}
	s.add(s.at, s.at+1+n, RunMention, s.text[s.at:s.at+1+n], "")
}

// before returns the rune before i, 0 at the beginning.
func before(s string, i int) rune {
	r, n := utf8.DecodeLastRuneInString(s[:i])
	if n == 0 {
		return 0
	}
	return r
}

// latin reports whether r is a letter or digit of a script that puts spaces
// between words.
func latin(r rune) bool { return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !wide(r) }

// wide reports whether r is a letter of Chinese, Japanese or Korean.
func wide(r rune) bool { return r >= 0x2e80 && unicode.IsLetter(r) }
