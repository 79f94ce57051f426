package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type jobRow struct {
	bun.BaseModel `bun:"table:jobs,alias:j"`

	ID        int64  `bun:"id,pk"`
	Kind      string `bun:"kind"`
	ByID      string `bun:"by_id"`
	State     string `bun:"state"`
	Done      int64  `bun:"done"`
	Total     int64  `bun:"total"`
	Detail    string `bun:"detail"`
	CreatedAt int64  `bun:"created_at"`
	UpdatedAt int64  `bun:"updated_at"`
}

func newJobRow(j chat.Job) (jobRow, error) {
	detail, err := json.Marshal(j.Detail)
	return jobRow{
		ID: j.ID, Kind: j.Kind, ByID: string(j.By), State: string(j.State), Done: j.Done, Total: j.Total,
		Detail: string(detail), CreatedAt: j.At, UpdatedAt: j.Updated,
	}, err
}

func (r jobRow) job() (chat.Job, error) {
	j := chat.Job{
		ID: r.ID, Kind: r.Kind, By: chat.UserID(r.ByID), State: chat.JobState(r.State), Done: r.Done, Total: r.Total, At: r.CreatedAt, Updated: r.UpdatedAt,
	}
	if err := json.Unmarshal([]byte(r.Detail), &j.Detail); err != nil {
		return j, fmt.Errorf("detail of job %d: %w", r.ID, err)
	}
	return j, nil
}

// AddJob notes j, unless its person has most jobs that have not ended: then it
// answers chat.RateLimited.
func (d *DB) AddJob(ctx context.Context, j chat.Job, most int) error {
	r, err := newJobRow(j)
	if err != nil {
		return fmt.Errorf("note a job: %w", err)
	}
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lock(ctx, tx, "users", r.ByID); err != nil {
			return err
		}
		n, err := tx.NewSelect().Model((*jobRow)(nil)).Where("by_id = ? AND state = ?", r.ByID, string(chat.JobRunning)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return chat.Refuse(chat.RateLimited, "wait until what was begun before has ended")
		}
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("note a job: %w", err)
	}
	return nil
}

// SaveJob stores how j stands, as long as it is running there. It reports false
// where it is not: somebody has cancelled it.
func (d *DB) SaveJob(ctx context.Context, j chat.Job) (bool, error) {
	r, err := newJobRow(j)
	if err != nil {
		return false, fmt.Errorf("save a job: %w", err)
	}
	// updated_at grows, so that MySQL counts the row also where nothing else is new.
	res, err := d.db.NewUpdate().Model(&r).Column("state", "done", "total", "detail").
		Set("updated_at = CASE WHEN updated_at >= ? THEN updated_at + 1 ELSE ? END", r.UpdatedAt, r.UpdatedAt).
		Where("id = ? AND state = ?", r.ID, string(chat.JobRunning)).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("save a job: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Job returns one, or answers chat.NotFound.
func (d *DB) Job(ctx context.Context, id int64) (chat.Job, error) {
	js, err := d.jobs(ctx, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("id = ?", id) })
	if err != nil {
		return chat.Job{}, err
	}
	if len(js) == 0 {
		return chat.Job{}, chat.ErrNotFound
	}
	return js[0], nil
}

// Jobs returns the latest jobs, at most limit: those of by, or all where that is empty.
func (d *DB) Jobs(ctx context.Context, by chat.UserID, limit int) ([]chat.Job, error) {
	return d.jobs(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if by != "" {
			q = q.Where("by_id = ?", string(by))
		}
		return q.OrderExpr("id DESC").Limit(int64(limit))
	})
}

// RunningJobs returns all that have not ended.
func (d *DB) RunningJobs(ctx context.Context) ([]chat.Job, error) {
	return d.jobs(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("state = ?", string(chat.JobRunning)).OrderExpr("id")
	})
}

func (d *DB) jobs(ctx context.Context, which func(*bun.SelectQuery) *bun.SelectQuery) ([]chat.Job, error) {
	var rows []jobRow
	if err := which(d.db.NewSelect().Model(&rows)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read jobs: %w", err)
	}
	js := make([]chat.Job, len(rows))
	for i, r := range rows {
		var err error
		if js[i], err = r.job(); err != nil {
			return nil, err
		}
	}
	return js, nil
}

// ForgetJobs forgets those that ended before a time, in Unix milliseconds.
func (d *DB) ForgetJobs(ctx context.Context, before int64) error {
	_, err := d.db.NewDelete().Model((*jobRow)(nil)).Where("state <> ? AND updated_at < ?", string(chat.JobRunning), before).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget jobs: %w", err)
	}
	return nil
}
