package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// postPath is where programs post.
const postPath = "/api/v1/conversations/{id}/messages"

// postRoute is the pattern of its route.
const postRoute = "POST " + postPath

func (a *api) convRoutes() {
	route(a, operation{
		Method: "GET", Path: "/api/v1/conversations", ID: "listConversations", Tag: "Conversations", Scope: "messages:read",
		Summary: "One's conversations, the latest first",
	}, a.apiConversations)
	route(a, operation{
		Method: "GET", Path: postPath, ID: "listMessages", Tag: "Messages", Scope: "messages:read",
		Summary: "A page of a conversation's log",
		About:   "Entries rise in `seq`. A conversation of two that has not begun is an empty page.",
	}, a.apiHistory)
	route(a, operation{
		Method: "GET", Path: "/api/v1/conversations/{id}/at", ID: "findTime", Tag: "Messages", Scope: "messages:read",
		Summary: "The first entry at or after a time",
	}, a.apiAt)
	route(a, operation{
		Method: "POST", Path: postPath, ID: "postMessage", Tag: "Messages", Scope: "messages:write",
		Summary: "Post a message",
		About: "It is stored by the time it is answered. Sent again with the same key, after a lost answer, it is stored once and answered as " +
			"the first time: `Idempotency-Key` and `ref` are names of your own choice, at most 64 printable characters of ASCII without " +
			"spaces, that you never use for another message. A key may be in quotes.",
	}, a.apiPost)
}

// A ConvPath names the conversation in the path of an operation.
type ConvPath struct {
	ID string `path:"id" doc:"Id of a conversation, or of a person: the conversation with them"`
}

type conversationsAnswer struct {
	Conversations []chat.Summary `json:"conversations"`
	People        []chat.Person  `json:"people" doc:"Who is named in them"`
	Next          string         `json:"next,omitempty" doc:"For after; missing at the end"`
}

func (s *server) apiConversations(ctx context.Context, c caller, in *struct {
	After string `query:"after" doc:"The next of the page before"`
	Limit int64  `query:"limit" minimum:"0" default:"100" doc:"At most this many, 1 to 100"`
}) (out conversationsAnswer, err error) {
	limit := int(min(max(in.Limit, 1), chat.MaxList))
	l, err := s.Hub.Lines(ctx, c.ID, wire.List{After: in.After, Limit: limit})
	return conversationsAnswer{orEmpty(l.Convs), orEmpty(l.People), l.Next}, err
}

// conv is the conversation that a page's path names.
func (s *server) conv(r *http.Request, c caller) (chat.ConvID, error) {
	return s.convOf(r.Context(), c, r.PathValue("id"))
}

// convOf is the conversation called id, or the one of the caller with the person
// called id.
func (s *server) convOf(ctx context.Context, c caller, id string) (chat.ConvID, error) {
	conv := chat.ConvID(id)
	if u := chat.UserID(id); u.Valid() {
		conv = chat.Direct(c.ID, u)
	}
	if !conv.Valid() {
		return "", chat.Refuse(chat.NotFound, "no such conversation")
	}
	if _, _, direct := conv.Pair(); !direct {
		return conv, nil
	}
	peer, mine := conv.Peer(c.ID)
	if !mine {
		return "", chat.Refuse(chat.Forbidden, "not a conversation of yours")
	}
	_, err := s.Accounts.PersonFor(ctx, c.ID, peer)
	return conv, err
}

func (s *server) apiHistory(ctx context.Context, c caller, in *struct {
	ConvPath
	Before int64 `query:"before" minimum:"0" doc:"Only entries before this seq; 0: the end of the log"`
	Limit  int64 `query:"limit" minimum:"0" default:"50" doc:"At most this many, 1 to 100"`
}) (chat.Page, error) {
	conv, err := s.convOf(ctx, c, in.ID)
	if err != nil {
		return chat.Page{}, err
	}
	page, err := s.Hub.Before(ctx, c.ID, conv, in.Before, int(min(max(in.Limit, 1), chat.MaxPage)))
	page.Entries = orEmpty(page.Entries)
	return page, err
}

type seqAnswer struct {
	Seq int64 `json:"seq" doc:"Of the first entry then or later; 0: there is none"`
}

func (s *server) apiAt(ctx context.Context, c caller, in *struct {
	ConvPath
	Time int64 `query:"time" minimum:"0" doc:"Milliseconds since 1970"`
}) (seqAnswer, error) {
	conv, err := s.convOf(ctx, c, in.ID)
	if err != nil {
		return seqAnswer{}, err
	}
	seq, err := s.Hub.At(ctx, c.ID, conv, in.Time)
	return seqAnswer{seq}, err
}

// number reads a number of the query, 0 or greater.
func number(r *http.Request, name string, otherwise int64) (int64, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, chat.Refuse(chat.Invalid, name+" must be a number from 0")
	}
	return n, nil
}

// A newPost is a message to be.
type newPost struct {
	Ref     string        `json:"ref,omitempty" doc:"As Idempotency-Key, before which it goes"`
	Text    string        `json:"text,omitempty" doc:"Of a plain message, in place of content" maxLength:"10000" example:"Hello"`
	Content *chat.Content `json:"content,omitempty" doc:"Anything else than plain text"`
}

func (s *server) apiPost(ctx context.Context, c caller, in *struct {
	ConvPath
	Key  string `header:"Idempotency-Key" doc:"A name for this message that you choose, e.g. a UUID"`
	Body newPost
}) (chat.Message, error) {
	content := chat.TextContent(in.Body.Text)
	if in.Body.Content != nil {
		content = *in.Body.Content
	}
	return s.post(ctx, c, in.ID, cmp.Or(in.Body.Ref, unquoted(in.Key)), content)
}

// unquoted is an idempotency key without the quotes that are around strings in
// headers (RFC 8941).
func unquoted(key string) string {
	if inner, ok := strings.CutPrefix(key, `"`); ok && strings.HasSuffix(inner, `"`) {
		return strings.TrimSuffix(inner, `"`)
	}
	return key
}

// countPost counts a post that was refused before the hub saw it.
func (s *server) countPost(err error) {
	if err != nil && s.Refused != nil {
		s.Refused(chat.AsRefusal(err).Code)
	}
}

// post posts content to the conversation that convOf finds, and waits until it
// is committed. Without a ref it is never taken for one sent before.
func (s *server) post(ctx context.Context, c caller, id, ref string, content chat.Content) (chat.Message, error) {
	conv, err := s.convOf(ctx, c, id)
	if err != nil {
		s.countPost(err)
		return chat.Message{}, err
	}
	if ref == "" {
		ref = rand.Text()
	}
	d := chat.Draft{Conv: conv, Author: c.ID, Ref: ref, Content: content}
	if err := d.Validate(); err != nil {
		s.countPost(err)
		return chat.Message{}, err
	}
	return s.Hub.PostWait(ctx, d)
}
