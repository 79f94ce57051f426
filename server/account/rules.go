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
	return folded, nil
}

func checkNickname(s string) error {
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return chat.Refuse(chat.Invalid, "the nickname has characters that can't be shown")
	case utf8.RuneCountInString(s) > chat.MaxName:
		return chat.Refuse(chat.TooLong, "a nickname has at most 64 characters")
	}
	return nil
}

func checkPassword(s string) error {
	if len(s) < MinPassword || len(s) > MaxPassword {
		return chat.Refuse(chat.Invalid, "a password has 8 to 256 bytes")
	}
	return nil
}
