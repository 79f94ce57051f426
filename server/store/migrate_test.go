package store_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"kamachat"
	"kamachat/server/servicetest"
	"kamachat/server/store"
)

func migrationFiles(t *testing.T) fs.FS {
	t.Helper()
	files, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// On SQLite the schema is made in one transaction.
func TestMigrationsThatFailLeaveNothingOnSQLite(t *testing.T) {
	files := migrationFiles(t)
	broken := fstest.MapFS{
		"99999_broken.up.sql":   {Data: []byte("CREATE TABLE one (id INT PRIMARY KEY);\n--bun:split\nCREATE TABLE one (id INT PRIMARY KEY);")},
		"99999_broken.down.sql": {Data: []byte("DROP TABLE one;")},
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		broken[name] = &fstest.MapFile{Data: text}
	}
	db, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/kamachat.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got, err := db.Migrate(t.Context(), broken); err == nil {
		t.Errorf("broken migrations were applied: %v", got)
	}
	if ts, err := db.Tables(t.Context()); err != nil || len(ts) != 0 {
		t.Errorf("%d tables, %v", len(ts), err)
	}
	if got, err := db.Migrate(t.Context(), files); err != nil || len(got) != len(names)/2 {
		t.Errorf("applied %v, %v", got, err)
	}
}

// On MySQL each statement is for good: a server that was killed between two, or before
// they were noted as applied, comes up the next time.
func TestMigrationsGoOnWhereTheyWereKilled(t *testing.T) {
	db := openAt(t, servicetest.SharedDatabase(t))
	for _, q := range []string{
		"DELETE FROM bun_migrations WHERE name IN ('00001', '00005', '00007', '00009')", // made, not noted
		"DROP INDEX users_by_nick ON users", "DROP TABLE quiet",                         // and not all of it made
	} {
		if err := db.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := db.Migrate(t.Context(), migrationFiles(t)); err != nil || len(got) != 4 {
		t.Fatalf("applied %v, %v", got, err)
	}
	for _, q := range []string{"SELECT 1 FROM quiet", "ALTER TABLE users DROP INDEX users_by_nick"} {
		if err := db.Exec(t.Context(), q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}
