package move_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"kamachat"
	"kamachat/server/move"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servicetest.EndShared()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// pairs runs a test for moves to the same and to the other kind of database.
func pairs(t *testing.T, f func(t *testing.T, from, to string)) {
	t.Helper()
	lite := func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "kamachat.db") }
	t.Run("sqlite to sqlite", func(t *testing.T) { f(t, lite(t), lite(t)) })
	t.Run("sqlite to mariadb", func(t *testing.T) { f(t, lite(t), servicetest.SharedDatabase(t)) })
	t.Run("mariadb to sqlite", func(t *testing.T) { f(t, servicetest.SharedDatabase(t), lite(t)) })
}

func migrated(ctx context.Context, db *store.DB) error {
	files, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		return err
	}
	_, err = db.Migrate(ctx, files)
	return err
}

func open(t *testing.T, dsn string) *store.DB {
	t.Helper()
	ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
	db, err := store.Open(t.Context(), dsn, store.Options{ID: ids.Next})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// raw is a connection that goes past the store.
func raw(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, at := "sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:")+"?_pragma=busy_timeout(10000)"
	if rest, ok := strings.CutPrefix(dsn, "mysql://"); ok {
		user, host, _ := strings.Cut(rest, "@")
		host, name, _ := strings.Cut(host, "/")
		driver, at = "mysql", user+"@tcp("+host+")/"+name
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func do(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// begin opens a move as another run of the program would.
func begin(t *testing.T, from, to string, with ...func(*move.Config)) (*move.Move, error) {
	t.Helper()
	c := move.Config{From: open(t, from), To: open(t, to), Address: to, Migrate: migrated, Batch: 50}
	for _, f := range with {
		f(&c)
	}
	return move.Open(t.Context(), c)
}

func mustBegin(t *testing.T, from, to string, with ...func(*move.Config)) *move.Move {
	t.Helper()
	m, err := begin(t, from, to, with...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const people = 12

func user(i int) chat.UserID { return chat.UserID(fmt.Sprintf("U%02d", i)) }

// filled is a database with everything that is hard to copy in it, and some thousand messages.
func filled(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db := open(t, dsn)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(migrated(ctx, db))
	for i := range people {
		name := strings.Repeat("你🥾", chat.MaxName/2)[:] // the longest there can be, in bytes
		if i > 0 {
			name = fmt.Sprintf("person %d' \\ \" ; -- %% 🥾", i)
		}
		must(db.AddUser(ctx, chat.Person{ID: user(i), Username: fmt.Sprintf("person%02d", i), Nickname: name, Admin: i == 0, Disabled: i == people-1}, "hash of "+string(user(i)), math.MaxInt64-int64(i)))
		must(db.AddToken(ctx, fmt.Sprint("token ", i), user(i), int64(i)))
	}
	var every []byte
	for b := range 256 {
		every = append(every, byte(b))
	}
	must(db.Logins().CommitCtx(ctx, "login", every, time.Now().Add(time.Hour)))
	must(db.SaveSetting(ctx, "long", strings.Repeat("x", 255)))
	must(db.SaveSetting(ctx, "empty", ""))
	must(db.SetQuiet(ctx, user(1), chat.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Shanghai"}))
	must(db.AddSubscription(ctx, chat.Subscription{User: user(1), Endpoint: "https://push.example.org/" + strings.Repeat("e", 1000), Login: "l", Lang: "zh", Site: "https://a.example"}, 10))
	var all []chat.UserID
	for i := range people - 1 {
		all = append(all, user(i))
	}
	must(db.CreateGroup(ctx, "Gall", "Weekend 徒步 🥾", user(0), all, 1))
	forever := int64(chat.Forever)
	_, err := db.SetLine(ctx, user(1), "Gall", chat.LineChange{Hush: &forever})
	must(err)
	w := &writing{t: t, db: db, r: rand.New(rand.NewPCG(1, 1))}
	w.text = strings.Repeat("🥾", chat.MaxText)
	w.post(3)
	w.text = "line\nline \\ ' \" \u2028 \U0010FFFF \x7f"
	for range 40 {
		w.post(50)
	}
	someOfEach(t, dsn, db)
	return db
}

// someOfEach puts a row of no meaning into each table that is empty. The log's
// own have their meaning from the log.
func someOfEach(t *testing.T, dsn string, db *store.DB) {
	t.Helper()
	ts, err := db.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range ts {
		if tab.Name == "files" || tab.Name == "file_entries" || len(everything(t, db, tab)) > 0 {
			continue
		}
		values := make([]string, len(tab.Columns))
		for i, c := range tab.Columns {
			if values[i] = "'7'"; c == "data" && tab.Name == "passkeys" {
				values[i] = "X'00ff'"
			}
		}
		if _, err := raw(t, dsn).ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", tab.Name, strings.Join(tab.Columns, ", "), strings.Join(values, ", "))); err != nil {
			t.Fatal(err)
		}
	}
}

// A writing is somebody who writes to a database all the time, and remembers what
// was acknowledged.
type writing struct {
	t     *testing.T
	db    *store.DB
	r     *rand.Rand
	text  string
	n     int
	acked []chat.Message
	count atomic.Int64
}

// post appends n messages, and reports whether that was acknowledged.
func (w *writing) post(n int) bool {
	var ds []chat.Draft
	for range n {
		w.n++
		a := w.r.IntN(people - 1)
		conv := chat.Direct(user(a), user((a+1+w.r.IntN(3))%(people-1)))
		if w.r.IntN(4) == 0 {
			conv = "Gall"
		}
		ds = append(ds, chat.Draft{Conv: conv, Author: user(a), Ref: fmt.Sprintf("%p %d", w, w.n), Content: chat.TextContent(fmt.Sprint(w.text, w.n))})
	}
	rs, err := w.db.Append(context.Background(), ds)
	if err != nil {
		if !store.IsPassing(err) {
			w.t.Errorf("a message was refused for good: %v", err)
		}
		return false
	}
	for _, r := range rs {
		if r.Err != nil {
			w.t.Errorf("refused: %v", r.Err)
			continue
		}
		w.acked = append(w.acked, r.Message)
	}
	w.count.Add(int64(n))
	return true
}

// start writes, and changes everything else that changes, until stop is called.
func start(t *testing.T, dsn string, seed uint64) (w *writing, stop func()) {
	t.Helper()
	w = &writing{t: t, db: open(t, dsn), r: rand.New(rand.NewPCG(seed, 2)), text: "while it moves 🥾 "}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if !w.post(1 + w.r.IntN(20)) {
				select { // as the carrier does
				case <-ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
				continue
			}
			u := user(w.r.IntN(people - 1))
			// Whether these are taken is not what is tested: they are, or not, on both sides.
			_ = w.db.SaveMarks(ctx, []chat.Marks{{Conv: "Gall", User: u, Delivered: int64(i), Read: int64(i)}})
			_ = w.db.SetQuiet(ctx, u, chat.Quiet{Until: int64(i)})
			_ = w.db.AddToken(ctx, fmt.Sprintf("made %d %d", seed, i), u, 1)
			_ = w.db.DeleteToken(ctx, fmt.Sprintf("made %d %d", seed, i-10))
		}
	})
	return w, sync.OnceFunc(func() { cancel(); wg.Wait() })
}

// hasAll checks that each of ms is in db, at its place, and no log has a gap.
func hasAll(t *testing.T, db *store.DB, ms []chat.Message) {
	t.Helper()
	logs := map[chat.ConvID][]chat.Message{}
	for _, m := range ms {
		if _, ok := logs[m.Conv]; !ok {
			p, err := db.After(t.Context(), m.Conv, 0, math.MaxInt32)
			if err != nil {
				t.Fatal(err)
			}
			logs[m.Conv] = p.Entries
			for i, e := range p.Entries {
				if e.Seq != int64(i+1) {
					t.Fatalf("%s: entry %d has Seq %d", m.Conv, i, e.Seq)
				}
			}
			if p.LastSeq != int64(len(p.Entries)) {
				t.Fatalf("%s: %d entries, the last is said to be %d", m.Conv, len(p.Entries), p.LastSeq)
			}
		}
		l := logs[m.Conv]
		if int(m.Seq) > len(l) || l[m.Seq-1].Ref != m.Ref || l[m.Seq-1].ID != m.ID || l[m.Seq-1].Content.Text != m.Content.Text {
			t.Fatalf("%s/%d, which was acknowledged, is not in its place", m.Conv, m.Seq)
		}
	}
}

// same checks by a way of its own that all tables hold the same in both.
func same(t *testing.T, from, to string) {
	t.Helper()
	a, b := open(t, from), open(t, to)
	ts, err := a.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range ts {
		x, y := everything(t, a, tab), everything(t, b, tab)
		if len(x) == 0 && tab.Name != "files" && tab.Name != "file_entries" {
			t.Errorf("%s is empty: that tests nothing", tab.Name)
		}
		for k, v := range x {
			if y[k] != v {
				t.Errorf("%s: %s is not the same in both", tab.Name, k)
			}
			delete(y, k)
		}
		for k := range y {
			t.Errorf("%s: %s is only in the new one", tab.Name, k)
		}
	}
}

func everything(t *testing.T, db *store.DB, tab store.Table) map[string]string {
	t.Helper()
	page, more, err := db.Page(t.Context(), tab, nil, nil, math.MaxInt32)
	rows := map[string]string{}
	for {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			if s, _ := r[0].(string); tab.Name == "settings" && strings.HasPrefix(s, store.MoveSettings) {
				continue
			}
			rows[fmt.Sprint(r[:tab.Key]...)] = fmt.Sprintf("%#v", r)
		}
		if !more {
			return rows
		}
		page, more, err = db.Page(t.Context(), tab, nil, page[len(page)-1], math.MaxInt32)
	}
}
