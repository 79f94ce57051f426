package chat

import "testing"

func TestWhoMayComeAndGo(t *testing.T) {
	in := func(r Role, members int) Standing {
		return Standing{Able: true, Exists: true, Members: members, Rules: Rules{Joining: JoinInvite}, Seat: Seat{In: true, Role: r}}
	}
	out := func(members int) Standing { return Standing{Able: true, Exists: true, Members: members} }
	few := func(s Standing, most int) Standing { s.Most = most; return s }
	seated := func(s Standing, seat Seat) Standing { s.Seat = seat; return s }
	join, leave := Change{What: Joined, Who: []UserID{"U1"}}, Change{What: Left, Who: []UserID{"U1"}}
	rows := map[string]struct {
		s    Standing
		c    Change
		want Code
	}{
		"joins":                             {out(3), join, ""},
		"joins a full one":                  {out(MaxMembers), join, TooLong},
		"joins one that is full here":       {few(out(3), 3), join, TooLong},
		"joins the last place":              {few(out(2), 3), join, ""},
		"joins what is larger than allowed": {few(out(9), 3), join, TooLong},
		"joins where nobody bounds it more": {few(out(MaxMembers), MaxMembers+1), join, TooLong},
		"joins again":                       {in(Plain, 3), join, Taken},
		"joins after being removed":         {seated(out(3), Seat{Removed: true}), join, Forbidden},
		"joins after leaving muted":         {seated(out(3), Seat{Muted: Endless}), join, ""},
		"leaves":                            {in(Plain, 3), leave, ""},
		"leaves as an administrator":        {in(Admin, 3), leave, ""},
		"leaves as the owner":               {in(Owner, 3), leave, Forbidden},
		"leaves as the owner, alone":        {in(Owner, 1), leave, ""},
		"leaves from outside":               {out(3), leave, Forbidden},
	}
	for name, r := range rows {
		seats := map[UserID]Seat{"U1": r.s.Seat}
		if got := codeOf(r.s.MayChange("G1", "U1", r.c, seats, day)); got != r.want {
			t.Errorf("%s: %q, want %q", name, got, r.want)
		}
	}
	// Where members add members.
	s := in(Plain, MaxMembers-1)
	s.Rules.Joining = JoinDirect
	add := Change{What: Joined, Who: []UserID{"U2"}}
	if err := s.MayChange("G1", "U1", add, nil, day); err != nil {
		t.Errorf("a member adds one: %v", err)
	}
	two := Change{What: Joined, Who: []UserID{"U2", "U3"}}
	if got := codeOf(s.MayChange("G1", "U1", two, nil, day)); got != TooLong {
		t.Errorf("one too many: %q", got)
	}
	if got := codeOf(few(in(Admin, 3), 4).MayChange("G1", "U1", two, nil, day)); got != TooLong {
		t.Errorf("one more than is allowed here: %q", got)
	}
	removed := map[UserID]Seat{"U2": {Removed: true}}
	if got := codeOf(s.MayChange("G1", "U1", add, removed, day)); got != Forbidden {
		t.Errorf("a member brings back who was removed: %q", got)
	}
	if s.Role = Admin; s.MayChange("G1", "U1", add, removed, day) != nil {
		t.Error("an administrator can't bring back who was removed")
	}
}

// Every way into a group with everybody who is not in it: in at once, by asking, or not at all.
func TestHowOneComesIntoAGroup(t *testing.T) {
	const at, asks, no = "in", "asks", string(Forbidden)
	type ways [3]string // direct, approval, invite
	joinings := [3]Joining{JoinDirect, JoinApproval, JoinInvite}
	link := func(r Role) *Standing { return &Standing{Able: true, Exists: true, Seat: Seat{In: true, Role: r}} }
	rows := []struct {
		person   string
		link     *Standing // of who made it; nil: without one
		want     ways
		wantWith string
	}{
		{"stranger", nil, ways{at, asks, no}, "no link"},
		{"stranger", link(Plain), ways{at, asks, at}, "a member's link"},
		{"stranger", link(Admin), ways{at, at, at}, "an administrator's link"},
		{"administrator", nil, ways{at, asks, no}, "no link"},
		{"left muted", nil, ways{at, asks, no}, "no link"},
		{"left muted", link(Owner), ways{at, at, at}, "the owner's link"},
		{"removed", nil, ways{asks, asks, no}, "no link"},
		{"removed", link(Plain), ways{asks, asks, asks}, "a member's link"},
		{"removed", link(Owner), ways{asks, asks, asks}, "the owner's link"},
		{"member", nil, ways{string(Taken), string(Taken), string(Taken)}, "no link"},
		{"muted", link(Owner), ways{string(Taken), string(Taken), string(Taken)}, "the owner's link"},
		{"disabled", link(Owner), ways{no, no, no}, "the owner's link"},
		{"going", link(Owner), ways{no, no, no}, "the owner's link"},
	}
	for _, r := range rows {
		for i, j := range joinings {
			s := who[r.person]
			s.Exists, s.Members, s.Rules = true, 3, Rules{Joining: j}
			a, err := s.MayCome(r.link)
			got := string(codeOf(err))
			if err == nil {
				got = map[bool]string{false: at, true: asks}[a]
			}
			if got != r.want[i] {
				t.Errorf("%s with %s into a group that is %s: %s, want %s", r.person, r.wantWith, j, got, r.want[i])
			}
			for name, c := range map[string]struct {
				change func(*Standing)
				want   Code
			}{
				"a closed one": {func(s *Standing) { s.State = Off }, Closed},
				"a full one":   {func(s *Standing) { s.Most = 3 }, TooLong},
				"none":         {func(s *Standing) { s.Exists = false }, NotFound},
			} {
				x := s
				c.change(&x)
				if _, err := x.MayCome(r.link); err == nil || x.Able && !x.In && codeOf(err) != c.want {
					t.Errorf("%s with %s into %s: %v, want %s", r.person, r.wantWith, name, err, c.want)
				}
			}
		}
	}
}

