package chat

// MaxReason is how many runes a report's reason has at most.
const MaxReason = 500

// How a report ended.
const (
	OutcomeDismissed = "dismissed" // nothing was to be done
	OutcomeSettled   = "settled"   // something was done, elsewhere
	OutcomeRemoved   = "removed"   // the message was removed
)

// A Report is what somebody told administrators about a message or a person.
type Report struct {
	ID       int64  `json:"id,string"`
	By       UserID `json:"by"`
	Conv     ConvID `json:"conv,omitempty"` // of the message; empty: it is about a person
	Seq      int64  `json:"seq,omitempty"`
	User     UserID `json:"user"` // who wrote the message, or the person
	Reason   string `json:"reason"`
	Said     string `json:"said,omitempty"` // what the message said when it was reported
	At       int64  `json:"at"`             // Unix milliseconds
	ClosedBy UserID `json:"closed_by,omitempty"`
	ClosedAt int64  `json:"closed_at,omitempty"` // Unix milliseconds; 0: it is open
	Outcome  string `json:"outcome,omitempty"`   // one of the above
}
