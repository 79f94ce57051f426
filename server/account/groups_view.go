package account

import (
	"context"
	"errors"
	"strings"

	"kamachat/shared/chat"
)

// A GroupView is a group as somebody sees it. Who is not in it sees its name, its
// picture and how many it has, where one may ask to come in.
type GroupView struct {
	chat.Group
	Me      chat.Standing
	Asked   bool // who looks waits to be let in
	Waiting int  // how many others do; told to the owner and administrators
}

// May reports whether who looks may make a change, as far as that does not depend
// on whom it is about.
func (v GroupView) May(c chat.Change) bool {
	v.Me.Super = false // as in ChangeGroup
	return v.Me.MayChange(v.Conv, "", c, nil, 0) == nil
}

// ViewGroup returns a group as p sees it. One that p is not in and can't ask to come
// into answers chat.NotFound.
func (s *Service) ViewGroup(ctx context.Context, p chat.Person, conv chat.ConvID) (v GroupView, err error) {
	v.Group, v.Me, _, err = s.standing(ctx, p, conv)
	if err != nil {
		return v, err
	}
	if v.Me.In {
		if v.Me.Role >= chat.Admin {
			v.Waiting, err = s.store.JoinsWaiting(ctx, conv)
		}
		return v, err
	}
	if v.State != chat.InUse || v.Joining == chat.JoinInvite {
		return GroupView{}, errNoGroup
	}
	v.Notice, v.Owner = "", ""
	j, err := s.store.JoinRequest(ctx, conv, p.ID)
	if errors.Is(err, chat.ErrNotFound) {
		return v, nil
	}
	v.Asked = err == nil && j.State == chat.JoinWaits
	return v, err
}

// MembersOf returns a page of a group's members for one of them, and where the next
// begins, empty at the end.
func (s *Service) MembersOf(ctx context.Context, p chat.Person, conv chat.ConvID, ask chat.MemberAsk) ([]chat.Member, string, error) {
	_, st, _, err := s.standing(ctx, p, conv)
	if err == nil && !st.In {
		err = chat.Refuse(chat.Forbidden, "not a member of this group")
	}
	if err != nil {
		return nil, "", err
	}
	ask.Query = strings.ToLower(strings.TrimSpace(ask.Query))
	if len(ask.Query) > 4*chat.MaxName {
		return nil, "", nil
	}
	ask.Limit = min(max(ask.Limit, 1), chat.MaxPage)
	return s.store.MembersPage(ctx, conv, ask)
}

// GroupOwner returns whose a group is.
func (s *Service) GroupOwner(ctx context.Context, conv chat.ConvID) (chat.UserID, error) {
	g, err := s.store.Group(ctx, conv)
	return g.Owner, err
}
