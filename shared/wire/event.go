package wire

import "kamachat/shared/chat"

// An Event is what one server node tells all: a frame for the members of Conv,
// or for the people in To where there are any.
type Event struct {
	Conv  chat.ConvID
	To    []chat.UserID
	Frame Frame
	// Author and Ref name the draft that Frame answers. The author's copy of the
	// frame carries Ref.
	Author chat.UserID
	Ref    string
}
