package web

import (
	"context"
	"net/http"
	"time"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func (a *api) groupRoutes() {
	get := func(path, id, summary string) operation {
		return operation{Method: "GET", Path: "/api/v1/groups/{id}" + path, ID: id, Tag: "Groups", Scope: "groups:read", Summary: summary}
	}
	do := func(method, path, id, summary, about string) operation {
		return operation{Method: method, Path: "/api/v1/groups/{id}" + path, ID: id, Tag: "Groups", Scope: "groups:write", Summary: summary, About: about}
	}
	route(a, get("", "getGroup", "A group; without its notice where one is not in it"), a.apiGroup)
	route(a, do("PATCH", "", "editGroup", "Change a group and its rules", "Each change is an entry of the log."), a.apiEditGroup)
	route(a, do("DELETE", "", "dismissGroup", "Dismiss a group for good", "For its owner, and administrators of the server. What was said stays readable."), a.apiDismissGroup)
	route(a, get("/members", "listGroupMembers", "Members, page by page: first the owner and the administrators"), a.apiMembers)
	route(a, do("POST", "/members", "addGroupMembers", "Add people", "All of them or none. Who has blocked one can't be added, and where only contacts may write to each other nobody else."), a.apiAddMembers)
	route(a, do("DELETE", "/members/{user}", "removeGroupMember", "Remove a member, or leave", "Who was removed comes back only where the owner or an administrator adds them, or lets them in."), a.apiRemoveMember)
	route(a, do("PUT", "/members/{user}/role", "setGroupRole", "Make a member an administrator, a plain member or the owner", "Who hands a group over stays its administrator."), a.apiSetRole)
	route(a, do("PUT", "/members/{user}/mute", "muteGroupMember", "Keep a member from posting for a while", ""), a.apiMuteMember)
	route(a, do("DELETE", "/members/{user}/mute", "unmuteGroupMember", "Let a member post again", ""), a.apiUnmuteMember)
	route(a, do("POST", "/join", "joinGroup", "Come into a group, or ask to be let in", "`joined` is false where the owner or an administrator has to agree: also for who was removed from it."), a.apiJoinGroup)
	route(a, do("DELETE", "/join", "withdrawJoin", "Take one's request back", ""), a.apiWithdrawJoin)
	route(a, get("/requests", "listJoinRequests", "Who asks to be let in, the longest first; for the owner and administrators"), a.apiRequests)
	route(a, do("POST", "/requests/{user}/accept", "acceptJoinRequest", "Let somebody in", ""), a.apiAnswerRequest(true))
	route(a, do("POST", "/requests/{user}/refuse", "refuseJoinRequest", "Refuse somebody", "They may ask again a day later."), a.apiAnswerRequest(false))
	route(a, get("/invites", "listGroupInvites", "Links into the group: one's own, or for the owner and administrators all"), a.apiInvites)
	route(a, do("POST", "/invites", "makeGroupInvite", "Make a link into the group", "It works as long as who made it may invite. In a group with approval one of a plain member leads to a request."), a.apiMakeInvite)
	route(a, do("DELETE", "/invites/{code}", "revokeGroupInvite", "Make a link invalid", ""), a.apiRevokeInvite)
	route(a, operation{Method: "GET", Path: "/api/v1/join/{code}", ID: "getInvite", Tag: "Groups", Scope: "groups:read", Summary: "Where a link leads"}, a.apiInviteDoor)
	route(a, operation{Method: "POST", Path: "/api/v1/join/{code}", ID: "joinByInvite", Tag: "Groups", Scope: "groups:write", Summary: "Come into the group of a link, or ask to be let in"}, a.apiJoinByInvite)
}

// GroupPath is the group that a path names.
type GroupPath struct {
	ID chat.ConvID `path:"id" doc:"The group"`
}

// MemberPath is a person in a group that a path names.
type MemberPath struct {
	GroupPath
	User chat.UserID `path:"user" doc:"The person"`
}

// PagePath is a page of a list.
type PagePath struct {
	After string `query:"after" doc:"The next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many at most"`
}

type groupDetails struct {
	ID       chat.ConvID  `json:"id"`
	Name     string       `json:"name"`
	Avatar   string       `json:"avatar"`
	Notice   string       `json:"notice"`
	Owner    chat.UserID  `json:"owner,omitempty"`
	Members  int          `json:"members" doc:"How many there are"`
	State    string       `json:"state" enum:"in_use,disabled,dismissed"`
	Joining  chat.Joining `json:"joining" enum:"direct,approval,invite"`
	Slow     int          `json:"slow" doc:"Seconds between two posts of a plain member"`
	Announce bool         `json:"announce" doc:"Only the owner and administrators post"`
	Role     string       `json:"role,omitempty" enum:"member,admin,owner" doc:"One's own; missing where one is not in it"`
	Muted    int64        `json:"muted_until,omitempty" doc:"One may not post until; also after leaving and coming back"`
	Removed  bool         `json:"removed,omitempty" doc:"One was removed: who joins asks, and the owner or an administrator has to agree"`
	Asked    bool         `json:"asked,omitempty" doc:"One's request is not answered yet"`
	Waiting  int          `json:"requests,omitempty" doc:"How many requests wait; told to the owner and administrators"`
}

var groupStates = [...]string{chat.InUse: "in_use", chat.Off: "disabled", chat.Dismissed: "dismissed"}

func detailsOf(g chat.Group) groupDetails {
	return groupDetails{
		ID: g.Conv, Name: g.Name, Avatar: g.Avatar, Notice: g.Notice, Owner: g.Owner, Members: g.Members, State: groupStates[g.State],
		Joining: g.Joining, Slow: g.Slow, Announce: g.Announce,
	}
}

type groupDetailsAnswer struct {
	Group groupDetails `json:"group"`
}

func (s *server) apiGroup(ctx context.Context, c caller, in *GroupPath) (out groupDetailsAnswer, err error) {
	v, err := s.Accounts.ViewGroup(ctx, c.Person, in.ID)
	out.Group = detailsOf(v.Group)
	if v.Me.In {
		out.Group.Role = v.Me.Role.String()
	}
	out.Group.Muted, out.Group.Removed, out.Group.Asked, out.Group.Waiting = v.Me.Muted, v.Me.Removed, v.Asked, v.Waiting
	return out, err
}

func (s *server) apiEditGroup(ctx context.Context, c caller, in *struct {
	GroupPath
	Body struct {
		Name     *string       `json:"name,omitempty"`
		Notice   *string       `json:"notice,omitempty" doc:"At most 500 characters"`
		Avatar   *string       `json:"avatar,omitempty" doc:"The path of a file that was uploaded, or empty"`
		Joining  *chat.Joining `json:"joining,omitempty" enum:"direct,approval,invite"`
		Slow     *int          `json:"slow,omitempty" doc:"Seconds, at most 3600"`
		Announce *bool         `json:"announce,omitempty"`
	}
}) (groupDetailsAnswer, error) {
	b := in.Body
	e := account.GroupEdit{Name: b.Name, Notice: b.Notice, Avatar: b.Avatar, Joining: b.Joining, Slow: b.Slow, Announce: b.Announce}
	if err := s.Accounts.EditGroup(ctx, c.Person, in.ID, e); err != nil {
		return groupDetailsAnswer{}, err
	}
	return s.apiGroup(ctx, c, &in.GroupPath)
}

// change makes a change of a group that is answered with nothing.
func (s *server) change(ctx context.Context, c caller, conv chat.ConvID, ch chat.Change) (none, error) {
	_, err := s.Accounts.ChangeGroup(ctx, c.Person, conv, ch, "")
	return none{}, err
}

func (s *server) apiDismissGroup(ctx context.Context, c caller, in *GroupPath) (none, error) {
	return s.change(ctx, c, in.ID, chat.Change{What: chat.Ended})
}

type groupMember struct {
	User   chat.Person `json:"user"`
	Role   string      `json:"role" enum:"member,admin,owner"`
	Muted  int64       `json:"muted_until,omitempty"`
	Joined int64       `json:"joined_at"`
}

type membersAnswer struct {
	Members []groupMember `json:"members"`
	Next    string        `json:"next,omitempty" doc:"Where the next page begins; missing at the end"`
}

func (s *server) apiMembers(ctx context.Context, c caller, in *struct {
	GroupPath
	PagePath
	Query string `query:"q" doc:"What is in their names"`
}) (out membersAnswer, err error) {
	ms, next, err := s.Accounts.MembersOf(ctx, c.Person, in.ID, chat.MemberAsk{Query: in.Query, After: in.After, Limit: in.Limit})
	out.Members, out.Next = make([]groupMember, len(ms)), next
	for i, m := range ms {
		out.Members[i] = groupMember{m.Person, m.Role.String(), m.Muted, m.Joined}
	}
	return out, err
}

func (s *server) apiAddMembers(ctx context.Context, c caller, in *struct {
	GroupPath
	Body struct {
		People []chat.UserID `json:"people" doc:"1 to 100"`
	}
}) (none, error) {
	return s.change(ctx, c, in.ID, chat.Change{What: chat.Joined, Who: in.Body.People})
}

func (s *server) apiRemoveMember(ctx context.Context, c caller, in *MemberPath) (none, error) {
	if in.User == c.ID {
		return none{}, s.Accounts.LeaveGroup(ctx, c.Person, in.ID)
	}
	return s.change(ctx, c, in.ID, chat.Change{What: chat.Left, Who: []chat.UserID{in.User}})
}

func (s *server) apiSetRole(ctx context.Context, c caller, in *struct {
	MemberPath
	Body struct {
		Role string `json:"role" enum:"member,admin,owner"`
	}
}) (none, error) {
	ch, ok := roleChange(in.Body.Role, in.User)
	if !ok {
		return none{}, chat.Refuse(chat.Invalid, "there is no such role")
	}
	return s.change(ctx, c, in.ID, ch)
}

func (s *server) apiMuteMember(ctx context.Context, c caller, in *struct {
	MemberPath
	Body struct {
		Until int64 `json:"until,omitempty" doc:"At most a year from now; missing: without an end"`
	}
}) (none, error) {
	until := in.Body.Until
	if until == 0 {
		until = chat.Endless
	}
	return s.change(ctx, c, in.ID, chat.Change{What: chat.Hushed, Who: []chat.UserID{in.User}, Until: until})
}

func (s *server) apiUnmuteMember(ctx context.Context, c caller, in *MemberPath) (none, error) {
	return s.change(ctx, c, in.ID, chat.Change{What: chat.Heard, Who: []chat.UserID{in.User}})
}

type joinAnswer struct {
	Group  chat.ConvID `json:"group"`
	Joined bool        `json:"joined" doc:"False: it is asked for"`
}

// JoinBody is what comes with a request to join.
type JoinBody struct {
	Message string `json:"message,omitempty" doc:"At most 100 characters, for those who decide"`
}

func (b *JoinBody) message() string {
	if b == nil {
		return ""
	}
	return b.Message
}

func (s *server) apiJoinGroup(ctx context.Context, c caller, in *struct {
	GroupPath
	Body *JoinBody
}) (joinAnswer, error) {
	joined, err := s.Accounts.JoinGroup(ctx, c.Person, in.ID, in.Body.message())
	return joinAnswer{in.ID, joined}, err
}

func (s *server) apiWithdrawJoin(ctx context.Context, c caller, in *GroupPath) (none, error) {
	return none{}, s.Accounts.WithdrawJoin(ctx, c.Person, in.ID)
}

type joinRequest struct {
	User    chat.Person `json:"user"`
	Message string      `json:"message"`
	At      int64       `json:"at"`
	Removed bool        `json:"removed,omitempty" doc:"They were removed from the group before"`
}

type requestsAnswer struct {
	Requests []joinRequest `json:"requests"`
	Next     string        `json:"next,omitempty"`
}

func (s *server) apiRequests(ctx context.Context, c caller, in *struct {
	GroupPath
	PagePath
}) (out requestsAnswer, err error) {
	js, next, err := s.Accounts.AsksOf(ctx, c.Person, in.ID, in.After, in.Limit)
	if err != nil {
		return out, err
	}
	people, err := s.peopleOf(ctx, js)
	out.Requests, out.Next = make([]joinRequest, len(js)), next
	for i, j := range js {
		out.Requests[i] = joinRequest{people[j.User], j.Message, j.At, j.Removed}
	}
	return out, err
}

// peopleOf returns who made requests.
func (s *server) peopleOf(ctx context.Context, js []chat.JoinRequest) (map[chat.UserID]chat.Person, error) {
	ids := make([]chat.UserID, len(js))
	for i, j := range js {
		ids[i] = j.User
	}
	return s.byID(ctx, ids)
}

// byID returns people by their ids. Of one that is gone there is the id alone.
func (s *server) byID(ctx context.Context, ids []chat.UserID) (map[chat.UserID]chat.Person, error) {
	people := make(map[chat.UserID]chat.Person, len(ids))
	for _, u := range ids {
		people[u] = chat.Person{ID: u}
	}
	ps, err := s.Accounts.People(ctx, ids...)
	for _, p := range ps {
		people[p.ID] = p
	}
	return people, err
}

func (s *server) apiAnswerRequest(letIn bool) func(context.Context, caller, *MemberPath) (none, error) {
	return func(ctx context.Context, c caller, in *MemberPath) (none, error) {
		return none{}, s.Accounts.AnswerJoin(ctx, c.Person, in.ID, in.User, letIn)
	}
}

type groupInvite struct {
	chat.GroupInvite
	URL   string `json:"url" doc:"What to give away"`
	Valid bool   `json:"valid" doc:"Neither used up nor expired"`
}

type invitesAnswer struct {
	Invites []groupInvite `json:"invites"`
}

func (s *server) apiInvites(ctx context.Context, c caller, in *GroupPath) (out invitesAnswer, err error) {
	is, err := s.Accounts.InvitesInto(ctx, c.Person, in.ID)
	out.Invites = make([]groupInvite, len(is))
	for i, v := range is {
		out.Invites[i] = linkOf(exchangeOf(ctx).r, v)
	}
	return out, err
}

func linkOf(r *http.Request, i chat.GroupInvite) groupInvite {
	return groupInvite{i, origin(r) + "/join/" + i.Code, i.Works(time.Now().UnixMilli())}
}

// origin is where the browser believes that it is: scheme and host.
func origin(r *http.Request) string {
	scheme := "http://"
	if overTLS(r) {
		scheme = "https://"
	}
	return scheme + r.Host
}

type inviteAnswer struct {
	Invite groupInvite `json:"invite"`
}

type newInvite struct {
	Most  int   `json:"most,omitempty" doc:"How many it lets in; missing: as many as like"`
	Hours int64 `json:"hours,omitempty" doc:"How long it works, at most a year; missing: for ever"`
}

func (s *server) apiMakeInvite(ctx context.Context, c caller, in *struct {
	GroupPath
	Body *newInvite
}) (inviteAnswer, error) {
	if in.Body == nil {
		in.Body = &newInvite{}
	}
	i, err := s.Accounts.MakeInvite(ctx, c.Person, in.ID, in.Body.Most, hours(in.Body.Hours))
	return inviteAnswer{linkOf(exchangeOf(ctx).r, i)}, err
}

// hours is so many hours, as far as they can be counted.
func hours(n int64) time.Duration { return time.Duration(min(max(n, -1), 1<<20)) * time.Hour }

func (s *server) apiRevokeInvite(ctx context.Context, c caller, in *struct {
	GroupPath
	Code string `path:"code"`
}) (none, error) {
	return none{}, s.Accounts.RevokeInvite(ctx, c.Person, in.ID, in.Code)
}

type doorAnswer struct {
	Group   doorGroup   `json:"group"`
	Inviter chat.Person `json:"by" doc:"Who made the link"`
	In      bool        `json:"in" doc:"One is in the group already"`
	Asks    bool        `json:"asks" doc:"The link leads to a request alone"`
	Waits   bool        `json:"waits" doc:"One's request is not answered yet"`
}

type doorGroup struct {
	ID      chat.ConvID `json:"id"`
	Name    string      `json:"name"`
	Avatar  string      `json:"avatar"`
	Members int         `json:"members"`
}

type codePath struct {
	Code string `path:"code"`
}

func (s *server) apiInviteDoor(ctx context.Context, c caller, in *codePath) (doorAnswer, error) {
	d, err := s.Accounts.InviteDoor(ctx, c.Person, in.Code)
	return doorAnswer{doorGroup{d.Conv, d.Name, d.Avatar, d.Members}, d.Inviter, d.In, d.Asks, d.Waits}, err
}

func (s *server) apiJoinByInvite(ctx context.Context, c caller, in *struct {
	Code string `path:"code"`
	Body *JoinBody
}) (joinAnswer, error) {
	conv, joined, err := s.Accounts.JoinByInvite(ctx, c.Person, in.Code, in.Body.message())
	return joinAnswer{conv, joined}, err
}
