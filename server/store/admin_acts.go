package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// lockName is the setting whose row is locked by whoever changes who is an
// administrator, so that two who remove each other come one after the other.
const lockName = "administrators"

var (
	errLastAdmin = chat.Refuse(chat.Forbidden, "the last administrator can't go")
	errGone      = chat.Refuse(chat.NotFound, "the account is deleted")
)

// act runs f on u's account in one transaction that notes by. Nobody else changes
// who is an administrator meanwhile. f is given the account as it is.
func (d *DB) act(ctx context.Context, by chat.Deed, u chat.UserID, f func(context.Context, bun.Tx, chat.Account) error) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.lockAdmins(ctx, tx); err != nil {
			return err
		}
		a, err := d.account(ctx, tx, "id = ?", string(u))
		if err != nil {
			return err
		}
		if a.Gone() {
			return errGone
		}
		if err := f(ctx, tx, a); err != nil {
			return err
		}
		by.Target = string(u)
		return d.addDeed(ctx, tx, by)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", by.What, err)
	}
	return nil
}

// lockAdmins waits until no other transaction changes who is an administrator. On
// SQLite transactions come one after the other anyway.
func (d *DB) lockAdmins(ctx context.Context, tx bun.Tx) error {
	if !d.mysql {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES (?, '') ON DUPLICATE KEY UPDATE value = ''", lockName)
	return err
}

// notLast answers errLastAdmin where a is the only administrator who can sign in.
func (d *DB) notLast(ctx context.Context, tx bun.Tx, a chat.Account) error {
	if !a.Admin || a.Disabled {
		return nil
	}
	n, err := tx.NewSelect().Model((*userRow)(nil)).Where("admin = ? AND disabled <> ? AND id <> ?", true, true, string(a.ID)).Count(ctx)
	if err == nil && n == 0 {
		return errLastAdmin
	}
	return err
}

// set changes one column of an account.
func set(ctx context.Context, tx bun.Tx, u chat.UserID, col string, v any) error {
	_, err := tx.NewUpdate().Model((*userRow)(nil)).Set("? = ?", bun.Ident(col), v).Where("id = ?", string(u)).Exec(ctx)
	return err
}

// SetDisabled disables u's account, which ends all that u is signed in with, or
// enables it again. The last administrator's is refused. by is noted.
func (d *DB) SetDisabled(ctx context.Context, by chat.Deed, u chat.UserID, off bool) error {
	return d.act(ctx, by, u, func(ctx context.Context, tx bun.Tx, a chat.Account) error {
		if !off {
			return set(ctx, tx, u, "disabled", false)
		}
		if err := d.notLast(ctx, tx, a); err != nil {
			return err
		}
		if err := set(ctx, tx, u, "disabled", true); err != nil {
			return err
		}
		return d.endSignIns(ctx, tx, u)
	})
}

// SetAdmin makes u an administrator, or no longer one. The last one is refused. by
// is noted.
func (d *DB) SetAdmin(ctx context.Context, by chat.Deed, u chat.UserID, on bool) error {
	return d.act(ctx, by, u, func(ctx context.Context, tx bun.Tx, a chat.Account) error {
		switch {
		case on && (a.Disabled || a.Bot != ""):
			return chat.Refuse(chat.Forbidden, "only a person who can sign in can be an administrator")
		case !on:
			if err := d.notLast(ctx, tx, a); err != nil {
				return err
			}
		}
		return set(ctx, tx, u, "admin", on)
	})
}

// ResetPassword gives u another password, to be changed at the next sign-in, ends
// all that u is signed in with and takes second factors and passkeys away: who lost
// them gets in again, and who had put theirs there does not. by is noted.
func (d *DB) ResetPassword(ctx context.Context, by chat.Deed, u chat.UserID, hash string) error {
	return d.act(ctx, by, u, func(ctx context.Context, tx bun.Tx, a chat.Account) error {
		if a.Bot != "" {
			return chat.Refuse(chat.Forbidden, "a bot has no password")
		}
		if err := set(ctx, tx, u, "password", hash); err != nil {
			return err
		}
		if err := set(ctx, tx, u, "renew", true); err != nil {
			return err
		}
		// Nor by a phone that they had put there.
		if _, err := tx.NewUpdate().Table("profiles").Set("confirmed = ''").Where("user_id = ?", string(u)).Exec(ctx); err != nil {
			return err
		}
		for _, table := range []string{"totp", "passkeys"} {
			if err := forget(ctx, tx, table, "user_id", u); err != nil {
				return err
			}
		}
		return d.endSignIns(ctx, tx, u)
	})
}

// endSignIns ends everything that u is signed in with: browsers, programs, and
// what is told to either. Sockets are for who calls it.
func (d *DB) endSignIns(ctx context.Context, tx bun.Tx, u chat.UserID) error {
	tokens, err := d.loginsOf(ctx, tx, u)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(tokens, chunk) {
		if _, err := tx.NewDelete().Model((*loginRow)(nil)).Where("token IN (?)", bun.List(part)).Exec(ctx); err != nil {
			return err
		}
	}
	for _, table := range []string{"tokens", "devices", "push_subscriptions"} {
		if err := forget(ctx, tx, table, "user_id", u); err != nil {
			return err
		}
	}
	return nil
}

// loginsOf returns the hashes of u's sign-ins with browsers: those that devices
// names, and older ones, which only say in their data whose they are, as
// encoding/gob writes a text: its length, then its bytes.
func (d *DB) loginsOf(ctx context.Context, tx bun.Tx, u chat.UserID) ([]string, error) {
	var tokens []string
	err := tx.NewSelect().Model((*loginRow)(nil)).Column("token").
		Where("token IN (SELECT hash FROM devices WHERE user_id = ?) OR INSTR(data, ?) > 0", string(u), append([]byte{byte(len(u))}, u...)).
		Scan(ctx, &tokens)
	return tokens, err
}

// forget removes the rows of a table that are about u.
func forget(ctx context.Context, tx bun.Tx, table, col string, u chat.UserID) error {
	_, err := tx.NewDelete().Table(table).Where("? = ?", bun.Ident(col), string(u)).Exec(ctx)
	return err
}

// SetGroupState disables a group (1), enables it (0) or dismisses it for good
// (2). by is noted.
func (d *DB) SetGroupState(ctx context.Context, by chat.Deed, conv chat.ConvID, state int) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if !conv.IsGroup() {
			return chat.Refuse(chat.NotFound, "no such group")
		}
		// A group that is dismissed stays so.
		res, err := tx.NewUpdate().Table("conversations").Set("state = ?", state).Where("id = ? AND state <> ?", string(conv), 2).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 { // dismissed or not there; MySQL also counts what is as it was as nothing
			var now []int
			if err := tx.NewSelect().Table("conversations").Column("state").Where("id = ?", string(conv)).Scan(ctx, &now); err != nil {
				return err
			}
			switch {
			case len(now) == 0:
				return chat.Refuse(chat.NotFound, "no such group")
			case now[0] == 2:
				return chat.Refuse(chat.Forbidden, "the group is dismissed")
			}
		}
		by.Target = string(conv)
		return d.addDeed(ctx, tx, by)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", by.What, err)
	}
	return nil
}
