package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"log/slog"

	"kamachat/server/account"
	"kamachat/server/admin"
	"kamachat/server/board"
	"kamachat/server/export"
	"kamachat/server/inproc"
	"kamachat/server/jobs"
	"kamachat/server/room"
	"kamachat/server/servicetest"
	"kamachat/server/settings"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// Of the benchmark below.
const (
	manyPeople = 100_000
	manyGroups = 10_000
	manyDeeds  = 20_000
)

// BenchmarkAdminPages draws every list of the administration, with many people,
// groups and deeds behind it, through the handler and everything before it:
//
//	go test -run '^$' -bench AdminPages -benchtime 20x ./server/web
//
// docs/performance.md has what it prints. Each page has the bound of 50 ms.
func BenchmarkAdminPages(b *testing.B) {
	for name, dsn := range map[string]func() string{
		"sqlite":  func() string { return "sqlite:" + b.TempDir() + "/t.db" },
		"mariadb": func() string { return servicetest.SharedDatabase(b) },
	} {
		b.Run(name, func(b *testing.B) { benchAdmin(b, dsn()) })
	}
}

func benchAdmin(b *testing.B, dsn string) {
	ctx := b.Context()
	ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
	db, err := store.Open(ctx, dsn, store.Options{ID: ids.Next})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx, os.DirFS("../../migrations")); err != nil {
		b.Fatal(err)
	}
	people, large := fillAdmin(b, db, ids)
	accounts := account.New(account.Config{Store: db, IDs: ids, Cheap: true, Limits: account.NoLimits})
	hub := room.NewHub(room.Config{Store: db, People: accounts, Carrier: inproc.NewCarrier(1, 1), Fanout: inproc.NewFanout(1), Presence: inproc.NewPresence()})
	accounts.SetPoster(hub)
	key, err := accounts.SetupKey(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := accounts.Setup(ctx, key, "boss", "password1", "Boss"); err != nil {
		b.Fatal(err)
	}
	busy, err := accounts.Register(ctx, "busy", "password1", "Busy")
	if err != nil {
		b.Fatal(err)
	}
	own := fillLists(b, db, ids, accounts, enabled(people), busy.ID)
	work := jobs.New(jobs.Config{Store: db, ID: ids.Next})
	h, err := New(Config{
		Accounts: accounts, Hub: hub, Sessions: NewSessions(db.Logins()), Admin: admin.New(admin.Config{Store: db, Passwords: accounts}),
		Board: board.New(board.Config{Store: db, Log: hub, Work: work}), Settings: settings.New(db, nil), Exports: &export.Service{Log: hub, Rows: db, Jobs: work, Folder: b.TempDir()},
		Static: fstest.MapFS{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	cookies := map[string][]*http.Cookie{}
	for _, name := range []string{"boss", "busy"} {
		signIn := httptest.NewRequest("POST", "/login", strings.NewReader("username="+name+"&password=password1"))
		signIn.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, signIn)
		cookies[name] = w.Result().Cookies()
	}
	get := func(path string) string {
		r := httptest.NewRequest("GET", path, nil)
		as := "busy"
		if strings.HasPrefix(path, "/admin/") {
			as = "boss"
		}
		for _, c := range cookies[as] {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatalf("%s: %d %.300s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	// deep is the page that lies so many pages into a list.
	deep := func(path string, pages int, list func(after string) (string, error)) string {
		after := ""
		for range pages {
			if after, err = list(after); err != nil || after == "" {
				b.Fatal(path, after, err)
			}
		}
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		return path + sep + "after=" + after
	}
	ofPeople := func(ask chat.Ask) func(string) (string, error) {
		return func(after string) (string, error) {
			ask.After, ask.Limit = after, 5000
			_, next, err := db.Accounts(ctx, ask)
			return next, err
		}
	}
	for _, c := range []struct{ name, path string }{
		{"people by name, first", "/admin/people"},
		{"people by name, middle", deep("/admin/people", 10, ofPeople(chat.Ask{}))},
		{"people by newest, middle", deep("/admin/people?sort=newest", 10, ofPeople(chat.Ask{Sort: chat.ByNewest}))},
		{"people by last seen, middle", deep("/admin/people?sort=seen", 10, ofPeople(chat.Ask{Sort: chat.BySeen}))},
		{"people, administrators", "/admin/people?only=admins"},
		{"people, disabled", "/admin/people?only=disabled"},
		{"people, disabled by last seen", "/admin/people?only=disabled&sort=seen"},
		{"people, bots", "/admin/people?only=bots"},
		{"people, search that finds all by username", "/admin/people?q=fill"},
		{"people, search that finds all by nickname", "/admin/people?q=person"},
		{"people, search by nickname, middle", deep("/admin/people?q=person", 10, ofPeople(chat.Ask{Query: "person"}))},
		{"people, search that finds one", "/admin/people?q=fill99999"},
		{"people, search that finds nobody", "/admin/people?q=zzz"},
		{"people, search by id", "/admin/people?q=" + string(people[77_777])},
		{"people, search within the disabled that finds none", "/admin/people?q=fill&only=bots"},
		{"a person in 5,000 groups", "/admin/people/" + string(people[1])},
		{"groups by name", "/admin/groups"},
		{"groups by newest", "/admin/groups?sort=newest"},
		{"groups by members", "/admin/groups?sort=members"},
		{"groups by last message", "/admin/groups?sort=latest"},
		{"groups, disabled", "/admin/groups?only=disabled"},
		{"groups, search", "/admin/groups?q=99"},
		{"groups, search that finds none", "/admin/groups?q=zzz"},
		{"a group of 10,000", "/admin/groups/" + string(large)},
		{"audit log", "/admin/audit"},
		{"audit log by who", "/admin/audit?by=boss7"},
		{"audit log by act", "/admin/audit?what=enable"},
		{"audit log by act and who, none", "/admin/audit?what=enable&by=nobody"},
		{"audit log by target", "/admin/audit?target=" + string(people[5])},
		{"audit log by time, none", "/admin/audit?since=2001-01-01&until=2001-01-02"},
		{"reports", "/admin/reports"},
		{"reports, middle", deep("/admin/reports", 2, own.reports)},
		{"reports, closed", "/admin/reports?closed"},
		{"a report", "/admin/reports/" + own.report},
		{"invitations, 500", "/admin/invitations"},
		{"jobs", "/admin/jobs"},
		{"contacts of 5,000", "/contacts"},
		{"contacts of 5,000, middle", deep("/contacts", 50, own.contacts)},
		{"contacts, blocked, 1,000", "/contacts?only=blocked"},
		{"contacts, people search that finds all by username", "/contacts?q=fill"},
		{"contacts, people search that finds all by nickname", "/contacts?q=person"},
		{"contacts, people search that finds one", "/contacts?q=fill99998"},
		{"contacts, people search that finds nobody", "/contacts?q=zzz"},
		{"members of 10,000", "/g/" + own.group + "/members"},
		{"members of 10,000, middle", deep("/g/"+own.group+"/members", 5, own.members)},
		{"members of 10,000, search", "/g/" + own.group + "/members?q=99"},
		{"members of 10,000, search that finds none", "/g/" + own.group + "/members?q=zzz"},
		{"join requests, 5,000", "/g/" + own.group + "/requests"},
		{"own exports", "/settings/export"},
	} {
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = len(get(c.path))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/page")
			b.ReportMetric(float64(size), "B/page")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fillAdmin makes people, groups and deeds, and returns the people and the largest group.
func fillAdmin(b *testing.B, db *store.DB, ids *chat.IDs) (people []chat.UserID, large chat.ConvID) {
	b.Helper()
	ctx := b.Context()
	for len(people) < manyPeople {
		var ps []chat.Person
		var tokens []string
		for range 5000 {
			i := len(people)
			p := chat.Person{ID: ids.NewUser(), Username: fmt.Sprint("fill", i), Nickname: fmt.Sprint("Person ", i), Disabled: i%3 == 0}
			ps, tokens, people = append(ps, p), append(tokens, fmt.Sprint("token", i)), append(people, p.ID)
		}
		if err := db.AddUsers(ctx, ps, tokens, time.Now().UnixMilli()); err != nil {
			b.Fatal(err)
		}
	}
	able := enabled(people)
	for i := range manyGroups {
		members := able[i : i+5]
		if i == 0 {
			members = able[:10_000]
		}
		if i%2 == 0 && i > 0 {
			members = append([]chat.UserID{able[0]}, members...)
		}
		id := ids.NewGroup()
		if err := db.CreateGroup(ctx, id, fmt.Sprint("Group ", i), members[0], members, time.Now().UnixMilli()); err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			large = id
		}
	}
	for i := range manyDeeds {
		d := chat.Deed{By: people[i%10], ByName: fmt.Sprint("boss", i%10), What: "disable", Target: string(people[i/10]), Detail: fmt.Sprint("fill", i/10), Addr: "192.0.2.1"}
		if i%100 == 0 {
			d.What = "enable"
		}
		if err := db.AddDeed(ctx, d); err != nil {
			b.Fatal(err)
		}
	}
	return people, large
}

// enabled are those of people who are not disabled: every third is.
func enabled(people []chat.UserID) (able []chat.UserID) {
	for i, u := range people {
		if i%3 != 0 {
			able = append(able, u)
		}
	}
	return able
}
