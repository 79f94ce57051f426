// Package words is every sentence that KamaChat says to people, in English and
// in Simplified Chinese, and how it writes dates. The server's pages and the
// program in the browser say the same words. Nothing here knows who asks.
package words

import (
	"reflect"
	"strconv"
	"strings"
)

// A Lang is a language: EN or ZH. A tag like "zh-CN" counts as its language,
// and every other language as English.
type Lang string

// The languages.
const (
	EN Lang = "en"
	ZH Lang = "zh"
)

// phrase is a sentence in both languages, in the order of the constants.
type phrase [2]string

func (l Lang) of(p phrase) string {
	if l.zh() {
		return p[1]
	}
	return p[0]
}

func (l Lang) zh() bool { return strings.HasPrefix(string(l), "zh") }

// Say returns the sentence called key, with {0}, {1}, … replaced by args. In
// English, where the first of args is the number 1, key+".one" is said if
// there is such a sentence. An unknown key is returned as it is.
func Say(l Lang, key string, args ...any) string {
	if !l.zh() && len(args) > 0 && show(args[0]) == "1" {
		if p, ok := phrases[key+".one"]; ok {
			return fill(l.of(p), args)
		}
	}
	p, ok := phrases[key]
	if !ok {
		return key
	}
	return fill(l.of(p), args)
}

// Below returns all sentences whose keys begin with prefix, by what follows it,
// with their {0}, {1}, … as they are.
func Below(l Lang, prefix string) map[string]string {
	all := map[string]string{}
	for key, p := range phrases {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			all[name] = l.of(p)
		}
	}
	return all
}

// Problem returns why something was refused: the translation of said, the
// refusal's own words, where there is one, else what its code means.
func Problem(l Lang, code, said string) string {
	if p, ok := phrases["said."+said]; ok {
		return l.of(p)
	}
	if p, ok := phrases["problem."+code]; ok {
		return l.of(p)
	}
	return Say(l, "problem.internal")
}

// Refused returns why a message with a refusal of that code was not sent.
func Refused(l Lang, code string) string {
	if p, ok := phrases["refused."+code]; ok {
		return l.of(p)
	}
	return Say(l, "refused.internal")
}

// fill replaces {0} to {9} by args. What args hold is not looked at again.
func fill(s string, args []any) string {
	if len(args) == 0 || !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i] == '{' && s[i+2] == '}' {
			if n := int(s[i+1]) - '0'; n >= 0 && n < len(args) {
				b.WriteString(show(args[n]))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// show writes a string or a whole number of whatever type.
func show(a any) string {
	switch v := reflect.ValueOf(a); {
	case !v.IsValid():
		return ""
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	default:
		return v.String()
	}
}

// Match returns the language to answer in, by an Accept-Language header.
func Match(accept string) Lang {
	best, bestQ := EN, 0.0
	for item := range strings.SplitSeq(accept, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if l := Lang(base); (l == EN || l == ZH) && q > bestQ {
			best, bestQ = l, q
		}
	}
	return best
}
