package web

import (
	"context"

	"kamachat/shared/chat"
)

func (a *api) peopleRoutes() {
	route(a, operation{
		Method: "GET", Path: "/api/v1/me", ID: "getMe", Tag: "Signing in", Scope: anyScope,
		Summary: "Who one is",
	}, a.apiMe)
	route(a, operation{
		Method: "GET", Path: "/api/v1/people", ID: "findPeople", Tag: "People", Scope: "people:read",
		Summary: "Find people by the beginning of a name",
	}, a.apiPeople)
}

type userAnswer struct {
	User chat.Person `json:"user"`
}

func (s *server) apiMe(_ context.Context, c caller, _ *struct{}) (userAnswer, error) {
	return userAnswer{c.Person}, nil
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
