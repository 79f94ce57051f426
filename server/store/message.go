package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type messageRow struct {
	bun.BaseModel `bun:"table:messages"`

	ConvID    string `bun:"conv_id,pk"`
	Seq       int64  `bun:"seq,pk"`
	ID        int64  `bun:"id"`
	Author    string `bun:"author"`
	Ref       string `bun:"ref"`
	Kind      string `bun:"kind"`
	Content   string `bun:"content"`
	CreatedAt int64  `bun:"created_at"`
}

func (r messageRow) message() (chat.Message, error) {
	m := chat.Message{
		ID: r.ID, Conv: chat.ConvID(r.ConvID), Seq: r.Seq, Author: chat.UserID(r.Author),
		Ref: r.Ref, At: r.CreatedAt,
	}
	if err := json.Unmarshal([]byte(r.Content), &m.Content); err != nil {
		return m, fmt.Errorf("content of %s/%d: %w", r.ConvID, r.Seq, err)
	}
	return m, nil
}

// draftKey is what makes a draft the same draft.
type draftKey struct {
	author chat.UserID
	ref    string
}

// batch is what one Append works with: the state it read, and what it will write.
type batch struct {
	known map[draftKey]chat.Message       // stored before, or earlier in this batch
	convs map[chat.ConvID]*convRow        // those that exist, and new direct ones
	fresh map[chat.ConvID]bool            // to be created
	moved map[chat.ConvID]bool            // got entries
	users map[chat.UserID]bool            // exist and are enabled
	in    map[chat.ConvID]map[string]bool // members among the authors, of groups
	rows  []messageRow
}

// Append commits ds in one transaction, in order, each behind the last entry of
// its conversation. A draft stored before is answered with its first message.
// One that may not be posted is refused by itself. After an error nothing is
// stored.
func (d *DB) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	var out []chat.Receipt
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		b, err := d.readBatch(ctx, tx, ds)
		if err != nil {
			return err
		}
		out = make([]chat.Receipt, len(ds))
		for i, dr := range ds {
			out[i] = d.place(b, dr)
		}
		return d.writeBatch(ctx, tx, b)
	})
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	return out, nil
}

// place decides what becomes of one draft. It is the last check of who may post where.
func (d *DB) place(b *batch, dr chat.Draft) chat.Receipt {
	key := draftKey{dr.Author, dr.Ref}
	refuse := func(c chat.Code, words string) chat.Receipt { return chat.Receipt{Err: chat.Refuse(c, words)} }
	if m, ok := b.known[key]; ok {
		if m.Conv != dr.Conv {
			return refuse(chat.Invalid, "the ref is that of a message elsewhere")
		}
		return chat.Receipt{Message: m, Again: true}
	}
	if !b.users[dr.Author] {
		return refuse(chat.Forbidden, "the account is disabled or gone")
	}
	c := b.convs[dr.Conv]
	if dr.Conv.IsGroup() {
		if c == nil {
			return refuse(chat.NotFound, "no such conversation")
		}
		if !b.in[dr.Conv][string(dr.Author)] {
			return refuse(chat.Forbidden, "not a member of this group")
		}
	} else {
		peer, ok := dr.Conv.Peer(dr.Author)
		switch {
		case !ok:
			return refuse(chat.Forbidden, "not a conversation of yours")
		case !b.users[peer]:
			return refuse(chat.NotFound, "no such person")
		}
	}
	content, err := json.Marshal(dr.Content)
	if err != nil {
		return refuse(chat.Invalid, "the content can't be stored")
	}
	now := d.now().UnixMilli()
	if c == nil {
		c = &convRow{ID: string(dr.Conv), Owner: string(dr.Author), Members: membersOf(dr.Conv), CreatedAt: now}
		b.convs[dr.Conv], b.fresh[dr.Conv] = c, true
	}
	c.LastSeq++
	c.LastAt = max(c.LastAt, now)
	b.moved[dr.Conv] = true
	m := chat.Message{ID: d.id(), Conv: dr.Conv, Seq: c.LastSeq, Author: dr.Author, Ref: dr.Ref, At: c.LastAt, Content: dr.Content}
	b.known[key] = m
	b.rows = append(b.rows, messageRow{
		ConvID: c.ID, Seq: m.Seq, ID: m.ID, Author: string(m.Author), Ref: m.Ref,
		Kind: string(m.Content.Kind), Content: string(content), CreatedAt: m.At,
	})
	return chat.Receipt{Message: m}
}

