package account_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// A bell remembers whom it rang for, and about what.
type bell struct{ rung []string }

func (b *bell) Ask(_ context.Context, conv chat.ConvID, to ...chat.UserID) error {
	b.rung = append(b.rung, fmt.Sprint(conv, " ", to))
	return nil
}

func (b *bell) Asked(r chat.Request) {
	b.rung = append(b.rung, fmt.Sprintf("notice to %s of %s: %s", r.To, r.From, r.Message))
}

// heard is what was rung since the last time.
func (b *bell) heard() []string {
	got := b.rung
	b.rung = nil
	return got
}

func TestBellRingsForWhoIsAskedToBeAContact(t *testing.T) {
	s, _, _, me, peer := acquainted(t, "stranger")
	b := &bell{}
	s.SetBell(b, b)
	ctx := t.Context()
	for _, c := range []struct {
		what string
		do   func() error
		want []string
	}{
		{"asks", func() error { _, err := s.AskContact(ctx, me, peer, "it's me"); return err },
			[]string{fmt.Sprintf(" [%s]", peer), fmt.Sprintf("notice to %s of %s: it's me", peer, me)}},
		{"asks again", func() error { _, err := s.AskContact(ctx, me, peer, "hello?"); return err }, nil},
		{"is refused", func() error { return s.RefuseContact(ctx, peer, me) }, []string{fmt.Sprintf(" [%s]", peer)}},
		{"asks whom who has refused", func() error { _, err := s.AskContact(ctx, me, peer, "why?"); return err }, nil},
		{"is asked", func() error { _, err := s.AskContact(ctx, peer, me, ""); return err },
			[]string{fmt.Sprintf(" [%s]", me), fmt.Sprintf("notice to %s of %s: ", me, peer)}},
		{"accepts", func() error { return s.AcceptContact(ctx, me, peer) }, []string{fmt.Sprintf(" [%s]", me)}},
		{"is blocked", func() error { return s.Block(ctx, peer, me, true) }, []string{fmt.Sprintf(" [%s]", peer)}},
		{"asks who has blocked", func() error { _, _ = s.AskContact(ctx, me, peer, "sorry"); return nil }, nil},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := b.heard(); !slices.Equal(got, c.want) {
			t.Errorf("who %s: rung was %q, want %q", c.what, got, c.want)
		}
	}
}

func TestBellRingsForWhoLooksAfterAGroup(t *testing.T) {
	s, _, _, me, peer := acquainted(t, "stranger")
	b := &bell{}
	s.SetBell(b, nil)
	ctx := t.Context()
	mine, err := s.Person(ctx, me)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Person(ctx, peer)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := s.MakeGroup(ctx, me, account.NewGroup{Name: "Tea", Joining: chat.JoinApproval})
	if err != nil {
		t.Fatal(err)
	}
	rung := []string{fmt.Sprintf("%s [%s]", conv, me)}
	join := func() error { _, err := s.JoinGroup(ctx, other, conv, "let me in"); return err }
	for _, c := range []struct {
		what    string
		do      func() error
		want    []string
		waiting int
	}{
		{"asks", join, rung, 1},
		{"asks again", join, nil, 1},
		{"takes it back", func() error { return s.WithdrawJoin(ctx, other, conv) }, rung, 0},
		{"takes nothing back", func() error { return s.WithdrawJoin(ctx, other, conv) }, nil, 0},
		{"asks anew", join, rung, 1},
		{"is let in", func() error { return s.AnswerJoin(ctx, mine, conv, peer, true) }, rung, 0},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := b.heard(); !slices.Equal(got, c.want) {
			t.Errorf("who %s: rung was %q, want %q", c.what, got, c.want)
		}
		gs, err := s.GroupsAsked(ctx, me)
		want := []chat.GroupAsked{{Conv: conv, Name: "Tea", Waiting: 1}}[:c.waiting]
		if err != nil || !slices.Equal(gs, want) {
			t.Errorf("once somebody %s, waiting are %+v, %v, want %+v", c.what, gs, err, want)
		}
		if gs, err := s.GroupsAsked(ctx, peer); err != nil || len(gs) > 0 {
			t.Errorf("who %s looks after %+v, %v", c.what, gs, err)
		}
	}
}
