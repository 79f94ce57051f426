package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// GroupStore keeps groups beside their logs. What changes a group is an entry of
// its log, which the Poster stores.
type GroupStore interface {
	// CreateGroupAs makes a group with an empty log; members are distinct and include the owner.
	CreateGroupAs(ctx context.Context, g chat.Group, members []chat.UserID, at int64) error
	// Group returns a group, or chat.NotFound.
	Group(ctx context.Context, conv chat.ConvID) (chat.Group, error)
	// SeatsOf returns the places of those of us who are in conv, or were.
	SeatsOf(ctx context.Context, conv chat.ConvID, us ...chat.UserID) (map[chat.UserID]chat.Seat, error)
	// MembersPage returns a page of members, and where the next begins, empty at the end.
	MembersPage(ctx context.Context, conv chat.ConvID, ask chat.MemberAsk) ([]chat.Member, string, error)
	// BondsWith returns what others are to u, seen by u, by themselves and by whose bots they are.
	BondsWith(ctx context.Context, u chat.UserID, others ...chat.UserID) (map[chat.UserID]chat.Bond, error)
	// OwnBond is the same of one, by what they themselves have each other as.
	OwnBond(ctx context.Context, u, peer chat.UserID) (chat.Bond, error)

	// AddGroupInvite stores a link; chat.TooLong where there are too many.
	AddGroupInvite(ctx context.Context, i chat.GroupInvite) error
	// GroupInvite returns a link by its code, or chat.NotFound.
	GroupInvite(ctx context.Context, code string) (chat.GroupInvite, error)
	GroupInvites(ctx context.Context, conv chat.ConvID) ([]chat.GroupInvite, error)
	DeleteGroupInvite(ctx context.Context, conv chat.ConvID, code string) error
	// UseGroupInvite counts a use, or answers chat.NotFound where there is none left.
	UseGroupInvite(ctx context.Context, code string, at int64) error
	// ReturnGroupInvite takes a use back that came to nothing.
	ReturnGroupInvite(ctx context.Context, code string) error

	// SetJoinRequest stores a request in place of the person's last.
	SetJoinRequest(ctx context.Context, j chat.JoinRequest) error
	// JoinRequest returns what u asked of conv, or chat.NotFound.
	JoinRequest(ctx context.Context, conv chat.ConvID, u chat.UserID) (chat.JoinRequest, error)
	JoinRequests(ctx context.Context, conv chat.ConvID, after string, limit int) ([]chat.JoinRequest, string, error)
	JoinsWaiting(ctx context.Context, conv chat.ConvID) (int, error)
	// Managers returns the owner and the administrators of conv, GroupsAsked the
	// groups of u as one of those that somebody waits to come into.
	Managers(ctx context.Context, conv chat.ConvID, limit int) ([]chat.UserID, error)
	GroupsAsked(ctx context.Context, u chat.UserID, limit int) ([]chat.GroupAsked, error)
	// AnswerJoinRequest takes a request from a state to that of j; false where it is in another.
	AnswerJoinRequest(ctx context.Context, j chat.JoinRequest, from chat.JoinState) (bool, error)
	DropJoinRequest(ctx context.Context, conv chat.ConvID, u chat.UserID) error
}

// errNoGroup is the answer to what is no group, as stores give it, and to who is a
// stranger to one that is by invitation.
var errNoGroup = chat.Refuse(chat.NotFound, "no such conversation")

// standing returns a group, what decides what p may do in it, and the places of who.
// A group by invitation is not there for who is not in it.
func (s *Service) standing(ctx context.Context, p chat.Person, conv chat.ConvID, who ...chat.UserID) (chat.Group, chat.Standing, map[chat.UserID]chat.Seat, error) {
	g, st, seats, err := s.standingOf(ctx, p, conv, who...)
	if err == nil && !st.In && !st.Super && st.Rules.Joining == chat.JoinInvite {
		return chat.Group{}, chat.Standing{}, nil, errNoGroup
	}
	return g, st, seats, err
}

