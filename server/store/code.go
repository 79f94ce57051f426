package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type codeRow struct {
	bun.BaseModel `bun:"table:codes,alias:c"`

	Name      string `bun:"name,pk"`
	Hash      string `bun:"hash"`
	Tries     int    `bun:"tries"`
	ExpiresAt int64  `bun:"expires_at"`
}

// SaveCode stores the hash of a one-time code until expires, Unix milliseconds, in
// place of the one with this name before.
func (d *DB) SaveCode(ctx context.Context, name, hash string, expires int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := codeRow{Name: name, Hash: hash, ExpiresAt: expires}
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store code: %w", err)
	}
	return nil
}

// TryCode counts a try of the code with this name and returns its hash, or
// chat.ErrNotFound where there is none, its time is over at now or it was tried
// most times already.
func (d *DB) TryCode(ctx context.Context, name string, most int, now int64) (hash string, err error) {
	if !storable(name) {
		return "", chat.ErrNotFound
	}
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*codeRow)(nil)).Set("tries = tries + 1").
			Where("name = ? AND tries < ? AND expires_at > ?", name, most, now).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return chat.ErrNotFound
		}
		return tx.NewSelect().Model((*codeRow)(nil)).Column("hash").Where("name = ?", name).Scan(ctx, &hash)
	})
	if err != nil {
		return "", fmt.Errorf("try code: %w", err)
	}
	return hash, nil
}

// UseCode forgets the code with this name and hash, and reports whether it was
// there: of several who use it at once, one is told so.
func (d *DB) UseCode(ctx context.Context, name, hash string) (bool, error) {
	res, err := d.db.NewDelete().Model((*codeRow)(nil)).Where("name = ? AND hash = ?", name, hash).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("use code: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Spend notes until expires, Unix milliseconds, that name was used, and reports
// whether that is the first time.
func (d *DB) Spend(ctx context.Context, name string, expires int64) (bool, error) {
	r := codeRow{Name: name, ExpiresAt: expires}
	_, err := d.db.NewInsert().Model(&r).Exec(ctx)
	if isUnique(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("note what is used: %w", err)
	}
	return true, nil
}

func (d *DB) deleteExpiredCodes(ctx context.Context, now int64) error {
	if _, err := d.db.NewDelete().Model((*codeRow)(nil)).Where("expires_at <= ?", now).Exec(ctx); err != nil {
		return fmt.Errorf("delete expired codes: %w", err)
	}
	return nil
}

// PersonByPhone returns the id of who has shown that this phone is theirs, and
// still has it, or chat.ErrNotFound.
func (d *DB) PersonByPhone(ctx context.Context, phone string) (chat.UserID, error) {
	var us []string
	if phone != "" && storable(phone) {
		if err := d.read.NewSelect().Table("profiles").Column("user_id").Where("confirmed = ? AND phone = confirmed", phone).Limit(2).Scan(ctx, &us); err != nil {
			return "", fmt.Errorf("look for a phone: %w", err)
		}
	}
	if len(us) != 1 {
		return "", chat.ErrNotFound
	}
	return chat.UserID(us[0]), nil
}

// PhoneOf returns the phone of u, empty for none, and whether u has shown that it is theirs.
func (d *DB) PhoneOf(ctx context.Context, u chat.UserID) (phone string, confirmed bool, err error) {
	var rows []struct{ Phone, Confirmed string }
	if err := d.db.NewSelect().Table("profiles").Column("phone", "confirmed").Where("user_id = ?", string(u)).Scan(ctx, &rows); err != nil {
		return "", false, fmt.Errorf("read phone: %w", err)
	}
	if len(rows) == 0 {
		return "", false, nil
	}
	return rows[0].Phone, rows[0].Phone != "" && rows[0].Phone == rows[0].Confirmed, nil
}

// ConfirmPhone stores that phone is u's and nobody else's; an empty one takes it away.
func (d *DB) ConfirmPhone(ctx context.Context, u chat.UserID, phone string, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if phone != "" {
			if _, err := tx.NewUpdate().Table("profiles").Set("confirmed = ''").Where("confirmed = ? AND user_id <> ?", phone, string(u)).Exec(ctx); err != nil {
				return err
			}
		}
		some, err := tx.NewSelect().Table("profiles").Where("user_id = ?", string(u)).Exists(ctx)
		if err != nil {
			return err
		}
		if !some {
			_, err := tx.NewInsert().Table("profiles").Model(&map[string]any{
				"user_id": string(u), "phone": phone, "confirmed": phone, "updated_at": at,
			}).Exec(ctx)
			if isUnique(err) {
				return errContended
			}
			return err
		}
		_, err = tx.NewUpdate().Table("profiles").Set("phone = ?, confirmed = ?, updated_at = ?", phone, phone, at).Where("user_id = ?", string(u)).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store phone: %w", err)
	}
	return nil
}
