package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxRows is how many rows one statement is about at most.
const maxRows = 128

// kept are the statements that SQLite's writing connection keeps ready, for
// powers of two of rows. MySQL gets whole texts: one round trip each.
type kept struct {
	mu     sync.Mutex
	ready  map[sized]*sql.Stmt
	wanted map[sized]bool
}

type sized struct {
	*shape
	rows int
}

func newKept() kept { return kept{ready: map[sized]*sql.Stmt{}, wanted: map[sized]bool{}} }

// statement returns a statement for use in tx. One that is not ready yet is
// prepared for tx alone and made ready by prepare.
func (d *DB) statement(ctx context.Context, tx *sql.Tx, k sized) (*sql.Stmt, error) {
	d.kept.mu.Lock()
	st := d.kept.ready[k]
	if st == nil {
		d.kept.wanted[k] = true
	}
	d.kept.mu.Unlock()
	if st == nil {
		return tx.PrepareContext(ctx, k.text(k.rows))
	}
	return tx.StmtContext(ctx, st), nil
}

// prepare makes ready what was wanted. There is one connection, so it can't be
// done while a transaction has it, nor while holding the lock that the next
// transaction needs. What fails is wanted again the next time it is used.
func (d *DB) prepare(ctx context.Context) {
	d.kept.mu.Lock()
	var wanted map[sized]bool
	if len(d.kept.wanted) > 0 { // an empty one stays where others write to it
		wanted, d.kept.wanted = d.kept.wanted, map[sized]bool{}
	}
	d.kept.mu.Unlock()
	for k := range wanted {
		st, err := d.db.DB.PrepareContext(ctx, k.text(k.rows))
		if err != nil {
			continue
		}
		d.kept.mu.Lock()
		if d.kept.ready[k] == nil {
			d.kept.ready[k], st = st, nil
		}
		d.kept.mu.Unlock()
		if st != nil { // another was quicker
			_ = st.Close()
		}
	}
}

// exec runs s for all rows in args, in as few statements as it takes.
func (d *DB) exec(ctx context.Context, tx *sql.Tx, s *shape, args []any) error {
	for len(args) > 0 {
		rows := min(len(args)/s.args, maxRows)
		if !d.mysql {
			for rows&(rows-1) != 0 { // down to a power of two
				rows &= rows - 1
			}
		}
		part := args[:rows*s.args]
		args = args[len(part):]
		if d.mysql {
			if _, err := tx.ExecContext(ctx, s.text(rows), part...); err != nil {
				return err
			}
			continue
		}
		st, err := d.statement(ctx, tx, sized{s, rows})
		if err != nil {
			return err
		}
		if _, err := st.ExecContext(ctx, part...); err != nil {
			return err
		}
	}
	return nil
}

// query runs s, whose rows are alternatives, for all rows in args and hands each
// row of the answer to scan.
func (d *DB) query(ctx context.Context, tx *sql.Tx, s *shape, args []any, scan func(*sql.Rows) error) error {
	for len(args) > 0 {
		rows := min(len(args)/s.args, maxRows)
		part := args[:rows*s.args]
		args = args[len(part):]
		var found *sql.Rows
		var err error
		if d.mysql {
			found, err = tx.QueryContext(ctx, s.text(rows), part...)
		} else {
			// Up to a power of two: asking twice for the same changes nothing.
			part = part[:len(part):len(part)]
			for rows&(rows-1) != 0 {
				part = append(part, part[:s.args]...)
				rows++
			}
			var st *sql.Stmt
			if st, err = d.statement(ctx, tx, sized{s, rows}); err != nil {
				return err
			}
			found, err = st.QueryContext(ctx, part...)
		}
		if err != nil {
			return err
		}
		if err := eachRow(found, scan); err != nil {
			return err
		}
	}
	return nil
}

func eachRow(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
