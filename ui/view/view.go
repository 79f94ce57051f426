// Package view is what a person sees and touches: the go-app components that
// draw the state and turn clicks and keys into intents. State in, intents
// out: nothing here thinks about the protocol, and nothing here owns a socket.
//
// Desk is what all components share. Root is the one component that takes the
// server's first paint over; it draws the list, the conversation and the
// dialogs. The messages are the exception to go-app: log owns their part of
// the document itself, because go-app compares lists by index.
package view

import (
	"context"

	"kamachat/shared/chat"
	"kamachat/shared/find"
)

// Intents are what a person may want. Except where they return an answer they
// don't block, and what they change comes back through Desk.Changed.
type Intents interface {
	// Post puts c last in conv.
	Post(conv chat.ConvID, c chat.Content)
	// SetLine changes what the person has made of conv in the list.
	SetLine(conv chat.ConvID, by chat.LineChange)
	// Retry sends a failed post again, Discard gives it up.
	Retry(ref string)
	Discard(ref string)
	// Open shows conv and has its newest page loaded; "" shows none.
	Open(conv chat.ConvID)
	// Older has the page before the oldest entry held loaded.
	Older(conv chat.ConvID)
	// Jump shows conv around the entry seq, which need not be held.
	Jump(conv chat.ConvID, seq int64)
	// Around has more of what Jump showed loaded, behind it (newer) or before it.
	Around(conv chat.ConvID, newer bool)
	// Latest goes back to the end of conv.
	Latest(conv chat.ConvID)
	// At returns the Seq of the first entry of conv at or after a time, in Unix
	// milliseconds, 0 where there is none. It blocks.
	At(ctx context.Context, conv chat.ConvID, at int64) (int64, error)
	// Find returns the entries kept here that q means, latest first. It blocks.
	Find(ctx context.Context, q find.Query, most int) ([]chat.Message, error)
	// More has the next page of the conversation list loaded, where there is one.
	More()
	// Read says that the person has read conv up to seq.
	Read(conv chat.ConvID, seq int64)
	// Typing says that the person writes in conv just now. It may be called for
	// every key.
	Typing(conv chat.ConvID)
	// Draft keeps the text that is being written in conv.
	Draft(conv chat.ConvID, text string)
	// Search asks for people whose name begins with q. It blocks.
	Search(ctx context.Context, q string) ([]chat.Person, error)
	// MakeGroup makes a group of members and the person; no way in is by invitation. It blocks.
	MakeGroup(ctx context.Context, name string, by chat.Joining, members []chat.UserID) (chat.ConvID, error)
	// SignOut ends the session and leaves the page.
	SignOut()
}