// standingOf is standing for whom the group is there.
func (s *Service) standingOf(ctx context.Context, p chat.Person, conv chat.ConvID, who ...chat.UserID) (chat.Group, chat.Standing, map[chat.UserID]chat.Seat, error) {
	st := chat.Standing{Able: !p.Disabled, Super: p.Admin, Most: s.maxGroup()}
	g, err := s.store.Group(ctx, conv)
	if err != nil {
		return g, st, nil, err
	}
	seats, err := s.store.SeatsOf(ctx, conv, append(who[:len(who):len(who)], p.Faces()...)...)
	if err != nil {
		return g, st, nil, err
	}
	seats[p.ID] = seatOf(p, seats)
	st.Exists, st.State, st.Rules, st.Members, st.Seat = true, g.State, g.Rules, g.Members, seats[p.ID]
	return g, st, seats, nil
}

// seatOf returns the place of p by those of p and of whose bot p is, which is no way
// back for who was removed.
func seatOf(p chat.Person, seats map[chat.UserID]chat.Seat) chat.Seat {
	seat := seats[p.ID]
	seat.Removed = !seat.In && (seat.Removed || seats[p.BotOf].Removed)
	return seat
}

// withBots is who, and of those whom p removes the bots that are in conv, but for such
// as have p's role: who was removed reads and writes there by none.
func (s *Service) withBots(ctx context.Context, p chat.Person, conv chat.ConvID, who []chat.UserID) ([]chat.UserID, error) {
	all := slices.Clone(who)
	for _, u := range who {
		if u == p.ID {
			continue
		}
		bots, err := s.store.BotsOf(ctx, u)
		if err != nil {
			return nil, err
		}
		if len(bots) == 0 {
			continue
		}
		ids := []chat.UserID{p.ID}
		for _, b := range bots {
			ids = append(ids, b.ID)
		}
		seats, err := s.store.SeatsOf(ctx, conv, ids...)
		if err != nil {
			return nil, err
		}
		for _, b := range ids[1:] {
			if seat := seats[b]; seat.In && seat.Role < seats[p.ID].Role && !slices.Contains(all, b) && len(all) < chat.MaxChange {
				all = append(all, b)
			}
		}
	}
	return all, nil
}

// ChangeGroup makes a change of a group by p, once for each ref that p gives; an
// empty one is new. It checks who may do it before it is carried to the commit, where
// it is checked once more, and returns the entry that tells the members. Errors that
// p may be told are *chat.Refusal.
func (s *Service) ChangeGroup(ctx context.Context, p chat.Person, conv chat.ConvID, c chat.Change, ref string) (chat.Message, error) {
	if err := checkChange(&c); err != nil {
		return chat.Message{}, err
	}
	if c.What == chat.Left {
		var err error
		if c.Who, err = s.withBots(ctx, p, conv, c.Who); err != nil {
			return chat.Message{}, err
		}
	}
	_, st, seats, err := s.standing(ctx, p, conv, c.Who...)
	if err != nil {
		return chat.Message{}, err
	}
	// An administrator of the server is here what they are in the group: what they do as
	// such takes their password and is noted, in server/admin.
	st.Super = false
	if err := st.MayChange(conv, p.ID, c, seats, s.now().UnixMilli()); err != nil {
		return chat.Message{}, err
	}
	if c.What == chat.Joined {
		if err := s.checkAdded(ctx, p.ID, c); err != nil {
			return chat.Message{}, err
		}
	}
	return s.postChange(ctx, p.ID, conv, c, ref)
}

func (s *Service) postChange(ctx context.Context, by chat.UserID, conv chat.ConvID, c chat.Change, ref string) (chat.Message, error) {
	if ref == "" {
		ref = "g-" + rand.Text()
	}
	d := chat.Draft{Conv: conv, Author: by, Ref: ref, Content: chat.Content{Kind: chat.Event, Event: &c}}
	m, err := s.poster.PostWait(ctx, d)
	if err != nil {
		return m, fmt.Errorf("change group: %w", err)
	}
	return m, nil
}

// checkChange refuses what people can't write into a change, and cuts what they
// need not.
func checkChange(c *chat.Change) error {
	if c.What == chat.Made {
		return chat.Refuse(chat.Invalid, "unknown change")
	}
	switch c.What {
	case chat.Renamed:
		name, err := groupName(c.Name)
		c.Name = name
		return err
	case chat.Noticed:
		notice, err := groupNotice(c.Name)
		c.Name = notice
		return err
	case chat.Pictured:
		return groupPicture(c.Name)
	}
	return nil
}

