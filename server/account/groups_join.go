package account

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// Bounds of links into groups.
const (
	MaxInviteUses = chat.MaxMembers
	MaxInviteFor  = 366 * 24 * time.Hour
)

// askAgain is how long who was refused waits before asking again.
const askAgain = 24 * time.Hour

// JoinGroup takes p into a group that is open to all, or asks its administrators
// with a message: so does who was removed from it. It tells whether p is in. Groups
// that are by invitation alone answer chat.NotFound.
func (s *Service) JoinGroup(ctx context.Context, p chat.Person, conv chat.ConvID, message string) (in bool, err error) {
	_, st, _, err := s.standing(ctx, p, conv)
	if err != nil {
		return false, err
	}
	asks, err := st.MayCome(nil)
	switch {
	case err != nil:
		return false, err
	case asks:
		return false, s.ask(ctx, p, conv, message)
	}
	return true, s.enter(ctx, p.ID, conv)
}

// enter posts that u came in by themselves, and forgets what they had asked.
func (s *Service) enter(ctx context.Context, u chat.UserID, conv chat.ConvID) error {
	if _, err := s.postChange(ctx, u, conv, chat.Change{What: chat.Joined, Who: []chat.UserID{u}}, ""); err != nil {
		return err
	}
	if err := s.store.DropJoinRequest(ctx, conv, u); err != nil {
		s.log.Warn("a join request stays", "conv", conv, "user", u, "err", err)
	}
	s.ringAt(ctx, conv)
	return nil
}

func (s *Service) ask(ctx context.Context, p chat.Person, conv chat.ConvID, message string) error {
	message = strings.TrimSpace(message)
	switch {
	case !utf8.ValidString(message) || strings.ContainsRune(message, 0):
		return chat.Refuse(chat.Invalid, "the text is not valid UTF-8")
	case utf8.RuneCountInString(message) > chat.MaxAsk:
		return chat.Refuse(chat.TooLong, "a request has at most 100 characters")
	}
	now := s.now()
	old, err := s.store.JoinRequest(ctx, conv, p.ID)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return err
	}
	if wait := time.UnixMilli(old.At).Add(askAgain).Sub(now); err == nil && old.State == chat.JoinRefused && wait > 0 {
		return &chat.Refusal{Code: chat.RateLimited, Words: "the request was refused: ask again tomorrow", RetryAfter: wait}
	}
	j := chat.JoinRequest{Conv: conv, User: p.ID, Message: message, At: now.UnixMilli()}
	waited := err == nil && old.State == chat.JoinWaits
	if waited {
		j.At = old.At // the place in the queue is kept
	}
	if err := s.store.SetJoinRequest(ctx, j); err != nil {
		return err
	}
	if !waited {
		s.ringAt(ctx, conv)
	}
	return nil
}

