package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type muteRow struct {
	bun.BaseModel `bun:"table:mutes,alias:q"`

	UserID  string `bun:"user_id,pk"`
	ConvID  string `bun:"conv_id,pk"`
	UntilAt int64  `bun:"until_at"`
}

type quietRow struct {
	bun.BaseModel `bun:"table:quiet,alias:d"`

	UserID  string `bun:"user_id,pk"`
	UntilAt int64  `bun:"until_at"`
	From    string `bun:"from_time"`
	To      string `bun:"to_time"`
	Zone    string `bun:"zone"`
}

// mutedIn returns until when u has muted a conversation, 0 where it is not.
func mutedIn(ctx context.Context, tx bun.Tx, u chat.UserID, conv chat.ConvID) (int64, error) {
	var until []int64
	err := tx.NewSelect().Model((*muteRow)(nil)).Column("until_at").Where("user_id = ? AND conv_id = ?", string(u), string(conv)).Scan(ctx, &until)
	return append(until, 0)[0], err
}

// muteIn mutes a conversation for u until a time, or no longer where that is 0.
func muteIn(ctx context.Context, tx bun.Tx, u chat.UserID, conv chat.ConvID, was, until int64) (err error) {
	r := muteRow{UserID: string(u), ConvID: string(conv), UntilAt: until}
	switch {
	case was == until:
	case until == 0:
		_, err = tx.NewDelete().Model(&r).WherePK().Exec(ctx)
	case was == 0:
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
	default:
		_, err = tx.NewUpdate().Model(&r).WherePK().Exec(ctx)
	}
	return err
}

// Mutes returns what u has muted, of convs where some are named.
func (d *DB) Mutes(ctx context.Context, u chat.UserID, convs ...chat.ConvID) ([]chat.Mute, error) {
	var rows []muteRow
	q := d.read.NewSelect().Model(&rows).Where("user_id = ?", string(u)).OrderExpr("conv_id")
	if len(convs) > 0 {
		q = q.Where("conv_id IN (?)", bun.List(convs))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read mutes: %w", err)
	}
	ms := make([]chat.Mute, len(rows))
	for i, r := range rows {
		ms[i] = chat.Mute{Conv: chat.ConvID(r.ConvID), Until: r.UntilAt}
	}
	return ms, nil
}

// SetQuiet stores when u wants no notifications, in place of what was before.
func (d *DB) SetQuiet(ctx context.Context, u chat.UserID, q chat.Quiet) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := quietRow{UserID: string(u), UntilAt: q.Until, From: q.From, To: q.To, Zone: q.Zone}
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store quiet times: %w", err)
	}
	return nil
}

// Quiet returns when people want no notifications. Who never said is left out.
func (d *DB) Quiet(ctx context.Context, us ...chat.UserID) (map[chat.UserID]chat.Quiet, error) {
	out := map[chat.UserID]chat.Quiet{}
	for part := range slices.Chunk(us, chunk) {
		var rows []quietRow
		err := d.read.NewSelect().Model(&rows).Where("user_id IN (?)", bun.List(part)).Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("read quiet times: %w", err)
		}
		for _, r := range rows {
			out[chat.UserID(r.UserID)] = chat.Quiet{Until: r.UntilAt, From: r.From, To: r.To, Zone: r.Zone}
		}
	}
	return out, nil
}
