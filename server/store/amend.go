package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kamachat/shared/chat"
)

// amending is the list of kinds that amend, as SQL reads it.
var amending = func() string {
	quoted := make([]string, len(chat.Amending))
	for i, k := range chat.Amending {
		quoted[i] = "'" + string(k) + "'"
	}
	return strings.Join(quoted, ",")
}()

// entryKey names an entry.
type entryKey struct {
	conv chat.ConvID
	seq  int64
}

// A target is an entry that drafts of a batch are about.
type target struct {
	chat.Message
	row int // of the batch, where it comes with it; else -1
}

// targets are the entries that drafts of a batch are about, and all that come
// with such a batch; nil for a batch in which nothing is about another entry.
type targets map[entryKey]*target

// readTargets reads the entries that ds are about. It asks nothing where none is.
func (d *DB) readTargets(ctx context.Context, tx *sql.Tx, b *batch, ds []chat.Draft) error {
	var args []any
	for _, dr := range ds {
		if seq := dr.Content.About(); seq != 0 {
			args = append(args, string(dr.Conv), seq)
		}
	}
	if len(args) == 0 {
		return nil
	}
	b.targets = targets{}
	return d.query(ctx, tx, d.sql.selectEntries, args, func(rows *sql.Rows) error {
		m, err := scanStored(rows)
		b.targets[entryKey{m.Conv, m.Seq}] = &target{m, -1}
		return err
	})
}

// scanStored reads a row of selectStored or selectEntries.
func scanStored(rows *sql.Rows) (chat.Message, error) {
	var r messageRow
	if err := rows.Scan(&r.ConvID, &r.Seq, &r.ID, &r.Author, &r.Ref, &r.Content, &r.CreatedAt); err != nil {
		return chat.Message{}, err
	}
	return r.message()
}

// about checks what dr says of an earlier entry, and fills in what it quotes.
func (b *batch) about(dr *chat.Draft) error {
	seq := dr.Content.About()
	if seq == 0 {
		return nil
	}
	t := b.targets[entryKey{dr.Conv, seq}]
	if t == nil {
		return dr.Allow(nil)
	}
	if err := dr.Allow(&t.Message); err != nil {
		return err
	}
	if dr.Content.Re != nil {
		dr.Content.Re = chat.QuoteOf(t.Message)
	}
	return nil
}

// placed takes note that m has become the last row of the batch. An amendment is
// applied to its target. What an edit said that is no longer shown is not kept.
func (b *batch) placed(m chat.Message) error {
	if b.targets == nil {
		return nil
	}
	b.targets[entryKey{m.Conv, m.Seq}] = &target{m, len(b.rows) - 1}
	if !m.Content.Kind.Amends() {
		return nil
	}
	t := b.targets[entryKey{m.Conv, m.Content.Of}]
	was, file := t.Content.Fate, t.Content.File
	if !chat.Amend(&t.Message, m) {
		return nil
	}
	if t.Content.Kind == chat.Gone {
		b.unsent(file, t.Message)
	}
	if m.Content.Kind != chat.React && was != nil && was.Edited != 0 {
		old := b.targets[entryKey{m.Conv, was.Edited}]
		if old == nil {
			old = &target{chat.Message{Conv: m.Conv, Seq: was.Edited}, -1}
		}
		old.Content = chat.Content{Kind: chat.Edit, Of: t.Seq}
		if err := b.rewrite(old); err != nil {
			return err
		}
	}
	return b.rewrite(t)
}

// rewrite has t stored as it is now.
func (b *batch) rewrite(t *target) error {
	p, err := json.Marshal(t.Content)
	if err != nil {
		return err
	}
	r := messageRow{ConvID: string(t.Conv), Seq: t.Seq, Kind: string(t.Content.Kind), Content: string(p)}
	if t.row >= 0 {
		b.rows[t.row].Kind, b.rows[t.row].Content = r.Kind, r.Content
		return nil
	}
	if i := slices.IndexFunc(b.rewritten, func(o messageRow) bool { return o.ConvID == r.ConvID && o.Seq == r.Seq }); i >= 0 {
		b.rewritten[i] = r
		return nil
	}
	b.rewritten = append(b.rewritten, r)
	return nil
}

// writeTargets stores what became of earlier entries.
func (d *DB) writeTargets(ctx context.Context, tx *sql.Tx, b *batch) error {
	slices.SortFunc(b.rewritten, func(x, y messageRow) int {
		return cmp.Or(cmp.Compare(x.ConvID, y.ConvID), cmp.Compare(x.Seq, y.Seq))
	})
	for _, r := range b.rewritten {
		if err := d.exec(ctx, tx, d.sql.rewriteMessage, []any{r.Kind, r.Content, r.ConvID, r.Seq}); err != nil {
			return fmt.Errorf("rewrite message: %w", err)
		}
	}
	return nil
}
