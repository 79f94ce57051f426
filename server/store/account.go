package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID        string `bun:"id,pk"`
	Username  string `bun:"username"`
	Nickname  string `bun:"nickname"`
	NickFold  string `bun:"nick_fold"`
	Avatar    string `bun:"avatar"`
	Password  string `bun:"password"`
	Admin     bool   `bun:"admin"`
	Disabled  bool   `bun:"disabled"`
	CreatedAt int64  `bun:"created_at"`
	Renew     bool   `bun:"renew"`
	BotOf     string `bun:"bot_of"`
	Hook      bool   `bun:"hook"`
}

func newUserRow(p chat.Person, hash string, at int64) userRow {
	return userRow{
		ID: string(p.ID), Username: p.Username, Nickname: p.Nickname, NickFold: strings.ToLower(p.Nickname),
		Avatar: p.Avatar, Password: hash, Admin: p.Admin, Disabled: p.Disabled, CreatedAt: at,
		BotOf: string(p.BotOf), Hook: p.Hook,
	}
}

func (r userRow) person() chat.Person {
	return chat.Person{
		ID: chat.UserID(r.ID), Username: r.Username, Nickname: r.Nickname, Avatar: r.Avatar,
		Admin: r.Admin, Disabled: r.Disabled, Renew: r.Renew, BotOf: chat.UserID(r.BotOf), Bot: r.BotOf != "", Hook: r.Hook,
	}
}

func persons(rows []userRow) []chat.Person {
	ps := make([]chat.Person, len(rows))
	for i, r := range rows {
		ps[i] = r.person()
	}
	return ps
}

// chunk is how many rows one of Bun's INSERTs holds, or ids one IN: few enough for
// the 32,766 parameters and the statement sizes that databases allow.
const chunk = 500

// AddUser stores a new person with a password hash, or answers chat.Taken.
func (d *DB) AddUser(ctx context.Context, p chat.Person, hash string, at int64) error {
	r := newUserRow(p, hash, at)
	_, err := d.db.NewInsert().Model(&r).Exec(ctx)
	return added(err)
}

// AddUsers stores people without passwords, and tokenHashes[i] for ps[i], all
// or none, and notes by. It answers chat.Taken when a username is in use.
func (d *DB) AddUsers(ctx context.Context, ps []chat.Person, tokenHashes []string, at int64, by ...chat.Deed) error {
	return added(d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, b := range by {
			if err := d.addDeed(ctx, tx, b); err != nil {
				return err
			}
		}
		for i := 0; i < len(ps); i += chunk {
			end := min(i+chunk, len(ps))
			users, tokens := make([]userRow, 0, end-i), make([]tokenRow, 0, end-i)
			for j := i; j < end; j++ {
				users = append(users, newUserRow(ps[j], "", at))
				tokens = append(tokens, tokenRow{Hash: tokenHashes[j], UserID: string(ps[j].ID), CreatedAt: at})
			}
			if _, err := tx.NewInsert().Model(&users).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(&tokens).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// AddFirstAdmin stores the first administrator and removes the setting name,
// both or neither. It answers chat.Forbidden when there is an administrator
// already or when the setting is not value.
func (d *DB) AddFirstAdmin(ctx context.Context, p chat.Person, hash string, at int64, name, value string) error {
	return added(d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewDelete().Model((*settingRow)(nil)).Where("name = ? AND value = ?", name, value).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, chat.Refuse(chat.Forbidden, "the setup link is not valid"))
		}
		some, err := tx.NewSelect().Model((*userRow)(nil)).Where("admin = ?", true).Exists(ctx)
		if err != nil {
			return err
		}
		if some {
			return chat.Refuse(chat.Forbidden, "there is an administrator already")
		}
		r := newUserRow(p, hash, at)
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	}))
}

// added turns the error of storing people into what it means.
func added(err error) error {
	var r *chat.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return r
	case isUnique(err):
		return chat.Refuse(chat.Taken, "the username is in use")
	}
	return fmt.Errorf("store people: %w", err)
}

