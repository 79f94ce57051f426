package chat

import (
	"unicode"
	"unicode/utf8"
)

// Hues is how many colours avatars have.
const Hues = 24

// Hue returns the colour that follows from an id, 0 to Hues-1. It is the same
// everywhere and for ever.
func Hue(id string) int {
	h := uint32(2_166_136_261) // FNV-1a
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16_777_619
	}
	return int((h ^ h>>16) % Hues)
}

// Initial returns the first letter or sign of a name, in upper case, for
// avatars without a picture: "?" for a name that has none.
func Initial(name string) string {
	for i, r := range name {
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) || r == utf8.RuneError {
			continue
		}
		return string(unicode.ToUpper(r)) + rest(name[i+utf8.RuneLen(r):], r)
	}
	return "?"
}

// rest returns the runes at the beginning of s that belong to the sign that
// first began: accents, skin tones, what is joined, the second half of a flag.
func rest(s string, first rune) string {
	const joiner, sign, tone, lastTone, flag, lastFlag = '\u200d', '\ufe0f', '\U0001f3fb', '\U0001f3ff', '\U0001f1e6', '\U0001f1ff'
	joined := false
	for i, r := range s {
		switch {
		case i == 0 && first >= flag && first <= lastFlag && r >= flag && r <= lastFlag:
		case r == joiner, r == sign, r >= tone && r <= lastTone, unicode.IsMark(r), joined:
		default:
			return s[:i]
		}
		joined = r == joiner
		if i > 64 {
			return s[:i]
		}
	}
	return s
}
