package page

import (
	"strings"

	"kamachat/shared/chat"
)

// BotsPage lists somebody's bots and their tokens.
type BotsPage struct {
	SettingsFrame
	Bots   []Bot
	Secret string // of a token that was just made: shown once
	Made   string // which bot it is of
}

// Bot is a bot with its tokens.
type Bot struct {
	chat.Person
	Tokens []chat.Token
}

// HooksPage lists the webhooks of a group.
type HooksPage struct {
	GroupFrame
	In      []chat.InHook
	Out     []chat.OutHook
	Bots    map[chat.UserID]string // what the bots of In are called
	Address string                 // that was just made: shown once
	Secret  string                 // of the address that is told
}

func scopes(t chat.Token) string { return strings.Join(t.Scopes, ", ") }