// UserByName returns a person and the password hash by lower-case username, or chat.ErrNotFound.
func (d *DB) UserByName(ctx context.Context, username string) (chat.Person, string, error) {
	if !storable(username) {
		return chat.Person{}, "", chat.ErrNotFound
	}
	var rows []userRow
	if err := d.read.NewSelect().Model(&rows).Where("username = ?", username).Scan(ctx); err != nil {
		return chat.Person{}, "", fmt.Errorf("read person: %w", err)
	}
	if len(rows) == 0 {
		return chat.Person{}, "", chat.ErrNotFound
	}
	return rows[0].person(), rows[0].Password, nil
}

// storable reports whether a text can be in the database. SQLite takes no zero
// byte, and on MySQL it would go missing: "an\x00n" would be ann.
func storable(s string) bool { return !strings.ContainsRune(s, 0) }

// People returns the people with these ids, in no order; unknown ids are left out.
func (d *DB) People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error) {
	var ps []chat.Person
	if slices.ContainsFunc(ids, func(u chat.UserID) bool { return !u.Valid() }) {
		ids = slices.DeleteFunc(slices.Clone(ids), func(u chat.UserID) bool { return !u.Valid() })
	}
	for part := range slices.Chunk(ids, chunk) {
		var rows []userRow
		if err := d.read.NewSelect().Model(&rows).Where("id IN (?)", bun.List(part)).Scan(ctx); err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		ps = append(ps, persons(rows)...)
	}
	return ps, nil
}

// UsernamesTaken returns which of the lower-case usernames are in use.
func (d *DB) UsernamesTaken(ctx context.Context, names []string) ([]string, error) {
	var taken []string
	for part := range slices.Chunk(names, chunk) {
		var found []string
		err := d.read.NewSelect().Model((*userRow)(nil)).Column("username").Where("username IN (?)", bun.List(part)).Scan(ctx, &found)
		if err != nil {
			return nil, fmt.Errorf("read usernames: %w", err)
		}
		taken = append(taken, found...)
	}
	return taken, nil
}

// SearchPeople returns enabled people whose username or nickname begins with q,
// upper and lower case being the same: first whose id q is, then by username, then
// by nickname.
// Who does not want to be found is left out, but for by's own contacts.
func (d *DB) SearchPeople(ctx context.Context, by chat.UserID, q string, limit int) ([]chat.Person, error) {
	if !storable(q) {
		return nil, nil
	}
	// By the index of each order, one after the other, as Accounts does. What is
	// disabled is not asked for by =, or SQLite would walk through all who are not.
	var rows []userRow
	find := func(order []string, where string, args ...any) error {
		var part []userRow
		err := d.read.NewSelect().Model(&part).Where(where, args...).Where("disabled <> ?", true).
			Where(mayFind, true, string(by), true).Order(order...).Limit(int64(limit)).Scan(ctx)
		for _, r := range part {
			if len(rows) < limit && !slices.ContainsFunc(rows, func(o userRow) bool { return o.ID == r.ID }) {
				rows = append(rows, r)
			}
		}
		return err
	}
	var err error
	if chat.UserID(q).Valid() {
		err = find(nil, "u.id = ?", q)
	}
	prefix := strings.ToLower(q)
	// Usernames are there once: by id, too, MariaDB would sort all of them.
	for _, order := range [][]string{{"username"}, {"nick_fold", "id"}} {
		if column := bun.Ident(order[0]); err == nil && len(rows) < limit {
			err = find(order, "u.? >= ? AND u.? < ?", column, prefix, column, prefix+"\U0010FFFF")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("search people: %w", err)
	}
	return persons(rows), nil
}

// mayFind holds of an account u that wants to be found, or is a contact of
// somebody. Its arguments are true, that one, and true.
const mayFind = `(NOT EXISTS (SELECT 1 FROM profiles AS pr WHERE pr.user_id = u.id AND pr.unlisted = ?)
	OR EXISTS (SELECT 1 FROM contacts AS k WHERE k.user_id = ? AND k.peer_id = u.id AND k.contact = ?))`

// HasAdmin reports whether there is an administrator.
func (d *DB) HasAdmin(ctx context.Context) (bool, error) {
	some, err := d.db.NewSelect().Model((*userRow)(nil)).Where("admin = ?", true).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for an administrator: %w", err)
	}
	return some, nil
}
