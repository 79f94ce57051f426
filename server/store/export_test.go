package store

import (
	"context"
	"fmt"
	"io/fs"
	"testing"

	"github.com/uptrace/bun/migrate"
)

// Exec runs a statement on a connection that writes; SQLite has one.
func (d *DB) Exec(ctx context.Context, query string) error {
	_, err := d.db.DB.ExecContext(ctx, query)
	return err
}

// Occupy takes all connections that write, one of them in a transaction that
// has written, until the function it returns is called.
func Occupy(t *testing.T, d *DB) (end func()) {
	t.Helper()
	tx, err := d.db.DB.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(context.Background(), "UPDATE conversations SET last_at = last_at + 1"); err != nil {
		t.Fatal(err)
	}
	ends := []func() error{tx.Rollback}
	for range d.db.Stats().MaxOpenConnections - 1 {
		c, err := d.db.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, c.Close)
	}
	return func() {
		for _, f := range ends {
			_ = f()
		}
	}
}

// WALMax is the size in bytes at which SQLite's log begins anew.
const WALMax = walMax * 4096

// Rollback takes the last group of migrations back.
func (d *DB) Rollback(ctx context.Context, fsys fs.FS) error {
	ms := migrate.NewMigrations()
	if err := ms.Discover(fsys); err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	db, done := d.schema()
	defer done()
	m := migrate.NewMigrator(db, ms, migrate.WithTemplateData(d.types))
	defer d.heads.forget()
	if _, err := m.Rollback(ctx); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}
