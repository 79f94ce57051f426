package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type requestRow struct {
	bun.BaseModel `bun:"table:contact_requests,alias:q"`

	FromID  string `bun:"from_id,pk"`
	ToID    string `bun:"to_id,pk"`
	Message string `bun:"message"`
	State   int    `bun:"state"`
	At      int64  `bun:"at"`
}

// States of a contact request.
const (
	requestOpen = iota
	requestAccepted
	requestRefused
)

// AskContact notes that from asks to to be contacts, and reports whether they are
// now, since to had asked, too. It answers chat.Blocked where one has blocked the
// other, and chat.Taken where they are contacts already.
func (d *DB) AskContact(ctx context.Context, r chat.Request) (accepted bool, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		accepted = false
		b, err := bondIn(ctx, tx, r.From, r.To)
		switch {
		case err != nil:
			return err
		case b.Blocked:
			return chat.Refuse(chat.Blocked, "this person does not take messages from you")
		case b.Blocking:
			return chat.Refuse(chat.Blocked, "you have blocked this person")
		case b.Contacts:
			return chat.Refuse(chat.Taken, "you are contacts already")
		}
		n, err := answerRequest(ctx, tx, r.To, r.From, requestAccepted)
		if err != nil {
			return err
		}
		if n > 0 {
			accepted = true
			return befriendIn(ctx, tx, r.From, r.To, true, r.At)
		}
		row := requestRow{FromID: string(r.From), ToID: string(r.To), Message: r.Message, State: requestOpen, At: r.At}
		if _, err := tx.NewInsert().Model(&row).Ignore().Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&row).WherePK().Column("message", "state", "at").Exec(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("ask to be contacts: %w", err)
	}
	return accepted, nil
}

func answerRequest(ctx context.Context, tx bun.Tx, from, to chat.UserID, state int) (int64, error) {
	res, err := tx.NewUpdate().Model((*requestRow)(nil)).Set("state = ?", state).
		Where("from_id = ? AND to_id = ? AND state = ?", string(from), string(to), requestOpen).Exec(ctx)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// AnswerContact accepts or refuses that from asked to to be contacts, or answers
// chat.NotFound where that is not open.
func (d *DB) AnswerContact(ctx context.Context, from, to chat.UserID, accept bool, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		state := requestRefused
		if accept {
			state = requestAccepted
			b, err := bondIn(ctx, tx, to, from)
			if err != nil {
				return err
			}
			if b.Blocked || b.Blocking {
				return chat.Refuse(chat.Blocked, "one of the two has blocked the other")
			}
		}
		n, err := answerRequest(ctx, tx, from, to, state)
		if err != nil || !accept && n > 0 {
			return err
		}
		if n == 0 {
			return chat.Refuse(chat.NotFound, "no such request")
		}
		return befriendIn(ctx, tx, from, to, true, at)
	})
	if err != nil {
		return fmt.Errorf("answer a request: %w", err)
	}
	return nil
}

// Unfriend ends that x and y are contacts, for both.
func (d *DB) Unfriend(ctx context.Context, x, y chat.UserID, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return befriendIn(ctx, tx, x, y, false, at) })
	if err != nil {
		return fmt.Errorf("end a contact: %w", err)
	}
	return nil
}

// SetBlocked has u block peer, or no longer. Who is blocked can't be waiting for an answer.
func (d *DB) SetBlocked(ctx context.Context, u, peer chat.UserID, on bool, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := bondRow(ctx, tx, u, peer, "blocked", on, at); err != nil || !on {
			return err
		}
		_, err := answerRequest(ctx, tx, peer, u, requestRefused)
		return err
	})
	if err != nil {
		return fmt.Errorf("block: %w", err)
	}
	return nil
}

// befriendIn has x and y as contacts of each other, or no longer. The rows are
// written in one order, so that two who do so at once don't wait for each other.
func befriendIn(ctx context.Context, tx bun.Tx, x, y chat.UserID, on bool, at int64) error {
	if y < x {
		x, y = y, x
	}
	if err := bondRow(ctx, tx, x, y, "contact", on, at); err != nil {
		return err
	}
	return bondRow(ctx, tx, y, x, "contact", on, at)
}

// bondRow sets one column of what u has peer as.
func bondRow(ctx context.Context, tx bun.Tx, u, peer chat.UserID, column string, on bool, at int64) error {
	r := contactRow{UserID: string(u), PeerID: string(peer), At: at}
	if on {
		if _, err := tx.NewInsert().Model(&r).Ignore().Exec(ctx); err != nil {
			return err
		}
	}
	_, err := tx.NewUpdate().Model((*contactRow)(nil)).Set("? = ?", bun.Ident(column), on).Set("at = ?", at).
		Where("user_id = ? AND peer_id = ?", string(u), string(peer)).Exec(ctx)
	return err
}

