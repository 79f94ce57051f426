package move

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kamachat/server/store"
)

// Bounds of what is read and written at a time: about so much is held in memory, a few times.
const (
	pageRows   = 2000
	batchRows  = 4000
	batchBytes = 2 << 20
)

// A cursor reads the rows of a table in the order of their keys, page by page, so
// that no transaction is open for long.
type cursor struct {
	db     *store.DB
	t      store.Table
	within store.Row
	page   []store.Row
	after  store.Row
	ended  bool
}

// peek returns the row that the cursor is at, nil at the end.
func (c *cursor) peek(ctx context.Context) (store.Row, error) {
	for len(c.page) == 0 {
		if c.ended {
			return nil, nil
		}
		page, more, err := c.db.Page(ctx, c.t, c.within, c.after, pageRows)
		if err != nil {
			return nil, err
		}
		if len(page) > 0 {
			c.after = page[len(page)-1]
		}
		c.page, c.ended = slices.DeleteFunc(page, func(r store.Row) bool { return own(c.t, r) }), !more
	}
	return c.page[0], nil
}

func (c *cursor) next() { c.page = c.page[1:] }

// own reports whether r tells its database about the move, which is not copied.
func own(t store.Table, r store.Row) bool {
	return t.Name == settings && strings.HasPrefix(r[0].(string), store.MoveSettings)
}

// A difference is one row that is not the same on both sides.
type difference struct {
	table string
	key   store.Row
	what  string // missing, extra or changed, as the new database has it
}

const (
	missing = "is missing in the new database"
	extra   = "is only in the new database"
	changed = "is not the same in both"
)

func (d difference) String() string {
	name := make([]string, len(d.key))
	for i, v := range d.key {
		name[i] = fmt.Sprint(v)
	}
	if d.table == log {
		return fmt.Sprintf("messages: entry %s of %s %s", name[1], name[0], d.what)
	}
	return fmt.Sprintf("%s: %s %s", d.table, strings.Join(name, " "), d.what)
}

// merge reads the rows of t whose keys begin with within on both sides and, where
// fix is set, makes those of the copy like the others. It tells found of each
// difference and returns how many rows the old database has there.
func (m *Move) merge(ctx context.Context, t store.Table, within store.Row, fix bool, found func(difference)) (rows int64, err error) {
	src, dst := &cursor{db: m.From, t: t, within: within}, &cursor{db: m.To, t: t, within: within}
	w := m.writer(ctx, t)
	defer func() { err = w.close(err) }()
	for {
		a, err := src.peek(ctx)
		if err != nil {
			return rows, err
		}
		b, err := dst.peek(ctx)
		if err != nil || a == nil && b == nil {
			return rows, err
		}
		order := 0
		switch {
		case b == nil:
			order = -1
		case a == nil:
			order = 1
		default:
			order = store.CompareKeys(a, b, t.Key)
		}
		d := difference{table: t.Name, what: changed}
		switch {
		case order < 0:
			d.what, d.key = missing, a[:t.Key]
		case order > 0:
			d.what, d.key = extra, b[:t.Key]
		case !slices.Equal(a, b):
			d.key = a[:t.Key]
		}
		if d.key != nil {
			found(d)
			if fix && order <= 0 {
				w.put(a)
			} else if fix {
				w.drop(b)
			}
		}
		if order <= 0 {
			src.next()
			rows++
		}
		if order >= 0 {
			dst.next()
		}
	}
}

// A writer writes rows of one table to the copy in batches, while the next is read.
type writer struct {
	most       int // rows in a batch
	rows, gone []store.Row
	size       int
	out        chan batch
	err        chan error
}

type batch struct{ rows, gone []store.Row }

func (m *Move) writer(ctx context.Context, t store.Table) *writer {
	w := &writer{most: m.Batch, out: make(chan batch), err: make(chan error, 1)}
	go func() {
		var err error
		for b := range w.out {
			if err == nil {
				m.beforeWrite()
				err = m.To.Put(ctx, m.holder, t, b.rows, b.gone)
			}
		}
		w.err <- err
	}()
	return w
}

func (w *writer) put(r store.Row) {
	w.rows = append(w.rows, r)
	for _, v := range r {
		s, _ := v.(string)
		w.size += len(s)
	}
	w.full()
}

func (w *writer) drop(r store.Row) {
	w.gone = append(w.gone, r)
	w.full()
}

func (w *writer) full() {
	if len(w.rows)+len(w.gone) >= w.most || w.size >= batchBytes {
		w.flush()
	}
}

func (w *writer) flush() {
	if len(w.rows)+len(w.gone) > 0 {
		w.out <- batch{w.rows, w.gone}
		w.rows, w.gone, w.size = nil, nil, 0
	}
}

// close writes the rest, unless why says that it is not to be, waits for the end
// and returns why, or else the first error of writing.
func (w *writer) close(why error) error {
	if why == nil {
		w.flush()
	}
	close(w.out)
	if err := <-w.err; why == nil {
		return err
	}
	return why
}
