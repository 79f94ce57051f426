package chat

import (
	"slices"
	"time"
	"unicode/utf8"
)

// A Role is what a member may do in a group.
type Role int

// The roles. A group has one owner.
const (
	Plain Role = iota // a member
	Admin             // administers the group
	Owner
)

// A Joining is how people come into a group.
type Joining string

// The ways into a group.
const (
	JoinDirect   Joining = "direct"   // anybody who asks is in; any member adds people
	JoinApproval Joining = "approval" // who asks is let in by the owner or an administrator
	JoinInvite   Joining = "invite"   // the owner and administrators add people or make links
)

// Valid reports whether j is one of the ways into a group.
func (j Joining) Valid() bool { return j == JoinDirect || j == JoinApproval || j == JoinInvite }

// A GroupState says whether a group is in use.
type GroupState int

// The states of a group.
const (
	InUse     GroupState = iota
	Off                  // an administrator of the server has disabled it
	Dismissed            // for good
)

// Limits of groups.
const (
	MaxNotice = 500                  // runes
	MaxSlow   = 3600                 // seconds between two posts of a member
	MaxAsk    = 100                  // runes of a message that comes with a request
	MaxChange = 100                  // people that one change names
	Endless   = int64(1)<<53 - 1     // Unix milliseconds: a mute without an end
	maxMute   = 366 * 24 * time.Hour // what has an end ends within
)

// Rules are what a group says of who may do what in it.
type Rules struct {
	Joining  Joining `json:"joining"`
	Slow     int     `json:"slow,omitempty"`     // seconds between two posts of a member, 0 to MaxSlow
	Announce bool    `json:"announce,omitempty"` // only the owner and administrators post
}

// Validate says why r can't be a group's rules, or nil.
func (r Rules) Validate() error {
	if !r.Joining.Valid() || r.Slow < 0 || r.Slow > MaxSlow {
		return Refuse(Invalid, "these can't be the rules of a group")
	}
	return nil
}

// A Group is a group itself, without its members.
type Group struct {
	Conv    ConvID     `json:"id"`
	Name    string     `json:"name"`
	Avatar  string     `json:"avatar"`
	Notice  string     `json:"notice"`
	Owner   UserID     `json:"owner"`
	Members int        `json:"members"`
	State   GroupState `json:"state"`
	Rules
}

// A Seat is somebody's place in a group, or that they have none: then, what stays
// of one that they had.
type Seat struct {
	In      bool
	Role    Role
	Muted   int64 // may not post until, Unix milliseconds; also after leaving and coming back
	Spoke   int64 // when they posted last, in a group that is slow, Unix milliseconds
	Removed bool  // by another, and not in it since: comes back only by the owner or an administrator
}

// A Bond is what two people are to each other, seen by one of them.
type Bond struct {
	Blocked  bool // the other has blocked this one
	Blocking bool // this one has blocked the other
	Contacts bool // each has the other as a contact
}

// Laws are what decides in one conversation, as far as it is not about one of its
// people alone.
type Laws struct {
	Group *Group          // nil where it is none, or does not exist
	Seats map[UserID]Seat // of the members of a group who are more, or less, than plain ones
	Bonds map[UserID]Bond // of the two people of another conversation
}

// Apart reports whether one of two people has blocked the other.
func (l Laws) Apart() bool {
	for _, b := range l.Bonds {
		if b.Blocked || b.Blocking {
			return true
		}
	}
	return false
}

// Of returns the standing of u in conv by l: member says whether they are in it.
// That the accounts are there and enabled is assumed.
func (l Laws) Of(u UserID, member bool) Standing {
	s := Standing{Able: true, Peer: true, Bond: l.Bonds[u]}
	if l.Group != nil {
		s.Exists, s.State, s.Rules, s.Members = true, l.Group.State, l.Group.Rules, l.Group.Members
		s.Seat = l.Seats[u]
		s.In = member
	}
	return s
}

