package move_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kamachat/server/move"
	"kamachat/server/servicetest"
)

func TestMoveRefusesWhatDoesNotBelongTogether(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return "sqlite:" + filepath.Join(dir, name) }
	filled(t, at("full"))
	filled(t, at("other"))
	if err := mustBegin(t, at("full"), at("moved")).Switch(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, at("other"), at("half"))
	if err := migrated(t.Context(), open(t, at("fresh"))); err != nil {
		t.Fatal(err)
	}
	filled(t, at("strange"))
	do(t, raw(t, at("strange")), "CREATE TABLE strange (id INTEGER PRIMARY KEY)")
	filled(t, at("old"))
	do(t, raw(t, at("old")), "ALTER TABLE users DROP COLUMN avatar")

	for name, c := range map[string]struct{ from, to, says string }{
		"other data":           {"other", "strange", "not empty"},
		"itself":               {"other", "other", "the same database"},
		"a half copy":          {"half", "empty1", "a copy that is not finished"},
		"moved elsewhere":      {"full", "fresh", "has moved already, to " + at("moved")},
		"nothing":              {"empty2", "empty3", "the old database is empty"},
		"a table from nowhere": {"strange", "empty4", "a table strange"},
		"another version":      {"old", "empty5", "not up to date (see the table users)"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := begin(t, at(c.from), at(c.to)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if _, err := begin(t, at("other"), at("fresh"), func(c *move.Config) { c.Look = true }); err == nil {
		t.Error("what is no copy was compared")
	}
	if err := mustBegin(t, at("other"), at("fresh")).Switch(t.Context()); err != nil {
		t.Errorf("an empty database of this version: %v", err)
	}
	if err := mustBegin(t, at("moved"), at("back")).Switch(t.Context()); err != nil {
		t.Errorf("back again: %v", err)
	}
	same(t, at("full"), at("back"))
}

func TestPlanHasEveryTable(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "k.db")
	db := open(t, dsn)
	if err := migrated(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	ts, err := db.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(ts) < 10 {
		t.Errorf("only %d tables", len(ts))
	}
	for _, tab := range ts {
		if !move.Planned(tab.Name) {
			t.Errorf("the table %s has no place in plan: say how it is moved", tab.Name)
		}
	}
}

func TestProgressIsToldInPlainLines(t *testing.T) {
	dir := t.TempDir()
	from, to := "sqlite:"+filepath.Join(dir, "a"), "sqlite:"+filepath.Join(dir, "b")
	filled(t, from)
	var plain, bar bytes.Buffer
	if err := mustBegin(t, from, to, func(c *move.Config) { c.Progress = move.NewProgress(&plain, false) }).Switch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Copied ", "In step, 0 behind.\n", "Compared 2003 messages in ", "takes nothing more", "Both are the same. Nobody could write for "} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.ContainsAny(plain.String(), "\r\x1b") {
		t.Error("plain lines move the cursor")
	}
	if t.Failed() {
		t.Logf("%q", plain.String())
	}
	// On a terminal a bar, until it is in step; then a line that changes.
	from, to = to, "sqlite:"+filepath.Join(dir, "c")
	ctx, cancel := context.WithCancel(t.Context())
	m := mustBegin(t, from, to, func(c *move.Config) {
		c.Progress = move.NewProgress(&bar, true)
		c.Pause = func(context.Context, time.Duration) { cancel() }
	})
	if err := m.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\rCopying   0% |", "/2163, ", "\rComparing   0% |", "In step, 0 behind.\r\x1b[KStopped."} {
		if !strings.Contains(bar.String(), want) {
			t.Errorf("the terminal does not show %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%q", bar.String())
	}
}

// Where the account may not make triggers the switch says so, and nothing has changed.
func TestSwitchThatCannotFenceLeavesTheOldDatabaseInUse(t *testing.T) {
	from, to := servicetest.SharedDatabase(t), "sqlite:"+filepath.Join(t.TempDir(), "k.db")
	w := &writing{t: t, db: filled(t, from), r: rand.New(rand.NewPCG(4, 4))}
	name := from[strings.LastIndex(from, "/")+1:]
	db := raw(t, from)
	do(t, db, "CREATE USER 'few'@'%' IDENTIFIED BY 'few'")
	do(t, db, "GRANT SELECT, INSERT, UPDATE, DELETE ON "+name+".* TO 'few'@'%'")
	few := strings.Replace(from, "kama:kama@", "few:few@", 1)
	err := mustBegin(t, few, to).Switch(t.Context())
	if err == nil || !strings.Contains(err.Error(), "GRANT TRIGGER") || !strings.Contains(err.Error(), "the old database is in use again") {
		t.Errorf("got %v", err)
	}
	if !w.post(1) {
		t.Error("the old database takes no messages")
	}
	if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
		t.Error(err)
	}
	hasAll(t, open(t, to), w.acked)
}

// A transaction that holds a table makes the fence wait, but not for ever.
func TestFenceWaitsForWhatIsUnderWay(t *testing.T) {
	from, to := servicetest.SharedDatabase(t), "sqlite:"+filepath.Join(t.TempDir(), "k.db")
	w := &writing{t: t, db: filled(t, from), r: rand.New(rand.NewPCG(4, 4))}
	tx, err := raw(t, from).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM messages").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if err := mustBegin(t, from, to).Switch(t.Context()); err == nil || !strings.Contains(err.Error(), "something holds the table") {
		t.Errorf("got %v", err)
	}
	if !w.post(1) {
		t.Error("the old database takes no messages")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
		t.Error(err)
	}
	hasAll(t, open(t, to), w.acked)
}
