// Package chat is the vocabulary of KamaChat: people, conversations, drafts,
// messages, and the rules about them that need no clock, socket or database.
// It compiles for the server and for the browser and imports only the
// standard library.
package chat

import (
	"cmp"
	"strings"
)

// A UserID names a person: "U" and 1 to 23 ASCII letters or digits.
type UserID string

// Valid reports whether u has the form of a UserID.
func (u UserID) Valid() bool { return named(string(u), 'U') }

// A ConvID names a conversation: "G…" a group, or "D" and the two sorted
// UserIDs joined by "-" for the conversation of two people. At most 49 bytes.
// A direct conversation's id follows from its people, so two people who write
// to each other at once can't make two of them.
type ConvID string

// Direct returns the id of the conversation between a and b.
func Direct(a, b UserID) ConvID {
	if cmp.Compare(a, b) > 0 {
		a, b = b, a
	}
	return ConvID("D" + string(a) + "-" + string(b))
}

// Valid reports whether c has the form of a ConvID.
func (c ConvID) Valid() bool {
	if c.IsGroup() {
		return named(string(c), 'G')
	}
	a, b, ok := c.Pair()
	return ok && a.Valid() && b.Valid() && a < b
}

// IsGroup reports whether c names a group.
func (c ConvID) IsGroup() bool { return strings.HasPrefix(string(c), "G") }

// Pair returns the two people of a direct conversation, sorted.
func (c ConvID) Pair() (a, b UserID, ok bool) {
	rest, ok := strings.CutPrefix(string(c), "D")
	if !ok {
		return "", "", false
	}
	l, r, ok := strings.Cut(rest, "-")
	return UserID(l), UserID(r), ok
}

// Peer returns the other person of a direct conversation that u is part of.
func (c ConvID) Peer(u UserID) (UserID, bool) {
	a, b, ok := c.Pair()
	switch {
	case !ok:
		return "", false
	case a == u:
		return b, true
	case b == u:
		return a, true
	}
	return "", false
}

func named(s string, first byte) bool {
	if len(s) < 2 || len(s) > 24 || s[0] != first {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// A Person is what others may see of an account.
type Person struct {
	ID       UserID `json:"id"`
	Username string `json:"username"`
	Nickname string `json:"nickname"`
	Avatar   string `json:"avatar"` // URL path, or empty
	Admin    bool   `json:"admin,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	Bot      bool   `json:"bot,omitempty"` // a program, not a person
	BotOf    UserID `json:"-"`             // whose
	Hook     bool   `json:"-"`             // it is the bot of an incoming webhook
	Renew    bool   `json:"-"`             // the password was given by an administrator: first of all it is to be changed
}

// Name is what to call the person on screen.
func (p Person) Name() string { return cmp.Or(p.Nickname, p.Username, string(p.ID)) }

// A Draft is a message before it is committed. Author comes from the session,
// never from a frame. (Author, Ref) names the draft for ever: sent any number
// of times, it is stored once.
type Draft struct {
	Conv    ConvID
	Author  UserID
	Ref     string
	Content Content
	// Unread says that writing it does not mean having everything before it: so
	// it is where the dialect's marks are what was written to the client.
	Unread bool  `json:",omitempty"`
	Stamp  Stamp `json:"-"`
	// Doubt says that another node may have stored it and died before it told
	// anybody: then all are told, though it was stored before.
	Doubt bool `json:"-"`
	// Super says that the server itself acts for the author, whatever that may and
	// whether they are still there: it unsends a message by the wish of an
	// administrator, or takes the author, whose account is deleted, out of a group.
	// Only the server itself makes such drafts.
	Super bool `json:",omitempty"`
}

// A Stamp is when and by whose wish a draft was taken in, for those who
// measure. It stays on the node that put it there: no encoding carries it, and
// the zero Stamp measures nothing.
type Stamp struct {
	At    int64 // on a clock of the measurer's
	Trace any   // the measurer's; nil: not followed
}

// A Message is one committed entry of a conversation's log.
type Message struct {
	ID      int64   `json:"id,string"` // Snowflake; a string in JSON, since JavaScript numbers end at 2^53
	Conv    ConvID  `json:"conv"`
	Seq     int64   `json:"seq"` // 1, 2, 3, … without a gap within Conv
	Author  UserID  `json:"from"`
	Ref     string  `json:"-"`
	At      int64   `json:"at"` // Unix milliseconds
	Content Content `json:"c"`
}

// A Receipt answers one draft of a batch: the message it became, or why not.
type Receipt struct {
	Message Message
	Again   bool  // the draft had been stored before; Message is the first one
	Err     error // nil, or a *Refusal: this draft alone is refused
}

// Marks are how far one member of a conversation has got. They only grow.
type Marks struct {
	Conv      ConvID `json:"conv"`
	User      UserID `json:"user,omitempty"` // empty: everyone in Conv has got at least this far
	Delivered int64  `json:"delivered"`
	Read      int64  `json:"read"`
}

// Merge returns the later of both marks in each respect.
func (m Marks) Merge(o Marks) Marks {
	m.Delivered = max(m.Delivered, o.Delivered, o.Read, m.Read)
	m.Read = max(m.Read, o.Read)
	return m
}

// Summary is one line of a person's conversation list.
type Summary struct {
	Conv    ConvID   `json:"conv"`
	Title   string   `json:"title"`  // group name; empty for a direct conversation (use the peer's name)
	Avatar  string   `json:"avatar"` // group picture
	Members int      `json:"members"`
	LastSeq int64    `json:"last_seq"`
	At      int64    `json:"-"` // when the log last grew; lists are sorted by it
	Last    *Message `json:"last,omitempty"`
	Mine    Marks    `json:"mine"`   // the person's own marks
	All     Marks    `json:"all"`    // the lowest marks of the others; none in a group of more than MaxLow
	Unread  int      `json:"unread"` // others' entries after Mine.Read, and not deleted
	Line             // its Cleared hides Last, too
	Place
}

// A Page is a run of a conversation's log in rising Seq order, with the
// people who wrote it.
type Page struct {
	Conv    ConvID    `json:"conv"`
	Entries []Message `json:"entries"`
	People  []Person  `json:"people,omitempty"`
	LastSeq int64     `json:"last_seq"`      // the log's end when the page was read
	All     *Marks    `json:"all,omitempty"` // of a group: the lowest marks of its members
}
