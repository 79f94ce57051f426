package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What moves everything from one database to another (server/move) reads and
// writes whole rows of tables that it finds in the schema, whatever they mean.

// A Table is one table of the schema. Those of the same schema are equal on
// SQLite and MySQL, but for what only the database they are of needs to know.
type Table struct {
	Name    string
	Columns []string // those of the primary key first, in its order; then by name
	Key     int      // how many of Columns are the primary key
	kinds   []kind   // of Columns
	put     *shape
	drop    *shape
}

// A Row holds the values of a Table's Columns: int64, string (also of bytes) or
// nil. Rows of the same content are equal, whichever database they are from.
type Row []any

// CompareKeys orders a and b, or as much as both have of it, as their tables do:
// numbers by size, texts by their bytes.
func CompareKeys(a, b Row, key int) int {
	for i := range min(key, len(a), len(b)) {
		var c int
		switch x := a[i].(type) {
		case int64:
			c = cmp.Compare(x, b[i].(int64))
		case string:
			c = strings.Compare(x, b[i].(string))
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// A kind is how values of a column are given to the database.
type kind int

const (
	numbers kind = iota
	texts
	bytes // where SQLite would keep a text apart from the same bytes
)

func kindOf(typ string) (kind, error) {
	typ = strings.ToUpper(typ)
	for _, k := range []struct {
		word string
		kind kind
	}{{"BLOB", bytes}, {"BINARY", bytes}, {"CHAR", texts}, {"TEXT", texts}, {"INT", numbers}, {"BOOL", numbers}} {
		if strings.Contains(typ, k.word) {
			return k.kind, nil
		}
	}
	return 0, fmt.Errorf("nobody said how to copy the type %s", typ)
}

type column struct {
	table, name, typ string
	key              int // place in the primary key, from 1; 0: not in it
}

// Tables returns the tables by name, without those of the migrator and of the
// database itself. An empty database has none.
func (d *DB) Tables(ctx context.Context) ([]Table, error) {
	q := `SELECT t.name, c.name, c.type, c.pk FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'`
	if d.mysql {
		q = `SELECT c.table_name, c.column_name, c.data_type, COALESCE(s.seq_in_index, 0) FROM information_schema.columns AS c
			LEFT JOIN information_schema.statistics AS s ON s.table_schema = c.table_schema AND s.table_name = c.table_name
				AND s.column_name = c.column_name AND s.index_name = 'PRIMARY'
			WHERE c.table_schema = DATABASE()`
	}
	rows, err := d.read.DB.QueryContext(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	of := map[string][]column{}
	if err := eachRow(rows, func(rows *sql.Rows) error {
		var c column
		err := rows.Scan(&c.table, &c.name, &c.typ, &c.key)
		if !strings.HasPrefix(c.table, "bun_") && !strings.HasPrefix(c.table, "sqlite_") && !strings.HasPrefix(c.table, restoring) {
			of[c.table] = append(of[c.table], c)
		}
		return err
	}); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	var ts []Table
	for name, cs := range of {
		t, err := tableOf(name, cs)
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	slices.SortFunc(ts, func(x, y Table) int { return strings.Compare(x.Name, y.Name) })
	return ts, nil
}

func tableOf(name string, cs []column) (Table, error) {
	t := Table{Name: name}
	slices.SortFunc(cs, func(x, y column) int {
		if (x.key > 0) != (y.key > 0) {
			return cmp.Compare(y.key, x.key)
		}
		return cmp.Or(cmp.Compare(x.key, y.key), strings.Compare(x.name, y.name))
	})
	var marks, keys []string
	for _, c := range cs {
		k, err := kindOf(c.typ)
		if err != nil {
			return t, fmt.Errorf("%s.%s: %w", name, c.name, err)
		}
		t.Columns, t.kinds, marks = append(t.Columns, c.name), append(t.kinds, k), append(marks, "?")
		if c.key > 0 {
			t.Key++
			keys = append(keys, c.name+" = ?")
		}
	}
	if t.Key == 0 {
		return t, fmt.Errorf("the table %s has no primary key", name)
	}
	t.put = &shape{head: "REPLACE INTO " + name + " (" + strings.Join(t.Columns, ", ") + ") VALUES ", row: "(" + strings.Join(marks, ",") + ")", sep: ",", args: len(cs)}
	t.drop = &shape{head: "DELETE FROM " + name + " WHERE ", row: "(" + strings.Join(keys, " AND ") + ")", sep: " OR ", args: t.Key}
	return t, nil
}

// maxPage is about how many bytes a Page holds at most; a row more may be longer.
const maxPage = 4 << 20

// Page returns at most limit rows of t in the order of their keys: those whose
// keys begin with within (nil: any) and come behind the key after (nil: from the
// first). It asks for no longer than that takes, so that a writer can go on. more
// says that there may be others behind.
func (d *DB) Page(ctx context.Context, t Table, within, after Row, limit int) (page []Row, more bool, err error) {
	return d.pageOf(ctx, d.read.DB, t, within, after, limit)
}

// A querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (d *DB) pageOf(ctx context.Context, from querier, t Table, within, after Row, limit int) (page []Row, more bool, err error) {
	where, args := d.behind(t, within, after)
	if where != "" {
		where = " WHERE " + where
	}
	q := fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT %d", strings.Join(t.Columns, ", "), t.Name, where, strings.Join(t.Columns[:t.Key], ", "), limit)
	rows, err := from.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", t.Name, err)
	}
	defer rows.Close()
	size := 0
	dest := make([]any, len(t.Columns))
	for rows.Next() {
		r := make(Row, len(t.Columns))
		for i := range r {
			dest[i] = &r[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, false, fmt.Errorf("read %s: %w", t.Name, err)
		}
		n, err := t.same(r)
		if err != nil {
			return nil, false, err
		}
		page = append(page, r)
		if size += n; size > maxPage {
			return page, true, nil
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", t.Name, err)
	}
	return page, len(page) == limit, nil
}

// behind returns the condition of Page. SQLite finds its way by (a, b) > (?, ?),
// MySQL by what that means.
func (d *DB) behind(t Table, within, after Row) (string, []any) {
	var all []string
	args := slices.Clone([]any(within))
	for i := range within {
		all = append(all, t.Columns[i]+" = ?")
	}
	if after != nil && len(within) < t.Key {
		cols, vals := t.Columns[len(within):t.Key], []any(after[len(within):t.Key])
		if d.mysql {
			var alt []string
			for i, c := range cols {
				var one []string
				for j := range i {
					one, args = append(one, cols[j]+" = ?"), append(args, vals[j])
				}
				alt, args = append(alt, "("+strings.Join(append(one, c+" > ?"), " AND ")+")"), append(args, vals[i])
			}
			all = append(all, "("+strings.Join(alt, " OR ")+")")
		} else {
			marks := strings.TrimSuffix(strings.Repeat("?, ", len(cols)), ", ")
			all, args = append(all, "("+strings.Join(cols, ", ")+") > ("+marks+")"), append(args, vals...)
		}
	}
	return strings.Join(all, " AND "), args
}

// same gives the values of r, as the driver read them, the types that they have
// in every Row, and returns about how many bytes they have.
func (t Table) same(r Row) (size int, err error) {
	for i, v := range r {
		size += 16
		switch v := v.(type) {
		case nil:
			continue
		case bool:
			r[i] = int64(0)
			if v {
				r[i] = int64(1)
			}
		case []byte:
			r[i] = string(v)
		case int64, string:
		default:
			return 0, fmt.Errorf("%s.%s holds a %T, which nobody said how to copy", t.Name, t.Columns[i], v)
		}
		s, isText := r[i].(string)
		size += len(s)
		switch {
		case isText && t.kinds[i] == numbers:
			if r[i], err = strconv.ParseInt(s, 10, 64); err != nil {
				return 0, fmt.Errorf("%s.%s holds %q, which is no number", t.Name, t.Columns[i], s)
			}
		case !isText && t.kinds[i] != numbers: // SQLite takes what it is given
			return 0, fmt.Errorf("%s.%s holds the number %v, which should be a text", t.Name, t.Columns[i], r[i])
		}
	}
	return size, nil
}

// Put writes rows into t, each in place of those with its key or another unique
// value of it, and removes the rows with the keys of drop, in one transaction, as
// long as holder holds the database (see Hold).
func (d *DB) Put(ctx context.Context, holder string, t Table, rows, drop []Row) error {
	err := d.persist(ctx, func() error {
		tx, err := d.db.DB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if err := d.held(ctx, tx, holder); err != nil {
			return err
		}
		var args []any
		for _, r := range drop {
			args = append(args, t.values(r[:t.Key])...)
		}
		if err := d.exec(ctx, tx, t.drop, args); err != nil {
			return err
		}
		from, size := 0, 0
		for i, r := range rows {
			n := 0
			for _, v := range r {
				s, _ := v.(string)
				n += len(s)
			}
			if size += n; size > maxStatement && i > from {
				if err := d.put(ctx, tx, t, rows[from:i]); err != nil {
					return err
				}
				from, size = i, n
			}
		}
		if err := d.put(ctx, tx, t, rows[from:]); err != nil {
			return err
		}
		return tx.Commit()
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	d.afterCommit(ctx)
	return nil
}

func (d *DB) put(ctx context.Context, tx *sql.Tx, t Table, rows []Row) error {
	args := make([]any, 0, len(rows)*len(t.Columns))
	for _, r := range rows {
		args = append(args, t.values(r)...)
	}
	return d.exec(ctx, tx, t.put, args)
}

// values returns r as the database takes it.
func (t Table) values(r Row) []any {
	out := slices.Clone([]any(r))
	for i, v := range out {
		if s, ok := v.(string); ok && t.kinds[i] == bytes {
			out[i] = []byte(s)
		}
	}
	return out
}

// A LogEnd is where the log of one conversation ends: the Seq of its last entry
// that is there, 0 where there is none.
type LogEnd struct {
	Conv string
	Seq  int64
}

// LogEnds returns the ends of the conversations above after, at most limit, and
// where to is not empty up to that one, in order.
func (d *DB) LogEnds(ctx context.Context, after, to string, limit int) ([]LogEnd, error) {
	q := "SELECT c.id, COALESCE((SELECT MAX(m.seq) FROM messages AS m WHERE m.conv_id = c.id), 0) FROM conversations AS c WHERE c.id > ?"
	args := []any{after}
	if to != "" {
		q, args = q+" AND c.id <= ?", append(args, to)
	}
	rows, err := d.read.DB.QueryContext(ctx, q+" ORDER BY c.id LIMIT "+strconv.Itoa(limit), args...)
	if err != nil {
		return nil, fmt.Errorf("read where conversations end: %w", err)
	}
	var ends []LogEnd
	if err := eachRow(rows, func(rows *sql.Rows) error {
		var e LogEnd
		err := rows.Scan(&e.Conv, &e.Seq)
		ends = append(ends, e)
		return err
	}); err != nil {
		return nil, fmt.Errorf("read where conversations end: %w", err)
	}
	return ends, nil
}

// Count returns how many rows t has.
func (d *DB) Count(ctx context.Context, t Table) (n int64, err error) {
	if err := d.read.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+t.Name).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.Name, err)
	}
	return n, nil
}

// Entries returns how many entries all logs have together, by what their
// conversations say.
func (d *DB) Entries(ctx context.Context) (n int64, err error) {
	if err := d.read.DB.QueryRowContext(ctx, "SELECT COALESCE(SUM(last_seq), 0) FROM conversations").Scan(&n); err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	return n, nil
}
