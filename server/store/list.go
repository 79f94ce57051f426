package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// exactUnread is up to how many entries after the read mark are looked at, so
// that a person's own ones and amendments don't count. Further there is no need: posting marks
// everything before as read, so own entries stay behind the mark only where a
// crash took a mark that was not saved yet, and no badge shows more than 99.
const exactUnread = 100

// passed is up to where a row m of members has nothing to be read: the read mark,
// or what is deleted for the member.
const passed = "(CASE WHEN m.cleared_seq > m.read_seq THEN m.cleared_seq ELSE m.read_seq END)"

// unread counts what others have said after the read mark of m, a row of members,
// in its conversation c, but for what is deleted. The person is the argument.
func unread(c string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s.last_seq <= %[4]s THEN 0 WHEN %[1]s.last_seq > %[4]s + %[2]d THEN %[1]s.last_seq - %[4]s ELSE
		(SELECT COUNT(*) FROM messages AS x WHERE x.conv_id = %[1]s.id AND x.seq > %[4]s AND x.author <> m.user_id AND x.kind NOT IN (%[3]s)) END`,
		c, exactUnread, amending, passed)
}

// Summaries returns the conversations of u, latest first, at most limit; where
// some are named, of those. The last message of one that is deleted for u is left out.
func (d *DB) Summaries(ctx context.Context, u chat.UserID, limit int, convs ...chat.ConvID) ([]chat.Summary, error) {
	var rows []struct {
		convRow      `bun:",extend"`
		lineRow      `bun:",extend"`
		DeliveredSeq int64 `bun:"delivered_seq"`
		ReadSeq      int64 `bun:"read_seq"`
		AllDelivered int64 `bun:"all_delivered"`
		AllRead      int64 `bun:"all_read"`
		Role         int   `bun:"role"`
		MutedUntil   int64 `bun:"muted_until"`
		Unread       int   `bun:"unread"`
		ShownSeq     int64 `bun:"shown_seq"` // of the last entry that does not amend
	}
	// First which, from the index by user alone, then what there is to say of
	// those: the database would look up marks and count unread entries of all.
	which := d.read.NewSelect().TableExpr("members AS m").Join("JOIN conversations AS c ON c.id = m.conv_id").
		ColumnExpr("c.id, c.name, c.avatar, c.owner, c.members, c.last_seq, c.last_at, c.created_at, c.state, c.announce").
		Where("m.user_id = ?", string(u)).OrderExpr("c.last_at DESC, c.id").Limit(int64(limit))
	if len(convs) > 0 {
		which = which.Where("m.conv_id IN (?)", bun.List(convs))
	}
	others := `COALESCE(CASE WHEN p.members <= ? THEN
		(SELECT MIN(o.?) FROM members AS o WHERE o.conv_id = p.id AND o.user_id <> ?) END, 0) AS ?`
	err := withMute(d.read.NewSelect().TableExpr("(?) AS p", which).
		Join("JOIN members AS m ON m.conv_id = p.id AND m.user_id = ?", string(u))).
		ColumnExpr("p.*, m.delivered_seq, m.read_seq, m.role, m.muted_until").
		ColumnExpr(others, chat.MaxLow, bun.Ident("delivered_seq"), string(u), bun.Ident("all_delivered")).
		ColumnExpr(others, chat.MaxLow, bun.Ident("read_seq"), string(u), bun.Ident("all_read")).
		ColumnExpr(unread("p")+" AS unread").
		ColumnExpr("COALESCE((SELECT x.seq FROM messages AS x WHERE x.conv_id = p.id AND x.kind NOT IN ("+amending+") ORDER BY x.seq DESC LIMIT 1), 0) AS shown_seq").
		OrderExpr("p.last_at DESC, p.id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	out := make([]chat.Summary, len(rows))
	at := make(map[string]*chat.Summary, len(rows))
	var shown []any
	for i, r := range rows {
		out[i] = r.summary()
		out[i].At = r.LastAt
		out[i].Mine = chat.Marks{Conv: out[i].Conv, User: u, Delivered: r.DeliveredSeq, Read: r.ReadSeq}
		out[i].All = chat.Marks{Conv: out[i].Conv, Delivered: r.AllDelivered, Read: r.AllRead}
		out[i].Unread, out[i].Line = r.Unread, r.line()
		if out[i].Conv.IsGroup() {
			out[i].Role, out[i].Muted = chat.Role(r.Role), r.MutedUntil
		}
		if !out[i].Hides(r.ShownSeq) {
			at[r.ID] = &out[i]
			shown = append(shown, r.ID, r.ShownSeq)
		}
	}
	if len(shown) == 0 {
		return out, nil
	}
	var last []messageRow
	q := d.read.NewSelect().Model(&last)
	for pair := range slices.Chunk(shown, 2) {
		q = q.WhereOr("conv_id = ? AND seq = ?", pair...)
	}
	err = q.Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list last messages: %w", err)
	}
	for _, r := range last {
		m, err := r.message()
		if err != nil {
			return nil, err
		}
		at[r.ConvID].Last = &m
	}
	return out, nil
}

// Heads returns the head of every conversation of u, latest first. A welcome
// reads thousands; by Bun it takes a sixth longer.
func (d *DB) Heads(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	lines, err := d.lines(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	// Ids of groups begin with G, those of direct conversations with D. For a
	// group nothing must be looked for: all its members would be passed over.
	rows, err := d.read.DB.QueryContext(ctx, `SELECT c.id, c.last_at, c.last_seq, m.delivered_seq, m.read_seq,
			COALESCE(o.delivered_seq, 0), COALESCE(o.read_seq, 0)
		FROM members AS m JOIN conversations AS c ON c.id = m.conv_id
		LEFT JOIN members AS o ON o.conv_id = CASE WHEN c.id < 'E' THEN c.id END AND o.user_id <> m.user_id
		WHERE m.user_id = ? ORDER BY c.last_at DESC, c.id`, string(u))
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	var blocks [][]chat.Head // one slice that grows would be copied ten times
	err = eachRow(rows, func(rows *sql.Rows) error {
		n := len(blocks)
		if n == 0 || len(blocks[n-1]) == cap(blocks[n-1]) {
			blocks, n = append(blocks, make([]chat.Head, 0, min(64<<n, 1024))), n+1
		}
		h := chat.Head{Mine: chat.Marks{User: u}}
		err := rows.Scan(&h.Conv, &h.At, &h.LastSeq, &h.Mine.Delivered, &h.Mine.Read, &h.All.Delivered, &h.All.Read)
		h.Mine.Conv, h.All.Conv, h.Line = h.Conv, h.Conv, lines[h.Conv]
		blocks[n-1] = append(blocks[n-1], h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return slices.Concat(blocks...), nil
}
