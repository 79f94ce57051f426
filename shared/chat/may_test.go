package chat

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// codeOf is why, "" for nothing.
func codeOf(err error) Code {
	if err == nil {
		return ""
	}
	var r *Refusal
	if !errors.As(err, &r) {
		return "no refusal: " + Code(err.Error())
	}
	return r.Code
}

const day = int64(24 * time.Hour / time.Millisecond)

// Every kind of message with every relation of two people.
func TestWhoMayWriteToWhom(t *testing.T) {
	contacts := Bond{Contacts: true}
	rows := []struct {
		name                string
		s                   Standing
		text, react, recall Code
		befriend            Code
	}{
		{"strangers", Standing{Able: true, Peer: true}, "", "", "", ""},
		{"strangers where only contacts may", Standing{Able: true, Peer: true, Only: true}, NotContact, NotContact, "", NotContact},
		{"contacts where only contacts may", Standing{Able: true, Peer: true, Only: true, Bond: contacts}, "", "", "", ""},
		{"who is blocked", Standing{Able: true, Peer: true, Bond: Bond{Blocked: true, Contacts: true}}, Blocked, Blocked, "", Blocked},
		{"who has blocked", Standing{Able: true, Peer: true, Bond: Bond{Blocking: true}}, Blocked, Blocked, "", Blocked},
		{"both have", Standing{Able: true, Peer: true, Bond: Bond{Blocked: true, Blocking: true}}, Blocked, Blocked, "", Blocked},
		{"to nobody", Standing{Able: true}, NotFound, NotFound, NotFound, NotFound},
		{"by a disabled account", Standing{Peer: true, Bond: contacts}, Forbidden, Forbidden, Forbidden, Forbidden},
	}
	conv := Direct("U1", "U2")
	for _, r := range rows {
		for k, want := range map[Kind]Code{Text: r.text, FileK: r.text, CallK: r.text, Edit: r.text, React: r.react, Recall: r.recall} {
			if got := codeOf(r.s.MayPost(conv, k, 1)); got != want {
				t.Errorf("%s, %s: %q, want %q", r.name, k, got, want)
			}
		}
		if got := codeOf(r.s.MayChange(conv, "U1", Change{What: Befriend}, nil, 1)); got != r.befriend {
			t.Errorf("%s, to be contacts: %q, want %q", r.name, got, r.befriend)
		}
		if got := codeOf(r.s.MayChange(conv, "U1", Change{What: Renamed, Name: "x"}, nil, 1)); r.s.Able && got != Invalid {
			t.Errorf("%s, a change of groups: %q", r.name, got)
		}
	}
}

// who are the people of the table of groups, by what they are in it.
var who = map[string]Standing{
	"stranger":      {Able: true},
	"member":        {Able: true, Seat: Seat{In: true}},
	"muted":         {Able: true, Seat: Seat{In: true, Muted: Endless}},
	"heard again":   {Able: true, Seat: Seat{In: true, Muted: day - 1}},
	"admin":         {Able: true, Seat: Seat{In: true, Role: Admin}},
	"owner":         {Able: true, Seat: Seat{In: true, Role: Owner}},
	"disabled":      {Seat: Seat{In: true, Role: Owner}},
	"administrator": {Able: true, Super: true},
	"removed":       {Able: true, Seat: Seat{Removed: true}},
	"left muted":    {Able: true, Seat: Seat{Muted: Endless}},
	"going":         {Going: true, Seat: Seat{In: true, Role: Owner}},
	// Administering the server gives no voice in a group that one is in.
	"administrator in it":    {Able: true, Super: true, Seat: Seat{In: true}},
	"administrator muted":    {Able: true, Super: true, Seat: Seat{In: true, Muted: Endless}},
	"administrator disabled": {Super: true, Seat: Seat{In: true}},
}

