package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// Moved returns the heads, without marks, of the conversations whose last entry
// is of a time after at, or of that time and behind conv in the order of ids:
// oldest first, at most limit. at is Unix milliseconds.
func (d *DB) Moved(ctx context.Context, at int64, conv chat.ConvID, limit int) ([]chat.Head, error) {
	var rows []struct {
		ID      string
		LastAt  int64
		LastSeq int64
	}
	err := d.read.NewSelect().TableExpr("conversations AS c").ColumnExpr("c.id, c.last_at, c.last_seq").
		Where("c.last_at >= ? AND (c.last_at > ? OR c.id > ?)", at, at, string(conv)).
		OrderExpr("c.last_at, c.id").Limit(int64(limit)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read what moved: %w", err)
	}
	hs := make([]chat.Head, len(rows))
	for i, r := range rows {
		hs[i] = chat.Head{Conv: chat.ConvID(r.ID), At: r.LastAt, LastSeq: r.LastSeq}
	}
	return hs, nil
}

// Groups returns the groups that u is in.
func (d *DB) Groups(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	var ids []string
	err := d.read.NewSelect().TableExpr("members AS m").ColumnExpr("m.conv_id").
		Where("m.user_id = ? AND m.conv_id >= 'G' AND m.conv_id < 'H'", string(u)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	out := make([]chat.ConvID, len(ids))
	for i, id := range ids {
		out[i] = chat.ConvID(id)
	}
	return out, nil
}

// Joined returns who came into one of convs at a time or later, in Unix
// milliseconds.
func (d *DB) Joined(ctx context.Context, at int64, convs ...chat.ConvID) ([]chat.Marks, error) {
	if len(convs) == 0 {
		return nil, nil
	}
	var rows []memberRow
	if err := d.read.NewSelect().Model(&rows).Where("conv_id IN (?) AND joined_at >= ?", bun.List(convs), at).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read who joined: %w", err)
	}
	out := make([]chat.Marks, len(rows))
	for i, r := range rows {
		out[i] = r.marks()
	}
	return out, nil
}
