package store

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// expiredAtOnce bounds how many entries one transaction empties, and expireConvs
// how many conversations one call of ExpireSome looks at.
const (
	expiredAtOnce = 500
	expireConvs   = 200
)

// ExpireSome empties what e says in a few hundred conversations behind after, and
// returns the last of them, empty where that were all, and how many entries it emptied. They become
// such that have expired; their places in the log stay, and their files are freed.
func (d *DB) ExpireSome(ctx context.Context, e chat.Expiry, after chat.ConvID) (last chat.ConvID, n int, err error) {
	var convs []convRow
	err = d.read.NewSelect().Model(&convs).Column("id", "last_seq").
		Where("id > ? AND last_at >= ? AND created_at < ?", string(after), e.From, e.Until).OrderExpr("id").Limit(expireConvs).Scan(ctx)
	if err != nil {
		return "", 0, fmt.Errorf("look for what has expired: %w", err)
	}
	for _, c := range convs {
		k, err := d.expireIn(ctx, c, e)
		if n += k; err != nil {
			return "", n, err
		}
	}
	if len(convs) == expireConvs {
		last = chat.ConvID(convs[len(convs)-1].ID)
	}
	return last, n, nil
}

// expireIn empties what e says in one conversation. Entries have rising times and
// no Seq is missing: where the time begins and ends is found by halving.
func (d *DB) expireIn(ctx context.Context, c convRow, e chat.Expiry) (n int, err error) {
	from, err := d.since(ctx, c, e.From)
	if err != nil {
		return 0, err
	}
	until, err := d.since(ctx, c, e.Until)
	if err != nil {
		return 0, err
	}
	kinds := make([]string, len(e.Kinds))
	for i, k := range e.Kinds {
		kinds[i] = string(k)
	}
	for from < until {
		full := false
		err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			var rows []messageRow
			q := tx.NewSelect().Model(&rows).Column("conv_id", "seq", "kind", "content").
				Where("conv_id = ? AND seq >= ? AND seq < ? AND kind IN (?)", c.ID, from, until, bun.List(kinds)).OrderExpr("seq").Limit(expiredAtOnce)
			if d.mysql {
				q = q.For("UPDATE")
			}
			if err := q.Scan(ctx); err != nil {
				return err
			}
			for _, r := range rows {
				if err := d.eraseOne(ctx, tx, r, true); err != nil {
					return err
				}
			}
			if full = len(rows) == expiredAtOnce; full {
				from = rows[len(rows)-1].Seq + 1
			}
			n += len(rows)
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("expire: %w", err)
		}
		d.afterCommit(ctx)
		if !full {
			break
		}
	}
	return n, nil
}

// since returns the Seq of the first entry of c at or after a time, the one
// behind its last where there is none.
func (d *DB) since(ctx context.Context, c convRow, at int64) (int64, error) {
	var err error
	i := sort.Search(int(c.LastSeq), func(i int) bool {
		var there []int64
		if err == nil {
			err = d.read.NewSelect().Table("messages").Column("created_at").Where("conv_id = ? AND seq = ?", c.ID, i+1).Scan(ctx, &there)
		}
		return err != nil || len(there) > 0 && there[0] >= at
	})
	if err != nil {
		return 0, fmt.Errorf("look for a time: %w", err)
	}
	return int64(i) + 1, nil
}

// Lease gives holder the name until a time, in Unix milliseconds, unless somebody
// else has it at now. Who has it may prolong it.
func (d *DB) Lease(ctx context.Context, name, holder string, now, until time.Time) (ok bool, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var rows []settingRow
		q := tx.NewSelect().Model(&rows).Where("name = ?", name)
		if d.mysql {
			q = q.For("UPDATE")
		}
		if err := q.Scan(ctx); err != nil {
			return err
		}
		next := settingRow{Name: name, Value: holder + " " + strconv.FormatInt(until.UnixMilli(), 10)}
		if ok = len(rows) == 0; ok {
			_, err := tx.NewInsert().Model(&next).Exec(ctx)
			if isUnique(err) {
				ok = false // another was faster
				return errContended
			}
			return err
		}
		by, end, _ := strings.Cut(rows[0].Value, " ")
		ends, _ := strconv.ParseInt(end, 10, 64)
		if ok = by == holder || now.UnixMilli() >= ends; !ok {
			return nil
		}
		_, err := tx.NewUpdate().Model(&next).WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", name, err)
	}
	return ok, nil
}
