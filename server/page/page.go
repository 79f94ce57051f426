// Package page draws what the server shows: sign-in, the first paint of the
// chat, the chat without a script, and errors. It gets plain values and
// decides nothing. The chat's markup is that of ui/view, so that nothing moves
// when the browser's program takes over.
package page

import (
	"time"

	"kamachat/shared/chat"
)

// Common is what every page gets.
type Common struct {
	Lang  string                   // "en" or "zh"
	Theme string                   // "light", "dark", or "" for the system's
	Build string                   // of this program
	Epoch string                   // of the database
	Asset func(name string) string // the address of a static file
	Now   time.Time
	Zone  *time.Location // where days begin
	// MaxUpload is the bytes of the largest file; 0: nobody can send files.
	MaxUpload int64
}

// SignInPage is the form to sign in.
type SignInPage struct {
	Common
	Next     string // where to go then
	Username string
	Codes    bool          // one may sign in by a code that is sent to a phone
	Passkeys bool          // and by passkey
	Problem  *chat.Refusal // of the try before, or nil
}

// RegisterPage is the form to register, and with a SetupKey to create the administrator.
type RegisterPage struct {
	Common
	Next, Username, Nickname, SetupKey string
	Invite                             string        // code of the invitation that one came with
	Closed                             *chat.Refusal // why one may not register; nil: there is a form
	Problem                            *chat.Refusal
}

// ChatPage is the chat: the list and, with Open, a conversation. Without Me it
// is the shell of nobody.
type ChatPage struct {
	Common
	Me     *chat.Person
	Convs  []chat.Summary
	People []chat.Person // those that Convs and Open name
	Open   *OpenConv
	Asks   Asks
}

// OpenConv is the conversation that is shown.
type OpenConv struct {
	Summary chat.Summary
	Page    chat.Page
	Past    bool   // Page is not the log's end
	Menu    bool   // what can be done about its line is shown
	Ref     string // of the form to write, so that sending it twice stores it once
	Text    string // what was typed and could not be sent
	Problem *chat.Refusal
}

// Asks are those who wait for somebody's answer.
type Asks struct {
	Contacts int // to be contacts
	Groups   []chat.GroupAsked
}

// ErrorPage tells what went wrong.
type ErrorPage struct {
	Common
	Status  int
	Problem *chat.Refusal
}
