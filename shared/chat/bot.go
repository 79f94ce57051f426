package chat

import "strings"

// Limits of bots and webhooks.
const (
	MaxBots     = 20 // of a person
	MaxTokens   = 20 // of a bot
	MaxHooks    = 20 // of a conversation, each way
	MaxTokenTag = 64 // runes of a token's name
)

// HookBot begins the usernames of the bots of incoming webhooks.
const HookBot = "hook-"

// IsHookBot reports whether p is the bot of a webhook, or is called like one.
func (p Person) IsHookBot() bool { return p.Bot && strings.HasPrefix(p.Username, HookBot) }

// Scopes are what a bot's token may be bound to.
var Scopes = []string{
	"messages:read", "messages:write", "conversations:read", "conversations:write", "people:read", "contacts:read", "contacts:write", "groups:read",
	"groups:write", "files:read", "files:write",
}

// A Token is a bot's, as its owner sees it. What it is itself is told once, when it is made.
type Token struct {
	ID     string   `json:"id"` // the SHA-256 of the token, which does not give it away
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	At     int64    `json:"created_at"` // Unix milliseconds
}

// An InHook is a URL by which programs post to a conversation, as a bot of its own.
type InHook struct {
	ID   string `json:"id"`
	Conv ConvID `json:"conv"`
	Bot  UserID `json:"bot"`
	By   UserID `json:"by"`
	At   int64  `json:"created_at"` // Unix milliseconds
	Hash string `json:"-"`          // the SHA-256 of its secret
}

// An OutHook is a URL that is told the entries of a conversation, in order, each
// at least once.
type OutHook struct {
	ID      string `json:"id"`
	Conv    ConvID `json:"conv"`
	URL     string `json:"url"`
	Secret  string `json:"-"` // what it is told is signed with
	By      UserID `json:"by"`
	Told    int64  `json:"told_seq"`          // the last entry that it took
	Fails   int    `json:"fails"`             // since then
	Next    int64  `json:"next_at,omitempty"` // not tried before, Unix milliseconds
	Problem string `json:"problem,omitempty"` // of the last try
	At      int64  `json:"created_at"`        // Unix milliseconds
}
