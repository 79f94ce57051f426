package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type reportRow struct {
	bun.BaseModel `bun:"table:reports,alias:r"`

	ID       int64  `bun:"id,pk"`
	ByID     string `bun:"by_id"`
	ConvID   string `bun:"conv_id"`
	Seq      int64  `bun:"seq"`
	UserID   string `bun:"user_id"`
	Reason   string `bun:"reason"`
	Said     string `bun:"said"`
	State    int    `bun:"state"`
	ClosedBy string `bun:"closed_by"`
	ClosedAt int64  `bun:"closed_at"`
	Outcome  string `bun:"outcome"`
	At       int64  `bun:"at"`
}

// The states of a report.
const (
	reportOpen = iota
	reportClosed
)

func (r reportRow) report() chat.Report {
	return chat.Report{
		ID: r.ID, By: chat.UserID(r.ByID), Conv: chat.ConvID(r.ConvID), Seq: r.Seq, User: chat.UserID(r.UserID), Reason: r.Reason, Said: r.Said,
		At: r.At, ClosedBy: chat.UserID(r.ClosedBy), ClosedAt: r.ClosedAt, Outcome: r.Outcome,
	}
}

// AddReport stores a report. Where one by the same person about the same is open
// already it does nothing. It answers chat.RateLimited where most of theirs are open.
func (d *DB) AddReport(ctx context.Context, r chat.Report, most int) error {
	row := reportRow{
		ID: d.id(), ByID: string(r.By), ConvID: string(r.Conv), Seq: r.Seq, UserID: string(r.User), Reason: r.Reason, Said: r.Said, At: d.now().UnixMilli(),
	}
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var open []reportRow
		if err := tx.NewSelect().Model(&open).Where("by_id = ? AND state = ?", row.ByID, reportOpen).Limit(int64(most)).Scan(ctx); err != nil {
			return err
		}
		for _, o := range open {
			if o.ConvID == row.ConvID && o.Seq == row.Seq && o.UserID == row.UserID {
				return nil
			}
		}
		if len(open) >= most {
			return &chat.Refusal{Code: chat.RateLimited, Words: "too many of your reports are not answered yet", RetryAfter: time.Hour}
		}
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store report: %w", err)
	}
	return nil
}

// Reports returns at most limit open, or closed, reports whose ids are below
// behind (0: all), the newest first.
func (d *DB) Reports(ctx context.Context, closed bool, behind int64, limit int) ([]chat.Report, error) {
	state := reportOpen
	if closed {
		state = reportClosed
	}
	var rows []reportRow
	q := d.read.NewSelect().Model(&rows).Where("state = ?", state).OrderExpr("id DESC").Limit(int64(limit))
	if behind > 0 {
		q = q.Where("id < ?", behind)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	out := make([]chat.Report, len(rows))
	for i, r := range rows {
		out[i] = r.report()
	}
	return out, nil
}

// OpenReports returns how many reports are open.
func (d *DB) OpenReports(ctx context.Context) (int, error) {
	n, err := d.read.NewSelect().Model((*reportRow)(nil)).Where("state = ?", reportOpen).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count reports: %w", err)
	}
	return int(n), nil
}

// Report returns a report by its id, or chat.ErrNotFound.
func (d *DB) Report(ctx context.Context, id int64) (chat.Report, error) {
	var rows []reportRow
	if err := d.read.NewSelect().Model(&rows).Where("id = ?", id).Scan(ctx); err != nil {
		return chat.Report{}, fmt.Errorf("read report: %w", err)
	}
	if len(rows) == 0 {
		return chat.Report{}, chat.ErrNotFound
	}
	return rows[0].report(), nil
}

// CloseReport closes an open report and notes it. Of one that is not open it
// answers chat.Invalid.
func (d *DB) CloseReport(ctx context.Context, by chat.Deed, id int64, outcome string) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*reportRow)(nil)).
			Set("state = ?, closed_by = ?, closed_at = ?, outcome = ?", reportClosed, string(by.By), d.now().UnixMilli(), outcome).
			Where("id = ? AND state = ?", id, reportOpen).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, chat.Refuse(chat.Invalid, "the report is closed already"))
		}
		return d.addDeed(ctx, tx, by)
	})
	if err != nil {
		return fmt.Errorf("close report: %w", err)
	}
	return nil
}
