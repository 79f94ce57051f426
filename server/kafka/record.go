package kafka

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"kamachat/shared/chat"
)

// version is of the form of records. A node reads those up to its own: where a
// form changes, all nodes are renewed before one writes the new one.
const version = 1

// post is what a record says: its key is the conversation once more.
type post struct {
	V       int          `json:"v"`
	Conv    chat.ConvID  `json:"conv"`
	Author  chat.UserID  `json:"from"`
	Ref     string       `json:"ref"`
	Unread  bool         `json:"unread,omitempty"`
	Super   bool         `json:"super,omitempty"`
	Content chat.Content `json:"c"`
	Epoch   string       `json:"epoch,omitempty"` // of the database that the author's node had
}

// encode returns the record that carries d in an epoch of the database. Its stamp stays here.
func encode(d chat.Draft, epoch string) (*kgo.Record, error) {
	p, err := json.Marshal(post{version, d.Conv, d.Author, d.Ref, d.Unread, d.Super, d.Content, epoch})
	if err != nil {
		return nil, fmt.Errorf("encode a post: %w", err)
	}
	return &kgo.Record{Key: []byte(d.Conv), Value: p}, nil
}

// decode reads what encode wrote. What no node of ours writes is an error: the
// database would refuse it, or worse, take it. So is what was posted in another
// epoch, before a backup was restored: what it is about may be another entry now. Its
// author, who was never told that it is stored, sends it again.
func decode(r *kgo.Record, epoch string) (d chat.Draft, err error) {
	var p post
	if err := json.Unmarshal(r.Value, &p); err != nil {
		return d, fmt.Errorf("not JSON of a post: %w", err)
	}
	d = chat.Draft{Conv: p.Conv, Author: p.Author, Ref: p.Ref, Unread: p.Unread, Super: p.Super, Content: p.Content}
	switch {
	case p.V < 1 || p.V > version:
		return d, fmt.Errorf("version %d, and this node reads up to %d", p.V, version)
	case epoch != "" && p.Epoch != "" && p.Epoch != epoch:
		return d, errors.New("it was posted before a backup was restored")
	case string(r.Key) != string(p.Conv):
		return d, errors.New("the key is not its conversation")
	case p.Content.Kind == chat.Event:
		// Made by the server itself, which asks for no validation.
		if p.Content.Event == nil || !p.Conv.Valid() || !p.Author.Valid() || p.Ref == "" || len(p.Ref) > chat.MaxRef {
			return d, errors.New("not an event of a conversation")
		}
		return d, nil
	}
	return d, d.Validate()
}
