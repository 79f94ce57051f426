package web

import (
	"context"

	"kamachat/shared/chat"
)

// Bots is what the routes need to know of bots.
type Bots interface {
	MakeBot(ctx context.Context, by chat.Person, username, nickname string) (chat.Person, error)
	Bots(ctx context.Context, by chat.UserID) ([]chat.Person, error)
	EndBot(ctx context.Context, by, id chat.UserID) error
	MakeToken(ctx context.Context, by, id chat.UserID, name string, scopes []string) (string, chat.Token, error)
	Tokens(ctx context.Context, by, id chat.UserID) ([]chat.Token, error)
	EndToken(ctx context.Context, by, id chat.UserID, token string) error
}

func (a *api) botRoutes() {
	route(a, operation{
		Method: "GET", Path: "/api/v1/bots", ID: "listBots", Tag: "Bots", Summary: "One's own bots",
	}, a.apiBots)
	route(a, operation{
		Method: "POST", Path: "/api/v1/bots", ID: "makeBot", Tag: "Bots", Summary: "Make a bot",
		About: "A bot is an account without a password. It acts by its tokens, and only while its owner's account is enabled. Add it to groups like a person.",
	}, a.apiMakeBot)
	route(a, operation{
		Method: "DELETE", Path: "/api/v1/bots/{bot}", ID: "endBot", Tag: "Bots", Summary: "End a bot for good",
		About: "Its tokens are forgotten and its name becomes free. What it said stays.",
	}, a.apiEndBot)
	route(a, operation{
		Method: "GET", Path: "/api/v1/bots/{bot}/tokens", ID: "listTokens", Tag: "Bots", Summary: "The tokens of a bot",
	}, a.apiTokens)
	route(a, operation{
		Method: "POST", Path: "/api/v1/bots/{bot}/tokens", ID: "makeToken", Tag: "Bots", Summary: "Make a token for a bot",
		About: "The token is told this once.",
	}, a.apiMakeToken)
	route(a, operation{
		Method: "DELETE", Path: "/api/v1/bots/{bot}/tokens/{token}", ID: "endToken", Tag: "Bots", Summary: "Forget a token of a bot",
	}, a.apiEndToken)
}

// A BotPath names the bot in the path of an operation.
type BotPath struct {
	Bot chat.UserID `path:"bot" doc:"Id of a bot of one's own"`
}

type botsAnswer struct {
	Bots []chat.Person `json:"bots"`
}

func (s *server) apiBots(ctx context.Context, c caller, _ *struct{}) (botsAnswer, error) {
	bs, err := s.Accounts.Bots(ctx, c.ID)
	return botsAnswer{orEmpty(bs)}, err
}

type botBody struct {
	Username string `json:"username" doc:"2 to 32 letters, digits and _ . -"`
	Nickname string `json:"nickname,omitempty" doc:"What it is called; as its username where there is none"`
}

type botAnswer struct {
	Bot chat.Person `json:"bot"`
}

func (s *server) apiMakeBot(ctx context.Context, c caller, in *struct{ Body botBody }) (botAnswer, error) {
	b, err := s.Accounts.MakeBot(ctx, c.Person, in.Body.Username, in.Body.Nickname)
	return botAnswer{b}, err
}

func (s *server) apiEndBot(ctx context.Context, c caller, in *struct{ BotPath }) (none, error) {
	err := s.Accounts.EndBot(ctx, c.ID, in.Bot)
	if err == nil {
		err = s.Hub.CloseUser(ctx, in.Bot, "signed_out")
	}
	return none{}, err
}

type tokensAnswer struct {
	Tokens []chat.Token `json:"tokens"`
}

func (s *server) apiTokens(ctx context.Context, c caller, in *struct{ BotPath }) (tokensAnswer, error) {
	ts, err := s.Accounts.Tokens(ctx, c.ID, in.Bot)
	return tokensAnswer{orEmpty(ts)}, err
}

type tokenBody struct {
	Name   string   `json:"name,omitempty" doc:"What it is for"`
	Scopes []string `json:"scopes" doc:"What it may do; at least one"`
}

type tokenAnswer struct {
	Secret string     `json:"secret" doc:"The token itself"`
	Token  chat.Token `json:"token"`
}

func (s *server) apiMakeToken(ctx context.Context, c caller, in *struct {
	BotPath
	Body tokenBody
}) (tokenAnswer, error) {
	secret, t, err := s.Accounts.MakeToken(ctx, c.ID, in.Bot, in.Body.Name, in.Body.Scopes)
	return tokenAnswer{secret, t}, err
}

func (s *server) apiEndToken(ctx context.Context, c caller, in *struct {
	BotPath
	Token string `path:"token" doc:"Its id"`
}) (none, error) {
	return none{}, s.Accounts.EndToken(ctx, c.ID, in.Bot, in.Token)
}
