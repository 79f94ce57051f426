package chat

// A Registration says who may make an account for themselves.
type Registration string

// The ways to register.
const (
	RegisterOpen   Registration = "open"   // anybody
	RegisterInvite Registration = "invite" // who has a link that an administrator made
	RegisterClosed Registration = "closed" // nobody
)

// Acts of administrators on the installation, as Deed.What.
const (
	ActSet      = "set"      // Target is a setting, Detail what it was and is
	ActInvite   = "invite"   // a link to register was made; Target is the beginning of its code
	ActUninvite = "uninvite" // and no longer works
	ActLookAt   = "look"     // Target is a report whose messages were looked at
	ActClose    = "close"    // Target is a report, Detail how it ended
	ActCancel   = "cancel"   // Target is a job, Detail its kind
	ActRemove   = "remove"   // Target is a conversation in which a message was removed, Detail which
)

// An Invitation is a link that lets its holders register.
type Invitation struct {
	Code      string `json:"code"`
	By        UserID `json:"by"`
	Note      string `json:"note"`       // what administrators call it, at most 100 characters
	Most      int    `json:"most"`       // accounts that it is good for; 0: any number
	Uses      int    `json:"uses"`       // accounts that were made with it
	ExpiresAt int64  `json:"expires_at"` // Unix milliseconds; 0: never
	CreatedAt int64  `json:"created_at"` // Unix milliseconds
}

// Works reports whether one more may register with i at a time in Unix milliseconds.
func (i Invitation) Works(now int64) bool {
	return (i.Most == 0 || i.Uses < i.Most) && (i.ExpiresAt == 0 || i.ExpiresAt > now)
}
