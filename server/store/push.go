package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type subscriptionRow struct {
	bun.BaseModel `bun:"table:push_subscriptions,alias:s"`

	Hash      string `bun:"hash,pk"`
	UserID    string `bun:"user_id"`
	Login     string `bun:"login"`
	Endpoint  string `bun:"endpoint"`
	P256dh    string `bun:"p256dh"`
	Auth      string `bun:"auth"`
	Site      string `bun:"site"`
	Lang      string `bun:"lang"`
	CreatedAt int64  `bun:"created_at"`
	ExpiresAt int64  `bun:"expires_at"`
}

func (r subscriptionRow) subscription() chat.Subscription {
	return chat.Subscription{
		User: chat.UserID(r.UserID), Login: r.Login, Endpoint: r.Endpoint, P256dh: r.P256dh, Auth: r.Auth,
		Site: r.Site, Lang: r.Lang, Until: r.ExpiresAt,
	}
}

// endpointHash is what a subscription is found by: endpoints are too long for a key.
func endpointHash(endpoint string) string {
	sum := sha256.Sum256([]byte(endpoint))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// SettingOnce stores a single value unless there is one, and returns the one
// that there is: the same on all nodes that ask at once.
func (d *DB) SettingOnce(ctx context.Context, name, value string) (string, error) {
	for {
		if v, err := d.Setting(ctx, name); err != nil || v != "" {
			return v, err
		}
		r := settingRow{Name: name, Value: value}
		_, err := d.db.NewInsert().Model(&r).Exec(ctx)
		if err == nil {
			return value, nil
		}
		if !isUnique(err) {
			return "", fmt.Errorf("store setting: %w", err)
		}
	}
}

// AddSubscription stores s in place of one with the same endpoint, whosever it
// was. Of more than most of one person the oldest go.
func (d *DB) AddSubscription(ctx context.Context, s chat.Subscription, most int) error {
	r := subscriptionRow{
		Hash: endpointHash(s.Endpoint), UserID: string(s.User), Login: s.Login, Endpoint: s.Endpoint, P256dh: s.P256dh, Auth: s.Auth,
		Site: s.Site, Lang: s.Lang, CreatedAt: d.now().UnixMilli(), ExpiresAt: s.Until,
	}
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		var others []string
		err := tx.NewSelect().Model((*subscriptionRow)(nil)).Column("hash").Where("user_id = ?", r.UserID).
			OrderExpr("created_at DESC, hash").Scan(ctx, &others)
		if err != nil {
			return err
		}
		if len(others) >= most {
			if _, err := tx.NewDelete().Model((*subscriptionRow)(nil)).Where("hash IN (?)", bun.List(others[most-1:])).Exec(ctx); err != nil {
				return err
			}
		}
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store subscription: %w", err)
	}
	return nil
}

// DeleteSubscription forgets a subscription of u; one that is not there, or
// somebody else's, is fine.
func (d *DB) DeleteSubscription(ctx context.Context, u chat.UserID, endpoint string) error {
	return d.forgetSubscriptions(ctx, "hash = ? AND user_id = ?", endpointHash(endpoint), string(u))
}

// DeleteSubscriptionsOf forgets what was subscribed with a login; none is fine.
func (d *DB) DeleteSubscriptionsOf(ctx context.Context, u chat.UserID, login string) error {
	return d.forgetSubscriptions(ctx, "login = ? AND user_id = ?", login, string(u))
}

// DeleteExpiredSubscriptions forgets those whose logins have expired.
func (d *DB) DeleteExpiredSubscriptions(ctx context.Context) error {
	return d.forgetSubscriptions(ctx, "expires_at > 0 AND expires_at <= ?", d.now().UnixMilli())
}

func (d *DB) forgetSubscriptions(ctx context.Context, where string, args ...any) error {
	if _, err := d.db.NewDelete().Model((*subscriptionRow)(nil)).Where(where, args...).Exec(ctx); err != nil {
		return fmt.Errorf("delete subscriptions: %w", err)
	}
	return nil
}

// HasSubscriptions reports whether anybody has one.
func (d *DB) HasSubscriptions(ctx context.Context) (bool, error) {
	some, err := d.read.NewSelect().Model((*subscriptionRow)(nil)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for subscriptions: %w", err)
	}
	return some, nil
}

// live leaves out subscriptions of logins that have expired.
const live = "(s.expires_at = 0 OR s.expires_at > ?)"

// Subscriptions returns the subscriptions of people who are not disabled, by person, oldest first.
func (d *DB) Subscriptions(ctx context.Context, us ...chat.UserID) ([]chat.Subscription, error) {
	var out []chat.Subscription
	for part := range slices.Chunk(us, chunk) {
		var rows []subscriptionRow
		err := d.read.NewSelect().Model(&rows).Join("JOIN users AS u ON u.id = s.user_id AND u.disabled <> ?", true).
			Where("s.user_id IN (?)", bun.List(part)).Where(live, d.now().UnixMilli()).
			OrderExpr("s.user_id, s.created_at, s.hash").Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("read subscriptions: %w", err)
		}
		for _, r := range rows {
			out = append(out, r.subscription())
		}
	}
	return out, nil
}

// Listeners returns the members of convs who have subscriptions. Who has put one
// into the folder below does not listen to it.
func (d *DB) Listeners(ctx context.Context, convs ...chat.ConvID) ([]chat.Listener, error) {
	if len(convs) == 0 {
		return nil, nil
	}
	var rows []struct {
		memberRow `bun:",extend"`
		UntilAt   int64 `bun:"until_at"`
	}
	// EXISTS asks for one member at a time, by index: IN would look at everybody
	// who has subscriptions, once for each conversation.
	err := d.read.NewSelect().TableExpr("members AS m").
		ColumnExpr("m.conv_id, m.user_id, m.delivered_seq, m.read_seq, COALESCE(q.until_at, 0) AS until_at").
		Join("LEFT JOIN mutes AS q ON q.user_id = m.user_id AND q.conv_id = m.conv_id").
		Where("m.conv_id IN (?) AND m.archived = ?", bun.List(convs), false).
		Where("EXISTS (SELECT 1 FROM push_subscriptions AS s WHERE s.user_id = m.user_id AND "+live+")", d.now().UnixMilli()).
		OrderExpr("m.conv_id, m.user_id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read listeners: %w", err)
	}
	ls := make([]chat.Listener, len(rows))
	for i, r := range rows {
		ls[i] = chat.Listener{Marks: r.marks(), Muted: r.UntilAt}
	}
	return ls, nil
}

// UnreadTotals returns how much of what others said people have not read, in all
// their conversations together but for those in the folder below, as Summaries counts it. Nobody with none is in it.
func (d *DB) UnreadTotals(ctx context.Context, us ...chat.UserID) (map[chat.UserID]int64, error) {
	out := map[chat.UserID]int64{}
	for part := range slices.Chunk(us, chunk) {
		var rows []struct {
			UserID string
			Unread int64
		}
		err := d.read.NewSelect().TableExpr("members AS m").Join("JOIN conversations AS c ON c.id = m.conv_id AND c.last_seq > m.read_seq").
			ColumnExpr("m.user_id, SUM("+unread("c")+") AS unread").
			Where("m.user_id IN (?) AND m.archived = ?", bun.List(part), false).GroupExpr("m.user_id").Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("count unread: %w", err)
		}
		for _, r := range rows {
			if r.Unread > 0 {
				out[chat.UserID(r.UserID)] = r.Unread
			}
		}
	}
	return out, nil
}
