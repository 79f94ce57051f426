package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type tokenRow struct {
	bun.BaseModel `bun:"table:tokens,alias:t"`

	Hash      string `bun:"hash,pk"`
	UserID    string `bun:"user_id"`
	CreatedAt int64  `bun:"created_at"`
	Name      string `bun:"name"`
	Scopes    string `bun:"scopes"`
}

type loginRow struct {
	bun.BaseModel `bun:"table:logins,alias:l"`

	Token     string `bun:"token,pk"`
	Data      []byte `bun:"data"`
	ExpiresAt int64  `bun:"expires_at"`
}

type settingRow struct {
	bun.BaseModel `bun:"table:settings,alias:s"`

	Name  string `bun:"name,pk"`
	Value string `bun:"value"`
}

// AddToken stores the hash of a bearer token of u.
func (d *DB) AddToken(ctx context.Context, hash string, u chat.UserID, at int64) error {
	r := tokenRow{Hash: hash, UserID: string(u), CreatedAt: at}
	if _, err := d.db.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("store token: %w", err)
	}
	return nil
}

// TokenUser returns whose bearer token has this hash, and the scopes that it is
// bound to, separated by spaces, empty for none; or chat.ErrNotFound.
func (d *DB) TokenUser(ctx context.Context, hash string) (chat.Person, string, error) {
	var rows []struct {
		userRow `bun:",extend"`

		Scopes string `bun:"scopes,scanonly"`
	}
	err := d.read.NewSelect().Model(&rows).ColumnExpr("?TableColumns").ColumnExpr("t.scopes").
		Join("JOIN tokens AS t ON t.user_id = u.id").Where("t.hash = ?", hash).Scan(ctx)
	if err != nil {
		return chat.Person{}, "", fmt.Errorf("read token: %w", err)
	}
	if len(rows) == 0 {
		return chat.Person{}, "", chat.ErrNotFound
	}
	return rows[0].person(), rows[0].Scopes, nil
}

// DeleteToken forgets a bearer token; one that is not there is fine.
func (d *DB) DeleteToken(ctx context.Context, hash string) error {
	return d.endHash(ctx, hash)
}

// endHash ends what is signed in with a cookie or token, by what is stored of it.
func (d *DB) endHash(ctx context.Context, hash string) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return endHashes(ctx, tx, []string{hash}) })
	if err != nil {
		return fmt.Errorf("end sign-in: %w", err)
	}
	return nil
}

// SaveSetting stores a single value, in place of the one before.
func (d *DB) SaveSetting(ctx context.Context, name, value string) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := settingRow{Name: name, Value: value}
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store setting: %w", err)
	}
	return nil
}

// Setting returns a single value, empty when there is none.
func (d *DB) Setting(ctx context.Context, name string) (string, error) {
	var rows []settingRow
	if err := d.db.NewSelect().Model(&rows).Where("name = ?", name).Scan(ctx); err != nil {
		return "", fmt.Errorf("read setting: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	return rows[0].Value, nil
}

// Logins keeps the sign-ins of browsers. It has the shape of scs.CtxStore.
type Logins struct{ d *DB }

// Logins returns where the sign-ins of browsers are kept.
func (d *DB) Logins() Logins { return Logins{d} }

// FindCtx returns the data of a sign-in that has not expired.
func (l Logins) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var rows []loginRow
	err := l.d.read.NewSelect().Model(&rows).Where("token = ? AND expires_at > ?", token, l.d.now().UnixMilli()).Scan(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("read login: %w", err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	return rows[0].Data, true, nil
}

// CommitCtx stores a sign-in until expiry.
func (l Logins) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	err := l.d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := loginRow{Token: token, Data: data, ExpiresAt: expiry.UnixMilli()}
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store login: %w", err)
	}
	return nil
}

// DeleteCtx ends a sign-in; one that is not there is fine.
func (l Logins) DeleteCtx(ctx context.Context, token string) error {
	return l.d.endHash(ctx, token)
}

// DeleteExpired removes the sign-ins and codes that have expired and says how many
// sign-ins that were.
func (l Logins) DeleteExpired(ctx context.Context) (int64, error) {
	now := l.d.now().UnixMilli()
	if err := l.d.deleteExpiredCodes(ctx, now); err != nil {
		return 0, err
	}
	var n int64
	err := l.d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Table("devices").Where("hash IN (SELECT token FROM logins WHERE expires_at <= ?)", now).Exec(ctx)
		if err != nil {
			return err
		}
		res, err := tx.NewDelete().Model((*loginRow)(nil)).Where("expires_at <= ?", now).Exec(ctx)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete expired logins: %w", err)
	}
	return n, nil
}

// Find is FindCtx for scs, which asks for it but does not call it.
func (l Logins) Find(token string) ([]byte, bool, error) {
	return l.FindCtx(context.Background(), token)
}

// Commit is CommitCtx for scs, which asks for it but does not call it.
func (l Logins) Commit(token string, data []byte, expiry time.Time) error {
	return l.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx for scs, which asks for it but does not call it.
func (l Logins) Delete(token string) error { return l.DeleteCtx(context.Background(), token) }

// Lasting returns which of the logins, by the hashes of their tokens, and which of
// us may still be here: signed in, and not disabled.
func (d *DB) Lasting(ctx context.Context, logins []string, us []chat.UserID) (map[string]bool, map[chat.UserID]bool, error) {
	in, able := make(map[string]bool, len(logins)), make(map[chat.UserID]bool, len(us))
	for part := range slices.Chunk(logins, chunk) {
		var found []string
		err := d.read.NewSelect().Model((*tokenRow)(nil)).Column("hash").Where("hash IN (?)", bun.List(part)).Scan(ctx, &found)
		if err != nil {
			return nil, nil, fmt.Errorf("look for tokens: %w", err)
		}
		var more []string
		err = d.read.NewSelect().Model((*loginRow)(nil)).Column("token").
			Where("token IN (?) AND expires_at > ?", bun.List(part), d.now().UnixMilli()).Scan(ctx, &more)
		if err != nil {
			return nil, nil, fmt.Errorf("look for logins: %w", err)
		}
		for _, l := range append(found, more...) {
			in[l] = true
		}
	}
	for part := range slices.Chunk(us, chunk) {
		var found []string
		err := d.read.NewSelect().Model((*userRow)(nil)).Column("id").Where("id IN (?) AND disabled <> ?", bun.List(part), true).Scan(ctx, &found)
		if err != nil {
			return nil, nil, fmt.Errorf("look for accounts: %w", err)
		}
		for _, u := range found {
			able[chat.UserID(u)] = true
		}
	}
	return in, able, nil
}
