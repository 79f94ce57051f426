package store_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// all reads a list page by page, of three rows each.
func all[T any](t *testing.T, ask chat.Ask, page func(chat.Ask) ([]T, string, error), id func(T) string) (ids []string) {
	t.Helper()
	ask.Limit = 3
	for range 100 {
		rows, next, err := page(ask)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) > 3 || len(rows) < 3 && next != "" {
			t.Fatalf("a page of %d, and then %q", len(rows), next)
		}
		for _, r := range rows {
			ids = append(ids, id(r))
		}
		if next == "" {
			return ids
		}
		ask.After = next
	}
	t.Fatal("the list has no end")
	return nil
}

func TestAccountsArePagedInEveryOrder(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), openAt(t, dsn)
		for i := range 10 {
			p := chat.Person{ID: chat.UserID(fmt.Sprint("U0", i)), Username: fmt.Sprintf("user%d", (i*7)%10), Nickname: "Same Name", Admin: i == 4, Disabled: i%4 == 0}
			if i >= 8 {
				p.Nickname = fmt.Sprint("User nick ", i)
				p.Username = fmt.Sprint("other", i)
			}
			if err := db.AddUser(ctx, p, "", int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			ask  chat.Ask
			want string
		}{
			"by name":            {chat.Ask{}, "8 9 0 3 6 2 5 1 4 7"},
			"newest":             {chat.Ask{Sort: chat.ByNewest}, "9 8 7 6 5 4 3 2 1 0"},
			"never seen":         {chat.Ask{Sort: chat.BySeen}, "9 8 7 6 5 4 3 2 1 0"},
			"administrators":     {chat.Ask{Only: chat.OnlyAdmins}, "4"},
			"disabled":           {chat.Ask{Only: chat.OnlyDisabled, Sort: chat.ByNewest}, "8 4 0"},
			"bots":               {chat.Ask{Only: chat.OnlyBots}, ""},
			"username, nickname": {chat.Ask{Query: "user"}, "0 3 6 2 5 1 4 7 8 9"},
			"nickname":           {chat.Ask{Query: "same"}, "0 1 2 3 4 5 6 7"},
			"nickname, disabled": {chat.Ask{Query: "same", Only: chat.OnlyDisabled}, "0 4"},
			"id":                 {chat.Ask{Query: "u07"}, "7"},
			"nobody":             {chat.Ask{Query: "zz"}, ""},
			"no pattern":         {chat.Ask{Query: "%"}, ""},
			"a zero byte":        {chat.Ask{Query: "user\x00"}, ""},
		} {
			ids := all(t, c.ask, func(a chat.Ask) ([]chat.Account, string, error) { return db.Accounts(ctx, a) }, func(a chat.Account) string { return string(a.ID[2:]) })
			if got := strings.Join(ids, " "); got != c.want {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
		if _, _, err := db.Accounts(ctx, chat.Ask{After: "nonsense", Limit: 3}); codeOf(err) != chat.Invalid {
			t.Errorf("no place: %v", err)
		}
	})
}

func TestGroupsArePagedInEveryOrder(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		people := []chat.UserID{ann, bob, cat, dan}
		for i := range 8 {
			id := chat.ConvID(fmt.Sprint("G0", i))
			if err := db.CreateGroup(ctx, id, fmt.Sprintf("Walk_%d", 9-i), ann, people[:1+i%4], int64(100-i%3)); err != nil {
				t.Fatal(err)
			}
		}
		say(t, db, chat.Draft{Conv: chat.Direct(ann, bob), Author: ann, Content: chat.TextContent("no group")})
		if err := errors.Join(db.SetGroupState(ctx, by(chat.ActDisableGroup), "G03", 1), db.SetGroupState(ctx, by(chat.ActDismissGroup), "G05", 2)); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			ask  chat.Ask
			want string
		}{
			"by name":     {chat.Ask{}, "G07 G06 G05 G04 G03 G02 G01 G00 Gone"},
			"newest":      {chat.Ask{Sort: chat.ByNewest}, "Gone G07 G06 G05 G04 G03 G02 G01 G00"},
			"latest":      {chat.Ask{Sort: chat.ByLatest}, "G06 G03 G00 G07 G04 G01 G05 G02 Gone"},
			"members":     {chat.Ask{Sort: chat.ByMost}, "G07 G03 Gone G06 G02 G05 G01 G04 G00"},
			"disabled":    {chat.Ask{Only: chat.OnlyDisabled}, "G03"},
			"dismissed":   {chat.Ask{Only: chat.OnlyEnded}, "G05"},
			"in a name":   {chat.Ask{Query: "alk_"}, "G07 G06 G05 G04 G03 G02 G01 G00"},
			"no pattern":  {chat.Ask{Query: "w%k"}, ""},
			"script":      {chat.Ask{Query: "徒步"}, "Gone"},
			"id":          {chat.Ask{Query: "g03"}, "G03"},
			"no two-some": {chat.Ask{Query: "d"}, "Gone"},
		} {
			ids := all(t, c.ask, func(a chat.Ask) ([]chat.GroupLine, string, error) { return db.AllGroups(ctx, a) }, func(g chat.GroupLine) string { return string(g.ID) })
			if got := strings.Join(ids, " "); got != c.want {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
		members := all(t, chat.Ask{}, func(a chat.Ask) ([]chat.Account, string, error) { return db.GroupMembers(ctx, "G07", a.After, a.Limit) },
			func(a chat.Account) string { return string(a.ID) })
		if got := strings.Join(members, " "); got != "Uann Ubob Ucat Udan" {
			t.Errorf("members: %q", got)
		}
		groups := all(t, chat.Ask{}, func(a chat.Ask) ([]chat.GroupLine, string, error) { return db.GroupsOf(ctx, dan, a.After, a.Limit) },
			func(g chat.GroupLine) string { return string(g.ID) })
		if got := strings.Join(groups, " "); got != "G07 G03" {
			t.Errorf("groups: %q", got)
		}
	})
}