// bondIn returns what x and y are to each other, seen by x.
func bondIn(ctx context.Context, tx bun.Tx, x, y chat.UserID) (chat.Bond, error) {
	var rows []contactRow
	err := tx.NewSelect().Model(&rows).Where("user_id = ? AND peer_id = ? OR user_id = ? AND peer_id = ?", string(x), string(y), string(y), string(x)).Scan(ctx)
	return bondsIn(rows, x, y)[x], err
}

// Contacts returns contacts of u in the order of their names, at most limit, from
// behind the one that after names: its folded nickname and id, both empty for the first page.
func (d *DB) Contacts(ctx context.Context, u chat.UserID, nick string, after chat.UserID, limit int) ([]chat.Person, error) {
	return d.peersWhere(ctx, u, "k.contact = ?", nick, after, limit)
}

// BlockedBy returns whom u has blocked, as Contacts does.
func (d *DB) BlockedBy(ctx context.Context, u chat.UserID, nick string, after chat.UserID, limit int) ([]chat.Person, error) {
	return d.peersWhere(ctx, u, "k.blocked = ?", nick, after, limit)
}

func (d *DB) peersWhere(ctx context.Context, u chat.UserID, which, nick string, after chat.UserID, limit int) ([]chat.Person, error) {
	if !storable(nick) {
		return nil, nil
	}
	var rows []userRow
	err := d.read.NewSelect().Model(&rows).Join("JOIN contacts AS k ON k.peer_id = u.id").
		Where("k.user_id = ?", string(u)).Where(which, true).
		Where("(u.nick_fold > ? OR u.nick_fold = ? AND u.id > ?)", nick, nick, string(after)).
		Order("u.nick_fold", "u.id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	return persons(rows), nil
}

// Requests returns the open requests to u, and those of u, newest first, at most
// limit of each.
func (d *DB) Requests(ctx context.Context, u chat.UserID, limit int) (to, from []chat.Request, err error) {
	for column, out := range map[string]*[]chat.Request{"to_id": &to, "from_id": &from} {
		var rows []requestRow
		if err := d.read.NewSelect().Model(&rows).Where("? = ? AND state = ?", bun.Ident(column), string(u), requestOpen).
			Order("at DESC").Limit(int64(limit)).Scan(ctx); err != nil {
			return nil, nil, fmt.Errorf("read requests: %w", err)
		}
		for _, r := range rows {
			*out = append(*out, chat.Request{From: chat.UserID(r.FromID), To: chat.UserID(r.ToID), Message: r.Message, At: r.At})
		}
	}
	return to, from, nil
}

type profileRow struct {
	bun.BaseModel `bun:"table:profiles,alias:pr"`

	UserID    string `bun:"user_id,pk"`
	Signature string `bun:"signature"`
	Gender    string `bun:"gender"`
	Birthday  string `bun:"birthday"`
	Email     string `bun:"email"`
	Phone     string `bun:"phone"`
	Unlisted  bool   `bun:"unlisted"`
	Unseen    bool   `bun:"unseen"`
	UpdatedAt int64  `bun:"updated_at"`
}

// Profile returns what u says of themselves, nothing where that is nothing.
func (d *DB) Profile(ctx context.Context, u chat.UserID) (chat.Profile, error) {
	var rows []profileRow
	if err := d.read.NewSelect().Model(&rows).Where("user_id = ?", string(u)).Scan(ctx); err != nil {
		return chat.Profile{}, fmt.Errorf("read profile: %w", err)
	}
	if len(rows) == 0 {
		return chat.Profile{}, nil
	}
	r := rows[0]
	return chat.Profile{
		Signature: r.Signature, Gender: r.Gender, Birthday: r.Birthday, Email: r.Email, Phone: r.Phone, Unlisted: r.Unlisted, Unseen: r.Unseen,
	}, nil
}

// SaveProfile stores what u says of themselves, and what they are called and look like.
func (d *DB) SaveProfile(ctx context.Context, u chat.UserID, nickname, avatar string, p chat.Profile, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := profileRow{
			UserID: string(u), Signature: p.Signature, Gender: p.Gender, Birthday: p.Birthday, Email: p.Email, Phone: p.Phone,
			Unlisted: p.Unlisted, Unseen: p.Unseen, UpdatedAt: at,
		}
		if _, err := tx.NewInsert().Model(&r).Ignore().Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		named := newUserRow(chat.Person{ID: u, Nickname: nickname, Avatar: avatar}, "", 0)
		_, err := tx.NewUpdate().Model(&named).WherePK().Column("nickname", "nick_fold", "avatar").Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store profile: %w", err)
	}
	return nil
}

// Unseen returns those of us who tell nobody whether they are online.
func (d *DB) Unseen(ctx context.Context, us ...chat.UserID) (map[chat.UserID]bool, error) {
	hidden := map[chat.UserID]bool{}
	if len(us) == 0 {
		return hidden, nil
	}
	var ids []string
	err := d.read.NewSelect().Model((*profileRow)(nil)).Column("user_id").Where("user_id IN (?) AND unseen = ?", bun.List(us), true).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("read who is not seen: %w", err)
	}
	for _, id := range ids {
		hidden[chat.UserID(id)] = true
	}
	return hidden, nil
}
