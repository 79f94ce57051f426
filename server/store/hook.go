package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type inHookRow struct {
	bun.BaseModel `bun:"table:hooks_in,alias:hi"`

	ID        string `bun:"id,pk"`
	Hash      string `bun:"hash"`
	ConvID    string `bun:"conv_id"`
	BotID     string `bun:"bot_id"`
	ByID      string `bun:"by_id"`
	CreatedAt int64  `bun:"created_at"`
}

func (r inHookRow) hook() chat.InHook {
	return chat.InHook{ID: r.ID, Hash: r.Hash, Conv: chat.ConvID(r.ConvID), Bot: chat.UserID(r.BotID), By: chat.UserID(r.ByID), At: r.CreatedAt}
}

// AddInHook stores an incoming webhook, of which a conversation has at most most,
// or answers chat.Full.
func (d *DB) AddInHook(ctx context.Context, h chat.InHook, most int) error {
	r := inHookRow{ID: h.ID, Hash: h.Hash, ConvID: string(h.Conv), BotID: string(h.Bot), ByID: string(h.By), CreatedAt: h.At}
	return d.addHook(ctx, &r, h.Conv, most)
}

// addHook stores a hook unless the conversation has most of its kind.
func (d *DB) addHook(ctx context.Context, row any, conv chat.ConvID, most int) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lock(ctx, tx, "conversations", string(conv)); err != nil {
			return err
		}
		n, err := tx.NewSelect().Model(row).Where("conv_id = ?", string(conv)).Count(ctx)
		if err != nil {
			return err
		}
		if int(n) >= most {
			return chat.Refuse(chat.Full, "the conversation has as many webhooks as one may have")
		}
		_, err = tx.NewInsert().Model(row).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store webhook: %w", err)
	}
	return nil
}

// InHook returns an incoming webhook, or chat.ErrNotFound.
func (d *DB) InHook(ctx context.Context, id string) (chat.InHook, error) {
	var rows []inHookRow
	if err := d.read.NewSelect().Model(&rows).Where("id = ?", id).Scan(ctx); err != nil {
		return chat.InHook{}, fmt.Errorf("read webhook: %w", err)
	}
	if len(rows) == 0 {
		return chat.InHook{}, chat.ErrNotFound
	}
	return rows[0].hook(), nil
}