// groupName returns a name as it is stored.
func groupName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "" || checkNickname(name) != nil && utf8.RuneCountInString(name) <= chat.MaxName:
		return "", chat.Refuse(chat.Invalid, "a group needs a name that can be shown")
	case utf8.RuneCountInString(name) > chat.MaxName:
		return "", chat.Refuse(chat.TooLong, "a group name has at most 64 characters")
	}
	return name, nil
}

// groupNotice returns a notice as it is stored.
func groupNotice(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "", chat.Refuse(chat.Invalid, "the text is not valid UTF-8")
	case utf8.RuneCountInString(text) > chat.MaxNotice:
		return "", chat.Refuse(chat.TooLong, "a notice has at most 500 characters")
	}
	return text, nil
}

// groupPicture refuses what is no file of this server: others would learn who
// looks at it.
func groupPicture(path string) error {
	if path != "" && ((&chat.File{URL: path}).UploadID() == "" || len(path) > 255 || !chat.SafeURL(path)) {
		return chat.Refuse(chat.Invalid, "the picture must be a file that was uploaded here")
	}
	return nil
}

// checkAdded says why by may not bring the people of c into a group, or nil.
func (s *Service) checkAdded(ctx context.Context, by chat.UserID, c chat.Change) error {
	if err := s.checkMembers(ctx, by, c.Who); err != nil || c.Asked {
		return err
	}
	return s.checkBonds(ctx, by, c.Who)
}

// checkBonds says why by may not bring others into a group, or nil.
func (s *Service) checkBonds(ctx context.Context, by chat.UserID, others []chat.UserID) error {
	bonds, err := s.store.BondsWith(ctx, by, others...)
	if err != nil {
		return err
	}
	only := s.policy != nil && s.policy().ContactsOnly
	for _, u := range others {
		if u == by {
			continue
		}
		if err := bonds[u].MayAdd(only); err != nil {
			return err
		}
	}
	return nil
}

// LeaveGroup takes p out of a group. Who is its owner and alone dismisses it by that.
func (s *Service) LeaveGroup(ctx context.Context, p chat.Person, conv chat.ConvID) error {
	_, st, _, err := s.standing(ctx, p, conv)
	if err != nil {
		return err
	}
	if st.In && st.Role == chat.Owner && st.Members == 1 && st.State != chat.Dismissed {
		if _, err := s.ChangeGroup(ctx, p, conv, chat.Change{What: chat.Ended}, ""); err != nil {
			return err
		}
	}
	_, err = s.ChangeGroup(ctx, p, conv, chat.Change{What: chat.Left, Who: []chat.UserID{p.ID}}, "")
	return err
}

// A GroupEdit is what somebody wants changed about a group; nil stays as it is.
type GroupEdit struct {
	Name, Notice, Avatar *string
	Joining              *chat.Joining
	Slow                 *int
	Announce             *bool
}

// EditGroup makes the changes that e comes to, each an entry, in the order of its
// fields; where one is refused, those behind it are not made.
func (s *Service) EditGroup(ctx context.Context, p chat.Person, conv chat.ConvID, e GroupEdit) error {
	g, _, _, err := s.standing(ctx, p, conv)
	if err != nil {
		return err
	}
	var cs []chat.Change
	for _, x := range []struct {
		what string
		to   *string
		is   string
	}{{chat.Renamed, e.Name, g.Name}, {chat.Noticed, e.Notice, g.Notice}, {chat.Pictured, e.Avatar, g.Avatar}} {
		if x.to != nil {
			c := chat.Change{What: x.what, Name: *x.to}
			if err := checkChange(&c); err != nil {
				return err
			}
			if c.Name != x.is {
				cs = append(cs, c)
			}
		}
	}
	r := g.Rules
	set(&r.Joining, e.Joining)
	set(&r.Slow, e.Slow)
	set(&r.Announce, e.Announce)
	if err := r.Validate(); err != nil {
		return err
	}
	if r != g.Rules {
		cs = append(cs, chat.Change{What: chat.Ruled, Rules: &r})
	}
	if len(cs) == 0 { // also who may change nothing is told so
		c := chat.Change{What: chat.Ruled, Rules: &r}
		_, st, seats, err := s.standing(ctx, p, conv)
		return errors.Join(err, st.MayChange(conv, p.ID, c, seats, s.now().UnixMilli()))
	}
	for _, c := range cs {
		if _, err := s.ChangeGroup(ctx, p, conv, c, ""); err != nil {
			return err
		}
	}
	return nil
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}
