package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// What restores a backup (server/backup) makes a whole database beside the one
// that there is, and then puts it in its place in one step.

// restoring begins the names of tables that are not in use: those of a restore
// that is under way or was killed. Tables leaves them out.
const (
	restoring   = "restoring_"
	restoringIn = restoring + "in_"  // will take the place
	replacedBy  = restoring + "out_" // had the place
)

// ErrInUse is answered where a server, or somebody else, has a database open.
var ErrInUse = errors.New("the database is in use: stop all servers on it, and whatever else has it open")

// IsSQLite returns the path of the file where dsn names an SQLite database.
func IsSQLite(dsn string) (path string, ok bool) { return strings.CutPrefix(dsn, "sqlite:") }

// Release makes the SQLite database at path one file without a log beside it, or
// answers ErrInUse. None there is fine.
func Release(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(2000)")
	if err != nil {
		return err
	}
	defer db.Close()
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode=DELETE").Scan(&mode)
	switch {
	case IsBusy(err) || err == nil && !strings.EqualFold(mode, "delete"):
		return ErrInUse
	case err != nil:
		return fmt.Errorf("look whether the database is in use: %w", err)
	}
	return nil
}

// Alone answers ErrInUse where others than d are connected to a MySQL database.
// It must be asked before d is used at once by several.
func (d *DB) Alone(ctx context.Context) error {
	if !d.mysql {
		return nil
	}
	c, err := d.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	d.db.SetMaxIdleConns(0) // of ours, only c is left
	defer d.db.SetMaxIdleConns(12)
	for try := 0; ; try++ { // connections that were just closed go in a moment
		var n int
		if err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()").Scan(&n); err != nil {
			return fmt.Errorf("look who else uses the database: %w", err)
		}
		if n == 0 {
			return nil
		}
		if try == 20 {
			return ErrInUse
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// named returns t under another name.
func (t Table) named(name string) Table {
	put, drop := *t.put, *t.drop
	put.head = strings.Replace(put.head, " "+t.Name+" ", " "+name+" ", 1)
	drop.head = strings.Replace(drop.head, " "+t.Name+" ", " "+name+" ", 1)
	t.Name, t.put, t.drop = name, &put, &drop
	return t
}

// Beside makes, in a MySQL database, an empty table beside each of ts, and
// returns these in the same order. What an earlier run left is removed.
func (d *DB) Beside(ctx context.Context, ts []Table) ([]Table, error) {
	if err := d.Tidy(ctx); err != nil {
		return nil, err
	}
	out := make([]Table, len(ts))
	for i, t := range ts {
		out[i] = t.named(restoringIn + t.Name)
		if err := d.alter(ctx, "CREATE TABLE ? LIKE ?", bun.Ident(out[i].Name), bun.Ident(t.Name)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutInPlace gives the tables beside ts their names, all at once.
func (d *DB) PutInPlace(ctx context.Context, ts []Table) error {
	var moves []string
	var args []any
	for _, t := range ts {
		moves = append(moves, "? TO ?", "? TO ?")
		args = append(args, bun.Ident(t.Name), bun.Ident(replacedBy+t.Name), bun.Ident(restoringIn+t.Name), bun.Ident(t.Name))
	}
	return d.alter(ctx, "RENAME TABLE "+strings.Join(moves, ", "), args...)
}

// Tidy removes what a restore into a MySQL database has left beside its tables.
func (d *DB) Tidy(ctx context.Context) error {
	var names []string
	err := d.db.NewSelect().TableExpr("information_schema.tables").ColumnExpr("table_name").
		Where("table_schema = DATABASE() AND LEFT(table_name, ?) = ?", len(restoring), restoring).Scan(ctx, &names)
	if err != nil {
		return fmt.Errorf("look for what a restore left: %w", err)
	}
	for _, name := range names {
		if err := d.alter(ctx, "DROP TABLE ?", bun.Ident(name)); err != nil {
			return err
		}
	}
	return nil
}

// alter changes the schema, for as long as that takes.
func (d *DB) alter(ctx context.Context, query string, args ...any) error {
	db, done := d.schema()
	defer done()
	if _, err := db.NewRaw(query, args...).Exec(ctx); err != nil {
		return fmt.Errorf("change tables: %w", err)
	}
	d.heads.forget()
	return nil
}

// KnownUploads returns those of ids that are files of the database.
func (d *DB) KnownUploads(ctx context.Context, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	for len(ids) > 0 {
		part := ids[:min(len(ids), chunk)]
		ids = ids[len(part):]
		var found []string
		if err := d.read.NewSelect().Model((*fileRow)(nil)).Column("id").Where("id IN (?)", bun.List(part)).Scan(ctx, &found); err != nil {
			return nil, fmt.Errorf("look for files: %w", err)
		}
		for _, id := range found {
			known[id] = true
		}
	}
	return known, nil
}
