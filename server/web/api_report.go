package web

import (
	"context"

	"kamachat/shared/chat"
)

func (a *api) reportRoutes() {
	route(a, operation{
		Method: "POST", Path: "/api/v1/reports", ID: "report", Tag: "People",
		Summary: "Tell administrators about a message or a person",
		About:   "Of a message that the caller may read: administrators then see it, and five messages before and after it. The same a second time changes nothing.",
	}, a.apiReport)
}

type complaint struct {
	Conv   chat.ConvID `json:"conv,omitempty" doc:"Conversation of the message"`
	Seq    int64       `json:"seq,omitempty" doc:"The message"`
	User   chat.UserID `json:"user,omitempty" doc:"The person, where it is not about a message"`
	Reason string      `json:"reason" doc:"At most 500 characters"`
}

func (s *server) apiReport(ctx context.Context, c caller, in *struct{ Body complaint }) (none, error) {
	if s.Board == nil {
		return none{}, errNoPage
	}
	b := in.Body
	return none{}, s.Board.Report(ctx, chat.Report{By: c.ID, Conv: b.Conv, Seq: b.Seq, User: b.User, Reason: b.Reason})
}
