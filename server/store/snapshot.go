package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"kamachat/shared/chat"
)

// A Snapshot is a whole database as it was at one moment, however it changes
// meanwhile. Nobody who writes waits for it; but what it has to remember costs the
// database room until Close: SQLite's log grows, MySQL keeps old rows. It is not
// safe for concurrent use.
type Snapshot struct {
	d      *DB
	tx     *sql.Tx
	tables []Table
}

// Snapshot begins one.
func (d *DB) Snapshot(ctx context.Context) (*Snapshot, error) {
	tables, err := d.Tables(ctx)
	if err != nil {
		return nil, err
	}
	o := &sql.TxOptions{ReadOnly: true}
	if d.mysql {
		o.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.read.DB.BeginTx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin a snapshot: %w", err)
	}
	s := &Snapshot{d, tx, tables}
	// The moment is that of the first read.
	if len(tables) > 0 {
		_, err = s.Count(ctx, tables[0])
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends it.
func (s *Snapshot) Close() { _ = s.tx.Rollback() }

// Tables returns the tables by name.
func (s *Snapshot) Tables() []Table { return slices.Clone(s.tables) }

// Page is that of a DB.
func (s *Snapshot) Page(ctx context.Context, t Table, after Row, limit int) (page []Row, more bool, err error) {
	return s.d.pageOf(ctx, s.tx, t, nil, after, limit)
}

// Count returns how many rows t has.
func (s *Snapshot) Count(ctx context.Context, t Table) (n int64, err error) {
	if err := s.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+t.Name).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.Name, err)
	}
	return n, nil
}

// Schema returns the name of the last migration, such as "00012",
// empty where there is no schema.
func (d *DB) Schema(ctx context.Context) (string, error) {
	ts, err := d.Tables(ctx)
	if err != nil || len(ts) == 0 {
		return "", err
	}
	var name string
	if err := d.read.DB.QueryRowContext(ctx, "SELECT name FROM bun_migrations ORDER BY name DESC LIMIT 1").Scan(&name); err != nil {
		return "", fmt.Errorf("read the version of the schema: %w", err)
	}
	return name, nil
}

// UploadOf returns the id of the file that a row of the table "files" is about,
// and whether all of its bytes are kept, so that somebody may read it.
func (t Table) UploadOf(r Row) (id string, kept bool) {
	i, j := slices.Index(t.Columns, "id"), slices.Index(t.Columns, "state")
	if t.Name != "files" || i < 0 || j < 0 {
		return "", false
	}
	id, _ = r[i].(string)
	state, _ := r[j].(int64)
	return id, (state == fileUnposted || state == filePosted) && chat.ValidUpload(id)
}
