package roomtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"kamachat/shared/chat"
)

func change(u chat.UserID, ref string, c chat.Change) chat.Draft {
	return chat.Draft{Conv: "Ga", Author: u, Ref: ref, Content: chat.Content{Kind: chat.Event, Event: &c}}
}

// changesGroups: changes are entries, in one with what they change, and what is
// behind them in the same batch finds it changed.
func changesGroups(t *testing.T, s Base) {
	must(t, s.AddUser(t.Context(), chat.Person{ID: "Us", Username: "us", Admin: true}, "", 1))
	steps := []struct {
		d    chat.Draft
		want chat.Code
	}{
		{change("Ub", "a1", chat.Change{What: chat.Renamed, Name: "mine"}), chat.Forbidden},
		{change("Ua", "a2", chat.Change{What: chat.Promoted, Who: []chat.UserID{"Ub"}}), ""},
		{change("Ub", "a3", chat.Change{What: chat.Renamed, Name: "Climbers"}), ""},
		{change("Ub", "a4", chat.Change{What: chat.Left, Who: []chat.UserID{"Ua"}}), chat.Forbidden},
		{change("Ub", "a5", chat.Change{What: chat.Joined, Who: []chat.UserID{"Ud"}}), ""},
		{says("Ud", "Ga", "a6"), ""},
		// Disabled by the server's administrator, it takes nothing but being enabled.
		{change("Ua", "a61", chat.Change{What: chat.Disabled}), chat.Forbidden},
		{change("Us", "a62", chat.Change{What: chat.Disabled}), ""},
		{says("Ua", "Ga", "a63"), chat.Closed},
		{change("Ua", "a64", chat.Change{What: chat.Renamed, Name: "x"}), chat.Closed},
		{change("Ua", "a65", chat.Change{What: chat.Enabled}), chat.Forbidden},
		{change("Us", "a66", chat.Change{What: chat.Enabled}), ""},
		{says("Ua", "Ga", "a67"), ""},
		{change("Ub", "a7", chat.Change{What: chat.Joined, Who: []chat.UserID{"Ud"}}), chat.Taken},
		{change("Ub", "a8", chat.Change{What: chat.Hushed, Who: []chat.UserID{"Uc"}, Until: chat.Endless}), ""},
		{says("Uc", "Ga", "a9"), chat.Muted},
		{change("Ub", "b1", chat.Change{What: chat.Heard, Who: []chat.UserID{"Uc"}}), ""},
		{says("Uc", "Ga", "b2"), ""},
		{change("Ub", "b3", chat.Change{What: chat.Left, Who: []chat.UserID{"Uc"}}), ""},
		{says("Uc", "Ga", "b4"), chat.NotFound},
		{change("Ub", "b5", chat.Change{What: chat.Ruled, Rules: &chat.Rules{Joining: chat.JoinDirect, Announce: true}}), ""},
		{says("Ud", "Ga", "b6"), chat.Muted},
		{change("Ud", "b7", chat.Change{What: chat.Joined, Who: []chat.UserID{"Uc"}}), chat.Forbidden},
		{change("Uc", "b71", chat.Change{What: chat.Joined, Who: []chat.UserID{"Uc"}}), chat.Forbidden},
		{change("Ub", "b72", chat.Change{What: chat.Joined, Who: []chat.UserID{"Uc"}}), ""},
		{change("Ua", "b8", chat.Change{What: chat.Handed, Who: []chat.UserID{"Ub"}}), ""},
		{change("Ua", "b9", chat.Change{What: chat.Ended}), chat.Forbidden},
		{change("Ua", "c1", chat.Change{What: chat.Left, Who: []chat.UserID{"Ua"}}), ""},
		{change("Ub", "c2", chat.Change{What: chat.Noticed, Name: "Sunday 🥾"}), ""},
		{change("Uc", "c3", chat.Change{What: "riot"}), chat.Invalid},
	}
	check := func(rs []chat.Receipt, from int) {
		t.Helper()
		for i, r := range rs {
			if want := steps[from+i].want; want == "" && r.Err != nil || want != "" && !errors.Is(r.Err, &chat.Refusal{Code: want}) {
				t.Errorf("%s: %v, want %q", steps[from+i].d.Ref, r.Err, want)
			}
		}
	}
	// In batches of all lengths: 1, 2, 3, …
	for from, n := 0, 1; from < len(steps); from, n = from+n, n+1 {
		n = min(n, len(steps)-from)
		var ds []chat.Draft
		for _, st := range steps[from : from+n] {
			ds = append(ds, st.d)
		}
		rs, err := s.Append(t.Context(), ds)
		must(t, err)
		check(rs, from)
	}
	l, err := s.Laws(t.Context(), "Ga")
	must(t, err)
	want := chat.Group{
		Conv: "Ga", Name: "Climbers", Notice: "Sunday 🥾", Owner: "Ub", Members: 3,
		Rules: chat.Rules{Joining: chat.JoinDirect, Announce: true},
	}
	if l.Group == nil || *l.Group != want {
		t.Errorf("the group is %+v, want %+v", l.Group, want)
	}
	if got := fmt.Sprint(l.Seats); got != fmt.Sprint(map[chat.UserID]chat.Seat{"Ub": {In: true, Role: chat.Owner}}) {
		t.Errorf("the seats are %s", got)
	}
	ms, err := s.Members(t.Context(), "Ga")
	must(t, err)
	var us []chat.UserID
	for _, m := range ms {
		us = append(us, m.User)
	}
	if slices.Sort(us); !slices.Equal(us, []chat.UserID{"Ub", "Uc", "Ud"}) {
		t.Errorf("the members are %v", us)
	}
	sum, err := s.Summary(t.Context(), "Ga")
	must(t, err)
	if sum.Title != "Climbers" || sum.Members != 3 {
		t.Errorf("its line says %q, %d members", sum.Title, sum.Members)
	}
	ss, err := s.Summaries(t.Context(), "Uc", 10)
	must(t, err)
	if len(ss) != 1 || ss[0].Unread != 4 {
		t.Errorf("who comes back finds %+v: what was before is not news", ss)
	}
	// Ended, nobody posts, and nobody changes it.
	rs, err := s.Append(t.Context(), []chat.Draft{change("Ub", "d1", chat.Change{What: chat.Ended}), says("Ub", "Ga", "d2"), change("Ub", "d3", chat.Change{What: chat.Renamed, Name: "x"})})
	must(t, err)
	if rs[0].Err != nil || !errors.Is(rs[1].Err, &chat.Refusal{Code: chat.Closed}) || !errors.Is(rs[2].Err, &chat.Refusal{Code: chat.Closed}) {
		t.Errorf("ended: %v, %v, %v", rs[0].Err, rs[1].Err, rs[2].Err)
	}
}