// What a change leaves of those who go, and what those find who come back.
func TestLeavingLiftsNoMute(t *testing.T) {
	one := func(what string) Change { return Change{What: what, Who: []UserID{"U1"}} }
	rows := map[string]struct {
		by   UserID
		c    Change
		was  Seat
		want Seat
	}{
		"who is muted leaves":       {"U1", one(Left), Seat{In: true, Muted: 7, Spoke: 3}, Seat{Muted: 7, Spoke: 3}},
		"and comes back":            {"U1", one(Joined), Seat{Muted: 7, Spoke: 3}, Seat{In: true, Muted: 7, Spoke: 3}},
		"or is added":               {"U2", one(Joined), Seat{Muted: 7}, Seat{In: true, Muted: 7}},
		"an administrator leaves":   {"U1", one(Left), Seat{In: true, Role: Admin}, Seat{}},
		"one is removed":            {"U2", one(Left), Seat{In: true, Role: Admin, Muted: 7}, Seat{Muted: 7, Removed: true}},
		"and added again":           {"U2", one(Joined), Seat{Muted: 7, Removed: true}, Seat{In: true, Muted: 7}},
		"one who is let speak, too": {"U2", one(Heard), Seat{In: true, Muted: 7}, Seat{In: true}},
	}
	for name, r := range rows {
		if _, got := (Group{}).Apply(r.by, r.c, map[UserID]Seat{"U1": r.was}); got["U1"] != r.want {
			t.Errorf("%s: %+v, want %+v", name, got["U1"], r.want)
		}
	}
}

// An account that is deleted goes from its groups, and does nothing else in them.
func TestWhoIsGoingGoesAndNoMore(t *testing.T) {
	seats := map[UserID]Seat{"Ume": {In: true, Role: Owner}, "U1": {In: true}, "U2": {}}
	one := func(what string, u UserID) Change { return Change{What: what, Who: []UserID{u}} }
	type want [3]Code // of a plain member, the owner, the owner who is alone
	rows := map[string]struct {
		c Change
		want
	}{
		"leaves":             {one(Left, "Ume"), want{"", Forbidden, ""}},
		"hands over":         {one(Handed, "U1"), want{Forbidden, "", ""}},
		"to who is not in":   {one(Handed, "U2"), want{Forbidden, NotFound, NotFound}},
		"to themselves":      {one(Handed, "Ume"), want{Forbidden, Forbidden, Forbidden}},
		"dismisses":          {Change{What: Ended}, want{Forbidden, "", ""}},
		"removes":            {one(Left, "U1"), want{Forbidden, Forbidden, Forbidden}},
		"adds":               {one(Joined, "U2"), want{Forbidden, Forbidden, Forbidden}},
		"joins":              {one(Joined, "Ume"), want{Forbidden, Forbidden, Forbidden}},
		"renames":            {Change{What: Renamed, Name: "x"}, want{Forbidden, Forbidden, Forbidden}},
		"makes":              {Change{What: Made}, want{Forbidden, Forbidden, Forbidden}},
		"says something odd": {Change{What: Handed}, want{Invalid, Invalid, Invalid}},
	}
	for name, r := range rows {
		for i, seat := range [3]Seat{{In: true}, {In: true, Role: Owner}, {In: true, Role: Owner}} {
			for _, state := range []GroupState{InUse, Off, Dismissed} {
				s := Standing{Going: true, Exists: true, State: state, Members: 3, Seat: seat}
				if i == 2 {
					s.Members = 1
				}
				want := r.want[i]
				if state == Dismissed && r.c.What == Left && r.c.Who[0] == "Ume" {
					want = "" // nobody is left to hand it to
				}
				if state == Dismissed && r.c.What == Ended {
					want = Forbidden // it is
				}
				if got := codeOf(s.MayChange("G1", "Ume", r.c, seats, day)); got != want {
					t.Errorf("%s, %d in state %d: %q, want %q", name, i, state, got, want)
				}
			}
		}
	}
	if err := (Standing{Going: true, Exists: true}).MayChange("G1", "Ume", one(Left, "Ume"), nil, day); codeOf(err) != Forbidden {
		t.Errorf("who is gone goes again: %v", err)
	}
	if err := (Standing{Going: true, Peer: true}).MayChange(Direct("Ume", "U1"), "Ume", Change{What: Befriend}, nil, day); codeOf(err) != Forbidden {
		t.Errorf("who goes befriends: %v", err)
	}
}
