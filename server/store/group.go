package store

import (
	"cmp"
	"context"
	"database/sql"
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
// include the owner. at is Unix milliseconds. It answers a *chat.Refusal where they
// are more than a group may have, where the owner may not bring one of them into a
// group, and where the picture is none that the owner may read.
//
// The members of a large one are stored in several transactions, so that what
// others say is committed in between. Nobody sees it before the last, which
// stores the group itself. Where one fails, what was stored is removed; after a
// crash it stays, and means nothing.
func (d *DB) CreateGroupAs(ctx context.Context, g chat.Group, members []chat.UserID, at int64) error {
	if len(members) > d.maxGroup() {
		return chat.Refuse(chat.TooLong, "the group is larger than is allowed here")
	}
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
			if err := d.mayBring(ctx, tx, owner, members); err != nil {
				return err
			}
			if err := d.hang(ctx, tx, g); err != nil {
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

// mayBring says why owner may not make a group of members, or nil.
func (d *DB) mayBring(ctx context.Context, tx bun.Tx, owner chat.UserID, members []chat.UserID) error {
	for part := range slices.Chunk(members, chunk) {
		// Not asked of the database: SQLite would look through all who are disabled.
		var off []bool
		if err := tx.NewSelect().Model((*userRow)(nil)).Column("disabled").Where("id IN (?)", bun.List(part)).Scan(ctx, &off); err != nil {
			return err
		}
		if slices.Contains(off, true) {
			return chat.Refuse(chat.Forbidden, "a member's account is disabled")
		}
	}
	bonds, err := bondsOf(ctx, tx, owner, members...)
	if err != nil {
		return err
	}
	only := d.contactsOnly()
	for _, u := range members {
		if err := bonds[u].MayAdd(only && u != owner); err != nil {
			return err
		}
	}
	return nil
}

// hang keeps the picture of the group g, which is to be made, with its first entry,
// or says why its owner may not show it.
func (d *DB) hang(ctx context.Context, tx bun.Tx, g chat.Group) error {
	if g.Avatar == "" {
		return nil
	}
	id, typ := (&chat.File{URL: g.Avatar}).UploadID(), ""
	var rest [4]sql.RawBytes
	if err := d.query(ctx, tx.Tx, d.sql.lockFile, []any{id, string(g.Owner), string(g.Owner)}, func(rows *sql.Rows) error {
		return rows.Scan(&rest[0], &typ, &rest[1], &rest[2], &rest[3])
	}); err != nil {
		return err
	}
	if chat.Media(typ) != "image" {
		return errNoPicture
	}
	if err := d.exec(ctx, tx.Tx, d.sql.markFiles, []any{id}); err != nil {
		return err
	}
	return d.exec(ctx, tx.Tx, d.sql.insertFileEntries, []any{id, string(g.Conv), 1})
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
