// Package store keeps everything that lasts in SQLite or MySQL, through Bun.
// All SQL of the program is here. sqlite.go and mysql.go only open a database
// and name its types; where the two need different words, shape.go has both.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"kamachat/shared/chat"
)

// DB is the database. Its methods are safe for concurrent use.
type DB struct {
	db    *bun.DB // writes, and reads that must see them
	read  *bun.DB // history and lists: they never wait for writes, nor writes for them
	types types
	now   func() time.Time
	id    func() int64
	log   *slog.Logger
	mysql bool
	sql   shapes
	heads *heads
	// schema returns where the schema is changed, and what ends that.
	schema func() (db *bun.DB, done func())
	kept   kept // on SQLite
	wal    *wal // on SQLite
	only   atomic.Pointer[func() bool]
	most   atomic.Pointer[func() int]
}

// SetContactsOnly tells who knows whether only contacts may write to each other.
// Until then anybody may.
func (d *DB) SetContactsOnly(f func() bool) { d.only.Store(&f) }

func (d *DB) contactsOnly() bool {
	f := d.only.Load()
	return f != nil && (*f)()
}

// SetMaxGroup tells who knows how many people a group may have. Until then, and
// where that is 0, they are chat.MaxMembers.
func (d *DB) SetMaxGroup(f func() int) { d.most.Store(&f) }

func (d *DB) maxGroup() int {
	if f := d.most.Load(); f != nil {
		if n := (*f)(); n > 0 {
			return min(n, chat.MaxMembers)
		}
	}
	return chat.MaxMembers
}

// Options are what a DB needs besides its address.
type Options struct {
	Now func() time.Time // nil: time.Now
	ID  func() int64     // makes message ids; never the same twice
	Log *slog.Logger     // told about messages that can't be stored; nil: nobody is
}

// types are the words that differ between the databases, for migrations.
type types struct {
	ID, Ref, Text, Blob, Tail, RowidTail string
}

// Open opens the database at dsn, "sqlite:PATH" or "mysql://user:password@host:port/name".
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	d := &DB{now: o.Now, id: o.ID, log: o.Log, heads: newHeads(), kept: newKept()}
	if d.now == nil {
		d.now = time.Now
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
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

// Committers is how many Appends at once are worth it: SQLite has one writer at
// a time, and MySQL gathers the commits of several in one write to disk.
func (d *DB) Committers() int {
	if d.mysql {
		return 8
	}
	return 1
}

// Stats are figures about a DB for its metrics.
type Stats struct {
	Write, Read sql.DBStats // the pools
	WAL         int64       // bytes of SQLite's write-ahead log; 0 on MySQL
}

// Stats returns the figures of this moment.
func (d *DB) Stats() Stats {
	s := Stats{Write: d.db.Stats(), Read: d.read.Stats()}
	if d.wal != nil {
		s.WAL = d.wal.size()
	}
	return s
}

// Close closes the database; it waits for what is under way.
func (d *DB) Close() error {
	var err error
	if d.wal != nil {
		err = d.wal.close()
	}
	return errors.Join(err, d.db.Close(), d.read.Close())
}

// Migrate brings the schema up to date with the files of fsys and returns the
// names of the migrations it applied.
func (d *DB) Migrate(ctx context.Context, fsys fs.FS) ([]string, error) {
	ms := migrate.NewMigrations()
	if err := ms.Discover(fsys); err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	db, done := d.schema()
	defer done()
	m := migrate.NewMigrator(db, ms, migrate.WithTemplateData(d.types), migrate.WithMarkAppliedOnSuccess(true))
	defer d.heads.forget()
	var g *migrate.MigrationGroup
	if err := d.whole(ctx, func() (err error) {
		if err := m.Init(ctx); err != nil {
			return fmt.Errorf("prepare migrations: %w", err)
		}
		if g, err = m.Migrate(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var names []string
	for _, mg := range g.Migrations {
		names = append(names, mg.String())
	}
	return names, nil
}

// whole runs f, which changes the schema: on SQLite all of it or nothing. On MySQL
// each change is for good at once, and what an earlier try has done is taken as
// done (see repeatable). Nobody else may use the DB yet.
func (d *DB) whole(ctx context.Context, f func() error) error {
	if d.mysql {
		return f()
	}
	// There is one connection that writes, so all that f does is in this transaction.
	if _, err := d.db.DB.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := f(); err != nil {
		_, _ = d.db.DB.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // it fails where the connection is gone, and the transaction with it
		return err
	}
	if _, err := d.db.DB.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// inTx runs f in a transaction, again where others got in its way.
func (d *DB) inTx(ctx context.Context, f func(context.Context, bun.Tx) error) error {
	return d.persist(ctx, func() error { return d.db.RunInTx(ctx, &sql.TxOptions{}, f) })
}

// lock has nobody else lock the row with an id of table until tx ends. Who counts
// before they insert locks whose it is first, before anything is read: two at once
// would both find room.
func (d *DB) lock(ctx context.Context, tx bun.Tx, table, id string) error {
	if !d.mysql {
		return nil // SQLite has one writer
	}
	_, err := tx.ExecContext(ctx, "SELECT id FROM "+table+" WHERE id = ? FOR UPDATE", id)
	return err
}

// maxTries bounds how often a transaction is tried that others get in the way of.
const maxTries = 10

// persist runs a whole transaction until it ends in something else than that
// others were in the way (two that wait for each other, a key taken in the
// meantime), at most maxTries times with short pauses of random length.
func (d *DB) persist(ctx context.Context, transaction func() error) error {
	for try := 1; ; try++ {
		err := transaction()
		if !IsBusy(err) && !errors.Is(err, errLook) {
			return err
		}
		if try == maxTries {
			return fmt.Errorf("tried %d times: %w", try, err)
		}
		if try == 1 {
			continue
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * 4 * time.Millisecond)):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}
