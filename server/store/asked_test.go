package store_test

import (
	"slices"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func TestGroupsAskedAreThoseThatOneLooksAfter(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db, _, s, ps := club(t, dsn, 6)
		ctx := t.Context()
		group := func(name string) chat.ConvID {
			t.Helper()
			conv, err := s.MakeGroup(ctx, ps[0].ID, account.NewGroup{Name: name, Joining: chat.JoinApproval, Members: []chat.UserID{ps[1].ID, ps[2].ID}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.ChangeGroup(ctx, ps[0], conv, chat.Change{What: chat.Promoted, Who: []chat.UserID{ps[1].ID}}, ""); err != nil {
				t.Fatal(err)
			}
			return conv
		}
		tea, walk, over, quiet := group("Tea"), group("Walk"), group("Over"), group("Quiet")
		for i, j := range []chat.JoinRequest{
			{Conv: walk, User: ps[3].ID, At: 5}, {Conv: tea, User: ps[3].ID, At: 7}, {Conv: tea, User: ps[4].ID, At: 9}, {Conv: over, User: ps[3].ID, At: 1},
			{Conv: quiet, User: ps[5].ID, At: 1, State: chat.JoinRefused},
		} {
			if err := db.SetJoinRequest(ctx, j); err != nil {
				t.Fatal(i, err)
			}
		}
		if _, err := s.ChangeGroup(ctx, ps[0], over, chat.Change{What: chat.Ended}, ""); err != nil {
			t.Fatal(err)
		}
		all := []chat.GroupAsked{{Conv: walk, Name: "Walk", Waiting: 1}, {Conv: tea, Name: "Tea", Waiting: 2}}
		for i, want := range [][]chat.GroupAsked{all, all, nil, nil} {
			if got, err := db.GroupsAsked(ctx, ps[i].ID, 9); err != nil || !slices.Equal(got, want) {
				t.Errorf("person %d is asked by %+v, %v, want %+v", i, got, err, want)
			}
		}
		if got, err := db.GroupsAsked(ctx, ps[0].ID, 1); err != nil || !slices.Equal(got, all[:1]) {
			t.Errorf("of one %+v, %v", got, err)
		}
		for limit, want := range map[int][]chat.UserID{9: {ps[0].ID, ps[1].ID}, 1: {ps[0].ID}} {
			if got, err := db.Managers(ctx, tea, limit); err != nil || !slices.Equal(got, want) {
				t.Errorf("at most %d look after it: %v, %v", limit, got, err)
			}
		}
	})
}
