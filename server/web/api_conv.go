package web

import (
	"crypto/rand"
	"net/http"
	"strconv"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func (s *server) apiConversations(w http.ResponseWriter, r *http.Request, c caller) error {
	limit, err := number(r, "limit", chat.MaxList)
	if err != nil {
		return err
	}
	limit = min(max(limit, 1), chat.MaxList)
	l, err := s.Hub.Lines(r.Context(), c.ID, wire.List{After: r.URL.Query().Get("after"), Limit: int(limit)})
	if err != nil {
		return err
	}
	out := map[string]any{"conversations": orEmpty(l.Convs), "people": orEmpty(l.People)}
	if l.Next != "" {
		out["next"] = l.Next
	}
	answer(w, out)
	return nil
}

// conv is the conversation that a path names: by its id, or by the id of the
// person whom the caller talks to.
func (s *server) conv(r *http.Request, c caller) (chat.ConvID, error) {
	id := r.PathValue("id")
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
	_, err := s.Accounts.Person(r.Context(), peer)
	return conv, err
}

func (s *server) apiHistory(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	before, err := number(r, "before", 0)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", 50)
	if err != nil {
		return err
	}
	page, err := s.Hub.Before(r.Context(), c.ID, conv, before, int(min(max(limit, 1), chat.MaxPage)))
	if err != nil {
		return err
	}
	page.Entries = orEmpty(page.Entries)
	answer(w, page)
	return nil
}

// apiAt tells the first entry at or after a time.
func (s *server) apiAt(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	at, err := number(r, "time", 0)
	if err != nil {
		return err
	}
	seq, err := s.Hub.At(r.Context(), c.ID, conv, at)
	if err != nil {
		return err
	}
	answer(w, map[string]int64{"seq": seq})
	return nil
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

func (s *server) apiPost(w http.ResponseWriter, r *http.Request, c caller) error {
	var in struct {
		Ref     string        `json:"ref"`
		Text    string        `json:"text"`
		Content *chat.Content `json:"content"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	if in.Content == nil {
		t := chat.TextContent(in.Text)
		in.Content = &t
	}
	m, err := s.post(r, c, in.Ref, *in.Content)
	if err != nil {
		return err
	}
	answer(w, m)
	return nil
}

// postRoute is where programs post.
const postRoute = "POST /api/v1/conversations/{id}/messages"

// countPost counts a post that was refused before the hub saw it.
func (s *server) countPost(err error) {
	if err != nil && s.Refused != nil {
		s.Refused(chat.AsRefusal(err).Code)
	}
}

// post posts content to the conversation of the path and waits until it is
// committed. Without a ref it is never taken for one sent before.
func (s *server) post(r *http.Request, c caller, ref string, content chat.Content) (chat.Message, error) {
	conv, err := s.conv(r, c)
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
	return s.Hub.PostWait(r.Context(), d)
}
