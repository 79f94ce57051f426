package chat

// roleNames are what programs call the roles.
var roleNames = [...]string{"member", "admin", "owner"}

func (r Role) String() string { return roleNames[min(max(r, Plain), Owner)] }

// A Member is somebody in a group, as its list tells of them.
type Member struct {
	Person
	Seat
	Joined int64 // Unix milliseconds
}

// A MemberAsk asks for a page of a group's members: the owner and its
// administrators come first.
type MemberAsk struct {
	Query string   // lower case; what is in their names; empty: all
	IDs   []UserID // of these alone; nil: of all
	After string   // where the page before ended; empty: the beginning
	Limit int      // how many at most, 1 to MaxPage
}

// A GroupAsked is a group that people wait to come into.
type GroupAsked struct {
	Conv    ConvID `json:"group"`
	Name    string `json:"name"`
	Waiting int    `json:"waiting"` // how many
}

// A GroupInvite is a link that lets its holder into a group.
type GroupInvite struct {
	Code      string `json:"code"`
	Conv      ConvID `json:"group"`
	By        UserID `json:"by"`
	Most      int    `json:"most"` // how many it lets in; 0: as many as like
	Uses      int    `json:"uses"`
	ExpiresAt int64  `json:"expires_at"` // Unix milliseconds; 0: never
	CreatedAt int64  `json:"created_at"`
}

// Works reports whether it lets somebody in at a time in Unix milliseconds, as
// far as it goes by itself.
func (i GroupInvite) Works(at int64) bool {
	return (i.Most == 0 || i.Uses < i.Most) && (i.ExpiresAt == 0 || i.ExpiresAt > at)
}

// MayInvite says why somebody with standing s may not make a link into the group,
// or nil. What they make lets in as long as they may make it. The error is a *Refusal.
func (s Standing) MayInvite() error {
	switch {
	case !s.Exists:
		return Refuse(NotFound, "no such conversation")
	case !s.In:
		return Refuse(Forbidden, "not a member of this group")
	case s.State != InUse:
		return Refuse(Closed, "the group is closed")
	}
	return allow(s.Role >= Admin || s.Rules.Joining != JoinInvite)
}

// A JoinRequest asks to be let into a group.
type JoinRequest struct {
	Conv    ConvID
	User    UserID
	Message string // at most MaxAsk runes
	State   JoinState
	By      UserID // who answered
	At      int64  // when it was asked or answered, Unix milliseconds
	Removed bool   // they were removed from the group; told to those who answer
}

// A JoinState is what became of a request.
type JoinState int

// The states of a request.
const (
	JoinWaits JoinState = iota
	JoinLetIn
	JoinRefused
)

// MayAdd says why somebody may not bring another into a group to whom b is their
// bond, or nil. only says that only contacts may write to each other. The error is a
// *Refusal.
func (b Bond) MayAdd(only bool) error {
	switch {
	case b.Blocked:
		return Refuse(Blocked, "one of the people does not want to be added by you")
	case b.Blocking:
		return Refuse(Blocked, "you have blocked one of the people")
	case only && !b.Contacts:
		return Refuse(NotContact, "only contacts may be added to a group here")
	}
	return nil
}

// A Place is what a person's line of a group says of whether they may post there.
type Place struct {
	Role     Role       `json:"role,omitempty"`     // 1: administrates the group, 2: owns it
	Muted    int64      `json:"muted,omitempty"`    // may not post until, Unix milliseconds
	State    GroupState `json:"closed,omitempty"`   // 1: disabled by an administrator of the server, 2: dismissed
	Announce bool       `json:"announce,omitempty"` // only the owner and administrators post
}

// MayPost says why who has the place may not post in conv now (Unix milliseconds),
// or nil, as far as a line tells. The error is a *Refusal.
func (p Place) MayPost(conv ConvID, now int64) error {
	if !conv.IsGroup() {
		return nil
	}
	s := Standing{Able: true, Exists: true, State: p.State, Rules: Rules{Announce: p.Announce}, Seat: Seat{In: true, Role: p.Role, Muted: p.Muted}}
	return s.MayPost(conv, Text, now)
}
