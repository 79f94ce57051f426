package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

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

// requestAgain is how long a request that was refused bothers nobody again, in
// milliseconds.
const requestAgain = 24 * 60 * 60 * 1000

// AskContact notes that from asks to to be contacts, and reports whether they are
// now, since to had asked, too: by the request that it returns then. Otherwise it
// returns the request where it is news to to, and an empty one where it is not. It answers
// chat.Blocked where one has blocked the other, chat.Taken where they are contacts
// already, and chat.RateLimited where from waits for chat.MaxAsks others. Who asks
// again within a day of a request that was refused is not told, and heard by nobody.
func (d *DB) AskContact(ctx context.Context, r chat.Request) (of chat.Request, accepted bool, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		of, accepted = r, false
		b, err := d.pairIn(ctx, tx, r.From, r.To)
		switch {
		case err != nil:
			return err
		case b.Contacts:
			return chat.Refuse(chat.Taken, "you are contacts already")
		}
		if err := b.MayMeet(); err != nil {
			return err
		}
		theirs, err := requestIn(ctx, tx, r.To, r.From)
		if err != nil {
			return err
		}
		if theirs != nil && theirs.State == requestOpen {
			of, accepted = theirs.request(), true
			return meetIn(ctx, tx, of, r.At)
		}
		mine, err := requestIn(ctx, tx, r.From, r.To)
		if err != nil {
			return err
		}
		row := requestRow{FromID: string(r.From), ToID: string(r.To), Message: r.Message, State: requestOpen, At: r.At}
		if mine == nil || mine.State != requestOpen {
			if mine != nil && mine.State == requestRefused && r.At-mine.At < requestAgain {
				of = chat.Request{}
				return nil
			}
			n, err := tx.NewSelect().Model((*requestRow)(nil)).Where("from_id = ? AND state = ?", string(r.From), requestOpen).Count(ctx)
			if err != nil {
				return err
			}
			if n >= chat.MaxAsks {
				return &chat.Refusal{Code: chat.RateLimited, Words: "too many people have not answered you yet", RetryAfter: time.Hour}
			}
		}
		if mine != nil && mine.State == requestOpen {
			of = chat.Request{}
		}
		if mine == nil {
			_, err = tx.NewInsert().Model(&row).Exec(ctx)
		} else {
			_, err = tx.NewUpdate().Model(&row).WherePK().Column("message", "state", "at").Exec(ctx)
		}
		return err
	})
	if err != nil {
		return chat.Request{}, false, fmt.Errorf("ask to be contacts: %w", err)
	}
	return of, accepted, nil
}

// AnswerContact accepts or refuses that from asked to to be contacts, and returns
// the request. To do the same again is fine; it answers chat.NotFound where there
// is no such request, and chat.Blocked where one has blocked the other.
func (d *DB) AnswerContact(ctx context.Context, from, to chat.UserID, accept bool, at int64) (r chat.Request, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		b, err := d.pairIn(ctx, tx, to, from)
		if err != nil {
			return err
		}
		row, err := requestIn(ctx, tx, from, to)
		switch {
		case err != nil:
			return err
		case row == nil:
			return errNoRequest
		}
		r = row.request()
		switch {
		case row.State == requestAccepted && accept && b.Contacts, row.State == requestRefused && !accept:
			return nil
		case accept && b.MayMeet() != nil:
			return b.MayMeet()
		case row.State != requestOpen:
			return errNoRequest
		case accept:
			return meetIn(ctx, tx, r, at)
		}
		return settleIn(ctx, tx, from, to, requestRefused)
	})
	if err != nil {
		return chat.Request{}, fmt.Errorf("answer a request: %w", err)
	}
	return r, nil
}

var errNoRequest = chat.Refuse(chat.NotFound, "there is no such request")

