package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// epochSetting names the life of the database: see Epoch.
const epochSetting = "epoch"

// Epoch returns what the life of the database is called. As long as it is the same,
// a Seq is never given again for another entry; a restore begins another life. One that
// has no name yet is called fresh, on all nodes that ask at once.
func (d *DB) Epoch(ctx context.Context, fresh string) (string, error) {
	return d.SettingOnce(ctx, epochSetting, fresh)
}

// BeginAnew calls a database that was restored by a new name, epoch, and ends what people
// were signed in with when it was saved: who was signed out since must not
// come back. Bots stay signed in, and incoming webhooks open, unless tokens says
// that these end, too.
func (d *DB) BeginAnew(ctx context.Context, epoch string, tokens bool) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		gone := []*bun.DeleteQuery{
			tx.NewDelete().Table("logins").Where("1 = 1"),
			tx.NewDelete().Table("codes").Where("1 = 1"),
			tx.NewDelete().Table("push_subscriptions").Where("1 = 1"),
			tx.NewDelete().Table("tokens").Where("user_id NOT IN (SELECT id FROM users WHERE bot_of <> '')"),
			tx.NewDelete().Table("devices").Where("hash NOT IN (SELECT hash FROM tokens)"),
		}
		if tokens {
			gone[3], gone[4] = tx.NewDelete().Table("tokens").Where("1 = 1"), tx.NewDelete().Table("devices").Where("1 = 1")
			gone = append(gone, tx.NewDelete().Table("hooks_in").Where("1 = 1"))
		}
		for _, q := range gone {
			if _, err := q.Exec(ctx); err != nil {
				return err
			}
		}
		r := settingRow{Name: epochSetting, Value: epoch}
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin anew: %w", err)
	}
	return nil
}
