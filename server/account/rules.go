package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// Bounds of what people choose.
const (
	MinUsername = 2   // runes
	MaxUsername = 32  // runes
	MinPassword = 8   // bytes
	MaxPassword = 256 // bytes
)

// fold returns a username or search as it is compared.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// checkUsername returns the username as it is stored, or why it can't be one.
func checkUsername(s string) (string, error) {
	folded := fold(s)
	n := utf8.RuneCountInString(folded)
	if !utf8.ValidString(folded) || n < MinUsername || n > MaxUsername {
		return "", chat.Refuse(chat.Invalid, "a username has 2 to 32 characters")
	}
	for _, r := range folded {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.-", r) {
			return "", chat.Refuse(chat.Invalid, "a username has letters, digits, and _ . - only")
		}
	}
	if unseen(folded) || mixed(folded) {
		return "", chat.Refuse(chat.Invalid, "the username looks like another")
	}
	return folded, nil
}

func checkNickname(s string) error {
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsFunc(s, turns) || !strings.ContainsFunc(s, seen):
		return chat.Refuse(chat.Invalid, "the nickname has characters that can't be shown")
	case utf8.RuneCountInString(s) > chat.MaxName:
		return chat.Refuse(chat.TooLong, "a nickname has at most 64 characters")
	}
	return nil
}

// turns reports whether r turns the direction of what follows it, beyond the name.
func turns(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// seen reports whether r can be seen.
func seen(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800: // letters and signs that are drawn as nothing
		return false
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.IsMark(r)
}

// unseen reports whether a username has letters that can't be seen, or that
// are those of another name in other clothes: full width, mathematical bold.
func unseen(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return !seen(r) || r >= 0xff00 && r <= 0xffef || r >= 0x1d400 && r <= 0x1d7ff
	})
}

// mixed reports whether a username has letters of more than one of the
// alphabets whose letters look alike.
func mixed(s string) bool {
	n := 0
	for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek} {
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(script, r) }) {
			n++
		}
	}
	return n > 1
}

func checkPassword(s string) error {
	if len(s) < MinPassword || len(s) > MaxPassword {
		return chat.Refuse(chat.Invalid, "a password has 8 to 256 bytes")
	}
	return nil
}
