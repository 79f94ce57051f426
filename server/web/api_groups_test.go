package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// A club is a house with a group in which everybody has another part.
type club struct {
	*house
	people map[string]chat.Person // by their part
	tokens map[string]string
}

// parts are who there is, and what somebody of each kind does in the group: "removed"
// was, and "leftmuted" left it while muted. Beside them are the targets of what is
// done: "plain", "second" (an administrator), "applicant", and "banned", who was
// removed as well.
var parts = []string{"nobody", "stranger", "member", "muted", "admin", "owner", "super", "removed", "leftmuted", "disabled"}

func newClub(t *testing.T) *club { return newClubOf(t, withRealHub) }

func newClubOf(t *testing.T, change func(*house, *Config)) *club {
	c := &club{house: openHouse(t, change), people: map[string]chat.Person{}, tokens: map[string]string{"nobody": ""}}
	for _, part := range append([]string{"plain", "second", "applicant", "banned"}, parts[1:]...) {
		p, err := c.accounts.Register(t.Context(), part, "password1", "")
		if err != nil {
			t.Fatal(err)
		}
		c.people[part], c.tokens[part] = p, c.token(p)
	}
	if err := c.db.SetAdmin(t.Context(), chat.Deed{What: chat.ActMakeAdmin, By: c.people["super"].ID}, c.people["super"].ID, true); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *club) id(part string) chat.UserID { return c.people[part].ID }

