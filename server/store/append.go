package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kamachat/shared/chat"
)

// draftKey is what makes a draft the same draft.
type draftKey struct {
	author chat.UserID
	ref    string
}

type member struct {
	conv chat.ConvID
	user chat.UserID
}

// batch is what one transaction works with: the state it read, and what it will write.
type batch struct {
	convs []chat.ConvID             // of the drafts, distinct and sorted
	known map[draftKey]chat.Message // stored before, or earlier in this batch
	heads map[chat.ConvID]*head     // of those that exist, and of new direct ones
	standings
	moved []*head
	rows  []messageRow
	// Of uploads that are posted, what is known of them; nil: not for this author.
	files  map[filed]*chat.File
	posted []fileEntry
	freed  []fileEntry // of entries that are unsent

	targets   targets
	rewritten []messageRow // earlier entries, as they are to be
}

// Append commits ds, in order, each behind the last entry of its conversation. A
// draft stored before is answered with its first message. One that may not be
// posted, or that the database does not take, is refused by itself.
//
// After an error ds are to be handed over again: what is stored all the same,
// since the answer to a commit was lost, is then found by its Ref. Append may be
// called by several at once; the order within a conversation is that of their
// commits.
func (d *DB) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !d.mysql {
		// A commit takes a moment, and watching ctx in each of its statements
		// would take as long.
		ctx = context.WithoutCancel(ctx)
	}
	out := make([]chat.Receipt, len(ds))
	if err := d.appendPart(ctx, ds, out); err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	return out, nil
}

// appendPart commits ds in one transaction, or in halves where one draft spoils
// it for the others.
func (d *DB) appendPart(ctx context.Context, ds []chat.Draft, out []chat.Receipt) error {
	err := d.commit(ctx, ds, out)
	switch {
	case err == nil || IsPassing(err):
		return err
	case len(ds) == 1:
		if perr := d.takesMessages(ctx); perr != nil {
			return fmt.Errorf("no message can be stored: %w (at first: %w)", perr, err)
		}
		d.log.Error("a message can't be stored", "conv", ds[0].Conv, "user", ds[0].Author, "err", err)
		out[0] = refuse(chat.Internal, "the message can't be stored")
		return nil
	}
	half := len(ds) / 2
	if err := d.appendPart(ctx, ds[:half], out[:half]); err != nil {
		return err
	}
	return d.appendPart(ctx, ds[half:], out[half:])
}

// takesMessages answers nil when the database takes a message that nothing can
// be wrong with. It is taken back.
func (d *DB) takesMessages(ctx context.Context) error {
	tx, err := d.db.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	id := d.id()
	return d.exec(ctx, tx, d.sql.insertMessages, []any{"", -id, id, "", fmt.Sprint("probe ", id), string(chat.Text), "{}", int64(0)})
}

// commit commits ds in one transaction. It starts from what it remembers and,
// where that turns out to be old, tries again with what the database says.
func (d *DB) commit(ctx context.Context, ds []chat.Draft, out []chat.Receipt) error {
	look := d.heads.careful()
	return d.persist(ctx, func() error {
		err := d.try(ctx, ds, out, look)
		if isUnique(err) {
			err = fmt.Errorf("%w: %w", errContended, err)
		}
		look = look || errors.Is(err, errLook) || errors.Is(err, errContended)
		return err
	})
}

// errLook says that a batch needs to know which drafts were stored before.
var errLook = errors.New("refs must be looked up")

// try commits ds in one transaction. look says that refs are looked up and heads
// read and locked; without it a ref or a Seq in use is an error.
func (d *DB) try(ctx context.Context, ds []chat.Draft, out []chat.Receipt, look bool) (err error) {
	b := newBatch(ds)
	tx, err := d.db.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil || len(b.rows) == 0 {
			_ = tx.Rollback()
		}
		if err != nil {
			d.heads.failed(b, !errors.Is(err, errLook))
		}
	}()
	if err := d.readBatch(ctx, tx, b, ds, look); err != nil {
		return err
	}
	for i, dr := range ds {
		out[i] = d.place(b, dr)
		if out[i].Err != nil && !look {
			return errLook // it may have been stored while it was allowed
		}
	}
	if len(b.rows) == 0 {
		return nil
	}
	if err := d.write(ctx, tx, b); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	d.heads.committed(b)
	d.afterCommit(ctx)
	return nil
}

func refuse(c chat.Code, words string) chat.Receipt { return chat.Receipt{Err: chat.Refuse(c, words)} }

