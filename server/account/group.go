package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"kamachat/shared/chat"
)

// namedMembers is how many members the first entry of a group names.
const namedMembers = 100

const (
	// perChange is how many members more make a group count as one change more.
	perChange = 50
	// Large is how many members a group has of which one is made at a time.
	Large = 500
)

// admitGroup counts a group of so many as what it costs, beside the change that
// it is, and answers chat.RateLimited or chat.Busy where it can't be made now.
// After nil the caller calls done.
func (s *Service) admitGroup(by chat.UserID, members int) (done func(), err error) {
	done = func() {}
	if members > Large {
		select {
		case s.large <- struct{}{}:
			done = func() { <-s.large }
		default:
			return nil, &chat.Refusal{Code: chat.Busy, Words: "another large group is just being made", RetryAfter: time.Second}
		}
	}
	if n := members / perChange; n > 0 {
		if err := s.byUser.takeN(string(by), n); err != nil {
			done()
			return nil, err
		}
	}
	return done, nil
}

// A NewGroup is a group to be made.
type NewGroup struct {
	Name    string
	Members []chat.UserID
	Notice  string
	Avatar  string       // a path below /files/, or empty
	Joining chat.Joining // empty: chat.JoinInvite
}

// MakeGroup makes a group of by and others and posts its first entry, which
// tells the members. When only the post fails the group exists: its id is
// returned with the error.
func (s *Service) MakeGroup(ctx context.Context, by chat.UserID, n NewGroup) (chat.ConvID, error) {
	g, err := s.newGroup(by, n)
	if err != nil {
		return "", err
	}
	all := distinct(by, n.Members)
	if most := s.maxGroup(); len(all) > most {
		words := "a group has at most 10,000 members"
		if most < chat.MaxMembers {
			words = "the group is larger than is allowed here"
		}
		return "", chat.Refuse(chat.TooLong, words)
	}
	done, err := s.admitGroup(by, len(all))
	if err != nil {
		return "", err
	}
	defer done()
	if err := s.checkMembers(ctx, by, all); err != nil {
		return "", err
	}
	if err := s.checkBonds(ctx, by, all); err != nil {
		return "", err
	}
	if err := s.store.CreateGroupAs(ctx, g, all, s.now().UnixMilli()); err != nil {
		return "", fmt.Errorf("make group: %w", err)
	}
	_, err = s.postChange(ctx, by, g.Conv, chat.Change{What: chat.Made, Who: all[:min(len(all), namedMembers)], Name: g.Name}, "made-"+string(g.Conv))
	if err != nil {
		return g.Conv, fmt.Errorf("announce group: %w", err)
	}
	return g.Conv, nil
}

// newGroup checks what somebody typed and makes it a group.
func (s *Service) newGroup(by chat.UserID, n NewGroup) (g chat.Group, err error) {
	g.Owner, g.Avatar, g.Rules = by, n.Avatar, chat.Rules{Joining: cmp.Or(n.Joining, chat.JoinInvite)}
	if g.Name, err = groupName(n.Name); err != nil {
		return g, err
	}
	if g.Notice, err = groupNotice(n.Notice); err != nil {
		return g, err
	}
	if err := errors.Join(groupPicture(n.Avatar), g.Rules.Validate()); err != nil {
		return g, err
	}
	if len(n.Members) > chat.MaxMembers {
		return g, chat.Refuse(chat.TooLong, "a group has at most 10,000 members")
	}
	g.Conv = s.ids.NewGroup()
	return g, nil
}

// distinct returns first and the others, each once.
func distinct(first chat.UserID, others []chat.UserID) []chat.UserID {
	all := make([]chat.UserID, 0, len(others)+1)
	seen := make(map[chat.UserID]bool, len(others)+1)
	for _, u := range append([]chat.UserID{first}, others...) {
		if !seen[u] {
			seen[u] = true
			all = append(all, u)
		}
	}
	return all
}

// checkMembers says why these people can't be in a group, or nil.
func (s *Service) checkMembers(ctx context.Context, by chat.UserID, ids []chat.UserID) error {
	ps, err := s.PeopleFor(ctx, by, ids...)
	if err != nil {
		return fmt.Errorf("look up members: %w", err)
	}
	if len(ps) != len(ids) {
		return chat.Refuse(chat.NotFound, "a member does not exist")
	}
	for _, p := range ps {
		if p.Disabled {
			return chat.Refuse(chat.Forbidden, "a member's account is disabled")
		}
	}
	return nil
}
