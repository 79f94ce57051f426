package wire

import (
	"encoding/json"
	"fmt"

	"kamachat/shared/chat"
)

// An Event is what one server node tells all: a frame for the members of Conv,
// or for the people in To where there are any.
type Event struct {
	Conv  chat.ConvID
	To    []chat.UserID
	Frame Frame
	// Author and Ref name the draft that Frame answers. The author's copy of the
	// frame carries Ref. Unread is the draft's.
	Author chat.UserID
	Ref    string
	Unread bool
	// Stamp is that draft's. It is not encoded: another node measures nothing.
	Stamp chat.Stamp
}

// eventHead is an event without its frame, as nodes write it to one another.
type eventHead struct {
	Conv   chat.ConvID   `json:"c,omitempty"`
	To     []chat.UserID `json:"t,omitempty"`
	Author chat.UserID   `json:"a,omitempty"`
	Ref    string        `json:"r,omitempty"`
	Unread bool          `json:"u,omitempty"`
}

// Append appends the encoding of e for other nodes to dst: a JSON object that
// ParseEvent reads. Left out is what no native frame carries, either: the Ref
// inside a message (e.Ref is the same) and Posted.By, which the receiving node
// looks up where a dialect needs it.
func (e Event) Append(dst []byte) ([]byte, error) {
	head, err := json.Marshal(eventHead{e.Conv, e.To, e.Author, e.Ref, e.Unread})
	if err != nil {
		return dst, err
	}
	sep := `,"f":`
	if len(head) == len("{}") {
		sep = sep[1:]
	}
	out := append(append(dst, head[:len(head)-1]...), sep...)
	out, ok, err := V1.Append(out, e.Frame)
	switch {
	case err != nil:
		return dst, err
	case !ok:
		return dst, fmt.Errorf("no encoding for a frame of kind %q", e.Frame.Body.kind())
	}
	return append(out, '}'), nil
}

// ParseEvent reads what Append wrote. An event whose frame this build does not
// know, from a newer node, is an error, and so is one whose entry can't be one.
func ParseEvent(p []byte) (Event, error) {
	var in struct {
		eventHead
		Frame envelope `json:"f"`
	}
	if err := json.Unmarshal(p, &in); err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	f := in.Frame.frame()
	if b, bad := f.Body.(Bad); bad {
		return Event{}, fmt.Errorf("read event of kind %q: %w", b.Kind, b.Why)
	}
	if !sound(in.Conv, f.Body) {
		return Event{}, fmt.Errorf("read event of kind %q: it holds no entry of its conversation", f.Body.kind())
	}
	return Event{Conv: in.Conv, To: in.To, Frame: f, Author: in.Author, Ref: in.Ref, Unread: in.Unread}, nil
}

// sound reports whether the entries that b, said in conv, holds can be entries.
func sound(conv chat.ConvID, b Body) bool {
	switch b := b.(type) {
	case Posted:
		return b.Conv == conv && b.Seq > 0 && b.Content.Whole()
	case Opened:
		return b.Summary.Last == nil || b.Summary.Last.Content.Whole()
	}
	return true
}