func TestWhoMayPostInGroups(t *testing.T) {
	groups := map[string]struct {
		state GroupState
		rules Rules
	}{
		"plain":     {InUse, Rules{Joining: JoinDirect}},
		"announce":  {InUse, Rules{Joining: JoinDirect, Announce: true}},
		"invite":    {InUse, Rules{Joining: JoinInvite}},
		"approval":  {InUse, Rules{Joining: JoinApproval}},
		"disabled":  {Off, Rules{}},
		"dismissed": {Dismissed, Rules{}},
		"gone":      {Dismissed, Rules{Joining: JoinInvite}},
	}
	// By person, group and kind; what is missing is allowed.
	refused := func(person, group string, k Kind) Code {
		switch {
		case person == "disabled", person == "going", person == "administrator disabled":
			return Forbidden
		case (group == "invite" || group == "gone") && (person == "stranger" || person == "removed" || person == "left muted"):
			return NotFound // it is not there for strangers
		case person == "stranger", person == "administrator", person == "removed", person == "left muted":
			return Forbidden
		case group == "disabled", group == "dismissed", group == "gone":
			return Closed
		case k == Recall:
			return ""
		case person == "muted", person == "administrator muted":
			return Muted
		case group == "announce" && k != React && (person == "member" || person == "heard again" || person == "administrator in it"):
			return Muted
		}
		return ""
	}
	for person, s := range who {
		for group, g := range groups {
			s.Exists, s.State, s.Rules, s.Members = true, g.state, g.rules, 3
			for _, k := range []Kind{Text, FileK, CallK, Edit, React, Recall} {
				if got, want := codeOf(s.MayPost("G1", k, day)), refused(person, group, k); got != want {
					t.Errorf("%s in a %s group, %s: %q, want %q", person, group, k, got, want)
				}
			}
		}
		if got := codeOf(who[person].MayPost("G2", Text, day)); s.Able && got != NotFound {
			t.Errorf("%s in no group: %q", person, got)
		}
	}
}

