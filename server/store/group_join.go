package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type groupInviteRow struct {
	bun.BaseModel `bun:"table:group_invites,alias:i"`

	Code      string `bun:"code,pk"`
	ConvID    string `bun:"conv_id"`
	ByID      string `bun:"by_id"`
	Most      int    `bun:"most"`
	Uses      int    `bun:"uses"`
	ExpiresAt int64  `bun:"expires_at"`
	CreatedAt int64  `bun:"created_at"`
}

func (r groupInviteRow) invite() chat.GroupInvite {
	return chat.GroupInvite{
		Code: r.Code, Conv: chat.ConvID(r.ConvID), By: chat.UserID(r.ByID), Most: r.Most, Uses: r.Uses, ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt,
	}
}

// maxGroupInvites bounds the links of a group: a page for people to read.
const maxGroupInvites = 50

// errNoLink is the answer to a link that lets nobody in.
var errNoLink = chat.Refuse(chat.NotFound, "the invite link is not valid any more")

// AddGroupInvite stores a link into a group. Links that have expired go. It answers
// chat.TooLong where there are 50 that have not.
func (d *DB) AddGroupInvite(ctx context.Context, i chat.GroupInvite) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lock(ctx, tx, "conversations", string(i.Conv)); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*groupInviteRow)(nil)).Where("conv_id = ? AND expires_at > 0 AND expires_at <= ?", string(i.Conv), i.CreatedAt).Exec(ctx); err != nil {
			return err
		}
		n, err := tx.NewSelect().Model((*groupInviteRow)(nil)).Where("conv_id = ?", string(i.Conv)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxGroupInvites {
			return chat.Refuse(chat.TooLong, "the group has too many invite links: withdraw some")
		}
		r := groupInviteRow{Code: i.Code, ConvID: string(i.Conv), ByID: string(i.By), Most: i.Most, ExpiresAt: i.ExpiresAt, CreatedAt: i.CreatedAt}
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store invite link: %w", err)
	}
	return nil
}

// GroupInvite returns a link by its code, or chat.NotFound.
func (d *DB) GroupInvite(ctx context.Context, code string) (chat.GroupInvite, error) {
	var rows []groupInviteRow
	if storable(code) {
		if err := d.db.NewSelect().Model(&rows).Where("code = ?", code).Scan(ctx); err != nil {
			return chat.GroupInvite{}, fmt.Errorf("read invite link: %w", err)
		}
	}
	if len(rows) == 0 {
		return chat.GroupInvite{}, errNoLink
	}
	return rows[0].invite(), nil
}

// GroupInvites returns the links into a group, the newest first, at most 50.
func (d *DB) GroupInvites(ctx context.Context, conv chat.ConvID) ([]chat.GroupInvite, error) {
	var rows []groupInviteRow
	err := d.db.NewSelect().Model(&rows).Where("conv_id = ?", string(conv)).OrderExpr("created_at DESC, code").Limit(maxGroupInvites).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read invite links: %w", err)
	}
	is := make([]chat.GroupInvite, len(rows))
	for i, r := range rows {
		is[i] = r.invite()
	}
	return is, nil
}

// DeleteGroupInvite removes a link into conv; one that is not there is fine.
func (d *DB) DeleteGroupInvite(ctx context.Context, conv chat.ConvID, code string) error {
	if !storable(code) {
		return nil
	}
	if _, err := d.db.NewDelete().Model((*groupInviteRow)(nil)).Where("code = ? AND conv_id = ?", code, string(conv)).Exec(ctx); err != nil {
		return fmt.Errorf("delete invite link: %w", err)
	}
	return nil
}

