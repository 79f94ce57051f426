// Package store keeps everything that lasts in SQLite or MySQL, through Bun.
// All SQL of the program is here; sqlite.go and mysql.go only open a database
// and name its types.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
)

// DB is the database. Its methods are safe for concurrent use.
type DB struct {
	db    *bun.DB // writes, and reads that must see them
	read  *bun.DB // history and lists; the same as db on MySQL
	types types
	now   func() time.Time
	id    func() int64
	// lockRows says that the database is MySQL: rows read in a transaction are
	// locked one by one, where SQLite locks the file.
	lockRows bool
}

// Options are what a DB needs besides its address.
type Options struct {
	Now func() time.Time // nil: time.Now
	ID  func() int64     // makes message ids; never the same twice
}

// types are the words that differ between the databases, for migrations.
type types struct {
	ID, Ref, Text, Blob, Tail, RowidTail string
}

// Open opens the database at dsn, "sqlite:PATH" or "mysql://user:password@host:port/name".
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	d := &DB{now: o.Now, id: o.ID}
	if d.now == nil {
		d.now = time.Now
	}
	var err error
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		err = d.openSQLite(path)
	} else if strings.HasPrefix(dsn, "mysql://") {
		err = d.openMySQL(dsn)
	} else {
		err = errors.New("the address must begin with sqlite: or mysql://")
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := d.read.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), d.Close())
	}
	return d, nil
}

// Close closes the database; it waits for what is under way.
func (d *DB) Close() error {
	err := d.db.Close()
	if d.read != d.db {
		err = errors.Join(err, d.read.Close())
	}
	return err
}

// Migrate brings the schema up to date with the files of fsys and returns the
// names of the migrations it applied.
func (d *DB) Migrate(ctx context.Context, fsys fs.FS) ([]string, error) {
	ms := migrate.NewMigrations()
	if err := ms.Discover(fsys); err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	m := migrate.NewMigrator(d.db, ms, migrate.WithTemplateData(d.types), migrate.WithMarkAppliedOnSuccess(true))
	if err := m.Init(ctx); err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	g, err := m.Migrate(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	var names []string
	for _, mg := range g.Migrations {
		names = append(names, mg.String())
	}
	return names, nil
}

func (d *DB) inTx(ctx context.Context, f func(context.Context, bun.Tx) error) error {
	return d.db.RunInTx(ctx, &sql.TxOptions{}, f)
}

// Rollback takes the last group of migrations back.
func (d *DB) Rollback(ctx context.Context, fsys fs.FS) error {
	ms := migrate.NewMigrations()
	if err := ms.Discover(fsys); err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	m := migrate.NewMigrator(d.db, ms, migrate.WithTemplateData(d.types))
	if _, err := m.Rollback(ctx); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}