// Every change by everybody, of everybody.
func TestWhoMayChangeGroups(t *testing.T) {
	seats := map[UserID]Seat{
		"Umember": {In: true}, "Uadmin": {In: true, Role: Admin}, "Uowner": {In: true, Role: Owner}, "Uself": {},
		"Uremoved": {Removed: true}, "Umuted": {Muted: Endless},
	}
	by := func(c Change, who ...UserID) Change { c.Who = who; return c }
	hush := Change{What: Hushed, Until: Endless}
	rules := &Rules{Joining: JoinApproval, Slow: 10}
	rows := []struct {
		name string
		c    Change
		// stranger (also one who was removed, or left while muted), member, admin,
		// owner, administrator of the server
		want [5]Code
	}{
		{"rename", Change{What: Renamed, Name: "x"}, [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"notice", Change{What: Noticed, Name: ""}, [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"picture", Change{What: Pictured, Name: "/files/x"}, [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"rules", Change{What: Ruled, Rules: rules}, [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"add", by(Change{What: Joined}, "Unew"), [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"add who was removed", by(Change{What: Joined}, "Uremoved"), [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"add who left muted", by(Change{What: Joined}, "Umuted"), [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"add who is in", by(Change{What: Joined}, "Umember"), [5]Code{Forbidden, Forbidden, Taken, Taken, Forbidden}},
		{"remove a member", by(Change{What: Left}, "Umember"), [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"remove an admin", by(Change{What: Left}, "Uadmin"), [5]Code{Forbidden, Forbidden, Forbidden, "", Forbidden}},
		{"remove the owner", by(Change{What: Left}, "Uowner"), [5]Code{Forbidden, Forbidden, Forbidden, Forbidden, Forbidden}},
		{"remove nobody", by(Change{What: Left}, "Unew"), [5]Code{Forbidden, NotFound, NotFound, NotFound, Forbidden}},
		{"mute a member", by(hush, "Umember"), [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"mute an admin", by(hush, "Uadmin"), [5]Code{Forbidden, Forbidden, Forbidden, "", Forbidden}},
		{"mute who is not in it", by(hush, "Uremoved"), [5]Code{Forbidden, NotFound, NotFound, NotFound, Forbidden}},
		{"mute the owner", by(hush, "Uowner"), [5]Code{Forbidden, Forbidden, Forbidden, Forbidden, Forbidden}},
		{"let speak", by(Change{What: Heard}, "Umember"), [5]Code{Forbidden, Forbidden, "", "", Forbidden}},
		{"promote", by(Change{What: Promoted}, "Umember"), [5]Code{Forbidden, Forbidden, Forbidden, "", Forbidden}},
		{"demote", by(Change{What: Demoted}, "Uadmin"), [5]Code{Forbidden, Forbidden, Forbidden, "", Forbidden}},
		{"hand over", by(Change{What: Handed}, "Umember"), [5]Code{Forbidden, Forbidden, Forbidden, "", Forbidden}},
		{"dismiss", Change{What: Ended}, [5]Code{Forbidden, Forbidden, Forbidden, "", ""}},
		{"disable", Change{What: Disabled}, [5]Code{Forbidden, Forbidden, Forbidden, Forbidden, ""}},
		{"enable", Change{What: Enabled}, [5]Code{Forbidden, Forbidden, Forbidden, Forbidden, ""}},
		{"make again", Change{What: Made}, [5]Code{Forbidden, Forbidden, Forbidden, "", Forbidden}},
		{"nonsense", Change{What: "riot"}, [5]Code{Forbidden, Invalid, Invalid, Invalid, Forbidden}},
	}
	// Of a group that people come into by themselves, members add people.
	direct := map[string]Code{"add": "", "add who was removed": Forbidden, "add who left muted": "", "add who is in": Taken}
	people := []struct {
		name string
		id   UserID
		s    Standing
		as   int // in want
	}{
		{"stranger", "Uself", who["stranger"], 0}, {"member", "Um2", who["member"], 1}, {"admin", "Ua2", who["admin"], 2},
		{"owner", "Uowner", who["owner"], 3}, {"administrator", "Uroot", who["administrator"], 4},
		{"removed one", "Uself", who["removed"], 0}, {"one who left muted", "Uself", who["left muted"], 0},
	}
	wanted := func(joining Joining, name string, want [5]Code, as int) Code {
		if code, other := direct[name]; other && joining == JoinDirect && as == 1 {
			return code
		}
		return want[as]
	}
	for _, r := range rows {
		for _, p := range people {
			s := p.s
			s.Exists, s.Members = true, 5
			for _, joining := range []Joining{JoinDirect, JoinApproval, JoinInvite} {
				s.Rules.Joining = joining
				if got, want := codeOf(s.MayChange("G1", p.id, r.c, seats, day)), wanted(joining, r.name, r.want, p.as); got != want {
					t.Errorf("%s by a %s in a group by %s: %q, want %q", r.name, p.name, joining, got, want)
				}
			}
			s.State = Dismissed
			leaves := r.c.What == Left && r.c.Who[0] == p.id // that stays possible
			if got := codeOf(s.MayChange("G1", p.id, r.c, seats, day)); r.c.What != Made && got != Closed && !leaves && !(r.c.What == Ended && p.s.Super) {
				t.Errorf("%s by a %s in a dismissed group: %q", r.name, p.name, got)
			}
			s.State = Off
			if got := codeOf(s.MayChange("G1", p.id, r.c, seats, day)); got == "" && r.c.What != Made && r.c.What != Ended && r.c.What != Enabled && r.c.What != Disabled {
				t.Errorf("%s by a %s in a disabled group", r.name, p.name)
			}
			s.Able = false
			if got := codeOf(s.MayChange("G1", p.id, r.c, seats, day)); got != Forbidden {
				t.Errorf("%s by a disabled %s: %q", r.name, p.name, got)
			}
		}
	}
}

func TestSlowGroupsSayHowLong(t *testing.T) {
	s := Standing{Able: true, Exists: true, Rules: Rules{Slow: 10}, Seat: Seat{In: true, Spoke: day}}
	var r *Refusal
	if err := s.MayPost("G1", Text, day+4000); !errors.As(err, &r) || r.Code != RateLimited || r.RetryAfter != 6*time.Second {
		t.Errorf("after 4 of 10 seconds: %v", err)
	}
	if err := s.MayPost("G1", Text, day+10_000); err != nil {
		t.Errorf("after 10: %v", err)
	}
	s.Role = Admin
	if err := s.MayPost("G1", Text, day+1); err != nil {
		t.Errorf("an administrator of the group: %v", err)
	}
}

func TestChangesThatCanNotBe(t *testing.T) {
	var many []UserID
	for i := range MaxChange + 1 {
		many = append(many, UserID(fmt.Sprint("U", i)))
	}
	s := Standing{Able: true, Exists: true, Seat: Seat{In: true, Role: Owner}}
	for _, c := range []Change{
		{What: Joined}, {What: Joined, Who: many}, {What: Joined, Who: []UserID{"U1", "U1"}}, {What: Joined, Who: []UserID{"G1"}},
		{What: Handed, Who: []UserID{"U1", "U2"}}, {What: Renamed}, {What: Renamed, Name: string(make([]rune, MaxName+1))},
		{What: Noticed, Name: "\xff"}, {What: Pictured, Name: "javascript:alert(1)"}, {What: Ruled}, {What: Ruled, Rules: &Rules{Joining: "so"}},
		{What: Ruled, Rules: &Rules{Joining: JoinInvite, Slow: MaxSlow + 1}}, {What: Hushed, Who: []UserID{"U1"}}, {What: Hushed, Who: []UserID{"U1"}, Until: day + 400*day},
	} {
		if got := codeOf(s.MayChange("G1", "U9", c, nil, day)); got != Invalid {
			t.Errorf("%.60s: %q", fmt.Sprintf("%+v", c), got)
		}
	}
}
