package store

import (
	"database/sql"
	"net/url"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver
)

// openSQLite opens one connection that writes and a few that read: SQLite has
// one writer at a time, and in WAL mode readers don't wait for it.
func (d *DB) openSQLite(path string) error {
	open := func(conns int, pragmas ...string) (*bun.DB, error) {
		q := url.Values{"_txlock": {"immediate"}}
		for _, p := range append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(0)"}, pragmas...) {
			q.Add("_pragma", p)
		}
		s, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		s.SetMaxOpenConns(conns)
		s.SetMaxIdleConns(conns)
		return bun.NewDB(s, sqlitedialect.New()), nil
	}
	var err error
	// The log is written back by a third: see wal.
	if d.db, err = open(1, "wal_autocheckpoint(0)", "cache_size(-32768)"); err != nil {
		return err
	}
	if d.read, err = open(4); err != nil {
		return err
	}
	checks, err := open(1, "wal_autocheckpoint(0)", "busy_timeout(20)")
	if err != nil {
		return err
	}
	d.wal = watchWAL(path+"-wal", d.db.DB, checks.DB, d.log)
	d.sql = shapesOf(false)
	d.schema = func() (*bun.DB, func()) { return d.db, func() {} }
	d.types = types{ID: "VARCHAR(64)", Ref: "VARCHAR(64)", Text: "TEXT", Blob: "BLOB", RowidTail: " WITHOUT ROWID"}
	return nil
}