// InHooks returns the incoming webhooks of a conversation, oldest first.
func (d *DB) InHooks(ctx context.Context, conv chat.ConvID) ([]chat.InHook, error) {
	var rows []inHookRow
	if err := d.read.NewSelect().Model(&rows).Where("conv_id = ?", string(conv)).Order("created_at", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	hs := make([]chat.InHook, len(rows))
	for i, r := range rows {
		hs[i] = r.hook()
	}
	return hs, nil
}

// DeleteInHook forgets an incoming webhook; one that is not there is fine.
func (d *DB) DeleteInHook(ctx context.Context, id string) error {
	if _, err := d.db.NewDelete().Model((*inHookRow)(nil)).Where("id = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("delete webhook: %w", err)
	}
	return nil
}

type outHookRow struct {
	bun.BaseModel `bun:"table:hooks_out,alias:ho"`

	ID        string `bun:"id,pk"`
	ConvID    string `bun:"conv_id"`
	URL       string `bun:"url"`
	Host      string `bun:"host"`
	Secret    string `bun:"secret"`
	ByID      string `bun:"by_id"`
	ToldSeq   int64  `bun:"told_seq"`
	Fails     int    `bun:"fails"`
	NextAt    int64  `bun:"next_at"`
	Problem   string `bun:"problem"`
	Holder    string `bun:"holder"`
	HeldUntil int64  `bun:"held_until"`
	TriedAt   int64  `bun:"tried_at"`
	CreatedAt int64  `bun:"created_at"`
}

func outHooks(rows []outHookRow) []chat.OutHook {
	hs := make([]chat.OutHook, len(rows))
	for i, r := range rows {
		hs[i] = chat.OutHook{
			ID: r.ID, Conv: chat.ConvID(r.ConvID), URL: r.URL, Host: r.Host, Secret: r.Secret, By: chat.UserID(r.ByID),
			Told: r.ToldSeq, Fails: r.Fails, Next: r.NextAt, Problem: r.Problem, At: r.CreatedAt,
		}
	}
	return hs
}

// AddOutHook stores an outgoing webhook, of which a conversation has at most most,
// or answers chat.Full.
func (d *DB) AddOutHook(ctx context.Context, h chat.OutHook, most int) error {
	r := outHookRow{ID: h.ID, ConvID: string(h.Conv), URL: h.URL, Host: h.Host, Secret: h.Secret, ByID: string(h.By), ToldSeq: h.Told, CreatedAt: h.At}
	return d.addHook(ctx, &r, h.Conv, most)
}

// OutHook returns an outgoing webhook, or chat.ErrNotFound.
func (d *DB) OutHook(ctx context.Context, id string) (chat.OutHook, error) {
	var rows []outHookRow
	if err := d.db.NewSelect().Model(&rows).Where("id = ?", id).Scan(ctx); err != nil {
		return chat.OutHook{}, fmt.Errorf("read webhook: %w", err)
	}
	if len(rows) == 0 {
		return chat.OutHook{}, chat.ErrNotFound
	}
	return outHooks(rows)[0], nil
}

// OutHooks returns the outgoing webhooks of a conversation, oldest first.
func (d *DB) OutHooks(ctx context.Context, conv chat.ConvID) ([]chat.OutHook, error) {
	var rows []outHookRow
	if err := d.read.NewSelect().Model(&rows).Where("conv_id = ?", string(conv)).Order("created_at", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	return outHooks(rows), nil
}

// DeleteOutHook forgets an outgoing webhook of conv; one that is not there is fine.
func (d *DB) DeleteOutHook(ctx context.Context, conv chat.ConvID, id string) error {
	if _, err := d.db.NewDelete().Model((*outHookRow)(nil)).Where("id = ? AND conv_id = ?", id, string(conv)).Exec(ctx); err != nil {
		return fmt.Errorf("delete webhook: %w", err)
	}
	return nil
}

// DueOutHooks returns at most limit outgoing webhooks whose conversation has
// entries that they were not told, that nobody holds and that may be tried now
// (Unix milliseconds), who was not tried for longest first; none of the people of
// notBy, and none at the hosts of notAt.
func (d *DB) DueOutHooks(ctx context.Context, now int64, limit int, notBy []chat.UserID, notAt []string) ([]chat.OutHook, error) {
	var rows []outHookRow
	q := d.read.NewSelect().Model(&rows).Join("JOIN conversations AS c ON c.id = ho.conv_id AND c.last_seq > ho.told_seq").
		Where("ho.next_at <= ? AND ho.held_until <= ?", now, now)
	if len(notBy) > 0 {
		q = q.Where("ho.by_id NOT IN (?)", bun.List(notBy))
	}
	if len(notAt) > 0 {
		q = q.Where("ho.host NOT IN (?)", bun.List(notAt))
	}
	if err := q.Order("ho.tried_at", "ho.id").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read due webhooks: %w", err)
	}
	return outHooks(rows), nil
}

// HoldOutHook has holder alone tell a webhook until a time, and reports whether it
// may. It is tried now.
func (d *DB) HoldOutHook(ctx context.Context, id, holder string, now, until int64) (bool, error) {
	res, err := d.db.NewUpdate().Model((*outHookRow)(nil)).Set("holder = ?", holder).Set("held_until = ?", until).Set("tried_at = ?", now).
		Where("id = ? AND held_until <= ?", id, now).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("hold webhook: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// OutHookTried notes what became of a try by holder, who no longer holds it: Told,
// Fails, Next and Problem of h.
func (d *DB) OutHookTried(ctx context.Context, h chat.OutHook, holder string) error {
	_, err := d.db.NewUpdate().Model((*outHookRow)(nil)).
		Set("told_seq = ?", h.Told).Set("fails = ?", h.Fails).Set("next_at = ?", h.Next).Set("problem = ?", h.Problem).
		Set("holder = ''").Set("held_until = 0").Where("id = ? AND holder = ?", h.ID, holder).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note what a webhook answered: %w", err)
	}
	return nil
}
