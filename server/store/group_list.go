package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// Group returns a group, or chat.NotFound.
func (d *DB) Group(ctx context.Context, conv chat.ConvID) (chat.Group, error) {
	var rows []convRow
	if conv.IsGroup() && conv.Valid() {
		if err := d.db.NewSelect().Model(&rows).Where("id = ?", string(conv)).Scan(ctx); err != nil {
			return chat.Group{}, fmt.Errorf("read group: %w", err)
		}
	}
	if len(rows) == 0 {
		return chat.Group{}, chat.Refuse(chat.NotFound, "no such conversation")
	}
	return rows[0].group(), nil
}

// SeatsOf returns the places of those of us who are in conv, or were.
func (d *DB) SeatsOf(ctx context.Context, conv chat.ConvID, us ...chat.UserID) (map[chat.UserID]chat.Seat, error) {
	seats := make(map[chat.UserID]chat.Seat, len(us))
	var rows []memberRow
	if err := d.db.NewSelect().Model(&rows).Where("conv_id = ? AND user_id IN (?)", string(conv), bun.List(us)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read seats: %w", err)
	}
	var former []formerRow
	if err := d.db.NewSelect().Model(&former).Where("conv_id = ? AND user_id IN (?)", string(conv), bun.List(us)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read former members: %w", err)
	}
	for _, r := range former {
		seats[chat.UserID(r.UserID)] = r.seat()
	}
	for _, r := range rows { // who came in between the two is there
		seats[chat.UserID(r.UserID)] = r.seat()
	}
	return seats, nil
}

// MembersPage returns one page of a group's members, those with a role first and
// then by id, and where the next begins, empty at the end.
func (d *DB) MembersPage(ctx context.Context, conv chat.ConvID, ask chat.MemberAsk) ([]chat.Member, string, error) {
	behind, err := placeOf(ask.After)
	if err != nil || !storable(ask.Query) {
		return nil, "", err
	}
	var rows []struct {
		userRow  `bun:",extend"`
		Role     int   `bun:"role,scanonly"`
		Muted    int64 `bun:"muted_until,scanonly"`
		JoinedAt int64 `bun:"joined_at,scanonly"`
	}
	// First who, from the members alone where nobody is searched for, then what
	// there is to say of them.
	which := d.read.NewSelect().TableExpr("members AS m").ColumnExpr("m.user_id, m.role, m.muted_until, m.joined_at").
		Where("m.conv_id = ?", string(conv)).OrderExpr("m.role DESC, m.user_id").Limit(int64(ask.Limit + 1))
	if behind != nil {
		which = which.Where("(m.role < ? OR m.role = ? AND m.user_id > ?)", behind.Num, behind.Num, behind.ID)
	}
	if ask.IDs != nil {
		which = which.Where("m.user_id IN (?)", bun.List(ask.IDs))
	}
	if ask.Query != "" {
		like := "%" + likely(ask.Query) + "%"
		which = which.Join("JOIN users AS q ON q.id = m.user_id").Where("(q.nick_fold LIKE ? ESCAPE '!' OR q.username LIKE ? ESCAPE '!')", like, like)
	}
	err = d.read.NewSelect().Model(&rows).ColumnExpr("?TableColumns").ColumnExpr("w.role, w.muted_until, w.joined_at").
		Join("JOIN (?) AS w ON w.user_id = u.id", which).OrderExpr("w.role DESC, u.id").Scan(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("list members: %w", err)
	}
	next := ""
	if len(rows) > ask.Limit {
		rows = rows[:ask.Limit]
		last := rows[ask.Limit-1]
		next = place{ID: last.ID, Num: int64(last.Role)}.String()
	}
	ms := make([]chat.Member, len(rows))
	for i, r := range rows {
		ms[i] = chat.Member{Person: r.person(), Seat: chat.Seat{In: true, Role: chat.Role(r.Role), Muted: r.Muted}, Joined: r.JoinedAt}
	}
	return ms, next, nil
}