// meetIn makes contacts of the two people of a request, which is answered by
// this, and so is one the other way round.
func meetIn(ctx context.Context, tx bun.Tx, r chat.Request, at int64) error {
	_, err := tx.NewUpdate().Model((*requestRow)(nil)).Set("state = ?", requestAccepted).
		Where("from_id = ? AND to_id = ? OR from_id = ? AND to_id = ?", string(r.From), string(r.To), string(r.To), string(r.From)).Exec(ctx)
	if err != nil {
		return err
	}
	return befriendIn(ctx, tx, r.From, r.To, true, at)
}

// settleIn gives an open request its answer.
func settleIn(ctx context.Context, tx bun.Tx, from, to chat.UserID, state int) error {
	_, err := tx.NewUpdate().Model((*requestRow)(nil)).Set("state = ?", state).
		Where("from_id = ? AND to_id = ? AND state = ?", string(from), string(to), requestOpen).Exec(ctx)
	return err
}

// requestIn returns what from has asked to, nil for nothing.
func requestIn(ctx context.Context, tx bun.IDB, from, to chat.UserID) (*requestRow, error) {
	var rows []requestRow
	err := tx.NewSelect().Model(&rows).Where("from_id = ? AND to_id = ?", string(from), string(to)).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func (r requestRow) request() chat.Request {
	return chat.Request{From: chat.UserID(r.FromID), To: chat.UserID(r.ToID), Message: r.Message, At: r.At}
}

// Unfriend ends that x and y are contacts, for both.
func (d *DB) Unfriend(ctx context.Context, x, y chat.UserID, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := d.pairIn(ctx, tx, x, y); err != nil {
			return err
		}
		return befriendIn(ctx, tx, x, y, false, at)
	})
	if err != nil {
		return fmt.Errorf("end a contact: %w", err)
	}
	return nil
}

// SetBlocked has u block peer, or no longer. Who is blocked can't be waiting for an answer.
func (d *DB) SetBlocked(ctx context.Context, u, peer chat.UserID, on bool, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := d.pairIn(ctx, tx, u, peer); err != nil {
			return err
		}
		if err := bondRow(ctx, tx, u, peer, "blocked", on, at); err != nil || !on {
			return err
		}
		return settleIn(ctx, tx, peer, u, requestRefused)
	})
	if err != nil {
		return fmt.Errorf("block: %w", err)
	}
	return nil
}

