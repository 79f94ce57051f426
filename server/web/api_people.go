package web

import (
	"context"
	"strings"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func (a *api) peopleRoutes() {
	route(a, operation{
		Method: "GET", Path: "/api/v1/people", ID: "findPeople", Tag: "People", Scope: "people:read",
		Summary: "Find people by the beginning of a name",
	}, a.apiPeople)
	route(a, operation{
		Method: "POST", Path: "/api/v1/groups", ID: "makeGroup", Tag: "Groups", Scope: "groups:write",
		Summary: "Make a group",
	}, a.apiMakeGroup)
}

type peopleAnswer struct {
	People []chat.Person `json:"people"`
}

func (s *server) apiPeople(ctx context.Context, c caller, in *struct {
	Query string `query:"q" doc:"What their username or nickname begins with; upper and lower case are the same"`
}) (peopleAnswer, error) {
	ps, err := s.Accounts.Search(ctx, c.ID, in.Query)
	return peopleAnswer{orEmpty(ps)}, err
}

type newGroup struct {
	Name    string        `json:"name"`
	Members []chat.UserID `json:"members,omitempty" doc:"Besides the caller"`
	Notice  string        `json:"notice,omitempty" doc:"At most 500 characters"`
	Avatar  string        `json:"avatar,omitempty" doc:"The path of a picture that was uploaded"`
	Joining chat.Joining  `json:"joining,omitempty" enum:"direct,approval,invite" doc:"How others come in; missing: invite"`
}

type groupAnswer struct {
	Group madeGroup `json:"group"`
}

type madeGroup struct {
	ID   chat.ConvID `json:"id"`
	Name string      `json:"name"`
}

func (s *server) apiMakeGroup(ctx context.Context, c caller, in *struct{ Body newGroup }) (groupAnswer, error) {
	id, err := s.Accounts.MakeGroup(ctx, c.ID, account.NewGroup(in.Body))
	return groupAnswer{madeGroup{id, strings.TrimSpace(in.Body.Name)}}, err
}
