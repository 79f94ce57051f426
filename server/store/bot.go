package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// AddBot stores a bot of by, who has at most most of them, or answers chat.Taken
// or chat.Full.
func (d *DB) AddBot(ctx context.Context, p chat.Person, by chat.UserID, most int, at int64) error {
	return added(d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lock(ctx, tx, "users", string(by)); err != nil {
			return err
		}
		n, err := tx.NewSelect().Model((*userRow)(nil)).Where("bot_of = ? AND disabled <> ?", string(by), true).Count(ctx)
		if err != nil {
			return err
		}
		if int(n) >= most {
			return chat.Refuse(chat.Full, "you have as many bots as one may have")
		}
		p.BotOf = by
		r := newUserRow(p, "", at)
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	}))
}

// BotsOf returns the bots of by that are in use, by username.
func (d *DB) BotsOf(ctx context.Context, by chat.UserID) ([]chat.Person, error) {
	var rows []userRow
	if err := d.read.NewSelect().Model(&rows).Where("bot_of = ? AND disabled <> ?", string(by), true).Order("username").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read bots: %w", err)
	}
	return persons(rows), nil
}

// EndBot disables a bot for good and forgets its tokens. Its name becomes free.
func (d *DB) EndBot(ctx context.Context, bot chat.UserID) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*tokenRow)(nil)).Where("user_id = ?", string(bot)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model((*userRow)(nil)).Set("disabled = ?", true).Set("username = ?", chat.GoneUsername(bot)).
			Where("id = ? AND bot_of <> ''", string(bot)).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("end bot: %w", err)
	}
	return nil
}

// AddBotToken stores a token of a bot, which has at most most of them, or answers chat.Full.
func (d *DB) AddBotToken(ctx context.Context, bot chat.UserID, t chat.Token, most int) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lock(ctx, tx, "users", string(bot)); err != nil {
			return err
		}
		n, err := tx.NewSelect().Model((*tokenRow)(nil)).Where("user_id = ?", string(bot)).Count(ctx)
		if err != nil {
			return err
		}
		if int(n) >= most {
			return chat.Refuse(chat.Full, "the bot has as many tokens as one may have")
		}
		r := tokenRow{Hash: t.ID, UserID: string(bot), CreatedAt: t.At, Name: t.Name, Scopes: strings.Join(t.Scopes, " ")}
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store token: %w", err)
	}
	return nil
}

// BotTokens returns the tokens of a bot, oldest first.
func (d *DB) BotTokens(ctx context.Context, bot chat.UserID) ([]chat.Token, error) {
	var rows []tokenRow
	if err := d.read.NewSelect().Model(&rows).Where("user_id = ?", string(bot)).Order("created_at", "hash").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	ts := make([]chat.Token, len(rows))
	for i, r := range rows {
		ts[i] = chat.Token{ID: r.Hash, Name: r.Name, Scopes: strings.Fields(r.Scopes), At: r.CreatedAt}
	}
	return ts, nil
}

// DeleteBotToken forgets a token of a bot; one that is not there is fine.
func (d *DB) DeleteBotToken(ctx context.Context, bot chat.UserID, id string) error {
	if _, err := d.db.NewDelete().Model((*tokenRow)(nil)).Where("hash = ? AND user_id = ?", id, string(bot)).Exec(ctx); err != nil {
		return fmt.Errorf("delete token: %w", err)
	}
	return nil
}
