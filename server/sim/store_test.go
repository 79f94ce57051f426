package sim

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"kamachat"
	"kamachat/server/room/roomtest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// The store in memory, on which most seeds run, keeps the same contract as the
// database, on which the program runs.
func TestStoreInMemory(t *testing.T) {
	roomtest.Store(t, func(*testing.T) roomtest.Base { return roomtest.NewMemory(time.Now, newIDs(time.Now).Next) })
}

func TestStoreInSQLite(t *testing.T) {
	roomtest.Store(t, func(t *testing.T) roomtest.Base {
		db := openSQLite(t, t.TempDir()+"/kamachat.db", time.Now, newIDs(time.Now).Next)
		t.Cleanup(func() { _ = db.Close() })
		return db
	})
}

func newIDs(now func() time.Time) *chat.IDs {
	return chat.NewIDs(0, func() int64 { return now().UnixMilli() })
}

// openSQLite opens a database with its schema at path.
func openSQLite(t *testing.T, path string, now func() time.Time, id func() int64) *store.DB {
	t.Helper()
	ctx := context.Background() // not the test's, which is not of the bubble
	db, err := store.Open(ctx, "sqlite:"+path, store.Options{Now: now, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(ctx, files); err != nil {
		t.Fatal(err)
	}
	return db
}
