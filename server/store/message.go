package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type messageRow struct {
	bun.BaseModel `bun:"table:messages"`

	ConvID    string `bun:"conv_id,pk"`
	Seq       int64  `bun:"seq,pk"`
	ID        int64  `bun:"id"`
	Author    string `bun:"author"`
	Ref       string `bun:"ref"`
	Kind      string `bun:"kind"`
	Content   string `bun:"content"`
	CreatedAt int64  `bun:"created_at"`
}

func (r messageRow) message() (chat.Message, error) {
	m := chat.Message{
		ID: r.ID, Conv: chat.ConvID(r.ConvID), Seq: r.Seq, Author: chat.UserID(r.Author),
		Ref: r.Ref, At: r.CreatedAt,
	}
	if err := json.Unmarshal([]byte(r.Content), &m.Content); err != nil {
		return m, fmt.Errorf("content of %s/%d: %w", r.ConvID, r.Seq, err)
	}
	return m, nil
}

// Stored returns those of ds that are stored, found by Author and Ref alone.
func (d *DB) Stored(ctx context.Context, ds []chat.Draft) ([]chat.Message, error) {
	var out []chat.Message
	for part := range slices.Chunk(ds, maxRows) {
		var rows []messageRow
		q := d.read.NewSelect().Model(&rows)
		for _, dr := range part {
			q = q.WhereOr("ref = ? AND author = ?", dr.Ref, string(dr.Author))
		}
		if err := q.Scan(ctx); err != nil {
			return nil, fmt.Errorf("look for refs: %w", err)
		}
		for _, r := range rows {
			m, err := r.message()
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// After returns the entries of conv after seq, oldest first; where more than
// limit are missing, the newest limit of them.
func (d *DB) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return d.page(ctx, conv, limit, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("seq > ?", seq) })
}

// Before returns at most limit entries of conv before seq, oldest first; seq 0
// or less means from the end.
func (d *DB) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return d.page(ctx, conv, limit, func(q *bun.SelectQuery) *bun.SelectQuery {
		if seq > 0 {
			q = q.Where("seq < ?", seq)
		}
		return q
	})
}

func (d *DB) page(ctx context.Context, conv chat.ConvID, limit int, where func(*bun.SelectQuery) *bun.SelectQuery) (chat.Page, error) {
	p := chat.Page{Conv: conv, Entries: []chat.Message{}}
	var rows []messageRow
	err := where(d.read.NewSelect().Model(&rows).Where("conv_id = ?", string(conv))).OrderExpr("seq DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return p, fmt.Errorf("read history: %w", err)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		m, err := rows[i].message()
		if err != nil {
			return p, err
		}
		p.Entries = append(p.Entries, m)
	}
	var last []int64
	if err := d.read.NewSelect().Table("conversations").Column("last_seq").Where("id = ?", string(conv)).Scan(ctx, &last); err != nil {
		return p, fmt.Errorf("read history's end: %w", err)
	}
	if len(last) > 0 {
		p.LastSeq = last[0]
	}
	return p, nil
}