// group makes a group in which everybody has their part.
func (c *club) group(joining chat.Joining) chat.ConvID {
	c.t.Helper()
	ctx := c.t.Context()
	owner := c.people["owner"]
	conv, err := c.accounts.MakeGroup(ctx, owner.ID, account.NewGroup{
		Name: "Walk", Joining: joining, Members: []chat.UserID{c.id("member"), c.id("muted"), c.id("admin"), c.id("disabled"), c.id("plain"), c.id("second"), c.id("removed"), c.id("leftmuted"), c.id("banned")},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, ch := range []chat.Change{
		{What: chat.Promoted, Who: []chat.UserID{c.id("admin"), c.id("second")}},
		{What: chat.Hushed, Who: []chat.UserID{c.id("muted"), c.id("leftmuted")}, Until: chat.Endless},
		{What: chat.Left, Who: []chat.UserID{c.id("removed"), c.id("banned")}},
	} {
		if _, err := c.accounts.ChangeGroup(ctx, owner, conv, ch, ""); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.accounts.LeaveGroup(ctx, c.people["leftmuted"], conv); err != nil {
		c.t.Fatal(err)
	}
	return conv
}

// A telling is what the store says of a group.
type telling struct {
	Group    chat.Group
	Seats    map[string]chat.Seat // by part, also of those who were there
	Requests map[string]chat.JoinState
	Links    map[string]int // uses by code
	Log      int64
}

func (c *club) told(conv chat.ConvID) telling {
	c.t.Helper()
	ctx := context.Background()
	g, err := c.db.Group(ctx, conv)
	if err != nil {
		c.t.Fatal(err)
	}
	out := telling{Group: g, Seats: map[string]chat.Seat{}, Requests: map[string]chat.JoinState{}, Links: map[string]int{}}
	for part, p := range c.people {
		seats, err := c.db.SeatsOf(ctx, conv, p.ID)
		if err != nil {
			c.t.Fatal(err)
		}
		if s, in := seats[p.ID]; in {
			s.Spoke = 0
			out.Seats[part] = s
		}
		if j, err := c.db.JoinRequest(ctx, conv, p.ID); err == nil {
			out.Requests[part] = j.State
		}
	}
	links, err := c.db.GroupInvites(ctx, conv)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, l := range links {
		out.Links[l.Code] = l.Uses
	}
	s, err := c.db.Summary(ctx, conv)
	if err != nil {
		c.t.Fatal(err)
	}
	out.Log = s.LastSeq
	in := 0
	for _, s := range out.Seats {
		if s.In {
			in++
		}
	}
	if in != g.Members {
		c.t.Errorf("%d are in a group that says it has %d", in, g.Members)
	}
	return out
}

// as makes a request of the API; body is JSON or nil.
func (c *club) as(part, method, path string, body any) reply {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		r = strings.NewReader(string(b))
	}
	var extra []string
	if c.tokens[part] != "" {
		extra = bearerOf(c.tokens[part])
	}
	return c.do(http.DefaultClient, method, path, r, extra...)
}

type object map[string]any

// Everything that can be done with a group, by everybody.
func TestWhoMayDoWhatWithGroups(t *testing.T) {
	c := newClub(t)
	// Of stranger, member, muted, admin, owner and the server's administrator; who is
	// nobody or disabled is signed out, and who was removed or left may what a stranger
	// may; what comes of it is another (special).
	type codes [6]chat.Code
	const f = chat.Forbidden
	readers, members := codes{f, "", "", "", "", f}, codes{f, "", "", "", "", f}
	ruling, owning := codes{f, f, f, "", "", f}, codes{f, f, f, f, "", f}
	// A group by invitation is not there for strangers.
	const n = chat.NotFound
	seat := func(part string, want chat.Seat) func(telling, telling) bool {
		return func(_, a telling) bool { return a.Seats[part] == want }
	}
	same := func(b, a telling) bool { return reflect.DeepEqual(b, a) }
	asked := func(b, a telling) bool {
		return a.Group == b.Group && len(a.Requests) == len(b.Requests)+1 && a.Log == b.Log && reflect.DeepEqual(a.Links, b.Links) && a.Seats["removed"] == chat.Seat{Removed: true}
	}
	stillMuted := seat("leftmuted", chat.Seat{In: true, Muted: chat.Endless})
	special := map[[2]string]func(before, after telling) bool{
		{"join an open one", "removed"}: asked, {"come by a link", "removed"}: asked,
		{"join an open one", "leftmuted"}: stillMuted, {"come by a link", "leftmuted"}: stillMuted,
	}
	actions := []struct {
		name         string
		joining      chat.Joining
		method, path string
		body         any
		want         codes
		after        func(before, after telling) bool // of one that is allowed
	}{
		{"see", chat.JoinInvite, "GET", "", nil, codes{n, "", "", "", "", n}, same},
		{"see an open one", chat.JoinDirect, "GET", "", nil, codes{}, same},
		{"list members", chat.JoinDirect, "GET", "/members", nil, readers, same},
		{"read", chat.JoinDirect, "GET", "/messages", nil, readers, same},
		{"post", chat.JoinInvite, "POST", "/messages", object{"text": "hello"}, codes{n, "", chat.Muted, "", "", n}, func(b, a telling) bool { return a.Log == b.Log+1 }},
		{"read a closed one", chat.JoinInvite, "GET", "/messages", nil, codes{n, "", "", "", "", n}, same},
		{"list members of a closed one", chat.JoinInvite, "GET", "/members", nil, codes{n, "", "", "", "", f}, same},
		{"rename", chat.JoinDirect, "PATCH", "", object{"name": " Run "}, ruling, func(_, a telling) bool { return a.Group.Name == "Run" }},
		{"set the notice", chat.JoinDirect, "PATCH", "", object{"notice": "at six"}, ruling, func(_, a telling) bool { return a.Group.Notice == "at six" }},
		{"set the picture", chat.JoinDirect, "PATCH", "", object{"avatar": "@picture"}, ruling, func(_, a telling) bool { return strings.HasPrefix(a.Group.Avatar, "/files/") }},
		{"set the rules", chat.JoinDirect, "PATCH", "", object{"joining": "approval", "slow": 9, "announce": true}, ruling,
			func(b, a telling) bool {
				return a.Group.Rules == chat.Rules{Joining: chat.JoinApproval, Slow: 9, Announce: true} && a.Log == b.Log+1
			}},
		{"change nothing", chat.JoinDirect, "PATCH", "", object{"name": "Walk"}, ruling, same},
		{"add", chat.JoinInvite, "POST", "/members", object{"people": []any{c.id("applicant")}}, codes{n, f, f, "", "", f}, seat("applicant", chat.Seat{In: true})},
		{"add to an open one", chat.JoinDirect, "POST", "/members", object{"people": []any{c.id("applicant")}}, members, seat("applicant", chat.Seat{In: true})},
		{"add who was removed", chat.JoinDirect, "POST", "/members", object{"people": []any{c.id("banned")}}, ruling, seat("banned", chat.Seat{In: true})},
		{"add one who was removed among others", chat.JoinDirect, "POST", "/members", object{"people": []any{c.id("applicant"), c.id("banned")}}, ruling, seat("banned", chat.Seat{In: true})},
		{"remove", chat.JoinDirect, "DELETE", "/members/@plain", nil, ruling, seat("plain", chat.Seat{Removed: true})},
		{"remove an administrator", chat.JoinDirect, "DELETE", "/members/@second", nil, owning, seat("second", chat.Seat{Removed: true})},
		{"mute who is not in it", chat.JoinDirect, "PUT", "/members/@banned/mute", object{}, codes{f, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound, f}, nil},
		{"promote", chat.JoinDirect, "PUT", "/members/@plain/role", object{"role": "admin"}, owning, seat("plain", chat.Seat{In: true, Role: chat.Admin})},
		{"demote", chat.JoinDirect, "PUT", "/members/@second/role", object{"role": "member"}, owning, seat("second", chat.Seat{In: true})},
		{"hand over", chat.JoinDirect, "PUT", "/members/@plain/role", object{"role": "owner"}, owning, func(_, a telling) bool {
			return a.Group.Owner == c.id("plain") && a.Seats["plain"].Role == chat.Owner && a.Seats["owner"].Role == chat.Admin
		}},
		{"mute", chat.JoinDirect, "PUT", "/members/@plain/mute", object{}, ruling, seat("plain", chat.Seat{In: true, Muted: chat.Endless})},
		{"mute an administrator", chat.JoinDirect, "PUT", "/members/@second/mute", object{}, owning, seat("second", chat.Seat{In: true, Role: chat.Admin, Muted: chat.Endless})},
		{"let speak", chat.JoinDirect, "DELETE", "/members/@muted/mute", nil, codes{f, f, f, "", "", f}, seat("muted", chat.Seat{In: true})},
		{"dismiss", chat.JoinDirect, "DELETE", "", nil, owning, func(_, a telling) bool { return a.Group.State == chat.Dismissed }},
		{"leave", chat.JoinDirect, "DELETE", "/members/@me", nil, codes{f, "", "", "", f, f}, func(b, a telling) bool { return a.Group.Members == b.Group.Members-1 }},
		{"join an open one", chat.JoinDirect, "POST", "/join", nil, codes{"", chat.Taken, chat.Taken, chat.Taken, chat.Taken, ""}, func(b, a telling) bool { return a.Group.Members == b.Group.Members+1 }},
		{"ask to join", chat.JoinApproval, "POST", "/join", object{"message": "let me in"}, codes{"", chat.Taken, chat.Taken, chat.Taken, chat.Taken, ""},
			func(b, a telling) bool {
				return a.Group.Members == b.Group.Members && len(a.Requests) == len(b.Requests)+1 && a.Log == b.Log
			}},
		{"join a closed one", chat.JoinInvite, "POST", "/join", nil, codes{n, chat.Taken, chat.Taken, chat.Taken, chat.Taken, f}, nil},
		{"list requests", chat.JoinApproval, "GET", "/requests", nil, ruling, same},
		{"let in who was removed", chat.JoinDirect, "POST", "/requests/@banned/accept", nil, ruling,
			func(b, a telling) bool { return a.Seats["banned"] == chat.Seat{In: true} && a.Log == b.Log+1 }},
		{"let in", chat.JoinApproval, "POST", "/requests/@applicant/accept", nil, ruling,
			func(b, a telling) bool {
				return a.Seats["applicant"].In && a.Requests["applicant"] == chat.JoinLetIn && a.Log == b.Log+1
			}},
		{"refuse", chat.JoinApproval, "POST", "/requests/@applicant/refuse", nil, ruling,
			func(b, a telling) bool {
				return !a.Seats["applicant"].In && a.Requests["applicant"] == chat.JoinRefused && a.Log == b.Log
			}},
		{"list links", chat.JoinInvite, "GET", "/invites", nil, codes{n, f, f, "", "", f}, same},
		{"list links of an open one", chat.JoinDirect, "GET", "/invites", nil, members, same},
		{"make a link", chat.JoinInvite, "POST", "/invites", object{"most": 2, "hours": 24}, codes{n, f, f, "", "", f}, func(b, a telling) bool { return len(a.Links) == len(b.Links)+1 }},
		{"make a link into an open one", chat.JoinApproval, "POST", "/invites", nil, members, func(b, a telling) bool { return len(a.Links) == len(b.Links)+1 }},
		{"revoke a link", chat.JoinDirect, "DELETE", "/invites/link", nil, ruling, func(b, a telling) bool { return len(a.Links) == len(b.Links)-1 }},
		{"come by a link", chat.JoinInvite, "POST", "/link", nil, codes{"", chat.Taken, chat.Taken, chat.Taken, chat.Taken, ""},
			func(b, a telling) bool {
				return a.Group.Members == b.Group.Members+1 && !reflect.DeepEqual(a.Links, b.Links)
			}},
		{"see a link", chat.JoinInvite, "GET", "/link", nil, codes{}, same},
	}
	for _, act := range actions {
		for i, part := range parts {
			conv := c.group(act.joining)
			link, err := c.accounts.MakeInvite(t.Context(), c.people["owner"], conv, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(act.path, "@banned/accept") {
				if _, err := c.accounts.JoinGroup(t.Context(), c.people["banned"], conv, "sorry"); err != nil {
					t.Fatal(err)
				}
			}
			if act.joining == chat.JoinApproval {
				if _, err := c.accounts.JoinGroup(t.Context(), c.people["applicant"], conv, "please"); err != nil {
					t.Fatal(err)
				}
			}
			want := chat.SignedOut
			switch part {
			case "nobody", "disabled":
			case "removed", "leftmuted":
				want = act.want[0]
			default:
				want = act.want[i-1]
			}
			check := act.after
			if s := special[[2]string{act.name, part}]; s != nil {
				check = s
			}
			body := act.body
			if b, ok := body.(object); ok && b["avatar"] == "@picture" {
				body = object{"avatar": c.picture(part)}
			}
			path := "/api/v1/groups/" + string(conv) + act.path
			switch act.path {
			case "/messages":
				path = "/api/v1/conversations/" + string(conv) + act.path
			case "/link":
				path = "/api/v1/join/" + link.Code
			case "/invites/link":
				path = strings.TrimSuffix(path, "link") + link.Code
			}
			for target, p := range c.people {
				path = strings.Replace(path, "@"+target, string(p.ID), 1)
			}
			path = strings.Replace(path, "@me", cmp.Or(string(c.id(part)), "Unobody"), 1)
			if part == "disabled" {
				setDisabled(t, c, true)
			}
			before := c.told(conv)
			got := c.as(part, act.method, path, body)
			after := c.told(conv)
			if part == "disabled" {
				setDisabled(t, c, false)
				c.tokens[part] = c.token(c.people[part])
			}
			name := act.name + " by " + part
			if want == "" {
				if got.status/100 != 2 {
					t.Errorf("%s: %d %s", name, got.status, got.body)
				} else if !check(before, after) {
					t.Errorf("%s: the store said %+v, and now %+v", name, before, after)
				}
				continue
			}
			if p := decode[problem](t, got); got.status != statuses[want] || p.Code != want {
				t.Errorf("%s: %d %s, want %s", name, got.status, got.body, want)
			}
			if !same(before, after) {
				t.Errorf("%s was refused: the store said %+v, and now %+v", name, before, after)
			}
		}
	}
}

// picture is the address of one that somebody uploaded.
func (c *club) picture(part string) string {
	c.t.Helper()
	up := chat.Upload{ID: rand.Text(), Owner: cmp.Or(c.id(part), "Unobody"), Name: "x.png", Size: 1, At: 1}
	err := c.db.BeginUpload(context.Background(), up, 0, 1<<30, 1000)
	if up.Type = "image/png"; err == nil {
		err = c.db.EndUpload(context.Background(), up)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return up.URL()
}

func setDisabled(t *testing.T, c *club, off bool) {
	t.Helper()
	if err := c.db.SetDisabled(t.Context(), chat.Deed{What: chat.ActDisable, By: c.id("super")}, c.id("disabled"), off); err != nil {
		t.Fatal(err)
	}
}

func TestClosedGroupsTakeNothingButLeaving(t *testing.T) {
	c := newClub(t)
	for name, end := range map[string]func(conv chat.ConvID) error{
		"dismissed": func(conv chat.ConvID) error {
			_, err := c.accounts.ChangeGroup(t.Context(), c.people["owner"], conv, chat.Change{What: chat.Ended}, "")
			return err
		},
		"disabled": func(conv chat.ConvID) error {
			super := c.people["super"]
			super.Admin = true
			change := &chat.Change{What: chat.Disabled}
			if _, err := c.accounts.ChangeGroup(t.Context(), super, conv, *change, ""); chat.AsRefusal(err).Code != chat.Forbidden {
				t.Errorf("an administrator of the server closes it without a note: %v", err)
			}
			_, err := c.real.PostWait(t.Context(), chat.Draft{Conv: conv, Author: super.ID, Ref: "off", Content: chat.Content{Kind: chat.Event, Event: change}})
			return err
		},
	} {
		conv := c.group(chat.JoinDirect)
		link, err := c.accounts.MakeInvite(t.Context(), c.people["owner"], conv, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(conv); err != nil {
			t.Fatal(err)
		}
		before := c.told(conv)
		at := "/api/v1/groups/" + string(conv)
		for _, try := range []struct {
			part, method, path string
			body               any
			want               chat.Code
		}{
			{"owner", "POST", "/api/v1/conversations/" + string(conv) + "/messages", object{"text": "hello"}, chat.Closed},
			{"owner", "PATCH", at, object{"name": "New"}, chat.Closed},
			{"owner", "POST", at + "/members", object{"people": []any{c.id("applicant")}}, chat.Closed},
			{"owner", "POST", at + "/invites", nil, chat.Closed},
			{"stranger", "POST", at + "/join", nil, chat.Closed},
			{"stranger", "POST", "/api/v1/join/" + link.Code, nil, chat.NotFound},
			{"owner", "GET", "/api/v1/conversations/" + string(conv) + "/messages", nil, ""},
			{"owner", "GET", at, nil, ""},
		} {
			got := c.as(try.part, try.method, try.path, try.body)
			if try.want == "" && got.status != 200 || try.want != "" && decode[problem](t, got).Code != try.want {
				t.Errorf("%s: %s %s: %d %s", name, try.method, try.path, got.status, got.body)
			}
		}
		if after := c.told(conv); !reflect.DeepEqual(before, after) {
			t.Errorf("%s: the store said %+v, and now %+v", name, before, after)
		}
		if got := c.as("member", "DELETE", at+"/members/"+string(c.id("member")), nil); got.status != 204 {
			t.Errorf("%s: leaving: %d %s", name, got.status, got.body)
		}
	}
}

func TestWhoHasBlockedOneIsNotAdded(t *testing.T) {
	c := newClub(t)
	conv := c.group(chat.JoinDirect)
	c.bond("applicant", "owner", false, true)
	add := func(part string, who ...string) reply {
		var ids []any
		for _, w := range who {
			ids = append(ids, c.id(w))
		}
		return c.as(part, "POST", "/api/v1/groups/"+string(conv)+"/members", object{"people": ids})
	}
	if p := decode[problem](t, add("owner", "stranger", "applicant")); p.Code != chat.Blocked {
		t.Errorf("by whom they have blocked: %+v", p)
	}
	if seats := c.told(conv).Seats; seats["stranger"].In || seats["applicant"].In {
		t.Error("one of them is in")
	}
	// Also where the door had not known of it yet.
	d := chat.Draft{Conv: conv, Author: c.id("owner"), Ref: "late", Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Joined, Who: []chat.UserID{c.id("applicant")}}}}
	if rs, err := c.db.Append(t.Context(), []chat.Draft{d}); err != nil || chat.AsRefusal(rs[0].Err).Code != chat.Blocked {
		t.Errorf("at the commit: %+v %v", rs, err)
	}
	if got := c.as("owner", "POST", "/api/v1/groups", object{"name": "Other", "members": []any{c.id("applicant")}}); decode[problem](t, got).Code != chat.Blocked {
		t.Errorf("a new group: %d %s", got.status, got.body)
	}
	if got := add("admin", "applicant"); got.status != 204 || !c.told(conv).Seats["applicant"].In {
		t.Errorf("by another: %d %s", got.status, got.body)
	}
}

// bond says what from has to as.
func (c *club) bond(from, to string, contact, blocked bool) {
	c.t.Helper()
	db, err := sql.Open("sqlite", c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(c.t.Context(), "INSERT INTO contacts (user_id, peer_id, contact, blocked, at) VALUES (?, ?, ?, ?, 0)",
		string(c.id(from)), string(c.id(to)), contact, blocked); err != nil {
		c.t.Fatal(err)
	}
}

func TestGroupIsMadeWithAllThatItIs(t *testing.T) {
	c := newClub(t)
	picture := c.picture("owner")
	conv, err := c.accounts.MakeGroup(t.Context(), c.id("owner"), account.NewGroup{Name: " Tea ", Notice: "at\r\nfour ", Avatar: picture, Joining: chat.JoinApproval})
	if err != nil {
		t.Fatal(err)
	}
	want := chat.Group{Conv: conv, Name: "Tea", Notice: "at\nfour", Avatar: picture, Owner: c.id("owner"), Members: 1, Rules: chat.Rules{Joining: chat.JoinApproval}}
	if got := c.told(conv); got.Group != want || got.Log != 1 {
		t.Errorf("got %+v", got)
	}
	for name, n := range map[string]account.NewGroup{
		"no name": {Name: " "}, "long notice": {Name: "x", Notice: strings.Repeat("字", 501)}, "foreign picture": {Name: "x", Avatar: "https://evil.example/x.png"},
		"unknown way in": {Name: "x", Joining: "all"}, "zero in the notice": {Name: "x", Notice: "a\x00"},
	} {
		if _, err := c.accounts.MakeGroup(t.Context(), c.id("owner"), n); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	// Who owns it and is alone may leave: nobody is left to whom it could be handed.
	if got := c.as("owner", "DELETE", fmt.Sprintf("/api/v1/groups/%s/members/%s", conv, c.id("owner")), nil); got.status != 204 {
		t.Errorf("leaving: %d %s", got.status, got.body)
	}
	if got := c.told(conv); got.Group.Members != 0 || got.Group.State != chat.Dismissed {
		t.Errorf("left behind: %+v", got)
	}
}