// A Standing is all that decides what somebody may do in a conversation. Of the
// two halves the one counts that fits the conversation.
type Standing struct {
	Able  bool // the account exists and is enabled
	Super bool // and is that of an administrator of the server
	Going bool // the account is being deleted: it leaves its groups, and no more

	// In a conversation of two.
	Peer bool // the other account exists and is enabled
	Bond
	Only bool // only contacts may write to each other: a setting of the server

	// In a group.
	Exists  bool
	State   GroupState
	Rules   Rules
	Members int
	Most    int // how many it may have: a setting of the server; 0: MaxMembers
	Seat
}

// MayPost says why somebody with standing s may not post content of kind k in
// conv now (Unix milliseconds), or nil. Who unsends a message may do so wherever
// they may read. The error is a *Refusal.
func (s Standing) MayPost(conv ConvID, k Kind, now int64) error {
	if !s.Able {
		return Refuse(Forbidden, "the account is disabled or gone")
	}
	if !conv.IsGroup() {
		return s.mayWrite(k)
	}
	switch {
	case !s.Exists:
		return Refuse(NotFound, "no such conversation")
	case !s.In && s.Rules.Joining == JoinInvite && !s.Super: // for strangers it is not there
		return Refuse(NotFound, "no such conversation")
	case !s.In:
		return Refuse(Forbidden, "not a member of this group")
	case s.State != InUse:
		return Refuse(Closed, "the group is closed")
	case k == Recall:
		return nil
	case s.Muted > now:
		return Refuse(Muted, "muted in this group")
	case s.Role >= Admin:
		return nil
	case s.Rules.Announce && k != React:
		return Refuse(Muted, "only the owner and administrators post in this group")
	}
	if wait := s.Spoke + int64(s.Rules.Slow)*1000 - now; s.Rules.Slow > 0 && wait > 0 && !k.Amends() {
		return &Refusal{Code: RateLimited, Words: "the group is slow: wait a moment", RetryAfter: time.Duration(wait) * time.Millisecond}
	}
	return nil
}

// mayWrite is MayPost between two people.
func (s Standing) mayWrite(k Kind) error {
	switch {
	case !s.Peer:
		return Refuse(NotFound, "no such person")
	case k == Recall:
		return nil
	case s.Blocked:
		return Refuse(Blocked, "this person does not take messages from you")
	case s.Blocking:
		return Refuse(Blocked, "you have blocked this person")
	case s.Only && !s.Contacts:
		return Refuse(NotContact, "only contacts may write to each other here")
	}
	return nil
}

// What a Change says.
const (
	Made     = "made"      // the group, with its first members
	Joined   = "joined"    // Who came in: by themselves, or the author added them
	Left     = "left"      // Who went, or the author removed them
	Renamed  = "renamed"   // the group is called Name
	Noticed  = "notice"    // its notice is Name
	Pictured = "picture"   // its picture is Name
	Promoted = "promoted"  // Who are administrators of the group
	Demoted  = "demoted"   // and no longer
	Handed   = "handed"    // the group to Who, one person
	Hushed   = "hushed"    // Who may not post until Until
	Heard    = "heard"     // Who may again
	Ruled    = "ruled"     // Rules are others
	Disabled = "disabled"  // by an administrator of the server
	Enabled  = "enabled"   // again
	Ended    = "dismissed" // for good
	Befriend = "contacts"  // two people are contacts now
)