// readBatch reads what place needs to know about ds.
func (d *DB) readBatch(ctx context.Context, tx bun.Tx, ds []chat.Draft) (*batch, error) {
	b := &batch{
		known: map[draftKey]chat.Message{}, convs: map[chat.ConvID]*convRow{}, fresh: map[chat.ConvID]bool{},
		moved: map[chat.ConvID]bool{}, users: map[chat.UserID]bool{}, in: map[chat.ConvID]map[string]bool{},
	}
	var refs, convs, users []string
	type pair struct{ conv, user string }
	pairs := map[pair]bool{}
	seenConv, seenUser := map[chat.ConvID]bool{}, map[chat.UserID]bool{}
	person := func(u chat.UserID) {
		if !seenUser[u] {
			seenUser[u] = true
			users = append(users, string(u))
		}
	}
	for _, dr := range ds {
		refs = append(refs, dr.Ref)
		person(dr.Author)
		if peer, ok := dr.Conv.Peer(dr.Author); ok {
			person(peer)
		}
		if !seenConv[dr.Conv] {
			seenConv[dr.Conv] = true
			convs = append(convs, string(dr.Conv))
		}
		if dr.Conv.IsGroup() {
			pairs[pair{string(dr.Conv), string(dr.Author)}] = true
		}
	}

	var before []messageRow
	// By ref alone: asking for the authors, too, would look up every ref with every author.
	if err := tx.NewSelect().Model(&before).Where("ref IN (?)", bun.List(refs)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("look for refs: %w", err)
	}
	for _, r := range before {
		m, err := r.message()
		if err != nil {
			return nil, err
		}
		b.known[draftKey{m.Author, m.Ref}] = m
	}

	var rows []*convRow
	q := tx.NewSelect().Model(&rows).Where("id IN (?)", bun.List(convs))
	if d.lockRows {
		q = q.For("UPDATE")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read conversations: %w", err)
	}
	for _, r := range rows {
		b.convs[chat.ConvID(r.ID)] = r
	}

	var enabled []string
	if err := tx.NewSelect().Table("users").Column("id").Where("id IN (?)", bun.List(users)).Where("disabled = ?", false).Scan(ctx, &enabled); err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	for _, u := range enabled {
		b.users[chat.UserID(u)] = true
	}

	if len(pairs) > 0 {
		var or []string
		var args []any
		for p := range pairs {
			or = append(or, "(conv_id = ? AND user_id = ?)")
			args = append(args, p.conv, p.user)
		}
		var in []memberRow
		if err := tx.NewSelect().Model(&in).Where(strings.Join(or, " OR "), args...).Scan(ctx); err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		for _, r := range in {
			c := chat.ConvID(r.ConvID)
			if b.in[c] == nil {
				b.in[c] = map[string]bool{}
			}
			b.in[c][r.UserID] = true
		}
	}
	return b, nil
}

// writeBatch writes what place decided.
func (d *DB) writeBatch(ctx context.Context, tx bun.Tx, b *batch) error {
	if len(b.rows) == 0 {
		return nil
	}
	var moved []*convRow
	var members []memberRow
	for id := range b.moved {
		c := b.convs[id]
		moved = append(moved, c)
		if b.fresh[id] {
			x, y, _ := id.Pair()
			for _, u := range distinct(x, y) {
				members = append(members, memberRow{ConvID: c.ID, UserID: string(u), JoinedAt: c.CreatedAt})
			}
		}
	}
	if len(members) > 0 {
		if _, err := tx.NewInsert().Model(&members).Exec(ctx); err != nil {
			return fmt.Errorf("insert members: %w", err)
		}
	}
	if _, err := d.upsert(tx.NewInsert().Model(&moved), "id", "last_seq", "last_at").Exec(ctx); err != nil {
		return fmt.Errorf("advance conversations: %w", err)
	}
	for _, part := range statements(b.rows) {
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("insert messages: %w", err)
		}
	}
	return nil
}

// maxStatement is how many bytes of content one INSERT holds. Quoting may double
// them; MariaDB takes no statement above 16 MiB, others none above 4, and a
// batch of long messages that is refused would be tried again for ever.
const maxStatement = 1 << 20

// statements cuts rows, in order, into what one INSERT each holds.
func statements(rows []messageRow) [][]messageRow {
	var out [][]messageRow
	from, size := 0, 0
	for i, r := range rows {
		if size += len(r.Content); size > maxStatement && i > from {
			out = append(out, rows[from:i])
			from, size = i, len(r.Content)
		}
	}
	return append(out, rows[from:])
}

// upsert makes q replace columns of rows that exist already.
func (d *DB) upsert(q *bun.InsertQuery, key string, columns ...string) *bun.InsertQuery {
	if d.lockRows { // MySQL
		q = q.On("DUPLICATE KEY UPDATE")
		for _, c := range columns {
			q = q.Set("? = VALUES(?)", bun.Ident(c), bun.Ident(c))
		}
		return q
	}
	q = q.On("CONFLICT (?) DO UPDATE", bun.Ident(key))
	for _, c := range columns {
		q = q.Set("? = EXCLUDED.?", bun.Ident(c), bun.Ident(c))
	}
	return q
}

// After returns the entries of conv after seq, oldest first; where more than
// limit are missing, the newest limit of them.
func (d *DB) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return d.page(ctx, conv, limit, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("seq > ?", seq) })
}

// Before returns at most limit entries of conv before seq, oldest first; seq 0
// or less means from the end.
func (d *DB) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return d.page(ctx, conv, limit, func(q *bun.SelectQuery) *bun.SelectQuery {
		if seq > 0 {
			q = q.Where("seq < ?", seq)
		}
		return q
	})
}

func (d *DB) page(ctx context.Context, conv chat.ConvID, limit int, where func(*bun.SelectQuery) *bun.SelectQuery) (chat.Page, error) {
	p := chat.Page{Conv: conv, Entries: []chat.Message{}}
	var rows []messageRow
	err := where(d.read.NewSelect().Model(&rows).Where("conv_id = ?", string(conv))).OrderExpr("seq DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return p, fmt.Errorf("read history: %w", err)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		m, err := rows[i].message()
		if err != nil {
			return p, err
		}
		p.Entries = append(p.Entries, m)
	}
	var last []int64
	if err := d.read.NewSelect().Table("conversations").Column("last_seq").Where("id = ?", string(conv)).Scan(ctx, &last); err != nil {
		return p, fmt.Errorf("read history's end: %w", err)
	}
	if len(last) > 0 {
		p.LastSeq = last[0]
	}
	return p, nil
}
