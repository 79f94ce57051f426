package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// exactUnread is up to how many entries after the read mark are looked at, so
// that a person's own ones don't count. Further there is no need: posting marks
// everything before as read, so own entries stay behind the mark only where a
// crash took a mark that was not saved yet, and no badge shows more than 99.
const exactUnread = 100

// Summaries returns the conversations of u, latest first, at most limit; where
// some are named, of those.
func (d *DB) Summaries(ctx context.Context, u chat.UserID, limit int, convs ...chat.ConvID) ([]chat.Summary, error) {
	var rows []struct {
		convRow      `bun:",extend"`
		DeliveredSeq int64 `bun:"delivered_seq"`
		ReadSeq      int64 `bun:"read_seq"`
		AllDelivered int64 `bun:"all_delivered"`
		AllRead      int64 `bun:"all_read"`
		Unread       int   `bun:"unread"`
	}
	// First which, from the index by user alone, then what there is to say of
	// those: the database would look up marks and count unread entries of all.
	which := d.read.NewSelect().TableExpr("members AS m").Join("JOIN conversations AS c ON c.id = m.conv_id").
		ColumnExpr("c.*").
		Where("m.user_id = ?", string(u)).OrderExpr("c.last_at DESC, c.id").Limit(int64(limit))
	if len(convs) > 0 {
		which = which.Where("m.conv_id IN (?)", bun.List(convs))
	}
	others := `COALESCE(CASE WHEN p.members <= ? THEN
		(SELECT MIN(o.?) FROM members AS o WHERE o.conv_id = p.id AND o.user_id <> ?) END, 0) AS ?`
	err := d.read.NewSelect().TableExpr("(?) AS p", which).
		Join("JOIN members AS m ON m.conv_id = p.id AND m.user_id = ?", string(u)).
		ColumnExpr("p.*, m.delivered_seq, m.read_seq").
		ColumnExpr(others, chat.MaxLow, bun.Ident("delivered_seq"), string(u), bun.Ident("all_delivered")).
		ColumnExpr(others, chat.MaxLow, bun.Ident("read_seq"), string(u), bun.Ident("all_read")).
		ColumnExpr(`CASE WHEN p.last_seq <= m.read_seq THEN 0 WHEN p.last_seq > m.read_seq + ? THEN p.last_seq - m.read_seq ELSE
			(SELECT COUNT(*) FROM messages AS x WHERE x.conv_id = p.id AND x.seq > m.read_seq AND x.author <> ?) END AS unread`, exactUnread, string(u)).
		OrderExpr("p.last_at DESC, p.id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	out := make([]chat.Summary, len(rows))
	at := make(map[string]*chat.Summary, len(rows))
	ids := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.summary()
		out[i].At = r.LastAt
		out[i].Mine = chat.Marks{Conv: out[i].Conv, User: u, Delivered: r.DeliveredSeq, Read: r.ReadSeq}
		out[i].All = chat.Marks{Conv: out[i].Conv, Delivered: r.AllDelivered, Read: r.AllRead}
		out[i].Unread = r.Unread
		at[r.ID], ids[i] = &out[i], r.ID
	}
	if len(ids) == 0 {
		return out, nil
	}
	var last []messageRow
	err = d.read.NewSelect().Model(&last).
		Join("JOIN conversations AS c ON c.id = message_row.conv_id AND c.last_seq = message_row.seq").
		Where("c.id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list last messages: %w", err)
	}
	for _, r := range last {
		m, err := r.message()
		if err != nil {
			return nil, err
		}
		// Between the two queries a conversation may have moved; the list says what the first one saw.
		if s := at[r.ConvID]; s != nil && s.LastSeq == m.Seq {
			s.Last = &m
		}
	}
	return out, nil
}

// Heads returns the head of every conversation of u, latest first.
func (d *DB) Heads(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	var rows []struct {
		ID            string
		LastAt        int64
		LastSeq       int64
		DeliveredSeq  int64
		ReadSeq       int64
		PeerDelivered int64
		PeerRead      int64
	}
	err := d.read.NewSelect().TableExpr("members AS m").Join("JOIN conversations AS c ON c.id = m.conv_id").
		// Ids of groups begin with G, those of direct conversations with D. For a
		// group nothing must be looked for: all its members would be passed over.
		Join("LEFT JOIN members AS o ON o.conv_id = CASE WHEN c.id < 'E' THEN c.id END AND o.user_id <> m.user_id").
		ColumnExpr("c.id, c.last_at, c.last_seq, m.delivered_seq, m.read_seq").
		ColumnExpr("COALESCE(o.delivered_seq, 0) AS peer_delivered, COALESCE(o.read_seq, 0) AS peer_read").
		Where("m.user_id = ?", string(u)).OrderExpr("c.last_at DESC, c.id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	hs := make([]chat.Head, len(rows))
	for i, r := range rows {
		conv := chat.ConvID(r.ID)
		hs[i] = chat.Head{
			Conv: conv, At: r.LastAt, LastSeq: r.LastSeq,
			Mine: chat.Marks{Conv: conv, User: u, Delivered: r.DeliveredSeq, Read: r.ReadSeq},
			All:  chat.Marks{Conv: conv, Delivered: r.PeerDelivered, Read: r.PeerRead},
		}
	}
	return hs, nil
}
