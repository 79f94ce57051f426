package web

import (
	"context"
	"time"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// Groups is what the routes need to know of groups. It checks who may do what.
type Groups interface {
	MakeGroup(ctx context.Context, by chat.UserID, n account.NewGroup) (chat.ConvID, error)
	ViewGroup(ctx context.Context, p chat.Person, conv chat.ConvID) (account.GroupView, error)
	GroupOwner(ctx context.Context, conv chat.ConvID) (chat.UserID, error)
	MembersOf(ctx context.Context, p chat.Person, conv chat.ConvID, ask chat.MemberAsk) ([]chat.Member, string, error)
	ChangeGroup(ctx context.Context, p chat.Person, conv chat.ConvID, c chat.Change, ref string) (chat.Message, error)
	EditGroup(ctx context.Context, p chat.Person, conv chat.ConvID, e account.GroupEdit) error
	LeaveGroup(ctx context.Context, p chat.Person, conv chat.ConvID) error
	// JoinGroup and JoinByInvite tell whether p is in; else it was asked for.
	JoinGroup(ctx context.Context, p chat.Person, conv chat.ConvID, message string) (in bool, err error)
	JoinByInvite(ctx context.Context, p chat.Person, code, message string) (conv chat.ConvID, in bool, err error)
	WithdrawJoin(ctx context.Context, p chat.Person, conv chat.ConvID) error
	AsksOf(ctx context.Context, p chat.Person, conv chat.ConvID, after string, limit int) ([]chat.JoinRequest, string, error)
	AnswerJoin(ctx context.Context, p chat.Person, conv chat.ConvID, u chat.UserID, letIn bool) error
	MakeInvite(ctx context.Context, p chat.Person, conv chat.ConvID, most int, lasts time.Duration) (chat.GroupInvite, error)
	InvitesInto(ctx context.Context, p chat.Person, conv chat.ConvID) ([]chat.GroupInvite, error)
	RevokeInvite(ctx context.Context, p chat.Person, conv chat.ConvID, code string) error
	InviteDoor(ctx context.Context, p chat.Person, code string) (account.Door, error)
}

// roleChange is the change that makes one person what a role is called, or false.
func roleChange(role string, u chat.UserID) (c chat.Change, ok bool) {
	c.Who = []chat.UserID{u}
	switch role {
	case chat.Owner.String():
		c.What = chat.Handed
	case chat.Admin.String():
		c.What = chat.Promoted
	case chat.Plain.String():
		c.What = chat.Demoted
	default:
		return c, false
	}
	return c, true
}
