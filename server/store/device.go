package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type deviceRow struct {
	bun.BaseModel `bun:"table:devices,alias:d"`

	Hash      string `bun:"hash,pk"`
	Login     string `bun:"login"`
	UserID    string `bun:"user_id"`
	Kind      string `bun:"kind"`
	Agent     string `bun:"agent"`
	Addr      string `bun:"addr"`
	CreatedAt int64  `bun:"created_at"`
	SeenAt    int64  `bun:"seen_at"`
}

func newDeviceRow(s chat.SignIn) deviceRow {
	return deviceRow{
		Hash: s.Hash, Login: s.ID, UserID: string(s.User), Kind: s.Kind, Agent: cut(s.Agent, 255), Addr: cut(s.Addr, 64),
		CreatedAt: s.CreatedAt, SeenAt: s.SeenAt,
	}
}

// AddDevice notes a sign-in that was stored a moment ago.
func (d *DB) AddDevice(ctx context.Context, s chat.SignIn) error {
	r := newDeviceRow(s)
	if _, err := d.db.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("note sign-in: %w", err)
	}
	return nil
}

// Devices returns where u is signed in, last used first. Sign-ins whose time is
// over are left out.
func (d *DB) Devices(ctx context.Context, u chat.UserID) ([]chat.SignIn, error) {
	var rows []deviceRow
	err := d.db.NewSelect().Model(&rows).Where("user_id = ?", string(u)).
		Where("(EXISTS (SELECT 1 FROM tokens AS t WHERE t.hash = d.hash) OR EXISTS (SELECT 1 FROM logins AS l WHERE l.token = d.hash AND l.expires_at > ?))", d.now().UnixMilli()).
		OrderExpr("seen_at DESC, created_at DESC, hash").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sign-ins: %w", err)
	}
	ss := make([]chat.SignIn, len(rows))
	for i, r := range rows {
		ss[i] = chat.SignIn{
			ID: r.Login, Kind: r.Kind, Agent: r.Agent, Addr: r.Addr, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, Hash: r.Hash, User: chat.UserID(r.UserID),
		}
	}
	return ss, nil
}

// SawDevices notes that sign-ins were used, each at its SeenAt, where what is
// noted is older than by step milliseconds. Those that have a User and were not
// noted yet, as they are from before there was a list, are noted now, unless they
// have ended.
func (d *DB) SawDevices(ctx context.Context, ss []chat.SignIn, step int64) error {
	for part := range slices.Chunk(ss, chunk) {
		if err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return d.sawSome(ctx, tx, part, step) }); err != nil {
			return fmt.Errorf("note what is used: %w", err)
		}
	}
	return nil
}

