package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

type sampleRow struct {
	bun.BaseModel `bun:"table:samples,alias:s"`

	Node string `bun:"node,pk"`
	At   int64  `bun:"at,pk"`
	Data string `bun:"data"`
}

// AddSample stores what a node measured at a time in Unix milliseconds, and
// removes what is older than before. Of the same node and time it does nothing.
func (d *DB) AddSample(ctx context.Context, node string, at int64, data string, before int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*sampleRow)(nil)).Where("at < ?", before).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&sampleRow{Node: node, At: at, Data: data}).Exec(ctx)
		return err
	})
	if err != nil && !isUnique(err) {
		return fmt.Errorf("store sample: %w", err)
	}
	return nil
}

// Samples hands each sample since a time to each, in the order of time; of those
// of a node where one is named, and of one in so many of them.
func (d *DB) Samples(ctx context.Context, since int64, node string, one int64, each func(node string, at int64, data string)) error {
	const every = 30_000 // milliseconds between two samples of a node
	q := d.read.NewSelect().Model((*sampleRow)(nil)).Where("at >= ?", since).OrderExpr("at, node")
	if node != "" {
		q = q.Where("node = ?", node)
	}
	if one > 1 {
		q = q.Where("at % ? < ?", one*every, every)
	}
	rows, err := q.Rows(ctx)
	if err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r sampleRow
		if err := rows.Scan(&r.Node, &r.At, &r.Data); err != nil {
			return fmt.Errorf("read samples: %w", err)
		}
		each(r.Node, r.At, r.Data)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	return nil
}

// Size returns the bytes of the database, and of the files that people uploaded.
func (d *DB) Size(ctx context.Context) (database, files int64, err error) {
	q := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if d.mysql {
		q = "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables WHERE table_schema = DATABASE()"
	}
	if err := d.read.DB.QueryRowContext(ctx, q).Scan(&database); err != nil {
		return 0, 0, fmt.Errorf("size of the database: %w", err)
	}
	if err := d.read.NewSelect().Model((*fileRow)(nil)).ColumnExpr("COALESCE(SUM(size), 0)").Scan(ctx, &files); err != nil {
		return 0, 0, fmt.Errorf("size of the files: %w", err)
	}
	return database, files, nil
}
