package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// eraseSetting begins the names of settings that say whose messages are still to
// be erased; the value is the conversation that was done last.
const eraseSetting = "erase "

// goneName is what a person is called whose account was deleted, where nothing
// says it in the reader's language.
const goneName = "Deleted account"

// DeleteAccount empties u's account for good: its names, its password, what u said
// of themselves, contacts, sign-ins. It is noted that it leaves its groups, each by
// entries that others post; see Leaving. What u wrote stays, unless erase: then
// EraseSome is to be called until it is done. The last administrator's is refused.
// by is noted.
func (d *DB) DeleteAccount(ctx context.Context, by chat.Deed, u chat.UserID, erase bool) error {
	return d.act(ctx, by, u, func(ctx context.Context, tx bun.Tx, a chat.Account) error {
		if err := d.notLast(ctx, tx, a); err != nil {
			return err
		}
		if err := d.endSignIns(ctx, tx, u); err != nil {
			return err
		}
		for _, t := range [][2]string{
			{"profiles", "user_id"}, {"contacts", "user_id"}, {"contacts", "peer_id"}, {"contact_requests", "from_id"}, {"contact_requests", "to_id"},
			{"totp", "user_id"}, {"passkeys", "user_id"}, {"mutes", "user_id"}, {"quiet", "user_id"}, {"join_requests", "user_id"},
			{"group_invites", "by_id"}, {"invitations", "by_id"}, {"hooks_in", "by_id"}, {"hooks_out", "by_id"},
		} {
			if err := forget(ctx, tx, t[0], t[1], u); err != nil {
				return err
			}
		}
		if err := d.endBots(ctx, tx, u); err != nil {
			return err
		}
		if err := toLeave(ctx, tx, u); err != nil {
			return err
		}
		if err := unwear(ctx, tx, u); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Table("users").
			Set("username = ?, nickname = ?, nick_fold = '', avatar = '', password = ''", chat.GoneUsername(u), goneName).
			Set("admin = ?, disabled = ?, renew = ?, seen_at = 0", false, true, false).Where("id = ?", string(u)).Exec(ctx)
		if err != nil || !erase {
			return err
		}
		_, err = tx.NewInsert().Model(&settingRow{Name: eraseSetting + string(u)}).Exec(ctx)
		return err
	})
}

// endBots disables the bots of u, for which nobody answers any more; they leave
// their groups, too.
func (d *DB) endBots(ctx context.Context, tx bun.Tx, u chat.UserID) error {
	var bots []chat.UserID
	if err := tx.NewSelect().Table("users").Column("id").Where("bot_of = ?", string(u)).Scan(ctx, &bots); err != nil {
		return err
	}
	for _, b := range bots {
		if err := set(ctx, tx, b, "disabled", true); err != nil {
			return err
		}
		if err := d.endSignIns(ctx, tx, b); err != nil {
			return err
		}
		if err := toLeave(ctx, tx, b); err != nil {
			return err
		}
	}
	return nil
}

// erasedAtOnce bounds how many messages one transaction erases, and how many
// conversations one call of EraseSome looks through.
const erasedAtOnce = 500

// EraseSome goes on with erasing what people wrote whose accounts were deleted
// with that wish, for a few hundred conversations of one of them, and reports
// whether there is more to do. n is how many messages it erased. The messages
// become such that were unsent. Whoever finishes one notes that.
func (d *DB) EraseSome(ctx context.Context) (n int, more bool, err error) {
	var todo []settingRow
	if err := d.db.NewSelect().Model(&todo).Where("name >= ? AND name < ?", eraseSetting, eraseSetting+"~").OrderExpr("name").Limit(1).Scan(ctx); err != nil {
		return 0, false, fmt.Errorf("look for what is to be erased: %w", err)
	}
	if len(todo) == 0 {
		return 0, false, nil
	}
	u, done := chat.UserID(strings.TrimPrefix(todo[0].Name, eraseSetting)), todo[0].Value
	var convs []string
	if err := d.read.NewSelect().Table("conversations").Column("id").Where("id > ?", done).OrderExpr("id").Limit(erasedAtOnce).Scan(ctx, &convs); err != nil {
		return 0, false, fmt.Errorf("list conversations: %w", err)
	}
	for _, c := range convs {
		if id := chat.ConvID(c); !id.IsGroup() {
			if _, in := id.Peer(u); !in {
				continue
			}
		}
		k, err := d.eraseIn(ctx, u, c)
		if n += k; err != nil {
			return n, false, err
		}
	}
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if len(convs) == erasedAtOnce {
			_, err := tx.NewUpdate().Model(&settingRow{Name: todo[0].Name, Value: convs[len(convs)-1]}).WherePK().Exec(ctx)
			return err
		}
		res, err := tx.NewDelete().Model(&todo[0]).WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		if k, err := res.RowsAffected(); err != nil || k == 0 {
			return err // another node was faster
		}
		return d.addDeed(ctx, tx, chat.Deed{What: chat.ActErased, Target: string(u)})
	})
	if err != nil {
		return n, false, fmt.Errorf("note what is erased: %w", err)
	}
	return n, true, nil
}

