package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type invitationRow struct {
	bun.BaseModel `bun:"table:invitations,alias:i"`

	Code      string `bun:"code,pk"`
	ByID      string `bun:"by_id"`
	Note      string `bun:"note"`
	Most      int    `bun:"most"`
	Uses      int    `bun:"uses"`
	ExpiresAt int64  `bun:"expires_at"`
	CreatedAt int64  `bun:"created_at"`
}

func (r invitationRow) invitation() chat.Invitation {
	return chat.Invitation{
		Code: r.Code, By: chat.UserID(r.ByID), Note: r.Note, Most: r.Most, Uses: r.Uses, ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt,
	}
}

// errNoInvitation is the answer to a code that lets nobody in.
var errNoInvitation = chat.Refuse(chat.Forbidden, "the invitation is not valid any more")

// AddInvited stores a new person with a password hash and counts a use of the
// invitation, both or neither. It answers chat.Taken where the username is in use,
// and chat.Forbidden where the invitation lets nobody in, or nobody more.
func (d *DB) AddInvited(ctx context.Context, p chat.Person, hash, code string, at int64) error {
	if !storable(code) {
		return errNoInvitation
	}
	return added(d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*invitationRow)(nil)).Set("uses = uses + 1").
			Where("code = ? AND (most = 0 OR uses < most) AND (expires_at = 0 OR expires_at > ?)", code, at).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errNoInvitation)
		}
		r := newUserRow(p, hash, at)
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	}))
}

// Invitation returns an invitation by its code, or chat.ErrNotFound.
func (d *DB) Invitation(ctx context.Context, code string) (chat.Invitation, error) {
	if !storable(code) {
		return chat.Invitation{}, chat.ErrNotFound
	}
	var rows []invitationRow
	if err := d.read.NewSelect().Model(&rows).Where("code = ?", code).Scan(ctx); err != nil {
		return chat.Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	if len(rows) == 0 {
		return chat.Invitation{}, chat.ErrNotFound
	}
	return rows[0].invitation(), nil
}

// maxInvitations bounds how many are listed: a page for people to read.
const maxInvitations = 500

// Invitations returns the invitations, the newest first, at most 500.
func (d *DB) Invitations(ctx context.Context) ([]chat.Invitation, error) {
	var rows []invitationRow
	if err := d.read.NewSelect().Model(&rows).OrderExpr("created_at DESC, code").Limit(maxInvitations).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read invitations: %w", err)
	}
	out := make([]chat.Invitation, len(rows))
	for i, r := range rows {
		out[i] = r.invitation()
	}
	return out, nil
}

// AddInvitation stores an invitation and notes that by made it. It answers
// chat.TooLong where there are 500 already.
func (d *DB) AddInvitation(ctx context.Context, by chat.Deed, i chat.Invitation) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n, err := tx.NewSelect().Model((*invitationRow)(nil)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxInvitations {
			return chat.Refuse(chat.TooLong, "there are too many invitations: withdraw some")
		}
		r := invitationRow{Code: i.Code, ByID: string(i.By), Note: i.Note, Most: i.Most, ExpiresAt: i.ExpiresAt, CreatedAt: i.CreatedAt}
		if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
			return err
		}
		return d.addDeed(ctx, tx, by)
	})
	if err != nil {
		return fmt.Errorf("store invitation: %w", err)
	}
	return nil
}

// DeleteInvitation removes an invitation and notes it; of one that is not there it
// answers chat.NotFound.
func (d *DB) DeleteInvitation(ctx context.Context, by chat.Deed, code string) error {
	if !storable(code) {
		return chat.ErrNotFound
	}
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewDelete().Model((*invitationRow)(nil)).Where("code = ?", code).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, chat.Refuse(chat.NotFound, "there is no such invitation"))
		}
		return d.addDeed(ctx, tx, by)
	})
	if err != nil {
		return fmt.Errorf("delete invitation: %w", err)
	}
	return nil
}
