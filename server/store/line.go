package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// A lineRow is what a member has made of a conversation in the member's own list.
type lineRow struct {
	bun.BaseModel `bun:"table:members,alias:m"`

	PinnedAt   int64 `bun:"pinned_at"`
	Archived   bool  `bun:"archived"`
	ClearedSeq int64 `bun:"cleared_seq"`
	Marked     bool  `bun:"marked"`
	UntilAt    int64 `bun:"until_at,scanonly"` // of the mute
}

// withMute has a query of members m read what they have muted, too.
func withMute(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Join("LEFT JOIN mutes AS q ON q.user_id = m.user_id AND q.conv_id = m.conv_id").
		ColumnExpr("m.pinned_at, m.archived, m.cleared_seq, m.marked, COALESCE(q.until_at, 0) AS until_at")
}

func (r lineRow) line() chat.Line {
	return chat.Line{Pinned: r.PinnedAt, Archived: r.Archived, Cleared: r.ClearedSeq, Marked: r.Marked, Hushed: r.UntilAt}
}

// Line returns what u has made of conv in the list; nothing where u is not in it.
func (d *DB) Line(ctx context.Context, u chat.UserID, conv chat.ConvID) (chat.Line, error) {
	var rows []lineRow
	err := withMute(d.read.NewSelect().TableExpr("members AS m")).Where("m.conv_id = ? AND m.user_id = ?", string(conv), string(u)).Scan(ctx, &rows)
	if err != nil {
		return chat.Line{}, fmt.Errorf("read line: %w", err)
	}
	if len(rows) == 0 {
		return chat.Line{}, nil
	}
	return rows[0].line(), nil
}

// lines returns what u has made of conversations, but for those left as they are:
// nobody is slowed down by those. The first parts are ranges of one index.
func (d *DB) lines(ctx context.Context, u chat.UserID) (map[chat.ConvID]chat.Line, error) {
	const part = "SELECT conv_id, pinned_at, archived, cleared_seq, marked, 0 FROM members WHERE user_id = ? AND "
	rows, err := d.read.DB.QueryContext(ctx, part+"pinned_at > 0 UNION ALL "+part+"pinned_at = 0 AND archived = ? UNION ALL "+
		part+"pinned_at = 0 AND archived = ? AND cleared_seq > 0 UNION ALL "+part+"pinned_at = 0 AND archived = ? AND cleared_seq = 0 AND marked = ? UNION ALL "+
		"SELECT conv_id, 0, FALSE, 0, FALSE, until_at FROM mutes WHERE user_id = ?", string(u), string(u), true, string(u), false, string(u), false, true, string(u))
	if err != nil {
		return nil, err
	}
	ls := map[chat.ConvID]chat.Line{}
	err = eachRow(rows, func(rows *sql.Rows) error {
		var conv chat.ConvID
		var l chat.Line
		err := rows.Scan(&conv, &l.Pinned, &l.Archived, &l.Cleared, &l.Marked, &l.Hushed)
		if until := l.Hushed; until != 0 { // the last part: of lines that were there already, or are as they were
			l = ls[conv]
			l.Hushed = until
		}
		ls[conv] = l
		return err
	})
	return ls, err
}

// Pinned returns what u has pinned, the last one first.
func (d *DB) Pinned(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	var convs []chat.ConvID
	err := d.read.NewSelect().Model((*lineRow)(nil)).Column("conv_id").Where("user_id = ? AND pinned_at > 0", string(u)).
		OrderExpr("pinned_at DESC, conv_id").Scan(ctx, &convs)
	if err != nil {
		return nil, fmt.Errorf("read what is pinned: %w", err)
	}
	return convs, nil
}

// SetLine changes what u has made of conv in the list, and returns what that is
// now. It answers chat.NotFound where u is not in conv or nothing was ever written
// there, and chat.TooLong where u has chat.MaxPinned pinned. To have no notifications
// of a person it takes no conversation yet.
func (d *DB) SetLine(ctx context.Context, u chat.UserID, conv chat.ConvID, c chat.LineChange) (l chat.Line, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if c.Pin != nil && *c.Pin {
			if err := d.lock(ctx, tx, "users", string(u)); err != nil {
				return err
			}
		}
		var rows []lineRow
		q := tx.NewSelect().Model(&rows).Where("conv_id = ? AND user_id = ?", string(conv), string(u))
		if d.mysql { // SQLite has one writer
			q = q.For("UPDATE")
		}
		if err := q.Scan(ctx); err != nil {
			return err
		}
		hushed, err := mutedIn(ctx, tx, u, conv)
		if err != nil {
			return err
		}
		if peer, direct := conv.Peer(u); len(rows) == 0 && direct && c == (chat.LineChange{Hush: c.Hush}) {
			if err := d.there(ctx, tx, u, peer); err != nil {
				return err
			}
			l = chat.Line{Hushed: *c.Hush}
			return muteIn(ctx, tx, u, conv, hushed, l.Hushed)
		}
		if len(rows) == 0 {
			return chat.Refuse(chat.NotFound, "no such conversation in your list")
		}
		var last int64
		if err := tx.NewSelect().Table("conversations").Column("last_seq").Where("id = ?", string(conv)).Scan(ctx, &last); err != nil {
			return err
		}
		was := rows[0].line()
		was.Hushed = hushed
		l = was.With(c, d.now().UnixMilli(), last)
		if l == was {
			return nil
		}
		if l.Pinned != 0 && was.Pinned == 0 {
			n, err := tx.NewSelect().Model((*lineRow)(nil)).Where("user_id = ? AND pinned_at > 0", string(u)).Count(ctx)
			if err != nil {
				return err
			}
			if n >= chat.MaxPinned {
				return chat.Refuse(chat.TooLong, fmt.Sprintf("at most %d conversations can be pinned", chat.MaxPinned))
			}
		}
		if err := muteIn(ctx, tx, u, conv, hushed, l.Hushed); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model((*lineRow)(nil)).Set("pinned_at = ?", l.Pinned).Set("archived = ?", l.Archived).
			Set("cleared_seq = ?", l.Cleared).Set("marked = ?", l.Marked).Where("conv_id = ? AND user_id = ?", string(conv), string(u)).Exec(ctx)
		return err
	})
	if err != nil {
		return chat.Line{}, fmt.Errorf("change line: %w", err)
	}
	return l, nil
}