// place decides what becomes of one draft. It is the last check of who may post where.
func (d *DB) place(b *batch, dr chat.Draft) chat.Receipt {
	key := draftKey{dr.Author, dr.Ref}
	if m, ok := b.known[key]; ok {
		if m.Conv != dr.Conv {
			return refuse(chat.Invalid, "the ref is that of a message elsewhere")
		}
		return chat.Receipt{Message: m, Again: true}
	}
	now := d.now().UnixMilli()
	if err := b.allow(dr, d.contactsOnly(), d.maxGroup(), now); err != nil {
		return chat.Receipt{Err: err}
	}
	h := b.heads[dr.Conv]
	upload := uploadOf(dr.Content)
	if !b.file(&dr) {
		return refuse(chat.NoFile, "the file is gone")
	}
	if err := b.about(&dr); err != nil {
		return chat.Receipt{Err: err}
	}
	content, err := json.Marshal(dr.Content)
	if err != nil {
		return refuse(chat.Invalid, "the content can't be stored")
	}
	if h == nil {
		h = &head{conv: dr.Conv, fresh: true, owner: dr.Author, made: now}
		b.heads[dr.Conv] = h
	}
	h.last++
	h.at = max(h.at, now)
	if !h.moved {
		h.moved = true
		b.moved = append(b.moved, h)
	}
	m := chat.Message{ID: d.id(), Conv: dr.Conv, Seq: h.last, Author: dr.Author, Ref: dr.Ref, At: h.at, Content: dr.Content}
	b.known[key] = m
	if upload != "" {
		b.posted = append(b.posted, fileEntry{upload, m.Conv, m.Seq})
	}
	b.rows = append(b.rows, messageRow{
		ConvID: string(m.Conv), Seq: m.Seq, ID: m.ID, Author: string(m.Author), Ref: m.Ref,
		Kind: string(m.Content.Kind), Content: string(content), CreatedAt: m.At,
	})
	if err := b.placed(m); err != nil {
		return refuse(chat.Invalid, "the content can't be stored")
	}
	b.changes(m)
	return chat.Receipt{Message: m}
}

func newBatch(ds []chat.Draft) *batch {
	b := &batch{
		known: make(map[draftKey]chat.Message, len(ds)), heads: map[chat.ConvID]*head{},
		standings: newStandings(), rows: make([]messageRow, 0, len(ds)),
	}
	seen := make(map[chat.ConvID]bool, len(ds))
	for _, dr := range ds {
		if !seen[dr.Conv] {
			seen[dr.Conv] = true
			b.convs = append(b.convs, dr.Conv)
		}
		b.wants(dr)
		b.asks(dr)
	}
	// Sorted, so that two transactions lock rows in the same order and don't wait for each other.
	slices.Sort(b.convs)
	return b
}

// readBatch reads what place needs to know about ds.
func (d *DB) readBatch(ctx context.Context, tx *sql.Tx, b *batch, ds []chat.Draft, look bool) error {
	if err := d.readFiles(ctx, tx, b); err != nil {
		return err
	}
	if look {
		args := make([]any, 0, 2*len(ds))
		for _, dr := range ds {
			args = append(args, dr.Ref, string(dr.Author))
		}
		if err := d.query(ctx, tx, d.sql.selectStored, args, func(rows *sql.Rows) error {
			m, err := scanStored(rows)
			b.known[draftKey{m.Author, m.Ref}] = m
			return err
		}); err != nil {
			return fmt.Errorf("look for refs: %w", err)
		}
	}
	if err := d.readHeads(ctx, tx, b, look); err != nil {
		return fmt.Errorf("read conversations: %w", err)
	}
	// After the heads: what was written to these logs before them is seen.
	if err := d.readTargets(ctx, tx, b, ds); err != nil {
		return fmt.Errorf("read amended messages: %w", err)
	}
	if err := d.readStandings(ctx, tx, b); err != nil {
		return err
	}
	return d.readHidden(ctx, tx, b, ds)
}

func (d *DB) readHeads(ctx context.Context, tx *sql.Tx, b *batch, look bool) error {
	missing, s := b.convs, d.sql.lockHeads
	if !look {
		missing, s = d.heads.known(b), d.sql.selectHeads
	}
	args := make([]any, len(missing))
	for i, c := range missing {
		args[i] = string(c)
	}
	return d.query(ctx, tx, s, args, func(rows *sql.Rows) error {
		h := &head{}
		err := rows.Scan(&h.conv, &h.last, &h.at)
		b.heads[h.conv] = h
		return err
	})
}

// write writes what place decided: first the conversations, which on MySQL are
// locked by that until the commit, then the rest.
func (d *DB) write(ctx context.Context, tx *sql.Tx, b *batch) error {
	slices.SortFunc(b.moved, func(x, y *head) int { return cmp.Compare(x.conv, y.conv) })
	slices.SortStableFunc(b.rows, func(x, y messageRow) int { return cmp.Compare(x.ConvID, y.ConvID) })
	heads := make([]any, 0, len(b.moved)*d.sql.moveHeads.args)
	var members []any
	for _, h := range b.moved {
		heads = append(heads, string(h.conv), string(h.owner), membersOf(h.conv), h.last, h.at, h.made)
		if h.fresh {
			x, y, _ := h.conv.Pair()
			for _, u := range distinct(x, y) {
				members = append(members, string(h.conv), string(u), h.made)
			}
		}
	}
	if err := d.exec(ctx, tx, d.sql.moveHeads, heads); err != nil {
		return fmt.Errorf("advance conversations: %w", err)
	}
	if err := d.exec(ctx, tx, d.sql.insertMembers, members); err != nil {
		return fmt.Errorf("insert members: %w", err)
	}
	if err := d.writeFiles(ctx, tx, b); err != nil {
		return err
	}
	if err := d.writeStandings(ctx, tx, b); err != nil {
		return err
	}
	args := make([]any, 0, min(len(b.rows), maxRows)*d.sql.insertMessages.args)
	for _, part := range statements(b.rows) {
		args = args[:0]
		for _, r := range part {
			args = append(args, r.ConvID, r.Seq, r.ID, r.Author, r.Ref, r.Kind, r.Content, r.CreatedAt)
		}
		if err := d.exec(ctx, tx, d.sql.insertMessages, args); err != nil {
			return fmt.Errorf("insert messages: %w", err)
		}
	}
	return d.writeTargets(ctx, tx, b)
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
