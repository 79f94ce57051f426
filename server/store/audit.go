package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// deedRow is something an administrator did. Rows are only ever added: no
// function here changes or removes one, which a test sees to.
type deedRow struct {
	bun.BaseModel `bun:"table:audit,alias:a"`

	ID     int64  `bun:"id,pk"`
	At     int64  `bun:"at"`
	ByID   string `bun:"by_id"`
	ByName string `bun:"by_name"`
	What   string `bun:"what"`
	Target string `bun:"target"`
	Detail string `bun:"detail"`
	Addr   string `bun:"addr"`
}

// addDeed notes what an administrator does, in the transaction that does it. ID
// and At are given here.
func (d *DB) addDeed(ctx context.Context, tx bun.IDB, by chat.Deed) error {
	r := deedRow{
		ID: d.id(), At: d.now().UnixMilli(), ByID: string(by.By), ByName: cut(by.ByName, 256), What: cut(by.What, 64),
		Target: cut(by.Target, 64), Detail: by.Detail, Addr: cut(by.Addr, 64),
	}
	_, err := tx.NewInsert().Model(&r).Exec(ctx)
	if isUnique(err) { // two shells at once make the same ids
		err = errContended
	}
	if err != nil {
		return fmt.Errorf("note what was done: %w", err)
	}
	return nil
}

// cut is the beginning of s that fits into so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 { // not within a rune
		most--
	}
	return s[:most]
}

// AddDeed notes what an administrator has done elsewhere than in this database.
func (d *DB) AddDeed(ctx context.Context, by chat.Deed) error {
	return d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return d.addDeed(ctx, tx, by) })
}

// Deeds returns one page of what administrators did, newest first, and the place
// behind it, empty at the end.
func (d *DB) Deeds(ctx context.Context, ask chat.DeedAsk) ([]chat.Deed, string, error) {
	behind, err := placeOf(ask.After)
	if err != nil {
		return nil, "", err
	}
	if !storable(ask.By + ask.What + ask.Target) {
		return nil, "", nil
	}
	var rows []deedRow
	q := d.read.NewSelect().Model(&rows).OrderExpr("id DESC").Limit(int64(ask.Limit + 1))
	if ask.By != "" { // one or the other: for both no index gives the order
		is := false
		if chat.UserID(ask.By).Valid() { // as names in a shell may be, too
			if _, err := d.Account(ctx, chat.UserID(ask.By)); err == nil {
				is = true
			} else if chat.AsRefusal(err).Code != chat.NotFound {
				return nil, "", err
			}
		}
		if is {
			q = q.Where("by_id = ?", ask.By)
		} else {
			q = q.Where("by_name = ?", ask.By)
		}
	}
	if ask.What != "" {
		q = q.Where("what = ?", ask.What)
	}
	if ask.Target != "" {
		q = q.Where("target = ?", ask.Target)
	}
	if ask.Since > 0 {
		q = q.Where("at >= ?", ask.Since)
	}
	if ask.Until > 0 {
		q = q.Where("at < ?", ask.Until)
	}
	if behind != nil {
		q = q.Where("id < ?", behind.Num)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("read what was done: %w", err)
	}
	next := ""
	if len(rows) > ask.Limit {
		rows = slices.Clip(rows[:ask.Limit])
		next = place{Num: rows[ask.Limit-1].ID}.String()
	}
	ds := make([]chat.Deed, len(rows))
	for i, r := range rows {
		ds[i] = chat.Deed{
			ID: r.ID, At: r.At, By: chat.UserID(r.ByID), ByName: r.ByName, What: r.What, Target: r.Target, Detail: r.Detail, Addr: r.Addr,
		}
	}
	return ds, next, nil
}