func TestAGroupIsDismissedForGood(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		for i, c := range []struct {
			conv  chat.ConvID
			state int
			want  chat.Code
		}{
			{group, 1, ""}, {group, 1, ""}, {group, 0, ""}, {group, 2, ""}, {group, 0, chat.Forbidden}, {group, 1, chat.Forbidden},
			{"Gnowhere", 1, chat.NotFound}, {chat.Direct(ann, bob), 1, chat.NotFound},
		} {
			if err := db.SetGroupState(ctx, by("x"), c.conv, c.state); codeOf(err) != c.want {
				t.Errorf("%d: %s to %d: %v", i, c.conv, c.state, err)
			}
		}
		if g, err := db.GroupLine(ctx, group); err != nil || g.State != 2 {
			t.Errorf("%+v %v", g, err)
		}
		if n := len(deeds(t, db, chat.DeedAsk{Target: string(group)})); n != 4 {
			t.Errorf("%d deeds, want 4", n)
		}
	})
}

func TestDeedsAreFoundByWhoWhatAndWhen(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), withPeople(t, dsn)
		for _, u := range []chat.UserID{bob, cat} {
			if err := errors.Join(db.SetDisabled(ctx, by(chat.ActDisable), u, true), db.SetDisabled(ctx, chat.Deed{What: chat.ActEnable, Addr: "shell (root)"}, u, false)); err != nil {
				t.Fatal(err)
			}
		}
		ds := deeds(t, db, chat.DeedAsk{})
		if len(ds) != 4 || ds[0].Target != string(cat) || ds[0].Addr != "shell (root)" || ds[3].ByName != "Ann" || ds[3].At == 0 {
			t.Fatalf("%+v", ds)
		}
		for name, c := range map[string]struct {
			ask  chat.DeedAsk
			want int
		}{
			"who": {chat.DeedAsk{By: string(ann)}, 2}, "what": {chat.DeedAsk{What: chat.ActEnable}, 2}, "whom": {chat.DeedAsk{Target: string(bob)}, 2},
			"all of it": {chat.DeedAsk{By: string(ann), What: chat.ActDisable, Target: string(bob)}, 1},
			"since":     {chat.DeedAsk{Since: ds[0].At + 1}, 0}, "until": {chat.DeedAsk{Until: ds[3].At}, 0}, "then": {chat.DeedAsk{Since: ds[3].At, Until: ds[0].At + 1}, 4},
		} {
			if n := len(deeds(t, db, c.ask)); n != c.want {
				t.Errorf("%s: %d, want %d", name, n, c.want)
			}
		}
		one, next, err := db.Deeds(ctx, chat.DeedAsk{Limit: 3})
		if err != nil || len(one) != 3 {
			t.Fatal(one, err)
		}
		if two, next, err := db.Deeds(ctx, chat.DeedAsk{Limit: 3, After: next}); err != nil || next != "" || len(two) != 1 || two[0] != ds[3] {
			t.Errorf("the second page: %v %q %v", two, next, err)
		}
	})
}

// What was done can't be made undone, by no function of the store.
func TestNothingChangesTheAuditLog(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	touches := regexp.MustCompile(`(?s)(NewUpdate|NewDelete|NewDropTable|NewTruncateTable|UPDATE|DELETE|TRUNCATE|DROP)\b[^\n]*(deedRow|\baudit\b)`)
	var mention []string
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if m := touches.Find(src); m != nil {
			t.Errorf("%s changes the audit log: %s", f.Name(), m)
		}
		if strings.Contains(string(src), "deedRow") || strings.Contains(string(src), `"audit"`) {
			mention = append(mention, f.Name())
		}
	}
	if !slices.Equal(mention, []string{"audit.go"}) {
		t.Errorf("the audit log is known in %v, want it in audit.go alone", mention)
	}
	// And that only adds and reads.
	src, err := os.ReadFile("audit.go")
	if err != nil {
		t.Fatal(err)
	}
	verbs := regexp.MustCompile(`\.(New[A-Z]\w+|Exec\w*Context|QueryContext)\(`).FindAllStringSubmatch(string(src), -1)
	var got []string
	for _, v := range verbs {
		got = append(got, v[1])
	}
	if !slices.Equal(got, []string{"NewInsert", "NewSelect"}) {
		t.Errorf("audit.go does %v", got)
	}
}
