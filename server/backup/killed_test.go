package backup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

func TestRestoreKilledLeavesNothingHalfDone(t *testing.T) {
	in, _, m := saved(t)
	for _, at := range []string{"filled", "settle", "settled", "in place"} {
		t.Run(strings.ReplaceAll(at, " ", "-"), func(t *testing.T) {
			for _, over := range []bool{false, true} {
				kinds(t, func(t *testing.T, to site) {
					var old string
					if over {
						db := to.open(t)
						old = to.filled(t, db)
						if err := db.AddUser(t.Context(), chat.Person{ID: "Uold", Username: "old"}, "", 1); err != nil {
							t.Fatal(err)
						}
						if err := db.Close(); err != nil {
							t.Fatal(err)
						}
					}
					c := to.restoring(t, in)
					c.Force = true
					c.Step = func(name string) error {
						if name == at {
							return errKilled
						}
						return nil
					}
					if _, err := Restore(t.Context(), c); !errors.Is(err, errKilled) {
						t.Fatalf("it ended with %v", err)
					}
					if path, ok := store.IsSQLite(to.dsn); ok && !over && at != "in place" {
						if _, err := os.Stat(path); err == nil {
							t.Error("there is a database already")
						}
					} else {
						db := to.open(t)
						ps, err := db.People(t.Context(), "Uold")
						if is, want := len(ps) > 0, over && at != "in place"; err != nil || is != want {
							t.Errorf("the old database is there: %v (%v), want %v", is, err, want)
						}
						if over && at != "in place" && len(texts(t, db, group)) != 1 {
							t.Error("the old messages are not there")
						}
						_ = db.Close()
					}
					if over && at != "in place" && !strings.Contains(strings.Join(kept(t, to), " "), old) {
						t.Error("the old file is gone")
					}
					// The next run has its way.
					c.Step = nil
					c.Force = over || at == "in place"
					if got, err := Restore(t.Context(), c); err != nil || got.String() != m.String() {
						t.Fatal(got, err)
					}
					db := to.open(t)
					defer db.Close()
					if n := len(texts(t, db, group)); n != 1 {
						t.Errorf("%d messages", n)
					}
					if ids := kept(t, to); len(ids) != 1 {
						t.Errorf("the folder holds %v", ids)
					}
					ts, err := db.Tables(t.Context())
					if err != nil || len(ts) != len(m.Tables) {
						t.Errorf("%d tables, want %d (%v)", len(ts), len(m.Tables), err)
					}
					for _, dir := range []string{filepath.Dir(to.files), c.Data} {
						if left, _ := filepath.Glob(filepath.Join(dir, made+"*")); len(left) > 0 {
							t.Errorf("it left %v", left)
						}
					}
				})
			}
		})
	}
}

func TestBackupOfAnOlderSchemaIsBroughtUpToDate(t *testing.T) {
	from := lite(t)
	db, err := store.Open(t.Context(), from.dsn, store.Options{ID: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context(), upTo{migrations(t), "00017"}); err != nil {
		t.Fatal(err)
	}
	ts, err := db.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range ts {
		if table.Name != "settings" {
			continue
		}
		row := store.Row{"kept", "value"}
		if err := db.Put(t.Context(), "", table, []store.Row{row}, nil); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "old")
	m, err := Make(t.Context(), Making{DB: db, Files: from.files, Out: out, Progress: &silent{}})
	if err != nil || m.Schema != "00017" {
		t.Fatalf("%+v, %v", m, err)
	}
	kinds(t, func(t *testing.T, to site) {
		if _, err := Restore(t.Context(), to.restoring(t, out)); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), to.dsn, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		v, err := db.Setting(t.Context(), "kept")
		if s, serr := db.Schema(t.Context()); err != nil || v != "value" || serr != nil || s <= "00017" {
			t.Errorf("%q, %v; the schema is %s, %v", v, err, s, serr)
		}
	})
	c := lite(t).restoring(t, out)
	c.Migrations = upTo{c.Migrations, "00016"}
	if _, err := Restore(t.Context(), c); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a backup of a newer version: %v", err)
	}
}
