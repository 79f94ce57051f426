package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// accountRow is a person as administrators see them.
type accountRow struct {
	userRow `bun:",extend"`
	BotOf   string `bun:"bot_of"`
	SeenAt  int64  `bun:"seen_at"`
}

func (r accountRow) account() chat.Account {
	return chat.Account{Person: r.person(), Bot: chat.UserID(r.BotOf), Renewing: r.Renew, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt}
}

// beginsWith is a condition on a column whose values are compared as bytes.
func beginsWith(q *bun.SelectQuery, col, prefix string) *bun.SelectQuery {
	return q.Where("? >= ? AND ? < ?", bun.Ident(col), prefix, bun.Ident(col), prefix+"\U0010FFFF")
}

// Accounts returns one page of all people and the place behind it, empty at the
// end. A search (lower case) finds usernames and nicknames by their beginning, and
// an id; first by username, then by nickname.
func (d *DB) Accounts(ctx context.Context, ask chat.Ask) ([]chat.Account, string, error) {
	behind, err := placeOf(ask.After)
	if err != nil {
		return nil, "", err
	}
	if !storable(ask.Query) {
		return nil, "", nil
	}
	var rows []accountRow
	base := func(more ...func(*bun.SelectQuery) *bun.SelectQuery) func() *bun.SelectQuery {
		return func() *bun.SelectQuery {
			q := d.read.NewSelect().Model((*accountRow)(nil))
			switch ask.Only {
			case chat.OnlyAdmins:
				q = q.Where("admin = ?", true)
			case chat.OnlyDisabled:
				q = q.Where("disabled = ?", true)
			case chat.OnlyBots:
				q = q.Where("bot_of > ?", "")
			}
			for _, f := range more {
				q = f(q)
			}
			return q
		}
	}
	into := func(q *bun.SelectQuery) (int, error) {
		var part []accountRow
		err := q.Scan(ctx, &part)
		rows = append(rows, part...)
		return len(part), err
	}
	want := ask.Limit + 1
	part := 0
	var ends []int // how many rows there are after each part
	if ask.Query == "" {
		r := run{col: "username", one: true, behind: behind}
		switch ask.Sort {
		case chat.ByNewest: // ids grow with time
			r = run{desc: true, behind: behind}
		case chat.BySeen:
			r = run{col: "seen_at", desc: true, num: true, behind: behind}
			if ask.Only == "" { // many were never seen
				r.index = "users_by_seen"
			}
		}
		err = d.readRun(r, base(), want, into)
	} else {
		if behind != nil {
			part = behind.Part
		}
		parts := []struct {
			run
			base func() *bun.SelectQuery
		}{
			{run{}, base(func(q *bun.SelectQuery) *bun.SelectQuery {
				return q.Where("id = ?", strings.ToUpper(ask.Query[:1])+ask.Query[1:])
			})},
			{run{col: "username", one: true}, base(func(q *bun.SelectQuery) *bun.SelectQuery { return beginsWith(q, "username", ask.Query) })},
			{run{col: "nick_fold"}, base(func(q *bun.SelectQuery) *bun.SelectQuery {
				return beginsWith(q, "nick_fold", ask.Query).Where("NOT (username >= ? AND username < ?)", ask.Query, ask.Query+"\U0010FFFF")
			})},
		}
		for i, p := range parts {
			if i >= part && len(rows) < want && err == nil {
				if behind != nil && i == part {
					p.behind = behind
				}
				err = d.readRun(p.run, p.base, want-len(rows), into)
			}
			ends = append(ends, len(rows))
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("list accounts: %w", err)
	}
	next := ""
	if len(rows) > ask.Limit {
		rows = rows[:ask.Limit]
		last := rows[ask.Limit-1]
		at := place{ID: last.ID, Key: last.Username, Num: last.SeenAt}
		for at.Part < len(ends) && ends[at.Part] < ask.Limit {
			at.Part++
		}
		if at.Part == 2 {
			at.Key = last.NickFold
		}
		next = at.String()
	}
	as := make([]chat.Account, len(rows))
	for i, r := range rows {
		as[i] = r.account()
	}
	return as, next, nil
}

// Account returns one person, or chat.ErrNotFound.
func (d *DB) Account(ctx context.Context, u chat.UserID) (chat.Account, error) {
	return d.account(ctx, d.db, "id = ?", string(u))
}

// AccountByName returns the person with a lower-case username, or chat.ErrNotFound.
func (d *DB) AccountByName(ctx context.Context, username string) (chat.Account, error) {
	return d.account(ctx, d.db, "username = ?", username)
}

func (d *DB) account(ctx context.Context, db bun.IDB, where, value string) (chat.Account, error) {
	if !storable(value) {
		return chat.Account{}, chat.ErrNotFound
	}
	var rows []accountRow
	if err := db.NewSelect().Model(&rows).Where(where, value).Scan(ctx); err != nil {
		return chat.Account{}, fmt.Errorf("read account: %w", err)
	}
	if len(rows) == 0 {
		return chat.Account{}, chat.Refuse(chat.NotFound, "no such person")
	}
	return rows[0].account(), nil
}

// SignIns returns where u is signed in, last used first, at most limit.
func (d *DB) SignIns(ctx context.Context, u chat.UserID, limit int) ([]chat.SignIn, error) {
	var ss []chat.SignIn
	err := d.read.NewSelect().TableExpr("devices").Column("kind", "agent", "addr", "created_at", "seen_at").
		Where("user_id = ?", string(u)).OrderExpr("seen_at DESC").Limit(int64(limit)).Scan(ctx, &ss)
	if err != nil {
		return nil, fmt.Errorf("list sign-ins: %w", err)
	}
	return ss, nil
}

// groupLineRow is a group as administrators see it.
type groupLineRow struct {
	bun.BaseModel `bun:"table:conversations,alias:c"`

	ID        string `bun:"id,pk"`
	Name      string `bun:"name"`
	Avatar    string `bun:"avatar"`
	Owner     string `bun:"owner"`
	Members   int    `bun:"members"`
	LastSeq   int64  `bun:"last_seq"`
	LastAt    int64  `bun:"last_at"`
	CreatedAt int64  `bun:"created_at"`
	State     int    `bun:"state"`
}

func (r groupLineRow) line() chat.GroupLine {
	return chat.GroupLine{
		ID: chat.ConvID(r.ID), Name: r.Name, Avatar: r.Avatar, Owner: chat.UserID(r.Owner), Members: r.Members,
		LastSeq: r.LastSeq, LastAt: r.LastAt, CreatedAt: r.CreatedAt, State: r.State,
	}
}

// AllGroups returns one page of all groups and the place behind it, empty at the
// end. A search (lower case) finds what is in a name, and an id.
func (d *DB) AllGroups(ctx context.Context, ask chat.Ask) ([]chat.GroupLine, string, error) {
	behind, err := placeOf(ask.After)
	if err != nil || !storable(ask.Query) {
		return nil, "", err
	}
	r := run{col: "name", behind: behind}
	switch ask.Sort {
	case chat.ByNewest:
		r = run{desc: true, behind: behind}
	case chat.ByLatest:
		r = run{col: "last_at", desc: true, num: true, behind: behind}
	case chat.ByMost:
		r = run{col: "members", desc: true, num: true, behind: behind}
	}
	var rows []groupLineRow
	err = d.readRun(r, func() *bun.SelectQuery {
		// Ids of groups begin with G: nothing else is looked at.
		q := d.read.NewSelect().Model((*groupLineRow)(nil)).Where("id >= ? AND id < ?", "G", "H")
		switch ask.Only {
		case chat.OnlyDisabled:
			q = q.Where("state = ?", 1)
		case chat.OnlyEnded:
			q = q.Where("state = ?", 2)
		}
		if ask.Query != "" {
			q = q.Where("(LOWER(name) LIKE ? ESCAPE '!' OR id = ?)", "%"+likely(ask.Query)+"%", strings.ToUpper(ask.Query[:1])+ask.Query[1:])
		}
		return q
	}, ask.Limit+1, func(q *bun.SelectQuery) (int, error) {
		var part []groupLineRow
		err := q.Scan(ctx, &part)
		rows = append(rows, part...)
		return len(part), err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list groups: %w", err)
	}
	next := ""
	if len(rows) > ask.Limit {
		rows = rows[:ask.Limit]
		last := rows[ask.Limit-1]
		at := place{ID: last.ID, Key: last.Name, Num: last.LastAt}
		if ask.Sort == chat.ByMost {
			at.Num = int64(last.Members)
		}
		next = at.String()
	}
	gs := make([]chat.GroupLine, len(rows))
	for i, r := range rows {
		gs[i] = r.line()
	}
	return gs, next, nil
}

// likely is a text to be found by LIKE as it is, with ! before what has a meaning there.
func likely(s string) string { return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) }

// GroupLine returns one group, or chat.ErrNotFound.
func (d *DB) GroupLine(ctx context.Context, conv chat.ConvID) (chat.GroupLine, error) {
	if !conv.IsGroup() {
		return chat.GroupLine{}, chat.Refuse(chat.NotFound, "no such group")
	}
	var rows []groupLineRow
	if err := d.db.NewSelect().Model(&rows).Where("id = ?", string(conv)).Scan(ctx); err != nil {
		return chat.GroupLine{}, fmt.Errorf("read group: %w", err)
	}
	if len(rows) == 0 {
		return chat.GroupLine{}, chat.Refuse(chat.NotFound, "no such group")
	}
	return rows[0].line(), nil
}

// GroupsOf returns one page of the groups that u is in, by id, newest first.
func (d *DB) GroupsOf(ctx context.Context, u chat.UserID, after string, limit int) ([]chat.GroupLine, string, error) {
	behind, err := placeOf(after)
	if err != nil {
		return nil, "", err
	}
	var rows []groupLineRow
	q := d.read.NewSelect().Model(&rows).Join("JOIN members AS m ON m.conv_id = c.id").Where("m.user_id = ?", string(u)).
		Where("m.conv_id >= ? AND m.conv_id < ?", "G", "H").OrderExpr("m.conv_id DESC").Limit(int64(limit + 1))
	if behind != nil {
		q = q.Where("m.conv_id < ?", behind.ID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list groups of a person: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = place{ID: rows[limit-1].ID}.String()
	}
	gs := make([]chat.GroupLine, len(rows))
	for i, r := range rows {
		gs[i] = r.line()
	}
	return gs, next, nil
}

// GroupMembers returns one page of the members of a group, by id.
func (d *DB) GroupMembers(ctx context.Context, conv chat.ConvID, after string, limit int) ([]chat.Account, string, error) {
	behind, err := placeOf(after)
	if err != nil {
		return nil, "", err
	}
	var rows []accountRow
	q := d.read.NewSelect().Model(&rows).Join("JOIN members AS m ON m.user_id = u.id").Where("m.conv_id = ?", string(conv)).
		OrderExpr("m.user_id").Limit(int64(limit + 1))
	if behind != nil {
		q = q.Where("m.user_id > ?", behind.ID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list members: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = place{ID: rows[limit-1].ID}.String()
	}
	as := make([]chat.Account, len(rows))
	for i, r := range rows {
		as[i] = r.account()
	}
	return as, next, nil
}
