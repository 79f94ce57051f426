package move

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"
	"sync"

	"kamachat/server/store"
)

// A report is what a check found.
type report struct {
	conversations, messages int64 // of the old database
	rows                    []count
	behind                  int64 // messages that the copy does not have yet
	differ                  int64
	first                   []difference // the first maxTold of them
}

type count struct {
	table string
	n     int64
}

// maxTold is how many differences are told one by one.
const maxTold = 20

func (r *report) found(d difference) {
	r.differ++
	if len(r.first) < maxTold {
		r.first = append(r.first, d)
	}
}

// String says what was compared.
func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Compared %d messages in %d conversations by count and SHA-256, and", r.messages, r.conversations)
	for i, c := range r.rows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %d %s", c.n, strings.ReplaceAll(c.table, "_", " "))
	}
	b.WriteString(" row by row.")
	return b.String()
}

// differences lists what differs, one a line.
func (r *report) differences() string {
	var b strings.Builder
	for _, d := range r.first {
		fmt.Fprintln(&b, " ", d)
	}
	if more := r.differ - int64(len(r.first)); more > 0 {
		fmt.Fprintf(&b, "  and %d more\n", more)
	}
	return strings.TrimRight(b.String(), "\n")
}

// check compares everything: the log by count and hash of each conversation, and
// where these differ by row; all else by row. Where fix is set the copy gets what
// differs anew. Messages that only follow on what the copy has are not a
// difference but behind.
func (m *Move) check(ctx context.Context, fix bool) (*report, error) {
	r := &report{}
	total, err := m.total(ctx)
	if err != nil {
		return nil, err
	}
	m.Progress.Stage("Comparing", total)
	defer m.Progress.Done()
	for _, t := range m.tables {
		if t.Name == log {
			continue
		}
		n, err := m.merge(ctx, t, nil, fix, r.found)
		if err != nil {
			return nil, err
		}
		r.rows = append(r.rows, count{t.Name, n})
		m.Progress.Add(n)
	}
	return r, m.checkLog(ctx, fix, r)
}

func (m *Move) checkLog(ctx context.Context, fix bool, r *report) error {
	t := m.tables[len(m.tables)-1]
	ctx, stop := context.WithCancel(ctx)
	src, dst := &sums{}, &sums{}
	src.start(ctx, m.From, t, m.Progress.Add)
	dst.start(ctx, m.To, t, func(int64) {})
	defer func() { stop(); src.wg.Wait(); dst.wg.Wait() }()
	a, b := src.next(), dst.next()
	for a != nil || b != nil {
		var conv string
		switch {
		case b == nil || a != nil && a.conv < b.conv:
			conv = a.conv
		default:
			conv = b.conv
		}
		mine, theirs := sum{conv: conv}, sum{conv: conv}
		if a != nil && a.conv == conv {
			mine = *a
			a = src.next()
		}
		if b != nil && b.conv == conv {
			theirs = *b
			b = dst.next()
		}
		if mine.n > 0 {
			r.conversations++
			r.messages += mine.n
		}
		if mine == theirs {
			continue
		}
		if _, err := m.merge(ctx, t, store.Row{conv}, fix, func(d difference) {
			if d.what == missing && d.key[1].(int64) > theirs.last {
				r.behind++
			} else {
				r.found(d)
			}
		}); err != nil {
			return err
		}
	}
	if err := src.err; err != nil {
		return err
	}
	return dst.err
}

// A sum is what is compared of a conversation: how many entries it has, the last
// Seq, and a hash over all columns of all of them in order.
type sum struct {
	conv    string
	n, last int64
	hash    [sha256.Size]byte
}

// sums computes the sums of one database in the order of its conversations.
type sums struct {
	out chan *sum
	err error // once out is closed
	wg  sync.WaitGroup
}

func (s *sums) start(ctx context.Context, db *store.DB, t store.Table, read func(int64)) {
	s.out = make(chan *sum, 256)
	s.wg.Go(func() {
		defer close(s.out)
		s.err = s.run(ctx, &cursor{db: db, t: t}, read)
	})
}

// next returns the next one, nil at the end or after an error.
func (s *sums) next() *sum { return <-s.out }

func (s *sums) run(ctx context.Context, c *cursor, read func(int64)) error {
	h := sha256.New()
	var at *sum
	var buf []byte
	send := func() error {
		if at == nil {
			return nil
		}
		h.Sum(at.hash[:0])
		read(at.n)
		select {
		case s.out <- at:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		row, err := c.peek(ctx)
		if err != nil {
			return err
		}
		if row == nil {
			return send()
		}
		if conv := row[0].(string); at == nil || at.conv != conv {
			if err := send(); err != nil {
				return err
			}
			at = &sum{conv: conv}
			h.Reset()
		}
		at.n++
		at.last = row[1].(int64)
		buf = digest(h, buf[:0], row)
		c.next()
	}
}

// digest adds a row to h, so that two rows that differ in any column add different
// bytes. It returns buf for use again.
func digest(h hash.Hash, buf []byte, r store.Row) []byte {
	for _, v := range r {
		switch v := v.(type) {
		case nil:
			buf = append(buf, 0)
		case int64:
			buf = binary.BigEndian.AppendUint64(append(buf, 1), uint64(v))
		case string:
			buf = binary.BigEndian.AppendUint64(append(buf, 2), uint64(len(v)))
			buf = append(buf, v...)
		}
	}
	_, _ = h.Write(buf)
	return buf
}
