package push

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

// maxBody is how many runes of a message a notice shows.
const maxBody = 120

// A notice is what the browser's service worker is given, as JSON.
type notice struct {
	Conv   chat.ConvID `json:"conv"`           // empty where it is of none: a test, a request
	Title  string      `json:"title"`          // of the group, or who wrote
	Body   string      `json:"body"`           // the message, cut to 120 runes
	Seq    int64       `json:"seq"`            // of the message; of others a time, that rises
	Unread int64       `json:"unread"`         // entries in all conversations
	Tag    string      `json:"tag"`            // notices of one conversation replace each other
	Icon   string      `json:"icon"`           // URL path; empty: the service worker's own
	Path   string      `json:"path,omitempty"` // where it leads; empty: to Conv
}

func (n notice) encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // six bytes for one, of a few thousand
	_ = e.Encode(n)        // it can't fail
	return bytes.TrimSpace(b.Bytes())
}

// notable reports whether people who are not there are told about m.
func notable(m chat.Message) bool {
	c := m.Content
	return c.Kind == chat.Text || c.File != nil || isCall(c)
}

// isCall reports whether somebody calls.
func isCall(c chat.Content) bool { return c.Call != nil && c.Call.What == "start_call" }

// noticeOf is what a person who speaks lang is told about m.
func noticeOf(m chat.Message, by chat.Person, group chat.Summary, lang words.Lang) notice {
	n := notice{Conv: m.Conv, Title: by.Name(), Seq: m.Seq, Tag: string(m.Conv), Icon: by.Avatar}
	switch c := m.Content; {
	case c.File != nil && strings.HasPrefix(c.File.Type, "image/"):
		n.Body = words.Say(lang, "preview.picture")
	case c.File != nil:
		n.Body = words.Say(lang, "preview.file", c.File.Name)
	case c.Call != nil:
		n.Body = words.Say(lang, "preview.call")
	default:
		n.Body = c.Preview(maxBody)
	}
	if m.Conv.IsGroup() {
		n.Title, n.Icon, n.Body = group.Title, group.Avatar, by.Name()+": "+n.Body
	}
	n.trim()
	return n
}

// trim cuts what is too long, and leaves out pictures that are elsewhere.
func (n *notice) trim() {
	if r := []rune(n.Body); len(r) > maxBody {
		n.Body = string(r[:maxBody-1]) + "…"
	}
	if !strings.HasPrefix(n.Icon, "/") {
		n.Icon = ""
	}
}

// topicOf names a conversation to a push service, which keeps only the newest
// of what waits there for one browser with the same name. It tells nothing of
// the conversation, nor that two browsers are told about the same.
func topicOf(sub chat.Subscription, conv chat.ConvID) string {
	sum := sha256.Sum256([]byte(sub.Auth + "\n" + string(conv)))
	return base64.RawURLEncoding.EncodeToString(sum[:24]) // 32 characters, the most that are allowed
}

// How long push services keep a notice for a browser that is away.
const (
	keepMessage = 24 * time.Hour
	keepCall    = time.Minute
)

// jobOf is the notice of m for one browser.
func jobOf(sub chat.Subscription, m chat.Message, n notice) *job {
	j := &job{sub: sub, conv: m.Conv, seq: m.Seq, body: n.encode(), topic: topicOf(sub, m.Conv), ttl: keepMessage, urgency: "normal"}
	if isCall(m.Content) {
		j.ttl = keepCall
	}
	if !m.Conv.IsGroup() {
		j.urgency = "high"
	}
	return j
}
