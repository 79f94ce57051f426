package store

import "context"

// Exec runs a statement on a connection that writes; SQLite has one.
func (d *DB) Exec(ctx context.Context, query string) error {
	_, err := d.db.DB.ExecContext(ctx, query)
	return err
}

// WALMax is the size at which SQLite's log begins anew.
const WALMax = walMax
