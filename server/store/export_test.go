package store

import (
	"context"
	"fmt"
	"io/fs"
	"testing"

	"github.com/uptrace/bun"
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

// Asked returns the questions that d asks its database while f runs.
func Asked(d *DB, f func()) []string {
	var h askedHook
	read, db := d.read, d.db
	d.read, d.db = read.WithQueryHook(&h), db.WithQueryHook(&h)
	f()
	d.read, d.db = read, db
	return h
}

type askedHook []string

func (*askedHook) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (h *askedHook) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Operation() == "SELECT" {
		*h = append(*h, e.Query)
	}
}

// Plan is how SQLite finds the answer to a question, line by line.
func Plan(t *testing.T, d *DB, query string) (lines []string) {
	t.Helper()
	var plan []struct {
		ID      int    `bun:"id"`
		Parent  int    `bun:"parent"`
		Notused int    `bun:"notused"`
		Detail  string `bun:"detail"`
	}
	if err := d.db.NewRaw("EXPLAIN QUERY PLAN ?", bun.Safe(query)).Scan(t.Context(), &plan); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	for _, p := range plan {
		lines = append(lines, p.Detail)
	}
	return lines
}