// keepsMutes: who is muted is so still after leaving and coming back.
func keepsMutes(t *testing.T, s Base) {
	store(t, s, change("Ua", "1", chat.Change{What: chat.Hushed, Who: []chat.UserID{"Ub"}, Until: chat.Endless}))
	store(t, s, change("Ub", "2", chat.Change{What: chat.Left, Who: []chat.UserID{"Ub"}}))
	l, err := s.Laws(t.Context(), "Ga")
	must(t, err)
	if _, there := l.Seats["Ub"]; there {
		t.Errorf("who left has a seat: %+v", l.Seats)
	}
	store(t, s, change("Ub", "3", chat.Change{What: chat.Joined, Who: []chat.UserID{"Ub"}}))
	rs, err := s.Append(t.Context(), []chat.Draft{says("Ub", "Ga", "4")})
	must(t, err)
	if !errors.Is(rs[0].Err, &chat.Refusal{Code: chat.Muted}) {
		t.Errorf("who came back is answered %v", rs[0].Err)
	}
	if l, err = s.Laws(t.Context(), "Ga"); err != nil || l.Seats["Ub"] != (chat.Seat{In: true, Muted: chat.Endless}) {
		t.Errorf("the seats are %+v, %v", l.Seats, err)
	}
}

// letsGo: whose account is deleted hands over what they own and leaves, and does
// nothing else.
func letsGo(t *testing.T, s Base) {
	must(t, s.AddUser(t.Context(), chat.Person{ID: "Ugone", Username: "gone"}, "", 1))
	must(t, s.CreateGroup(t.Context(), "Gg", "theirs", "Ugone", []chat.UserID{"Ugone", "Ub"}, 1))
	by := func(super bool, ref, what string, who ...chat.UserID) chat.Draft {
		d := change("Ugone", ref, chat.Change{What: what, Who: who, Name: "x"})
		d.Conv, d.Super = "Gg", super
		return d
	}
	want := []chat.Code{chat.Forbidden, chat.Forbidden, chat.Forbidden, chat.Forbidden, "", "", chat.Forbidden}
	rs, err := s.Append(t.Context(), []chat.Draft{
		by(false, "1", chat.Left, "Ugone"), by(true, "2", chat.Renamed), by(true, "3", chat.Left, "Ub"), by(true, "4", chat.Left, "Ugone"),
		by(true, "5", chat.Handed, "Ub"), by(true, "6", chat.Left, "Ugone"), by(true, "7", chat.Left, "Ugone"),
	})
	must(t, err)
	for i, w := range want {
		if got := rs[i].Err; w == "" && got != nil || w != "" && !errors.Is(got, &chat.Refusal{Code: w}) {
			t.Errorf("draft %d: %v, want %q", i+1, got, w)
		}
	}
	l, err := s.Laws(t.Context(), "Gg")
	must(t, err)
	if l.Group.Owner != "Ub" || l.Group.Members != 1 || l.Seats["Ub"].Role != chat.Owner {
		t.Errorf("it is left as %+v with %+v", l.Group, l.Seats)
	}
}

// slowsGroups: a member of a slow group waits between two posts, and is told how long.
func slowsGroups(t *testing.T, s Base) {
	store(t, s, change("Ua", "1", chat.Change{What: chat.Ruled, Rules: &chat.Rules{Joining: chat.JoinInvite, Slow: 3600}}))
	store(t, s, says("Ub", "Ga", "2"), says("Ua", "Ga", "3"), says("Ua", "Ga", "4"), says("Uc", "Ga", "5"))
	rs, err := s.Append(t.Context(), []chat.Draft{says("Ub", "Ga", "6"), about("Ub", "Ga", "7", react(2, "👍")), says("Ub", "Ga", "2")})
	must(t, err)
	r := chat.AsRefusal(rs[0].Err)
	if rs[0].Err == nil || r.Code != chat.RateLimited || r.RetryAfter <= 0 {
		t.Errorf("a second post at once: %v", rs[0].Err)
	}
	if rs[1].Err != nil || rs[2].Err != nil || !rs[2].Again {
		t.Errorf("a reaction: %v; the first post again: %+v", rs[1].Err, rs[2])
	}
}