// MayChange says why somebody with standing s may not make a change now (Unix
// milliseconds), or nil. seats are those of the people in c.Who; one that is
// missing is nobody's. Whether who joins by themselves has an invitation is for
// who made the change to see to. The error is a *Refusal.
func (s Standing) MayChange(conv ConvID, by UserID, c Change, seats map[UserID]Seat, now int64) error {
	if s.Going {
		return s.mayGo(conv, by, c, seats, now)
	}
	if !s.Able {
		return Refuse(Forbidden, "the account is disabled or gone")
	}
	if !conv.IsGroup() {
		if c.What != Befriend {
			return Refuse(Invalid, "not a change of a conversation of two")
		}
		return s.mayWrite(Event)
	}
	if !s.Exists {
		return Refuse(NotFound, "no such conversation")
	}
	if err := c.validate(now); err != nil {
		return err
	}
	if c.What == Made {
		return allow(s.In && s.Role == Owner)
	}
	self := len(c.Who) == 1 && c.Who[0] == by
	if s.State == Dismissed {
		if c.What == Left && self && s.In || c.What == Ended && s.Super { // who dismissed it otherwise says so
			return nil
		}
		return Refuse(Closed, "the group is closed")
	}
	switch c.What {
	case Disabled, Enabled:
		return allow(s.Super)
	case Ended:
		return allow(s.Super || s.In && s.Role == Owner)
	}
	switch {
	case c.What == Left && self && s.In:
		if s.Role == Owner && s.Members > 1 {
			return Refuse(Forbidden, "hand the group over, or dismiss it, before you leave")
		}
		return nil
	case s.State != InUse:
		return Refuse(Closed, "the group is closed")
	case c.What == Joined && self:
		switch {
		case s.In:
			return Refuse(Taken, "already in this group")
		case s.full(1):
			return Refuse(TooLong, "the group is full")
		case s.Removed:
			return Refuse(Forbidden, "removed from this group: an administrator of the group has to agree")
		}
		return nil
	case !s.In:
		return Refuse(Forbidden, "not a member of this group")
	}
	return s.mayRule(by, c, seats)
}

// full reports whether so many more are too many for the group.
func (s Standing) full(more int) bool {
	most := MaxMembers
	if s.Most > 0 {
		most = min(s.Most, most)
	}
	return s.Members+more > most
}

// MayCome says how somebody with standing s comes into a group by themselves: asks
// says that they are let in by its owner or an administrator only. link is the
// standing of who made a link that they have, nil where they have none. The error
// is a *Refusal.
func (s Standing) MayCome(link *Standing) (asks bool, err error) {
	switch {
	case !s.Able:
		return false, Refuse(Forbidden, "the account is disabled or gone")
	case !s.Exists:
		return false, Refuse(NotFound, "no such conversation")
	case s.State != InUse:
		return false, Refuse(Closed, "the group is closed")
	case s.In:
		return false, Refuse(Taken, "already in this group")
	case s.full(1):
		return false, Refuse(TooLong, "the group is full")
	case link == nil && s.Rules.Joining == JoinInvite:
		return false, Refuse(Forbidden, "this group is by invitation only")
	}
	decided := s.Rules.Joining != JoinApproval || link != nil && link.Role >= Admin
	return s.Removed || !decided, nil
}

// mayGo is MayChange of an account that is being deleted: whatever became of the
// group, it hands over or dismisses what it owns, and leaves.
func (s Standing) mayGo(conv ConvID, by UserID, c Change, seats map[UserID]Seat, now int64) error {
	if !conv.IsGroup() || !s.Exists || !s.In {
		return allow(false)
	}
	if err := c.validate(now); err != nil {
		return err
	}
	owns := s.Role == Owner
	switch c.What {
	case Left:
		return allow(len(c.Who) == 1 && c.Who[0] == by && (!owns || s.Members == 1 || s.State == Dismissed))
	case Handed:
		if owns && !seats[c.Who[0]].In {
			return Refuse(NotFound, "not a member of this group")
		}
		return allow(owns && c.Who[0] != by)
	}
	return allow(owns && c.What == Ended && s.State != Dismissed)
}