// eraseIn erases what u wrote in one conversation and says how much that was.
func (d *DB) eraseIn(ctx context.Context, u chat.UserID, conv string) (n int, err error) {
	for after, full := int64(0), true; full; {
		err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			var rows []messageRow
			q := tx.NewSelect().Model(&rows)
			if d.mysql { // what somebody says of an entry meanwhile must not bring it back
				q = q.For("UPDATE")
			}
			err := q.Column("conv_id", "seq", "kind", "content").
				Where("conv_id = ? AND author = ? AND seq > ?", conv, string(u), after).
				Where("kind IN (?)", bun.List([]string{string(chat.Text), string(chat.FileK), string(chat.Edit)})).
				OrderExpr("seq").Limit(erasedAtOnce).Scan(ctx, &rows)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := d.eraseOne(ctx, tx, r, false); err != nil {
					return err
				}
			}
			if full = len(rows) == erasedAtOnce; full {
				after = rows[len(rows)-1].Seq
			}
			n += len(rows)
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("erase: %w", err)
		}
	}
	return n, nil
}

// eraseOne makes of an entry one that was unsent, or that has expired, and of an edit
// one that says nothing.
func (d *DB) eraseOne(ctx context.Context, tx bun.Tx, r messageRow, expired bool) error {
	var was chat.Content
	if err := json.Unmarshal([]byte(r.Content), &was); err != nil {
		return err
	}
	now := chat.Lapsed(r.Seq)
	now.Fate.Expired = expired
	if was.Kind == chat.Edit {
		now = chat.Content{Kind: chat.Edit, Of: was.Of}
	}
	p, err := json.Marshal(now)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Table("messages").Set("kind = ?, content = ?", string(now.Kind), string(p)).Where("conv_id = ? AND seq = ?", r.ConvID, r.Seq).Exec(ctx)
	if err != nil || was.File == nil || was.File.UploadID() == "" {
		return err
	}
	id := was.File.UploadID()
	if _, err := tx.NewDelete().Table("file_entries").Where("file_id = ? AND conv_id = ? AND seq = ?", id, r.ConvID, r.Seq).Exec(ctx); err != nil {
		return err
	}
	_, err = tx.NewUpdate().Table("files").Set("state = 1").
		Where("id = ? AND state = 2 AND NOT EXISTS (SELECT 1 FROM file_entries AS e WHERE e.file_id = files.id)", id).
		Where("NOT EXISTS (SELECT 1 FROM users AS a WHERE a.id = files.owner AND SUBSTR(a.avatar, 8, 26) = files.id)").Exec(ctx)
	return err
}

// ErasingOf returns the people whose messages are still being erased.
func (d *DB) ErasingOf(ctx context.Context) ([]chat.UserID, error) {
	var names []string
	err := d.read.NewSelect().Model((*settingRow)(nil)).Column("name").Where("name >= ? AND name < ?", eraseSetting, eraseSetting+"~").Scan(ctx, &names)
	if err != nil {
		return nil, fmt.Errorf("look for what is to be erased: %w", err)
	}
	us := make([]chat.UserID, 0, len(names))
	for _, n := range slices.Sorted(slices.Values(names)) {
		us = append(us, chat.UserID(strings.TrimPrefix(n, eraseSetting)))
	}
	return us, nil
}
