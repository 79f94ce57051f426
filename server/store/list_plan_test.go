package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

// No list reads a table from end to end, or sorts more than the part that it shows:
// SQLite's plan of each question says so. What may is named, with the reason.
func TestListsReadNoMoreThanTheyShow(t *testing.T) {
	db := withPeople(t, "sqlite:"+t.TempDir()+"/t.db")
	deep := map[string]string{}
	for sort, read := range map[string]func(string) (string, error){
		"people": func(s string) (string, error) {
			_, next, err := db.Accounts(t.Context(), chat.Ask{Sort: s, Limit: 1})
			return next, err
		},
		"groups": func(s string) (string, error) {
			if err := db.CreateGroup(t.Context(), chat.ConvID("G2"), "two", ann, []chat.UserID{ann, bob}, 2); s == "" && err != nil {
				return "", err
			}
			_, next, err := db.AllGroups(t.Context(), chat.Ask{Sort: s, Limit: 1})
			return next, err
		},
	} {
		for _, by := range []string{"", chat.ByNewest, chat.BySeen, chat.ByLatest, chat.ByMost} {
			next, err := read(by)
			if err != nil || next == "" {
				t.Fatalf("%s by %q: there is no second page, %v", sort, by, err)
			}
			deep[sort+by] = next
		}
	}
	people := func(ask chat.Ask) func(context.Context) error {
		return func(ctx context.Context) error {
			ask.Limit = 50
			_, _, err := db.Accounts(ctx, ask)
			return err
		}
	}
	groups := func(ask chat.Ask) func(context.Context) error {
		return func(ctx context.Context) error {
			ask.Limit = 50
			_, _, err := db.AllGroups(ctx, ask)
			return err
		}
	}
	deeds := func(ask chat.DeedAsk) func(context.Context) error {
		return func(ctx context.Context) error {
			ask.Limit = 50
			_, _, err := db.Deeds(ctx, ask)
			return err
		}
	}
	members := func(ask chat.MemberAsk) func(context.Context) error {
		return func(ctx context.Context) error {
			ask.Limit = 50
			_, _, err := db.MembersPage(ctx, group, ask)
			return err
		}
	}
	const (
		sorted  = "USE TEMP B-TREE FOR ORDER BY"
		byState = "users_by_disabled (disabled=?)"
	)
	for name, c := range map[string]struct {
		read func(context.Context) error
		// may are lines of the plan that are fine here. A walk along an index in the
		// order of the page ends with the page, where nothing is left out on the way.
		may []string
	}{
		"people by name":              {people(chat.Ask{}), []string{"SCAN u USING INDEX sqlite_autoindex_users_2"}},
		"people by name, on":          {people(chat.Ask{After: deep["people"]}), nil},
		"people by newest":            {people(chat.Ask{Sort: chat.ByNewest}), []string{"SCAN u USING INDEX sqlite_autoindex_users_1"}},
		"people by newest, on":        {people(chat.Ask{Sort: chat.ByNewest, After: deep["people"+chat.ByNewest]}), nil},
		"people by last seen":         {people(chat.Ask{Sort: chat.BySeen}), []string{"SCAN u USING INDEX users_by_seen"}},
		"people by last seen, on":     {people(chat.Ask{Sort: chat.BySeen, After: deep["people"+chat.BySeen]}), nil},
		"administrators":              {people(chat.Ask{Only: chat.OnlyAdmins}), nil},
		"disabled":                    {people(chat.Ask{Only: chat.OnlyDisabled}), []string{byState}},
		"disabled by last seen":       {people(chat.Ask{Only: chat.OnlyDisabled, Sort: chat.BySeen}), []string{"users_by_disabled_seen (disabled=?)"}},
		"people by their beginning":   {people(chat.Ask{Query: "a"}), nil},
		"groups by name":              {groups(chat.Ask{}), []string{sorted}}, // names have no index: who looks for a group searches
		"groups by newest":            {groups(chat.Ask{Sort: chat.ByNewest}), nil},
		"groups by newest, on":        {groups(chat.Ask{Sort: chat.ByNewest, After: deep["groups"+chat.ByNewest]}), nil},
		"groups by last message":      {groups(chat.Ask{Sort: chat.ByLatest}), []string{sorted}}, // written with every message
		"groups by members":           {groups(chat.Ask{Sort: chat.ByMost}), []string{sorted}},
		"groups of a person":          {func(ctx context.Context) error { _, _, err := db.GroupsOf(ctx, ann, "", 50); return err }, []string{sorted}}, // theirs alone
		"members, for administrators": {func(ctx context.Context) error { _, _, err := db.GroupMembers(ctx, group, "", 50); return err }, nil},
		"sign-ins":                    {func(ctx context.Context) error { _, err := db.SignIns(ctx, ann, 50); return err }, []string{sorted}}, // of one person
		"deeds":                       {deeds(chat.DeedAsk{}), []string{"SCAN a"}},                                                            // by the key, in order
		"deeds by who":                {deeds(chat.DeedAsk{By: string(ann)}), nil},
		"deeds by name":               {deeds(chat.DeedAsk{By: "ann"}), nil},
		"deeds by act":                {deeds(chat.DeedAsk{What: "disable"}), nil},
		"deeds by target":             {deeds(chat.DeedAsk{Target: string(ann)}), nil},
		"reports":                     {func(ctx context.Context) error { _, err := db.Reports(ctx, false, 0, 50); return err }, nil},
		"reports, on":                 {func(ctx context.Context) error { _, err := db.Reports(ctx, true, 5, 50); return err }, nil},
		"how many reports":            {func(ctx context.Context) error { _, err := db.OpenReports(ctx); return err }, nil},
		"invitations":                 {func(ctx context.Context) error { _, err := db.Invitations(ctx); return err }, []string{"SCAN i", sorted}}, // at most 500
		"jobs":                        {func(ctx context.Context) error { _, err := db.Jobs(ctx, "", 50); return err }, []string{"SCAN j"}},        // by the key, in order
		"jobs of a person":            {func(ctx context.Context) error { _, err := db.Jobs(ctx, ann, 50); return err }, nil},
		"jobs that run":               {func(ctx context.Context) error { _, err := db.RunningJobs(ctx); return err }, nil},
		"contacts":                    {func(ctx context.Context) error { _, err := db.Contacts(ctx, ann, "", "", 50); return err }, []string{sorted}}, // one's own, by name
		"contacts, blocked":           {func(ctx context.Context) error { _, err := db.BlockedBy(ctx, ann, "", "", 50); return err }, []string{sorted}},
		"requests":                    {func(ctx context.Context) error { _, _, err := db.Requests(ctx, ann, 50); return err }, []string{sorted}}, // to one, or at most chat.MaxAsks
		"how many requests":           {func(ctx context.Context) error { _, err := db.Waiting(ctx, ann); return err }, nil},
		"people searched":             {func(ctx context.Context) error { _, err := db.SearchPeople(ctx, ann, "a", 20); return err }, nil},
		"people searched by id":       {func(ctx context.Context) error { _, err := db.SearchPeople(ctx, ann, string(bob), 20); return err }, nil},
		"members":                     {members(chat.MemberAsk{}), []string{sorted, "SCAN w"}}, // by role, of one group; w: the page
		"members searched":            {members(chat.MemberAsk{Query: "a"}), []string{sorted, "SCAN w"}},
		"requests to join":            {func(ctx context.Context) error { _, _, err := db.JoinRequests(ctx, group, "", 50); return err }, nil},
		"links into a group":          {func(ctx context.Context) error { _, err := db.GroupInvites(ctx, group); return err }, []string{sorted}}, // at most 50
		"bots of a person":            {func(ctx context.Context) error { _, err := db.BotsOf(ctx, ann); return err }, []string{sorted}},
		"devices":                     {func(ctx context.Context) error { _, err := db.Devices(ctx, ann); return err }, []string{sorted}},
		"conversations":               {func(ctx context.Context) error { _, err := db.Summaries(ctx, ann, 50); return err }, []string{sorted, "SCAN p"}}, // one's own; decision 014
		"whether people may come in": {func(ctx context.Context) error {
			return db.CreateGroup(ctx, "G3", "x", ann, []chat.UserID{ann, bob}, 3)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			asked := store.Asked(db, func() {
				if err := c.read(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			if len(asked) == 0 {
				t.Error("nothing was asked")
			}
			for _, query := range asked {
				plan := store.Plan(t, db, query)
				for _, line := range plan {
					if line == "SCAN CONSTANT ROW" {
						continue
					}
					bad := strings.HasPrefix(line, "SCAN ") || line == sorted || strings.Contains(line, "users_by_disabled")
					if bad && !slices.ContainsFunc(c.may, func(s string) bool { return strings.Contains(line, s) }) {
						t.Errorf("%s\nby %s\nof %q", query, line, plan)
					}
				}
			}
		})
	}
}
