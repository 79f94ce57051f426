package chat

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Limits that both ends apply.
const (
	MaxText     = 10_000 // runes of a text message
	MaxRef      = 64     // bytes of a Ref
	MaxURL      = 2_048  // bytes
	MaxFileName = 255    // runes
	MaxFileType = 255    // bytes: RFC 6838 allows 127 + "/" + 127
	MaxSignal   = 32_768 // bytes of a call signal's data
	MaxDepth    = 32     // arrays and objects in one another in a call signal's data
	MaxName     = 64     // runes of a nickname or group name
	MaxMembers  = 10_000 // people in a group
	MaxPage     = 100    // entries in a history page
)

// A Kind says what a log entry is.
type Kind string

// The kinds of content.
const (
	Text  Kind = "text"
	FileK Kind = "file"
	CallK Kind = "call"  // a call record or, before it is stored, a call signal
	Event Kind = "event" // the conversation itself changed

	Edit   Kind = "edit"   // the text of an own message is another
	Recall Kind = "recall" // an own message is unsent
	React  Kind = "react"  // an emoji at a message

	Gone Kind = "gone" // what is left of a message that was unsent
)

// Content is what a draft or message says. Exactly the fields that Kind names are set.
type Content struct {
	Kind  Kind    `json:"k"`
	Text  string  `json:"text,omitempty"` // of a text, an edit or, as an emoji, a reaction
	File  *File   `json:"file,omitempty"`
	Call  *Call   `json:"call,omitempty"`
	Event *Change `json:"event,omitempty"`
	Of    int64   `json:"of,omitempty"`   // Seq of the entry that an edit, recall or reaction is about
	Off   bool    `json:"off,omitempty"`  // the reaction is taken back
	Re    *Quote  `json:"re,omitempty"`   // what a text answers
	Fate  *Fate   `json:"fate,omitempty"` // what became of a message since, nil for nothing
}

// TextContent returns plain text content.
func TextContent(s string) Content { return Content{Kind: Text, Text: s} }

// A File points at something uploaded.
type File struct {
	URL    string `json:"url"`
	Name   string `json:"name"`
	Type   string `json:"type"`             // MIME type
	Size   string `json:"size"`             // bytes, or the words a seed client sent
	Width  int    `json:"width,omitempty"`  // pixels, for pictures
	Height int    `json:"height,omitempty"` // pixels, for pictures
}

// A Call is a call signal: what the seed calls av_data.
type Call struct {
	ID   string          `json:"id"`             // "PROXY" or "PEER_LEAVE" in the seed's dialect
	What string          `json:"what,omitempty"` // start_call, receive_call, reject_call, sdp, candidate
	Data json.RawMessage `json:"data,omitempty"` // opaque to the server
}

// Stored reports whether the signal is kept in the log.
func (c *Call) Stored() bool {
	return c.What == "start_call" || c.What == "receive_call" || c.What == "reject_call"
}

// A Change is a log entry made by the server: the conversation itself changed.
// It is stored in one with what it changes; see MayChange.
type Change struct {
	What  string   `json:"what"` // Made, Joined, …
	Who   []UserID `json:"who,omitempty"`
	Name  string   `json:"name,omitempty"`
	Until int64    `json:"until,omitempty"` // Unix milliseconds, Endless
	Rules *Rules   `json:"rules,omitempty"`
	Asked bool     `json:"asked,omitempty"` // those who joined had asked to
}

// Whole reports whether c has what its kind says, as all that was stored has. A
// kind that is not known here says nothing.
func (c Content) Whole() bool {
	return (c.Kind != FileK || c.File != nil) && (c.Kind != CallK || c.Call != nil) && (c.Kind != Event || c.Event != nil) &&
		(!c.Kind.Amends() || c.Of > 0)
}