// mayRule is MayChange of a member about the group or about others.
func (s Standing) mayRule(by UserID, c Change, seats map[UserID]Seat) error {
	switch c.What {
	case Joined:
		if s.Role < Admin && s.Rules.Joining != JoinDirect {
			return allow(false)
		}
		if s.full(len(c.Who)) {
			return Refuse(TooLong, "the group is full")
		}
		for _, u := range c.Who {
			switch {
			case seats[u].In:
				return Refuse(Taken, "already in this group")
			case seats[u].Removed && s.Role < Admin:
				return Refuse(Forbidden, "one of the people was removed: only an administrator of the group adds them again")
			}
		}
		return nil
	case Left, Hushed, Heard, Promoted, Demoted, Handed:
		for _, u := range c.Who {
			switch {
			case !seats[u].In:
				return Refuse(NotFound, "not a member of this group")
			case u == by || seats[u].Role >= s.Role:
				return allow(false) // nobody rules their like
			}
		}
		if c.What == Left || c.What == Hushed || c.What == Heard {
			return allow(s.Role >= Admin)
		}
		return allow(s.Role == Owner)
	case Renamed, Noticed, Pictured, Ruled:
		return allow(s.Role >= Admin)
	}
	return Refuse(Invalid, "unknown change")
}

func allow(ok bool) error {
	if ok {
		return nil
	}
	return Refuse(Forbidden, "not yours to do in this group")
}

// named reports whether what c says is about people.
func (c Change) named() bool {
	return slices.Contains([]string{Joined, Left, Promoted, Demoted, Handed, Hushed, Heard}, c.What)
}

// validate says why nobody could make the change c, or nil.
func (c Change) validate(now int64) error {
	bad := func(words string) error { return Refuse(Invalid, words) }
	if n := len(c.Who); c.named() && (n == 0 || n > MaxChange) || c.What == Handed && n != 1 {
		return bad("the change is of 1 to 100 people")
	}
	for i, u := range c.Who {
		if !u.Valid() || slices.Contains(c.Who[:i], u) {
			return bad("the people of a change are others each")
		}
	}
	switch c.What {
	case Renamed:
		if c.Name == "" || utf8.RuneCountInString(c.Name) > MaxName {
			return bad("a group needs a name of at most 64 characters")
		}
	case Noticed:
		if !utf8.ValidString(c.Name) || utf8.RuneCountInString(c.Name) > MaxNotice {
			return bad("a notice has at most 500 characters")
		}
	case Pictured:
		if len(c.Name) > 255 || c.Name != "" && !SafeURL(c.Name) {
			return bad("the picture must be a path here")
		}
	case Hushed:
		if c.Until != Endless && (c.Until <= now || c.Until > now+maxMute.Milliseconds()) {
			return bad("a mute ends within a year, or never")
		}
	case Ruled:
		if c.Rules == nil {
			return bad("there are no rules")
		}
		return c.Rules.Validate()
	}
	return nil
}

// Apply returns the group and the seats, of those in c.Who and of by, that come of
// a change by by that MayChange allowed. Seats that it does not return stay.
func (g Group) Apply(by UserID, c Change, seats map[UserID]Seat) (Group, map[UserID]Seat) {
	out := map[UserID]Seat{}
	for _, u := range c.Who {
		s := seats[u]
		switch c.What {
		case Joined:
			s = Seat{In: true, Muted: s.Muted, Spoke: s.Spoke}
			g.Members++
		case Left:
			s = Seat{Muted: s.Muted, Spoke: s.Spoke, Removed: u != by}
			g.Members--
		case Promoted:
			s.Role = Admin
		case Demoted:
			s.Role = Plain
		case Handed:
			s.Role, s.Muted, g.Owner = Owner, 0, u
			old := seats[by]
			old.Role = Admin
			out[by] = old
		case Hushed:
			s.Muted = c.Until
		case Heard:
			s.Muted = 0
		default:
			continue
		}
		out[u] = s
	}
	switch c.What {
	case Renamed:
		g.Name = c.Name
	case Noticed:
		g.Notice = c.Name
	case Pictured:
		g.Avatar = c.Name
	case Ruled:
		g.Rules = *c.Rules
	case Disabled:
		g.State = Off
	case Enabled:
		g.State = InUse
	case Ended:
		g.State = Dismissed
	}
	return g, out
}