// WithdrawJoin takes back what p asked of a group; nothing is fine. What was
// refused stays so.
func (s *Service) WithdrawJoin(ctx context.Context, p chat.Person, conv chat.ConvID) error {
	old, err := s.store.JoinRequest(ctx, conv, p.ID)
	if errors.Is(err, chat.ErrNotFound) || err == nil && old.State != chat.JoinWaits {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.store.DropJoinRequest(ctx, conv, p.ID); err != nil {
		return err
	}
	s.ringAt(ctx, conv)
	return nil
}

// AsksOf returns a page of those who wait to come into a group, and where the next
// begins. It is for the owner and the administrators.
func (s *Service) AsksOf(ctx context.Context, p chat.Person, conv chat.ConvID, after string, limit int) ([]chat.JoinRequest, string, error) {
	if err := s.mayLetIn(ctx, p, conv); err != nil {
		return nil, "", err
	}
	js, next, err := s.store.JoinRequests(ctx, conv, after, min(max(limit, 1), chat.MaxPage))
	if err != nil || len(js) == 0 {
		return js, next, err
	}
	us := make([]chat.UserID, len(js))
	for i, j := range js {
		us[i] = j.User
	}
	seats, err := s.store.SeatsOf(ctx, conv, us...)
	for i := range js {
		js[i].Removed = seats[js[i].User].Removed
	}
	return js, next, err
}

// mayLetIn says why p may not answer requests of a group, or nil.
func (s *Service) mayLetIn(ctx context.Context, p chat.Person, conv chat.ConvID) error {
	g, st, seats, err := s.standing(ctx, p, conv)
	if err != nil {
		return err
	}
	// Who may change the rules may also let in.
	return st.MayChange(conv, p.ID, chat.Change{What: chat.Ruled, Rules: &g.Rules}, seats, s.now().UnixMilli())
}

// AnswerJoin lets in who asked to come into a group, or refuses. Of several who
// answer at once one does; the others are told chat.NotFound.
func (s *Service) AnswerJoin(ctx context.Context, p chat.Person, conv chat.ConvID, u chat.UserID, letIn bool) error {
	if err := s.mayLetIn(ctx, p, conv); err != nil {
		return err
	}
	now := s.now().UnixMilli()
	j, err := s.store.JoinRequest(ctx, conv, u)
	if err != nil {
		return err
	}
	asked := j.At
	j.By, j.At, j.State = p.ID, now, chat.JoinRefused
	if letIn {
		j.State = chat.JoinLetIn
	}
	first, err := s.store.AnswerJoinRequest(ctx, j, chat.JoinWaits)
	if err == nil && !first {
		err = chat.Refuse(chat.NotFound, "there is no such request")
	}
	if err == nil {
		defer s.ringAt(context.WithoutCancel(ctx), conv)
	}
	if err != nil || !letIn {
		return err
	}
	// The ref follows from the request: it lets in once.
	ref := "in-" + digest(string(conv) + " " + string(u) + " " + time.UnixMilli(asked).UTC().String())[:40]
	_, err = s.ChangeGroup(ctx, p, conv, chat.Change{What: chat.Joined, Who: []chat.UserID{u}, Asked: true}, ref)
	if errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
		return nil // in by another way
	}
	if err != nil {
		j.State, j.By, j.At = chat.JoinWaits, "", asked
		_, undo := s.store.AnswerJoinRequest(context.WithoutCancel(ctx), j, chat.JoinLetIn)
		return errors.Join(err, undo)
	}
	return nil
}

// MakeInvite makes a link into a group that lets in so many, 0 for as many as like,
// for a while, 0 for ever.
func (s *Service) MakeInvite(ctx context.Context, p chat.Person, conv chat.ConvID, most int, lasts time.Duration) (chat.GroupInvite, error) {
	_, st, _, err := s.standing(ctx, p, conv)
	if err == nil {
		err = st.MayInvite()
	}
	if err != nil {
		return chat.GroupInvite{}, err
	}
	if most < 0 || most > MaxInviteUses || lasts < 0 || lasts > MaxInviteFor {
		return chat.GroupInvite{}, chat.Refuse(chat.Invalid, "a link lets in at most 10,000 people, and for a year")
	}
	i := chat.GroupInvite{Code: rand.Text(), Conv: conv, By: p.ID, Most: most, CreatedAt: s.now().UnixMilli()}
	if lasts > 0 {
		i.ExpiresAt = s.now().Add(lasts).UnixMilli()
	}
	return i, s.store.AddGroupInvite(ctx, i)
}

// InvitesInto returns the links into a group that p may see: those of p and, for the
// owner and administrators, all.
func (s *Service) InvitesInto(ctx context.Context, p chat.Person, conv chat.ConvID) ([]chat.GroupInvite, error) {
	_, st, _, err := s.standing(ctx, p, conv)
	if err == nil {
		err = st.MayInvite()
	}
	if err != nil {
		return nil, err
	}
	is, err := s.store.GroupInvites(ctx, conv)
	if err != nil || st.Role >= chat.Admin {
		return is, err
	}
	mine := is[:0]
	for _, i := range is {
		if i.By == p.ID {
			mine = append(mine, i)
		}
	}
	return mine, nil
}

