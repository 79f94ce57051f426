package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"kamachat/shared/chat"
)

// leaveWithin bounds how long who deletes an account waits for it to leave its
// groups; what is left then Run goes on with.
const leaveWithin = 10 * time.Second

// LeaveAll has everybody whose account was deleted leave their groups. Each is an
// entry, told as any other: what they owned is handed to another first, or is
// dismissed. Several may do it at once: an entry that comes second is refused. Where
// nobody takes entries it is left to a server.
func (s *Service) LeaveAll(ctx context.Context) error {
	if s.Entries == nil {
		return nil
	}
	us, err := s.Store.Leaving(ctx)
	for _, u := range us {
		if e := s.leaveGroups(ctx, u); e != nil {
			err = errors.Join(err, fmt.Errorf("%s leaves their groups: %w", u, e))
		}
	}
	return err
}

// leaveGroups has u leave their groups.
func (s *Service) leaveGroups(ctx context.Context, u chat.UserID) error {
	for tries := 3; ; {
		ds, err := s.Store.Departures(ctx, u, PageSize)
		if err != nil {
			return err
		}
		if len(ds) == 0 {
			return s.Store.Departed(ctx, u)
		}
		left, refused := 0, error(nil)
		for _, d := range ds {
			err := s.depart(ctx, d)
			if r := (*chat.Refusal)(nil); errors.As(err, &r) && r.RetryAfter == 0 {
				refused = err // another was faster, or the heir went: it is looked at again
				continue
			}
			if err != nil {
				return err
			}
			left++
		}
		if left > 0 {
			continue
		}
		if tries--; tries == 0 {
			return refused
		}
	}
}

// depart posts what takes somebody out of a group.
func (s *Service) depart(ctx context.Context, d chat.Departure) error {
	post := func(c chat.Change) error {
		_, err := s.Entries.PostWait(ctx, chat.Draft{
			Conv: d.Conv, Author: d.User, Ref: rand.Text(), Super: true, Content: chat.Content{Kind: chat.Event, Event: &c},
		})
		return err
	}
	var err error
	switch {
	case d.Owns && d.Heir != "":
		err = post(chat.Change{What: chat.Handed, Who: []chat.UserID{d.Heir}})
	case d.Owns:
		err = post(chat.Change{What: chat.Ended})
	}
	if err != nil {
		return err
	}
	return post(chat.Change{What: chat.Left, Who: []chat.UserID{d.User}})
}

// leaveNow is LeaveAll for who has just deleted an account, which is done whatever
// comes of this.
func (s *Service) leaveNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	if err := s.LeaveAll(ctx); err != nil {
		s.Log.Warn("a deleted account has not left all of its groups, will be tried again", "err", err)
	}
}