// pairIn returns what x and y are to each other, seen by x: whether they themselves
// are contacts, and whether one may not hear from the other. Until the transaction
// ends nobody else changes that: all that do lock the two accounts first, in one order.
func (d *DB) pairIn(ctx context.Context, tx bun.Tx, x, y chat.UserID) (chat.Bond, error) {
	for _, u := range []chat.UserID{min(x, y), max(x, y)} {
		if err := d.lock(ctx, tx, "users", string(u)); err != nil {
			return chat.Bond{}, err
		}
	}
	own, err := ownBond(ctx, tx, x, y)
	if err != nil {
		return own, err
	}
	all, err := bondsOf(ctx, tx, x, y)
	b := all[y]
	b.Contacts = own.Contacts
	return b, err
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

// Requests returns the open requests to u, and those of u that were not accepted,
// newest first, at most limit of each: who asked is not told of a refusal.
func (d *DB) Requests(ctx context.Context, u chat.UserID, limit int) (to, from []chat.Request, err error) {
	for _, q := range []struct {
		column string
		states []int
		out    *[]chat.Request
	}{{"to_id", []int{requestOpen}, &to}, {"from_id", []int{requestOpen, requestRefused}, &from}} {
		var rows []requestRow
		if err := d.read.NewSelect().Model(&rows).Where("? = ? AND state IN (?)", bun.Ident(q.column), string(u), bun.List(q.states)).
			OrderExpr("at DESC, from_id, to_id").Limit(int64(limit)).Scan(ctx); err != nil {
			return nil, nil, fmt.Errorf("read requests: %w", err)
		}
		for _, r := range rows {
			*q.out = append(*q.out, r.request())
		}
	}
	return to, from, nil
}

// RequestsWith returns what u has asked peer, and what peer asks u, nil for
// nothing, as Requests does.
func (d *DB) RequestsWith(ctx context.Context, u, peer chat.UserID) (mine, theirs *chat.Request, err error) {
	m, err := requestIn(ctx, d.read, u, peer)
	if err != nil {
		return nil, nil, fmt.Errorf("read request: %w", err)
	}
	t, err := requestIn(ctx, d.read, peer, u)
	if err != nil {
		return nil, nil, fmt.Errorf("read request: %w", err)
	}
	if m != nil && m.State != requestAccepted {
		r := m.request()
		mine = &r
	}
	if t != nil && t.State == requestOpen {
		r := t.request()
		theirs = &r
	}
	return mine, theirs, nil
}

// Waiting returns how many requests wait for u.
func (d *DB) Waiting(ctx context.Context, u chat.UserID) (int, error) {
	n, err := d.read.NewSelect().Model((*requestRow)(nil)).Where("to_id = ? AND state = ?", string(u), requestOpen).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count requests: %w", err)
	}
	return int(n), nil
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

// SaveProfile stores what u says of themselves, and what they are called and look
// like: avatar is the path of a picture that u has uploaded, as it was stored
// before, or empty. From then on everybody may see that, and nobody the one before.
func (d *DB) SaveProfile(ctx context.Context, u chat.UserID, nickname, picture string, p chat.Profile, at int64) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		avatar := picture
		r := profileRow{
			UserID: string(u), Signature: p.Signature, Gender: p.Gender, Birthday: p.Birthday, Email: p.Email, Phone: p.Phone,
			Unlisted: p.Unlisted, Unseen: p.Unseen, UpdatedAt: at,
		}
		_, err := tx.NewInsert().Model(&r).Ignore().Exec(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
		if avatar, err = d.wear(ctx, tx, u, avatar); err != nil {
			return err
		}
		named := newUserRow(chat.Person{ID: u, Nickname: nickname, Avatar: avatar}, "", 0)
		_, err = tx.NewUpdate().Model(&named).WherePK().Column("nickname", "nick_fold", "avatar").Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store profile: %w", err)
	}
	return nil
}

// Unseen returns all who tell nobody whether they are online.
func (d *DB) Unseen(ctx context.Context) ([]chat.UserID, error) {
	var us []chat.UserID
	if err := d.read.NewSelect().Model((*profileRow)(nil)).Column("user_id").Where("unseen = ?", true).Scan(ctx, &us); err != nil {
		return nil, fmt.Errorf("read who is not seen: %w", err)
	}
	return us, nil
}

// Saw notes that us were last here at a time in Unix milliseconds, unless they were later.
func (d *DB) Saw(ctx context.Context, at int64, us ...chat.UserID) error {
	for part := range slices.Chunk(us, chunk) {
		err := d.persist(ctx, func() error {
			_, err := d.db.NewUpdate().Table("users").Set("seen_at = ?", at).Where("id IN (?) AND seen_at < ?", bun.List(part), at).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("note who was here: %w", err)
		}
	}
	return nil
}

// SeenAt returns when u was last here, Unix milliseconds, 0 for never.
func (d *DB) SeenAt(ctx context.Context, u chat.UserID) (at int64, err error) {
	err = d.read.NewSelect().Table("users").Column("seen_at").Where("id = ?", string(u)).Scan(ctx, &at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read when somebody was here: %w", err)
	}
	return at, nil
}

// CommonGroups returns groups that are in use of which x and y are members, by
// name, at most limit.
func (d *DB) CommonGroups(ctx context.Context, x, y chat.UserID, limit int) ([]chat.Group, error) {
	var rows []convRow
	err := d.read.NewSelect().Model(&rows).
		Where("state = ? AND id IN (SELECT a.conv_id FROM members AS a JOIN members AS b ON b.conv_id = a.conv_id AND b.user_id = ? "+
			"WHERE a.user_id = ? AND a.conv_id >= ? AND a.conv_id < ?)", int(chat.InUse), string(y), string(x), "G", "H").
		OrderExpr("name, id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read common groups: %w", err)
	}
	gs := make([]chat.Group, len(rows))
	for i, r := range rows {
		gs[i] = r.group()
	}
	return gs, nil
}
