package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// SettingsOf returns the values of those of names that are stored.
func (d *DB) SettingsOf(ctx context.Context, names ...string) (map[string]string, error) {
	return settingsOf(ctx, d.read.NewSelect(), names)
}

func settingsOf(ctx context.Context, q *bun.SelectQuery, names []string) (map[string]string, error) {
	var rows []settingRow
	if err := q.Model(&rows).Where("name IN (?)", bun.List(names)).OrderExpr("name").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.Name] = r.Value
	}
	return out, nil
}

// ChangeSettings stores values by name and notes each that was another before, in
// one transaction. was tells what counts for a name that is not stored.
func (d *DB) ChangeSettings(ctx context.Context, by chat.Deed, values map[string]string, was func(name string) string) error {
	names := slices.Sorted(maps.Keys(values)) // so that two lock rows in the same order
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		q := tx.NewSelect()
		if d.mysql {
			q = q.For("UPDATE")
		}
		stored, err := settingsOf(ctx, q, names)
		if err != nil {
			return err
		}
		for _, name := range names {
			old, ok := stored[name]
			if !ok {
				old = was(name)
			}
			if old == values[name] {
				continue
			}
			r := settingRow{Name: name, Value: values[name]}
			if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
				return err
			}
			by.Target, by.Detail = name, old+" → "+values[name]
			if err := d.addDeed(ctx, tx, by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store settings: %w", err)
	}
	return nil
}
