package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type convRow struct {
	bun.BaseModel `bun:"table:conversations,alias:c"`

	ID        string `bun:"id,pk"`
	Name      string `bun:"name"`
	Avatar    string `bun:"avatar"`
	Owner     string `bun:"owner"`
	Members   int    `bun:"members"`
	LastSeq   int64  `bun:"last_seq"`
	LastAt    int64  `bun:"last_at"`
	CreatedAt int64  `bun:"created_at"`
	Notice    string `bun:"notice"`
	Joining   string `bun:"joining"`
	Slow      int    `bun:"slow"`
	Announce  bool   `bun:"announce"`
	State     int    `bun:"state"`
}

type memberRow struct {
	bun.BaseModel `bun:"table:members,alias:m"`

	ConvID       string `bun:"conv_id,pk"`
	UserID       string `bun:"user_id,pk"`
	JoinedAt     int64  `bun:"joined_at"`
	DeliveredSeq int64  `bun:"delivered_seq"`
	ReadSeq      int64  `bun:"read_seq"`
	Role         int    `bun:"role"`
	MutedUntil   int64  `bun:"muted_until"`
	SpokeAt      int64  `bun:"spoke_at"`
}

func (r memberRow) marks() chat.Marks {
	return chat.Marks{Conv: chat.ConvID(r.ConvID), User: chat.UserID(r.UserID), Delivered: r.DeliveredSeq, Read: r.ReadSeq}
}

// distinct returns a and b, once where they are the same person.
func distinct(a, b chat.UserID) []chat.UserID {
	if a == b {
		return []chat.UserID{a}
	}
	return []chat.UserID{a, b}
}

func membersOf(direct chat.ConvID) int {
	a, b, _ := direct.Pair()
	return len(distinct(a, b))
}

// Members returns the members of conv with their marks; none where there is no
// such conversation.
func (d *DB) Members(ctx context.Context, conv chat.ConvID) ([]chat.Marks, error) {
	var rows []memberRow
	if err := d.read.NewSelect().Model(&rows).Where("conv_id = ?", string(conv)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	ms := make([]chat.Marks, len(rows))
	for i, r := range rows {
		ms[i] = r.marks()
	}
	return ms, nil
}

// SaveMarks moves the members' marks forward in one transaction, never back and
// not past the end of the log.
func (d *DB) SaveMarks(ctx context.Context, ms []chat.Marks) error {
	latest := map[member]chat.Marks{}
	for _, m := range ms {
		k := member{m.Conv, m.User}
		o := latest[k]
		latest[k] = chat.Marks{Conv: m.Conv, User: m.User, Delivered: max(m.Delivered, o.Delivered), Read: max(m.Read, o.Read)}
	}
	// Sorted, so that two transactions lock rows in the same order.
	keys := slices.SortedFunc(maps.Keys(latest), func(x, y member) int {
		return cmp.Or(cmp.Compare(x.conv, y.conv), cmp.Compare(x.user, y.user))
	})
	if err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		ends, err := d.ends(ctx, tx.Tx, keys)
		if err != nil {
			return err
		}
		args := make([]any, 0, 4*len(keys))
		for _, k := range keys {
			args = append(args, string(k.conv), string(k.user), min(latest[k].Delivered, ends[k.conv]), min(latest[k].Read, ends[k.conv]))
		}
		return d.exec(ctx, tx.Tx, d.sql.moveMarks, args)
	}); err != nil {
		return fmt.Errorf("save marks: %w", err)
	}
	d.afterCommit(ctx)
	return nil
}

// ends returns where the logs of these conversations end. Keys are sorted.
func (d *DB) ends(ctx context.Context, tx *sql.Tx, keys []member) (map[chat.ConvID]int64, error) {
	var convs []any
	for i, k := range keys {
		if i == 0 || k.conv != keys[i-1].conv {
			convs = append(convs, string(k.conv))
		}
	}
	ends := make(map[chat.ConvID]int64, len(convs))
	err := d.query(ctx, tx, d.sql.selectHeads, convs, func(rows *sql.Rows) error {
		var h head
		err := rows.Scan(&h.conv, &h.last, &h.at)
		ends[h.conv] = h.last
		return err
	})
	return ends, err
}

func (r convRow) summary() chat.Summary {
	return chat.Summary{
		Conv: chat.ConvID(r.ID), Title: r.Name, Avatar: r.Avatar, Members: r.Members, LastSeq: r.LastSeq,
		Mine: chat.Marks{Conv: chat.ConvID(r.ID)}, All: chat.Marks{Conv: chat.ConvID(r.ID)},
		Place: chat.Place{State: chat.GroupState(r.State), Announce: r.Announce},
	}
}

// Summary returns conv without anything personal, or chat.ErrNotFound.
func (d *DB) Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error) {
	var rows []convRow
	if err := d.read.NewSelect().Model(&rows).Where("id = ?", string(conv)).Scan(ctx); err != nil {
		return chat.Summary{}, fmt.Errorf("read conversation: %w", err)
	}
	if len(rows) == 0 {
		return chat.Summary{}, chat.ErrNotFound
	}
	return rows[0].summary(), nil
}