func (d *DB) sawSome(ctx context.Context, tx bun.Tx, ss []chat.SignIn, step int64) error {
	hashes := make([]string, len(ss))
	for i, s := range ss {
		hashes[i] = s.Hash
	}
	var rows []deviceRow
	if err := tx.NewSelect().Model(&rows).Column("hash", "addr", "seen_at").Where("hash IN (?)", bun.List(hashes)).Scan(ctx); err != nil {
		return err
	}
	noted := make(map[string]deviceRow, len(rows))
	for _, r := range rows {
		noted[r.Hash] = r
	}
	for _, s := range ss {
		was, ok := noted[s.Hash]
		switch {
		case ok && s.SeenAt-was.SeenAt >= step:
			q := tx.NewUpdate().Model((*deviceRow)(nil)).Set("seen_at = ?", s.SeenAt).Where("hash = ?", s.Hash)
			if s.Addr != "" {
				q = q.Set("addr = ?", cut(s.Addr, 64))
			}
			if _, err := q.Exec(ctx); err != nil {
				return err
			}
		case !ok && s.User != "":
			if err := d.noteOld(ctx, tx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteOld notes a sign-in that lasts and was not noted.
func (d *DB) noteOld(ctx context.Context, tx bun.Tx, s chat.SignIn) error {
	token, err := tx.NewSelect().Model((*tokenRow)(nil)).Where("hash = ? AND user_id = ? AND scopes = ''", s.Hash, string(s.User)).Exists(ctx)
	if err != nil {
		return err
	}
	cookie, err := tx.NewSelect().Model((*loginRow)(nil)).Where("token = ?", s.Hash).Exists(ctx)
	if err != nil || !token && !cookie {
		return err
	}
	r := newDeviceRow(s)
	if _, err = tx.NewInsert().Model(&r).Exec(ctx); isUnique(err) {
		return errContended // another node notes it, too: look again
	}
	return err
}

// EndDevice ends the sign-in of u whose sockets go by login, and what is told to
// it, or answers chat.ErrNotFound. Its sockets are for who calls it.
func (d *DB) EndDevice(ctx context.Context, u chat.UserID, login string) error {
	if !storable(login) {
		return chat.ErrNotFound
	}
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var hashes []string
		err := tx.NewSelect().Model((*deviceRow)(nil)).Column("hash").Where("user_id = ? AND login = ?", string(u), login).Scan(ctx, &hashes)
		if err != nil {
			return err
		}
		if len(hashes) == 0 {
			return chat.ErrNotFound
		}
		if err := endHashes(ctx, tx, hashes); err != nil {
			return err
		}
		_, err = tx.NewDelete().Model((*subscriptionRow)(nil)).Where("user_id = ? AND login = ?", string(u), login).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("end sign-in: %w", err)
	}
	return nil
}

// endHashes ends sign-ins by what is stored of them.
func endHashes(ctx context.Context, tx bun.Tx, hashes []string) error {
	for part := range slices.Chunk(hashes, chunk) {
		for _, t := range [][2]string{{"logins", "token"}, {"tokens", "hash"}, {"devices", "hash"}} {
			if _, err := tx.NewDelete().Table(t[0]).Where("? IN (?)", bun.Ident(t[1]), bun.List(part)).Exec(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// EndOthers ends all that u is signed in with but keep, and what is told to it. It
// returns what the sockets of those that ended go by, for who calls it.
func (d *DB) EndOthers(ctx context.Context, u chat.UserID, keep chat.SignIn) (logins []string, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		logins, err = d.endOthers(ctx, tx, u, keep)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("end sign-ins: %w", err)
	}
	return logins, nil
}

func (d *DB) endOthers(ctx context.Context, tx bun.Tx, u chat.UserID, keep chat.SignIn) (logins []string, err error) {
	if err := tx.NewSelect().Model((*deviceRow)(nil)).Column("login").Where("user_id = ? AND hash <> ?", string(u), keep.Hash).Scan(ctx, &logins); err != nil {
		return nil, err
	}
	cookies, err := d.loginsOf(ctx, tx, u)
	if err != nil {
		return nil, err
	}
	var tokens []string
	if err := tx.NewSelect().Model((*tokenRow)(nil)).Column("hash").Where("user_id = ?", string(u)).Scan(ctx, &tokens); err != nil {
		return nil, err
	}
	hashes := slices.DeleteFunc(append(cookies, tokens...), func(h string) bool { return h == keep.Hash })
	if err := endHashes(ctx, tx, hashes); err != nil {
		return nil, err
	}
	if _, err := tx.NewDelete().Model((*deviceRow)(nil)).Where("user_id = ? AND hash <> ?", string(u), keep.Hash).Exec(ctx); err != nil {
		return nil, err
	}
	_, err = tx.NewDelete().Model((*subscriptionRow)(nil)).Where("user_id = ? AND login <> ?", string(u), keep.ID).Exec(ctx)
	return logins, err
}

// ChangePassword gives u another password in place of the one whose hash was was,
// and ends all that u is signed in with but keep, both or neither. It returns what
// the sockets of those that ended go by, and answers chat.Taken where the password
// is another by now.
func (d *DB) ChangePassword(ctx context.Context, u chat.UserID, was, hash string, keep chat.SignIn) (logins []string, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*userRow)(nil)).Set("password = ?, renew = ?", hash, false).
			Where("id = ? AND password = ? AND disabled = ?", string(u), was, false).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return chat.Refuse(chat.Taken, "the password was changed meanwhile")
		}
		logins, err = d.endOthers(ctx, tx, u, keep)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("change password: %w", err)
	}
	return logins, nil
}
