package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type totpRow struct {
	bun.BaseModel `bun:"table:totp,alias:f"`

	UserID    string `bun:"user_id,pk"`
	Secret    string `bun:"secret"`
	Confirmed bool   `bun:"confirmed"`
	LastStep  int64  `bun:"last_step"`
	Recovery  string `bun:"recovery"`
	CreatedAt int64  `bun:"created_at"`
}

// TOTP returns the second factor of u, or chat.ErrNotFound.
func (d *DB) TOTP(ctx context.Context, u chat.UserID) (chat.TOTP, error) {
	var rows []totpRow
	if err := d.db.NewSelect().Model(&rows).Where("user_id = ?", string(u)).Scan(ctx); err != nil {
		return chat.TOTP{}, fmt.Errorf("read second factor: %w", err)
	}
	if len(rows) == 0 {
		return chat.TOTP{}, chat.ErrNotFound
	}
	r := rows[0]
	return chat.TOTP{Secret: r.Secret, Confirmed: r.Confirmed, LastStep: r.LastStep, Recovery: strings.Fields(r.Recovery)}, nil
}

// BeginTOTP stores a second factor that is not asked for yet, in place of such a
// one before, and answers chat.Taken where there is one that is asked for.
func (d *DB) BeginTOTP(ctx context.Context, u chat.UserID, secret string, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*totpRow)(nil)).Where("user_id = ? AND confirmed = ?", string(u), false).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&totpRow{UserID: string(u), Secret: secret, CreatedAt: at}).Exec(ctx)
		if isUnique(err) {
			return chat.Refuse(chat.Taken, "one-time codes are on already")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store second factor: %w", err)
	}
	return nil
}

// ConfirmTOTP has the second factor of u with this secret asked for from now on,
// with the hashes of codes that work once, and reports whether that changed
// anything. step is that of the code which showed that it works.
func (d *DB) ConfirmTOTP(ctx context.Context, u chat.UserID, secret string, step int64, recovery []string) (bool, error) {
	return d.changeTOTP(ctx, d.db.NewUpdate().Model((*totpRow)(nil)).
		Set("confirmed = ?, last_step = ?, recovery = ?", true, step, strings.Join(recovery, " ")).
		Where("user_id = ? AND secret = ? AND confirmed = ?", string(u), secret, false))
}

// UseStep notes that the code of a time step was used, and reports whether it may
// be: of several who use it at once, one is told so, and none after a later step.
func (d *DB) UseStep(ctx context.Context, u chat.UserID, step int64) (bool, error) {
	return d.changeTOTP(ctx, d.db.NewUpdate().Model((*totpRow)(nil)).Set("last_step = ?", step).
		Where("user_id = ? AND confirmed = ? AND last_step < ?", string(u), true, step))
}

// changeTOTP runs an update of one row and reports whether there was one to change.
func (d *DB) changeTOTP(ctx context.Context, q *bun.UpdateQuery) (bool, error) {
	res, err := q.Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("change second factor: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// UseRecovery takes the hash of a code that works once from u, and reports whether
// it was there.
func (d *DB) UseRecovery(ctx context.Context, u chat.UserID, hash string) (used bool, err error) {
	err = d.persist(ctx, func() error {
		f, err := d.TOTP(ctx, u)
		if err != nil {
			return err
		}
		i := slices.Index(f.Recovery, hash)
		if used = i >= 0 && f.Confirmed; !used {
			return nil
		}
		was := strings.Join(f.Recovery, " ")
		ok, err := d.changeTOTP(ctx, d.db.NewUpdate().Model((*totpRow)(nil)).Set("recovery = ?", strings.Join(slices.Delete(f.Recovery, i, i+1), " ")).
			Where("user_id = ? AND confirmed = ? AND recovery = ?", string(u), true, was))
		if err == nil && !ok {
			return errContended // another of them was used meanwhile: look again
		}
		return err
	})
	return used && err == nil, err
}

// EndTOTP takes the second factor from u.
func (d *DB) EndTOTP(ctx context.Context, u chat.UserID) error {
	if _, err := d.db.NewDelete().Model((*totpRow)(nil)).Where("user_id = ?", string(u)).Exec(ctx); err != nil {
		return fmt.Errorf("remove second factor: %w", err)
	}
	return nil
}

type passkeyRow struct {
	bun.BaseModel `bun:"table:passkeys,alias:k"`

	ID        string `bun:"id,pk"`
	UserID    string `bun:"user_id"`
	Name      string `bun:"name"`
	Data      []byte `bun:"data"`
	CreatedAt int64  `bun:"created_at"`
	UsedAt    int64  `bun:"used_at"`
}

// Passkeys returns the passkeys of u, oldest first.
func (d *DB) Passkeys(ctx context.Context, u chat.UserID) ([]chat.Passkey, error) {
	var rows []passkeyRow
	if err := d.db.NewSelect().Model(&rows).Where("user_id = ?", string(u)).OrderExpr("created_at, id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	ks := make([]chat.Passkey, len(rows))
	for i, r := range rows {
		ks[i] = chat.Passkey{ID: r.ID, Name: r.Name, CreatedAt: r.CreatedAt, UsedAt: r.UsedAt, Data: r.Data}
	}
	return ks, nil
}

// AddPasskey stores a passkey of u, who may have most, or answers chat.Full, or
// chat.Taken where somebody has it.
func (d *DB) AddPasskey(ctx context.Context, u chat.UserID, k chat.Passkey, most int) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lock(ctx, tx, "users", string(u)); err != nil {
			return err
		}
		n, err := tx.NewSelect().Model((*passkeyRow)(nil)).Where("user_id = ?", string(u)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return chat.Refuse(chat.Forbidden, "there are too many passkeys")
		}
		_, err = tx.NewInsert().Model(&passkeyRow{ID: k.ID, UserID: string(u), Name: k.Name, Data: k.Data, CreatedAt: k.CreatedAt, UsedAt: k.UsedAt}).Exec(ctx)
		if isUnique(err) {
			return chat.Refuse(chat.Taken, "the passkey is there already")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store passkey: %w", err)
	}
	return nil
}

// UsePasskey stores what became of a passkey of u by its use at k.UsedAt, and
// reports whether it is still there and nobody else used it meanwhile: was is
// what it was before.
func (d *DB) UsePasskey(ctx context.Context, u chat.UserID, k chat.Passkey, was []byte) (bool, error) {
	res, err := d.db.NewUpdate().Model((*passkeyRow)(nil)).Set("data = ?, used_at = ?", k.Data, k.UsedAt).
		Where("id = ? AND user_id = ? AND data = ?", k.ID, string(u), was).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("use passkey: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// DeletePasskey takes a passkey from u, or answers chat.ErrNotFound.
func (d *DB) DeletePasskey(ctx context.Context, u chat.UserID, id string) error {
	if !storable(id) {
		return chat.ErrNotFound
	}
	res, err := d.db.NewDelete().Model((*passkeyRow)(nil)).Where("id = ? AND user_id = ?", id, string(u)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("remove passkey: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, chat.ErrNotFound)
	}
	return nil
}
