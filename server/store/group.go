package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// CreateGroup makes a group that is by invitation, with an empty log.
func (d *DB) CreateGroup(ctx context.Context, conv chat.ConvID, name string, owner chat.UserID, members []chat.UserID, at int64) error {
	return d.CreateGroupAs(ctx, chat.Group{Conv: conv, Name: name, Owner: owner, Rules: chat.Rules{Joining: chat.JoinInvite}}, members, at)
}

// CreateGroupAs makes the group g with an empty log. members must be distinct and
// include the owner. at is Unix milliseconds.
//
// The members of a large one are stored in several transactions, so that what
// others say is committed in between. Nobody sees it before the last, which
// stores the group itself. Where one fails, what was stored is removed; after a
// crash it stays, and means nothing.
func (d *DB) CreateGroupAs(ctx context.Context, g chat.Group, members []chat.UserID, at int64) error {
	conv, owner := g.Conv, g.Owner
	rows := make([]memberRow, len(members))
	for i, u := range members {
		rows[i] = memberRow{ConvID: string(conv), UserID: string(u), JoinedAt: at}
		if u == owner {
			rows[i].Role = int(chat.Owner)
		}
	}
	c := convRow{
		ID: string(conv), Name: g.Name, Avatar: g.Avatar, Notice: g.Notice, Owner: string(owner), Members: len(members),
		Joining: string(g.Joining), Slow: g.Slow, Announce: g.Announce, LastAt: at, CreatedAt: at,
	}
	parts := slices.Collect(slices.Chunk(rows, chunk))
	for i, part := range parts {
		err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			if i == 0 { // who comes into it before it fails must not come into another's
				if there, err := tx.NewSelect().Model(&c).WherePK().Exists(ctx); err != nil || there {
					return cmp.Or(err, error(chat.Refuse(chat.Taken, "the group exists")))
				}
			}
			if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil || i < len(parts)-1 {
				return err
			}
			_, err := tx.NewInsert().Model(&c).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("create group: %w", errors.Join(err, d.removeMembers(ctx, parts[:i])))
		}
	}
	return nil
}

// removeMembers takes back what was stored of a group that is not made.
func (d *DB) removeMembers(ctx context.Context, parts [][]memberRow) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for _, part := range parts {
		users := make([]string, len(part))
		for i, r := range part {
			users[i] = r.UserID
		}
		_, err := d.db.NewDelete().Model((*memberRow)(nil)).Where("conv_id = ? AND user_id IN (?)", part[0].ConvID, bun.List(users)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("take it back: %w", err)
		}
	}
	return nil
}
