package chat

// Limits of what people say of themselves.
const (
	MaxSignature = 255 // runes
	MaxEmail     = 254 // bytes
	MaxPhone     = 20  // characters
	MaxAsks      = 100 // requests of one person that nobody has answered
)

// A Profile is what somebody says of themselves beside their names.
type Profile struct {
	Signature string `json:"signature"`
	Gender    string `json:"gender,omitempty"`   // female, male, other; empty: not said
	Birthday  string `json:"birthday,omitempty"` // YYYY-MM-DD
	Email     string `json:"email,omitempty"`    // nobody else's business
	Phone     string `json:"phone,omitempty"`    // nobody else's business; + and digits
	Unlisted  bool   `json:"unlisted,omitempty"` // not found by searching, nor there for strangers who have the id
	Unseen    bool   `json:"unseen,omitempty"`   // nobody is told whether they are online
}

// Public is p as others see it.
func (p Profile) Public() Profile {
	return Profile{Signature: p.Signature, Gender: p.Gender, Birthday: p.Birthday}
}

// A Request asks to be somebody's contact.
type Request struct {
	From    UserID `json:"from"`
	To      UserID `json:"to"`
	Message string `json:"message,omitempty"`
	At      int64  `json:"at"` // Unix milliseconds
}

// MayMeet says why two people may not become contacts, or nil. The error is a *Refusal.
func (b Bond) MayMeet() error {
	switch {
	case b.Blocked:
		return Refuse(Blocked, "this person does not take messages from you")
	case b.Blocking:
		return Refuse(Blocked, "you have blocked this person")
	}
	return nil
}
