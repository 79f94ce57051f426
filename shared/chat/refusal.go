package chat

import (
	"errors"
	"time"
)

// A Code names why something was refused. Clients decide by it.
type Code string

// The codes.
const (
	Invalid      Code = "invalid"       // the frame or content can't be understood; do not send it again
	TooLong      Code = "too_long"      // over a limit; do not send it again
	NotFound     Code = "not_found"     // no such conversation or person
	Forbidden    Code = "forbidden"     // not allowed to, e.g. not a member
	SignedOut    Code = "signed_out"    // the session has ended: sign in again
	SecondFactor Code = "second_factor" // right so far: a code is needed, too
	Busy         Code = "busy"          // queues are full: try again after RetryAfter
	RateLimited  Code = "rate_limited"  // too many, too fast: try again after RetryAfter
	Taken        Code = "taken"         // the name is in use
	NoFile       Code = "no_file"       // the file is not here, or no longer
	Full         Code = "full"          // there is no room on the server for what was uploaded
	Blocked      Code = "blocked"       // one of the two has blocked the other
	NotContact   Code = "not_contact"   // only contacts may write to each other
	Muted        Code = "muted"         // may read there, not post
	Closed       Code = "closed"        // the group is disabled or dismissed
	Internal     Code = "internal"      // our fault: try again after RetryAfter
)

// A Refusal is an error that a person or client may be told.
type Refusal struct {
	Code       Code
	Words      string        // plain English, for developers and logs
	RetryAfter time.Duration // 0: do not try again
}

// Refuse returns a Refusal that is not worth trying again.
func Refuse(c Code, words string) *Refusal { return &Refusal{Code: c, Words: words} }

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Words }

// Is makes errors.Is compare refusals by code.
func (r *Refusal) Is(err error) bool {
	var o *Refusal
	return errors.As(err, &o) && o.Code == r.Code && o.Words == ""
}

// ErrNotFound is what stores answer when there is no such thing.
var ErrNotFound = &Refusal{Code: NotFound}

// RetryMillis is RetryAfter in milliseconds, rounded up, at most a day: 0 means never.
func (r *Refusal) RetryMillis() int64 {
	return (min(r.RetryAfter, 24*time.Hour) + time.Millisecond - 1).Milliseconds()
}

// AsRefusal returns the Refusal in err, or Internal with no details for any other error.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{Code: Internal, Words: "something went wrong here", RetryAfter: time.Second}
}
