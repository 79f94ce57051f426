package web

import (
	"context"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// Contacts is what the routes need to know of what people are to each other.
type Contacts interface {
	AskContact(ctx context.Context, by, to chat.UserID, message string) (accepted bool, err error)
	AcceptContact(ctx context.Context, by, from chat.UserID) error
	RefuseContact(ctx context.Context, by, from chat.UserID) error
	EndContact(ctx context.Context, by, peer chat.UserID) error
	Block(ctx context.Context, by, peer chat.UserID, on bool) error
	ContactList(ctx context.Context, by chat.UserID, blocked bool, after string) (ps []chat.Person, next string, err error)
	Askings(ctx context.Context, by chat.UserID) (to, from []account.Asking, err error)
	Card(ctx context.Context, by, id chat.UserID) (account.Card, error)
	Profile(ctx context.Context, by chat.UserID) (chat.Profile, error)
	AsksWaiting(ctx context.Context, by chat.UserID) (int, error)
	GroupsAsked(ctx context.Context, by chat.UserID) ([]chat.GroupAsked, error)
	SaveProfile(ctx context.Context, by chat.UserID, nickname, avatar string, p chat.Profile) error
}

func (a *api) contactRoutes() {
	const scope = "contacts:write"
	route(a, operation{
		Method: "GET", Path: "/api/v1/contacts", ID: "listContacts", Tag: "Contacts", Scope: "contacts:read", Summary: "One's contacts, by name",
	}, a.apiContacts)
	route(a, operation{
		Method: "DELETE", Path: "/api/v1/contacts/{id}", ID: "endContact", Tag: "Contacts", Scope: scope, Summary: "End that somebody is a contact, for both",
	}, a.apiEndContact)
	route(a, operation{
		Method: "GET", Path: "/api/v1/requests", ID: "listRequests", Tag: "Contacts", Scope: "contacts:read", Summary: "Who asks to be a contact, and whom one has asked",
	}, a.apiAskings)
	route(a, operation{
		Method: "GET", Path: "/api/v1/requests/waiting", ID: "countRequests", Tag: "Contacts", Scope: "contacts:read", Summary: "How many people wait for an answer",
	}, a.apiWaiting)
	route(a, operation{
		Method: "PUT", Path: "/api/v1/requests/{id}", ID: "askContact", Tag: "Contacts", Scope: scope, Summary: "Ask somebody to be a contact",
		About: "Where they have asked, too, both are contacts at once.",
	}, a.apiAskContact)
	route(a, operation{
		Method: "POST", Path: "/api/v1/requests/{id}/accept", ID: "acceptContact", Tag: "Contacts", Scope: scope, Summary: "Accept a request",
	}, a.apiAcceptContact)
	route(a, operation{
		Method: "POST", Path: "/api/v1/requests/{id}/refuse", ID: "refuseContact", Tag: "Contacts", Scope: scope, Summary: "Refuse a request; who asked is not told",
	}, a.apiRefuseContact)
	route(a, operation{
		Method: "GET", Path: "/api/v1/blocks", ID: "listBlocks", Tag: "Contacts", Scope: "contacts:read", Summary: "Whom one has blocked, by name",
	}, a.apiBlocks)
	route(a, operation{
		Method: "PUT", Path: "/api/v1/blocks/{id}", ID: "block", Tag: "Contacts", Scope: scope, Summary: "Take no messages of somebody from this moment on",
	}, a.apiBlock)
	route(a, operation{
		Method: "DELETE", Path: "/api/v1/blocks/{id}", ID: "unblock", Tag: "Contacts", Scope: scope, Summary: "Take them again",
	}, a.apiUnblock)
	route(a, operation{
		Method: "GET", Path: "/api/v1/people/{id}", ID: "getPerson", Tag: "People", Scope: "people:read", Summary: "Somebody, as the caller sees them",
	}, a.apiPerson)
	route(a, operation{
		Method: "GET", Path: "/api/v1/me/profile", ID: "getProfile", Tag: "People", Summary: "What one says of oneself",
	}, a.apiProfile)
	route(a, operation{
		Method: "PUT", Path: "/api/v1/me/profile", ID: "saveProfile", Tag: "People", Summary: "Say it",
		About: "All of it takes the place of what was before. E-mail and phone are told to nobody else.",
	}, a.apiSaveProfile)
}

// A PersonPath names the person in the path of an operation.
type PersonPath struct {
	ID chat.UserID `path:"id" doc:"Id of a person"`
}

// A PagedBy says where a page of a list begins.
type PagedBy struct {
	After string `query:"after" doc:"The next of the page before"`
}

type contactsAnswer struct {
	People []chat.Person `json:"people"`
	Next   string        `json:"next,omitempty" doc:"For after; missing at the end"`
}

func (s *server) apiContacts(ctx context.Context, c caller, in *struct{ PagedBy }) (contactsAnswer, error) {
	ps, next, err := s.Accounts.ContactList(ctx, c.ID, false, in.After)
	return contactsAnswer{orEmpty(ps), next}, err
}

func (s *server) apiBlocks(ctx context.Context, c caller, in *struct{ PagedBy }) (contactsAnswer, error) {
	ps, next, err := s.Accounts.ContactList(ctx, c.ID, true, in.After)
	return contactsAnswer{orEmpty(ps), next}, err
}

func (s *server) apiEndContact(ctx context.Context, c caller, in *struct{ PersonPath }) (none, error) {
	return none{}, s.Accounts.EndContact(ctx, c.ID, in.ID)
}

type askingsAnswer struct {
	To   []account.Asking `json:"to" doc:"Who asks the caller"`
	From []account.Asking `json:"from" doc:"Whom the caller has asked"`
}

func (s *server) apiAskings(ctx context.Context, c caller, _ *struct{}) (askingsAnswer, error) {
	to, from, err := s.Accounts.Askings(ctx, c.ID)
	return askingsAnswer{orEmpty(to), orEmpty(from)}, err
}

type waitingAnswer struct {
	Waiting int               `json:"waiting" doc:"Requests to be a contact that the caller has not answered"`
	Groups  []chat.GroupAsked `json:"groups" doc:"Those that the caller looks after and that people wait to come into, at most 20; none for a token without groups:read"`
}

func (s *server) apiWaiting(ctx context.Context, c caller, _ *struct{}) (waitingAnswer, error) {
	n, err := s.Accounts.AsksWaiting(ctx, c.ID)
	if err != nil || c.may("groups:read") != nil {
		return waitingAnswer{n, []chat.GroupAsked{}}, err
	}
	gs, err := s.Accounts.GroupsAsked(ctx, c.ID)
	return waitingAnswer{n, orEmpty(gs)}, err
}

type askBody struct {
	Message string `json:"message,omitempty" doc:"At most 100 characters"`
}

type askAnswer struct {
	Accepted bool `json:"accepted" doc:"They are contacts now"`
}

func (s *server) apiAskContact(ctx context.Context, c caller, in *struct {
	PersonPath
	Body askBody
}) (askAnswer, error) {
	ok, err := s.Accounts.AskContact(ctx, c.ID, in.ID, in.Body.Message)
	return askAnswer{ok}, err
}

func (s *server) apiAcceptContact(ctx context.Context, c caller, in *struct{ PersonPath }) (none, error) {
	return none{}, s.Accounts.AcceptContact(ctx, c.ID, in.ID)
}

func (s *server) apiRefuseContact(ctx context.Context, c caller, in *struct{ PersonPath }) (none, error) {
	return none{}, s.Accounts.RefuseContact(ctx, c.ID, in.ID)
}

func (s *server) apiBlock(ctx context.Context, c caller, in *struct{ PersonPath }) (none, error) {
	return none{}, s.Accounts.Block(ctx, c.ID, in.ID, true)
}

func (s *server) apiUnblock(ctx context.Context, c caller, in *struct{ PersonPath }) (none, error) {
	return none{}, s.Accounts.Block(ctx, c.ID, in.ID, false)
}

type personAnswer struct {
	Person   chat.Person  `json:"person"`
	Profile  chat.Profile `json:"profile"`
	Contact  bool         `json:"contact"`
	Blocking bool         `json:"blocking" doc:"The caller has blocked them"`
	Online   bool         `json:"online"`
	SeenAt   int64        `json:"seen_at,omitempty" doc:"When they were last here, in Unix milliseconds; missing where one of the two tells nobody"`
	Asked    bool         `json:"asked" doc:"The caller has asked them to be a contact"`
	Waiting  bool         `json:"waiting" doc:"They have asked the caller"`
	Asks     string       `json:"asks,omitempty" doc:"What they asked with"`
	Common   []madeGroup  `json:"common" doc:"Groups that both are in, at most 20"`
}

func (s *server) apiPerson(ctx context.Context, c caller, in *struct{ PersonPath }) (personAnswer, error) {
	k, err := s.Accounts.Card(ctx, c.ID, in.ID)
	common := make([]madeGroup, len(k.Common))
	for i, g := range k.Common {
		common[i] = madeGroup{g.Conv, g.Name}
	}
	return personAnswer{k.Person, k.Profile, k.Bond.Contacts, k.Bond.Blocking, k.Online, k.SeenAt, k.Asked, k.Waiting, k.Asks, common}, err
}

type profileBody struct {
	Nickname string       `json:"nickname"`
	Avatar   string       `json:"avatar,omitempty" doc:"The path of a picture that was uploaded"`
	Profile  chat.Profile `json:"profile"`
}

func (s *server) apiProfile(ctx context.Context, c caller, _ *struct{}) (profileBody, error) {
	p, err := s.Accounts.Profile(ctx, c.ID)
	return profileBody{c.Nickname, c.Avatar, p}, err
}

func (s *server) apiSaveProfile(ctx context.Context, c caller, in *struct{ Body profileBody }) (profileBody, error) {
	b := in.Body
	if err := s.Accounts.SaveProfile(ctx, c.ID, b.Nickname, b.Avatar, b.Profile); err != nil {
		return profileBody{}, err
	}
	p, err := s.Accounts.Profile(ctx, c.ID)
	return profileBody{b.Nickname, b.Avatar, p}, err
}
