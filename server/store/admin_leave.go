package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// leaveSetting begins the names of settings that say who is still to leave their
// groups, since their accounts were deleted.
const leaveSetting = "leave "

// toLeave notes that u, whose account is deleted, is to leave their groups.
func toLeave(ctx context.Context, tx bun.Tx, u chat.UserID) error {
	_, err := tx.NewInsert().Model(&settingRow{Name: leaveSetting + string(u)}).Exec(ctx)
	return err
}

// Leaving returns whose accounts were deleted and who may be in groups still, sorted.
func (d *DB) Leaving(ctx context.Context) ([]chat.UserID, error) {
	var names []string
	err := d.db.NewSelect().Model((*settingRow)(nil)).Column("name").Where("name >= ? AND name < ?", leaveSetting, leaveSetting+"~").Scan(ctx, &names)
	if err != nil {
		return nil, fmt.Errorf("look for who leaves: %w", err)
	}
	us := make([]chat.UserID, 0, len(names))
	for _, n := range slices.Sorted(slices.Values(names)) {
		us = append(us, chat.UserID(strings.TrimPrefix(n, leaveSetting)))
	}
	return us, nil
}

// Departures returns at most limit groups that u is in, by id. What u owns passes
// to the person of the highest role who came first.
func (d *DB) Departures(ctx context.Context, u chat.UserID, limit int) ([]chat.Departure, error) {
	var groups []struct {
		ID, Owner string
		State     int
	}
	err := d.db.NewSelect().TableExpr("members AS m").Join("JOIN conversations AS c ON c.id = m.conv_id").ColumnExpr("c.id, c.owner, c.state").
		Where("m.user_id = ? AND m.conv_id >= ? AND m.conv_id < ?", string(u), "G", "H").OrderExpr("c.id").Limit(int64(limit)).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("list groups to leave: %w", err)
	}
	ds := make([]chat.Departure, len(groups))
	for i, g := range groups {
		ds[i] = chat.Departure{Conv: chat.ConvID(g.ID), User: u, Owns: g.Owner == string(u) && chat.GroupState(g.State) != chat.Dismissed}
		if !ds[i].Owns {
			continue
		}
		var next []chat.UserID
		err := d.db.NewSelect().TableExpr("members AS m").Join("JOIN users AS u ON u.id = m.user_id").Column("m.user_id").
			Where("m.conv_id = ? AND m.user_id <> ? AND u.disabled <> ? AND u.bot_of = ''", g.ID, string(u), true).
			OrderExpr("m.role DESC, m.joined_at, m.user_id").Limit(1).Scan(ctx, &next)
		if err != nil {
			return nil, fmt.Errorf("look for another owner: %w", err)
		}
		if len(next) > 0 {
			ds[i].Heir = next[0]
		}
	}
	return ds, nil
}

// Departed notes that u, who can't come into any again, is in no group any more,
// and forgets what stayed of them there.
func (d *DB) Departed(ctx context.Context, u chat.UserID) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := forget(ctx, tx, "former_members", "user_id", u); err != nil {
			return err
		}
		_, err := tx.NewDelete().Model(&settingRow{Name: leaveSetting + string(u)}).WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("note who has left: %w", err)
	}
	return nil
}
