package chat

// Limits of bots and webhooks.
const (
	MaxBots     = 20 // of a person
	MaxTokens   = 20 // of a bot
	MaxHooks    = 20 // of a conversation, each way
	MaxTokenTag = 64 // runes of a token's name
)

// Faces are those who count for what somebody is to others: p and, of a bot, its owner.
func (p Person) Faces() []UserID {
	if p.BotOf == "" {
		return []UserID{p.ID}
	}
	return []UserID{p.ID, p.BotOf}
}

// Between returns what x and y are to each other, seen by x, by what they have each
// other as. A bot is no way around what its owner may not do: who has blocked the
// owner does not hear from it, and whom the owner has blocked can't write to it; and
// it counts as a contact where its owner is one, whatever it is itself.
func Between(x, y Person, has func(x, y UserID) (contact, blocked bool)) (b Bond) {
	xs, ys := x.Faces(), y.Faces()
	for _, u := range xs {
		for _, v := range ys {
			_, mine := has(u, v)
			_, theirs := has(v, u)
			b.Blocking, b.Blocked = b.Blocking || mine, b.Blocked || theirs
		}
	}
	u, v := xs[len(xs)-1], ys[len(ys)-1]
	mine, _ := has(u, v)
	theirs, _ := has(v, u)
	b.Contacts = u == v || mine && theirs
	return b
}

// Turned returns b as the other sees it.
func (b Bond) Turned() Bond {
	return Bond{Blocked: b.Blocking, Blocking: b.Blocked, Contacts: b.Contacts}
}

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
	Host    string `json:"-"` // of URL, in lower case
	Secret  string `json:"-"` // what it is told is signed with
	By      UserID `json:"by"`
	Told    int64  `json:"told_seq"`          // the last entry that it took
	Fails   int    `json:"fails"`             // since then
	Next    int64  `json:"next_at,omitempty"` // not tried before, Unix milliseconds
	Problem string `json:"problem,omitempty"` // of the last try
	At      int64  `json:"created_at"`        // Unix milliseconds
}
