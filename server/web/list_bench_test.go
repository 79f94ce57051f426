package web

import (
	"fmt"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// Of the lists below.
const (
	manyContacts = 5000
	manyBlocked  = 1000
	manyAsks     = 200
	manyMembers  = 10_000
	manyJoining  = 5000
	manyReports  = 10_000 // open, and a tenth of that closed
	manyInvites  = 500
	manyJobs     = 5000
)

// A lists is what fillLists made.
type lists struct {
	group, report              string // the group, and the id of a report of a message
	reports, contacts, members func(after string) (string, error)
}

// fillLists makes reports, invitations and jobs, and for the person busy contacts
// and a group with members and people who ask to come in.
func fillLists(b *testing.B, db *store.DB, ids *chat.IDs, accounts *account.Service, people []chat.UserID, busy chat.UserID) (l lists) {
	b.Helper()
	ctx, at := b.Context(), time.Now().UnixMilli()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	group := ids.NewGroup()
	l.group = string(group)
	must(db.CreateGroup(ctx, group, "Of busy", busy, append([]chat.UserID{busy}, people[:manyMembers-1]...), at))
	for _, u := range people[:manyContacts] {
		_, _, err := db.AskContact(ctx, chat.Request{From: busy, To: u, At: at})
		must(err)
		_, _, err = db.AskContact(ctx, chat.Request{From: u, To: busy, At: at})
		must(err)
	}
	for i, u := range people[manyContacts : manyContacts+manyBlocked+manyAsks] {
		if i < manyBlocked {
			must(db.SetBlocked(ctx, busy, u, true, at))
			continue
		}
		_, _, err := db.AskContact(ctx, chat.Request{From: u, To: busy, Message: "hello", At: at})
		must(err)
	}
	for i, u := range people[manyMembers : manyMembers+manyJoining] {
		must(db.SetJoinRequest(ctx, chat.JoinRequest{Conv: group, User: u, Message: "let me in", State: chat.JoinWaits, At: at + int64(i/10)}))
	}
	got, err := db.Append(ctx, []chat.Draft{{Conv: group, Author: busy, Ref: "r", Content: chat.TextContent("a message")}})
	must(err)
	must(got[0].Err)
	for i := range manyReports + manyReports/10 {
		must(db.AddReport(ctx, chat.Report{By: people[i], Conv: group, Seq: got[0].Message.Seq, User: busy, Reason: "rude", Said: "a message"}, 9))
		if i == 0 {
			rs, err := db.Reports(ctx, false, 0, 1)
			must(err)
			l.report = fmt.Sprint(rs[0].ID)
		}
	}
	rs, err := db.Reports(ctx, false, 0, manyReports/10)
	must(err)
	for _, r := range rs {
		must(db.CloseReport(ctx, chat.Deed{By: people[7], What: chat.ActClose}, r.ID, chat.OutcomeSettled))
	}
	for i := range manyInvites {
		must(db.AddInvitation(ctx, chat.Deed{By: people[7], What: chat.ActInvite}, chat.Invitation{Code: fmt.Sprint("code", i), By: people[i], Note: "for someone", CreatedAt: at}))
	}
	for i := range manyJobs {
		j := chat.Job{ID: ids.Next(), Kind: "export", By: people[i%1000], State: chat.JobRunning, Detail: map[string]string{"node": "1"}, At: at, Updated: at}
		must(db.AddJob(ctx, j, 99))
		if i > 10 {
			j.State = chat.JobDone
			_, err := db.SaveJob(ctx, j)
			must(err)
		}
	}
	l.contacts = func(after string) (string, error) {
		_, next, err := accounts.ContactList(ctx, busy, false, after)
		return next, err
	}
	l.members = func(after string) (string, error) {
		_, next, err := db.MembersPage(ctx, group, chat.MemberAsk{After: after, Limit: 1000})
		return next, err
	}
	l.reports = func(after string) (string, error) {
		var behind int64
		if _, err := fmt.Sscan(after, &behind); after != "" && err != nil {
			return "", err
		}
		rs, err := db.Reports(ctx, false, behind, 5000)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(rs[len(rs)-1].ID), nil
	}
	return l
}
