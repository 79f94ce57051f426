package store

import (
	"context"
	"fmt"

	"kamachat/shared/chat"
)

// Managers returns the owner and the administrators of a group, at most limit.
func (d *DB) Managers(ctx context.Context, conv chat.ConvID, limit int) (us []chat.UserID, err error) {
	err = d.read.NewSelect().Table("members").Column("user_id").Where("conv_id = ? AND role > ?", string(conv), int(chat.Plain)).
		OrderExpr("role DESC, user_id").Limit(int64(limit)).Scan(ctx, &us)
	if err != nil {
		return nil, fmt.Errorf("read who looks after a group: %w", err)
	}
	return us, nil
}

// GroupsAsked returns the groups in use that u looks after and that somebody waits to
// come into, with how many: the one whose first has waited longest first, at most limit.
func (d *DB) GroupsAsked(ctx context.Context, u chat.UserID, limit int) ([]chat.GroupAsked, error) {
	var rows []struct {
		ID      string
		Name    string
		Waiting int
	}
	err := d.read.NewSelect().TableExpr("members AS m").Join("JOIN conversations AS c ON c.id = m.conv_id AND c.state = ?", int(chat.InUse)).
		Join("JOIN join_requests AS j ON j.conv_id = m.conv_id AND j.state = ?", int(chat.JoinWaits)).
		ColumnExpr("c.id, c.name, COUNT(*) AS waiting").Where("m.user_id = ? AND m.role > ?", string(u), int(chat.Plain)).
		GroupExpr("c.id, c.name").OrderExpr("MIN(j.at), c.id").Limit(int64(limit)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read which groups are asked: %w", err)
	}
	gs := make([]chat.GroupAsked, len(rows))
	for i, r := range rows {
		gs[i] = chat.GroupAsked{Conv: chat.ConvID(r.ID), Name: r.Name, Waiting: r.Waiting}
	}
	return gs, nil
}