// Validate says why c can't be posted by a client, or nil. The error is a *Refusal.
func (c Content) Validate() error {
	if c.Kind != Text && c.Kind != Edit && c.Kind != React && c.Text != "" || c.Kind != FileK && c.File != nil ||
		c.Kind != CallK && c.Call != nil || c.Kind != Event && c.Event != nil ||
		!c.Kind.Amends() && c.Of != 0 || c.Kind != React && c.Off || c.Kind != Text && c.Re != nil || c.Fate != nil {
		return Refuse(Invalid, "the message says more than its kind")
	}
	if c.Kind.Amends() && c.Of < 1 || c.Re != nil && c.Re.Seq < 1 {
		return Refuse(Invalid, "the message it is about needs a seq")
	}
	switch c.Kind {
	case Recall:
	case React:
		return validEmoji(c.Text)
	case Text, Edit:
		switch {
		case strings.TrimSpace(c.Text) == "":
			return Refuse(Invalid, "the message is empty")
		case !utf8.ValidString(c.Text) || strings.ContainsRune(c.Text, 0):
			return Refuse(Invalid, "the text is not valid UTF-8")
		case utf8.RuneCountInString(c.Text) > MaxText:
			return Refuse(TooLong, "the text is too long")
		}
	case FileK:
		f := c.File
		switch {
		case f == nil || f.URL == "" || f.Name == "":
			return Refuse(Invalid, "a file message needs a url and a name")
		case len(f.URL) > MaxURL || utf8.RuneCountInString(f.Name) > MaxFileName || len(f.Type) > MaxFileType || len(f.Size) > 32:
			return Refuse(TooLong, "a field of the file message is too long")
		case !SafeURL(f.URL):
			return Refuse(Invalid, "the url must be a path here or http(s)")
		case !utf8.ValidString(f.Name + f.Type + f.Size + f.URL):
			return Refuse(Invalid, "the file message is not valid UTF-8")
		}
	case CallK:
		v := c.Call
		switch {
		case v == nil || v.ID == "":
			return Refuse(Invalid, "the call signal is empty")
		case len(v.Data) > MaxSignal || len(v.ID) > MaxRef || len(v.What) > MaxRef:
			return Refuse(TooLong, "the call signal is too long")
		case depth(v.Data) > MaxDepth:
			// Readers of JSON stop at some depth: such a message could be sent,
			// and then nobody could read the conversation.
			return Refuse(Invalid, "the call signal is nested too deep")
		}
		switch v.What {
		case "", "start_call", "receive_call", "reject_call", "sdp", "candidate":
		default:
			return Refuse(Invalid, "unknown call signal")
		}
	default:
		return Refuse(Invalid, "unknown kind of message")
	}
	return nil
}

// depth returns how many arrays and objects are in one another in valid JSON.
func depth(p json.RawMessage) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}

// SafeURL reports whether u may be shown as a link: an http(s) URL or a path on
// this server. Browsers leave control characters out of what they open, so that
// one could hide another site's name; there must be none.
func SafeURL(u string) bool {
	if strings.ContainsFunc(u, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	l := strings.ToLower(u)
	return strings.HasPrefix(l, "https://") || strings.HasPrefix(l, "http://") ||
		strings.HasPrefix(u, "/") && !strings.HasPrefix(u, "//") && !strings.HasPrefix(u, `/\`)
}

// Validate says why d can't be carried, or nil. The error is a *Refusal.
func (d Draft) Validate() error {
	switch {
	case !d.Conv.Valid():
		return Refuse(NotFound, "no such conversation")
	case !d.Author.Valid():
		return Refuse(Forbidden, "no such author")
	case d.Ref == "" || len(d.Ref) > MaxRef || strings.ContainsFunc(d.Ref, odd):
		return Refuse(Invalid, "a post needs a ref of at most 64 characters of printable ASCII, without spaces")
	}
	if _, _, ok := d.Conv.Pair(); ok {
		if _, mine := d.Conv.Peer(d.Author); !mine {
			return Refuse(Forbidden, "not a conversation of yours")
		}
	}
	return d.Content.Validate()
}

// odd reports whether r can't be in a Ref, where it would make two names one:
// readers of JSON take all halves of surrogates for the same character, databases
// leave zeros out and take names that differ in spaces at the end for the same.
func odd(r rune) bool { return r <= ' ' || r > '~' }

// Preview is the content in one line of at most n runes, for lists.
func (c Content) Preview(n int) string {
	var s string
	switch {
	case c.Kind == Text:
		s = strings.Join(strings.Fields(c.Text), " ")
	case c.File != nil:
		s = c.File.Name
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
