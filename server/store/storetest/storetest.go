// Package storetest gives tests databases of the schema that a server has. For tests alone.
package storetest

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"kamachat"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// Lite returns the address of an SQLite database that is not there yet.
func Lite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "kamachat.db")
}

// Each runs a test with an empty database of either kind; the package's TestMain
// must call servicetest.EndShared when all have ended.
func Each(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Lite(t)) })
	t.Run("mariadb", func(t *testing.T) { f(t, servicetest.SharedDatabase(t)) })
}

// IDs returns ids as the first node gives them.
func IDs() *chat.IDs { return chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() }) }

// Migrations returns the schema's steps.
func Migrations(t testing.TB) fs.FS {
	t.Helper()
	steps, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// Open opens and migrates a database, which is closed when the test has ended.
// Ids are by IDs where the options say nothing of them.
func Open(t testing.TB, dsn string, o store.Options) *store.DB {
	t.Helper()
	if o.ID == nil {
		o.ID = IDs().Next
	}
	db, err := store.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context(), Migrations(t)); err != nil {
		t.Fatal(err)
	}
	return db
}