// RevokeInvite makes a link into a group invalid: one's own, or as the owner or an
// administrator any.
func (s *Service) RevokeInvite(ctx context.Context, p chat.Person, conv chat.ConvID, code string) error {
	_, st, _, err := s.standing(ctx, p, conv)
	if err == nil && !st.In {
		err = chat.Refuse(chat.Forbidden, "not a member of this group")
	}
	if err != nil {
		return err
	}
	i, err := s.store.GroupInvite(ctx, code)
	switch {
	case err != nil:
		return err
	case i.Conv != conv:
		return chat.Refuse(chat.NotFound, "the invite link is not valid any more")
	case i.By != p.ID && st.Role < chat.Admin:
		return chat.Refuse(chat.Forbidden, "not yours to do in this group")
	}
	return s.store.DeleteGroupInvite(ctx, conv, code)
}

// A Door is a group as who has a link to it sees it.
type Door struct {
	chat.Group
	Inviter chat.Person
	In      bool  // who looks is in the group already
	Waits   bool  // and has asked to be let in
	Asks    bool  // the link leads to a request only
	Removed bool  // since who looks was removed from the group
	shut    error // why nobody comes in by it now, a *chat.Refusal, or nil
}

// errDeadLink is the answer to a link that lets nobody in.
var errDeadLink = chat.Refuse(chat.NotFound, "the invite link is not valid any more")

// InviteDoor returns where a link leads p, or chat.NotFound where it leads nowhere
// any more: it has run out, or who made it may not invite any longer.
func (s *Service) InviteDoor(ctx context.Context, p chat.Person, code string) (d Door, err error) {
	i, err := s.store.GroupInvite(ctx, code)
	if err != nil {
		return d, err
	}
	if !i.Works(s.now().UnixMilli()) {
		return d, errDeadLink
	}
	ps, err := s.store.People(ctx, i.By)
	if err != nil || len(ps) == 0 || ps[0].Disabled {
		return d, errors.Join(err, errDeadLink)
	}
	d.Inviter = ps[0]
	g, by, seats, err := s.standingOf(ctx, d.Inviter, i.Conv, p.Faces()...)
	if err != nil {
		return d, err
	}
	if by.MayInvite() != nil {
		return d, errDeadLink
	}
	me := by
	me.Able, me.Super, me.Seat = !p.Disabled, p.Admin, seatOf(p, seats)
	d.Group, d.In, d.Removed = g, me.In, me.Removed
	d.Asks, d.shut = me.MayCome(&by)
	if j, err := s.store.JoinRequest(ctx, i.Conv, p.ID); err == nil {
		d.Waits = j.State == chat.JoinWaits && !d.In
	} else if !errors.Is(err, chat.ErrNotFound) {
		return d, err
	}
	return d, nil
}

// JoinByInvite takes p into the group of a link, or asks to be let in where who
// made it may not decide that alone. It tells which group, and whether p is in. A
// use counts only where it let somebody in.
func (s *Service) JoinByInvite(ctx context.Context, p chat.Person, code, message string) (conv chat.ConvID, in bool, err error) {
	d, err := s.InviteDoor(ctx, p, code)
	if err != nil {
		return "", false, err
	}
	if d.shut != nil {
		return d.Conv, d.In, d.shut
	}
	if d.Asks {
		return d.Conv, false, s.ask(ctx, p, d.Conv, message)
	}
	if err := s.store.UseGroupInvite(ctx, code, s.now().UnixMilli()); err != nil {
		return d.Conv, false, err
	}
	err = s.enter(ctx, p.ID, d.Conv)
	var refused *chat.Refusal
	if errors.As(err, &refused) { // of other errors it is not known whether p is in
		err = errors.Join(err, s.store.ReturnGroupInvite(context.WithoutCancel(ctx), code))
	}
	return d.Conv, err == nil, err
}