// UseGroupInvite counts a use of a link at a time in Unix milliseconds, or answers
// chat.NotFound where it lets nobody in any more. So many at once as there may be
// are let in, and no more.
func (d *DB) UseGroupInvite(ctx context.Context, code string, at int64) error {
	if !storable(code) {
		return errNoLink
	}
	var n int64
	err := d.persist(ctx, func() error {
		res, err := d.db.NewUpdate().Model((*groupInviteRow)(nil)).Set("uses = uses + 1").
			Where("code = ? AND (most = 0 OR uses < most) AND (expires_at = 0 OR expires_at > ?)", code, at).Exec(ctx)
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("use invite link: %w", err)
	}
	if n == 0 {
		return errNoLink
	}
	return nil
}

// ReturnGroupInvite takes a use back that came to nothing.
func (d *DB) ReturnGroupInvite(ctx context.Context, code string) error {
	err := d.persist(ctx, func() error {
		_, err := d.db.NewUpdate().Model((*groupInviteRow)(nil)).Set("uses = uses - 1").Where("code = ? AND uses > 0", code).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("return invite link: %w", err)
	}
	return nil
}

type joinRow struct {
	bun.BaseModel `bun:"table:join_requests,alias:j"`

	ConvID  string `bun:"conv_id,pk"`
	UserID  string `bun:"user_id,pk"`
	Message string `bun:"message"`
	State   int    `bun:"state"`
	ByID    string `bun:"by_id"`
	At      int64  `bun:"at"`
}

func (r joinRow) request() chat.JoinRequest {
	return chat.JoinRequest{
		Conv: chat.ConvID(r.ConvID), User: chat.UserID(r.UserID), Message: r.Message, State: chat.JoinState(r.State), By: chat.UserID(r.ByID), At: r.At,
	}
}

// SetJoinRequest stores a request in place of one of the same person before.
func (d *DB) SetJoinRequest(ctx context.Context, j chat.JoinRequest) error {
	r := joinRow{ConvID: string(j.Conv), UserID: string(j.User), Message: j.Message, State: int(j.State), ByID: string(j.By), At: j.At}
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store join request: %w", err)
	}
	return nil
}

// JoinRequest returns what u asked of conv, or chat.NotFound.
func (d *DB) JoinRequest(ctx context.Context, conv chat.ConvID, u chat.UserID) (chat.JoinRequest, error) {
	var rows []joinRow
	if err := d.db.NewSelect().Model(&rows).Where("conv_id = ? AND user_id = ?", string(conv), string(u)).Scan(ctx); err != nil {
		return chat.JoinRequest{}, fmt.Errorf("read join request: %w", err)
	}
	if len(rows) == 0 {
		return chat.JoinRequest{}, chat.Refuse(chat.NotFound, "there is no such request")
	}
	return rows[0].request(), nil
}

// JoinRequests returns those who wait to come into conv, the longest first, at most
// limit, and where the next page begins, empty at the end.
func (d *DB) JoinRequests(ctx context.Context, conv chat.ConvID, after string, limit int) ([]chat.JoinRequest, string, error) {
	behind, err := placeOf(after)
	if err != nil {
		return nil, "", err
	}
	var rows []joinRow
	q := d.db.NewSelect().Model(&rows).Where("conv_id = ? AND state = ?", string(conv), int(chat.JoinWaits)).OrderExpr("at, user_id").Limit(int64(limit + 1))
	if behind != nil {
		q = q.Where("(at > ? OR at = ? AND user_id > ?)", behind.Num, behind.Num, behind.ID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list join requests: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = place{ID: rows[limit-1].UserID, Num: rows[limit-1].At}.String()
	}
	js := make([]chat.JoinRequest, len(rows))
	for i, r := range rows {
		js[i] = r.request()
	}
	return js, next, nil
}

// JoinsWaiting counts those who wait to come into conv.
func (d *DB) JoinsWaiting(ctx context.Context, conv chat.ConvID) (int, error) {
	n, err := d.db.NewSelect().Model((*joinRow)(nil)).Where("conv_id = ? AND state = ?", string(conv), int(chat.JoinWaits)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count join requests: %w", err)
	}
	return int(n), nil
}

// AnswerJoinRequest takes a request from one state to another, once: of several who
// answer at once one is told true.
func (d *DB) AnswerJoinRequest(ctx context.Context, j chat.JoinRequest, from chat.JoinState) (bool, error) {
	var n int64
	err := d.persist(ctx, func() error {
		res, err := d.db.NewUpdate().Model((*joinRow)(nil)).Set("state = ?, by_id = ?, at = ?", int(j.State), string(j.By), j.At).
			Where("conv_id = ? AND user_id = ? AND state = ?", string(j.Conv), string(j.User), int(from)).Exec(ctx)
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("answer join request: %w", err)
	}
	return n == 1, nil
}

// DropJoinRequest forgets what u asked of conv; nothing is fine.
func (d *DB) DropJoinRequest(ctx context.Context, conv chat.ConvID, u chat.UserID) error {
	if _, err := d.db.NewDelete().Model((*joinRow)(nil)).Where("conv_id = ? AND user_id = ?", string(conv), string(u)).Exec(ctx); err != nil {
		return fmt.Errorf("drop join request: %w", err)
	}
	return nil
}
