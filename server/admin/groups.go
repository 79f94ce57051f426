package admin

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"kamachat/shared/chat"
)

// groupActs are the acts on a group and the state that each leads to.
var groupActs = []struct {
	act   string
	state int
}{{chat.ActDisableGroup, 1}, {chat.ActEnableGroup, 0}, {chat.ActDismissGroup, 2}}

// GroupActs are the acts on a group, in the order in which they are offered.
func GroupActs() []string {
	acts := make([]string, len(groupActs))
	for i, a := range groupActs {
		acts[i] = a.act
	}
	return acts
}

// Groups returns one page of groups, and where the next begins, "" at the end.
func (s *Service) Groups(ctx context.Context, ask chat.Ask) ([]chat.GroupLine, string, error) {
	return s.Store.AllGroups(ctx, fold(ask))
}

// A Folder is a group in full.
type Folder struct {
	chat.GroupLine
	OwnerName string
	People    []chat.Account // one page of its members
	More      string         // where the next page begins
	Deeds     []chat.Deed
	Acts      []string // that make sense
}

// Group returns a group in full; after is where the page of members begins.
func (s *Service) Group(ctx context.Context, conv chat.ConvID, after string) (f Folder, err error) {
	if f.GroupLine, err = s.Store.GroupLine(ctx, conv); err != nil {
		return f, err
	}
	if f.People, f.More, err = s.Store.GroupMembers(ctx, conv, after, PageSize); err != nil {
		return f, err
	}
	if f.Deeds, _, err = s.Store.Deeds(ctx, chat.DeedAsk{Target: string(conv), Limit: 10}); err != nil {
		return f, err
	}
	owner, err := s.Store.People(ctx, f.Owner)
	if err != nil {
		return f, err
	}
	if len(owner) > 0 {
		f.OwnerName = owner[0].Name()
	}
	for _, a := range groupActs {
		if pointlessGroup(a.act, f.GroupLine) == nil {
			f.Acts = append(f.Acts, a.act)
		}
	}
	return f, nil
}

// pointlessGroup says why an act changes nothing about g, or nil.
func pointlessGroup(act string, g chat.GroupLine) error {
	switch {
	case g.State == 2:
		return chat.Refuse(chat.Invalid, "the group is dismissed")
	case act == chat.ActDisableGroup && g.State == 1:
		return chat.Refuse(chat.Invalid, "the group is disabled already")
	case act == chat.ActEnableGroup && g.State == 0:
		return chat.Refuse(chat.Invalid, "the group is not disabled")
	}
	return nil
}

// A GroupCase is a group that an act is about: Why says why nothing will be done, or nil.
type GroupCase struct {
	chat.GroupLine
	Why *chat.Refusal
}

// PreviewGroups says what an act would do to which groups, at most PageSize. What
// does not exist is left out.
func (s *Service) PreviewGroups(ctx context.Context, act string, ids []chat.ConvID) ([]GroupCase, error) {
	if _, ok := stateOf(act); !ok {
		return nil, chat.Refuse(chat.Invalid, "there is no such act")
	}
	if len(ids) > PageSize {
		return nil, chat.Refuse(chat.TooLong, "too many at once")
	}
	var cs []GroupCase
	for _, id := range ids {
		if slices.ContainsFunc(cs, func(c GroupCase) bool { return c.ID == id }) {
			continue
		}
		g, err := s.Store.GroupLine(ctx, id)
		if chat.AsRefusal(err).Code == chat.NotFound && err != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := GroupCase{GroupLine: g}
		if err := pointlessGroup(act, g); err != nil {
			c.Why = chat.AsRefusal(err)
		}
		cs = append(cs, c)
	}
	return cs, nil
}

func stateOf(act string) (int, bool) {
	for _, a := range groupActs {
		if a.act == act {
			return a.state, true
		}
	}
	return 0, false
}

// DoGroup does an act to a group.
func (s *Service) DoGroup(ctx context.Context, who Who, act string, conv chat.ConvID) error {
	state, ok := stateOf(act)
	if !ok {
		return chat.Refuse(chat.Invalid, "there is no such act")
	}
	g, err := s.Store.GroupLine(ctx, conv)
	if err == nil {
		err = pointlessGroup(act, g)
	}
	if err != nil {
		return err
	}
	if err := s.Store.SetGroupState(ctx, who.deed(act, g.Name), conv, state); err != nil {
		return err
	}
	s.Log.Info("administered", "act", act, "conv", conv, "by", who.ID, "from", who.Addr)
	s.tell(ctx, who, act, conv)
	return nil
}

// changes are what an entry says of each act on a group.
var changes = map[string]string{chat.ActDisableGroup: chat.Disabled, chat.ActEnableGroup: chat.Enabled, chat.ActDismissGroup: chat.Ended}

// tell has the members told, by an entry, what was done to their group. It is done
// whether or not that succeeds.
func (s *Service) tell(ctx context.Context, who Who, act string, conv chat.ConvID) {
	if s.Entries == nil || who.ID == "" {
		return
	}
	_, err := s.Entries.PostWait(ctx, chat.Draft{
		Conv: conv, Author: who.ID, Ref: rand.Text(), Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: changes[act]}},
	})
	if err != nil {
		s.Log.Warn("the members are not told", "act", act, "conv", conv, "err", err)
	}
}

// whats are all acts that may be in the audit log; other files of this room add theirs.
var whats = slices.Concat(people, GroupActs(), []string{chat.ActImport, chat.ActErased, chat.ActSet, chat.ActInvite, chat.ActUninvite, chat.ActLookAt, chat.ActClose, chat.ActRemove, chat.ActCancel})

// Whats are all acts that may be in the audit log.
func Whats() []string { return slices.Clone(whats) }

// Target is what the audit log calls what somebody names: of a person, by username,
// the id; of all else the name itself without space around it.
func (s *Service) Target(ctx context.Context, name string) (string, error) {
	if name = strings.TrimSpace(name); name == "" {
		return "", nil
	}
	a, err := s.ByName(ctx, name)
	if err == nil {
		return string(a.ID), nil
	}
	if chat.AsRefusal(err).Code != chat.NotFound {
		return "", err
	}
	return name, nil
}

// Deeds returns one page of what administrators did, newest first, and where the
// next begins, "" at the end.
func (s *Service) Deeds(ctx context.Context, ask chat.DeedAsk) ([]chat.Deed, string, error) {
	if ask.Limit <= 0 {
		ask.Limit = PageSize
	}
	return s.Store.Deeds(ctx, ask)
}
