package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// The states of a file. Its row is there before the first byte and until after
// the last, so that no byte is ever kept of which nobody knows.
const (
	fileArriving = iota // the bytes are still coming
	fileUnposted        // nobody has posted it
	filePosted          // it is in a conversation, and stays
	fileGoing           // the bytes are being removed
)

type fileRow struct {
	bun.BaseModel `bun:"table:files,alias:f"`

	ID        string `bun:"id,pk"`
	Owner     string `bun:"owner"`
	Name      string `bun:"name"`
	Type      string `bun:"type"`
	Size      int64  `bun:"size"`
	Width     int    `bun:"width"`
	Height    int    `bun:"height"`
	State     int    `bun:"state"`
	CreatedAt int64  `bun:"created_at"`
}

func (r fileRow) upload() chat.Upload {
	return chat.Upload{
		ID: r.ID, Owner: chat.UserID(r.Owner), Name: r.Name, Type: r.Type, Size: r.Size, Width: r.Width, Height: r.Height, At: r.CreatedAt,
	}
}

// BeginUpload notes that the bytes of u will come, u.Size of them at most. It
// answers chat.RateLimited where its owner would have uploaded more than bytes,
// or than files, since a time in Unix milliseconds. What is removed again does not count.
func (d *DB) BeginUpload(ctx context.Context, u chat.Upload, since, bytes int64, files int) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var used struct{ N, Bytes int64 }
		err := tx.NewSelect().Model((*fileRow)(nil)).ColumnExpr("COUNT(*) AS n, COALESCE(SUM(size), 0) AS bytes").
			Where("owner = ? AND created_at > ?", string(u.Owner), since).Scan(ctx, &used)
		if err != nil {
			return err
		}
		if used.N >= int64(files) || used.Bytes+u.Size > bytes {
			return &chat.Refusal{Code: chat.RateLimited, Words: "enough was uploaded for one day", RetryAfter: time.Hour}
		}
		r := fileRow{
			ID: u.ID, Owner: string(u.Owner), Name: u.Name, Type: u.Type, Size: u.Size, Width: u.Width, Height: u.Height,
			State: fileArriving, CreatedAt: u.At,
		}
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin upload: %w", err)
	}
	return nil
}

// EndUpload notes that all bytes of u are there, and what it turned out to be.
func (d *DB) EndUpload(ctx context.Context, u chat.Upload) error {
	res, err := d.db.NewUpdate().Model((*fileRow)(nil)).
		Set("type = ?, size = ?, state = ?", u.Type, u.Size, fileUnposted).
		Where("id = ? AND state = ?", u.ID, fileArriving).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end upload: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("end upload: it is not known any more (%w)", err)
	}
	return nil
}

// UploadFor returns what is known of a file that u may read: its owner, the
// members of conversations that it was posted in, and everybody where it is its
// owner's avatar. To anybody else there is none.
func (d *DB) UploadFor(ctx context.Context, id string, u chat.UserID) (chat.Upload, error) {
	var r fileRow
	err := d.read.NewSelect().Model(&r).Where("f.id = ? AND f.state IN (?, ?)", id, fileUnposted, filePosted).
		Where(mayRead, string(u), string(u)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Upload{}, chat.ErrNotFound
	}
	if err != nil {
		return chat.Upload{}, fmt.Errorf("read file: %w", err)
	}
	return r.upload(), nil
}

// mayRead holds of a file f that somebody, named twice, may read.
const mayRead = `(f.owner = ? OR EXISTS (SELECT 1 FROM file_entries AS e
	JOIN members AS m ON m.conv_id = e.conv_id AND m.user_id = ? WHERE e.file_id = f.id) OR ` + worn + `)`

// StaleUploads marks files for removal that were begun before a time and never
// posted, and returns at most limit that are marked. From then on they can't be
// posted or read.
func (d *DB) StaleUploads(ctx context.Context, before int64, limit int) ([]string, error) {
	unposted := []int{fileArriving, fileUnposted}
	var ids []string
	err := d.read.NewSelect().Model((*fileRow)(nil)).Column("id").
		Where("state IN (?) AND created_at < ?", bun.List(unposted), before).OrderExpr("created_at").Limit(int64(limit)).Scan(ctx, &ids)
	for _, id := range ids { // one by one: a commit that posts one locks that alone
		if err == nil {
			err = d.persist(ctx, func() error {
				_, err := d.db.NewUpdate().Model((*fileRow)(nil)).Set("state = ?", fileGoing).
					Where("id = ? AND state IN (?)", id, bun.List(unposted)).Exec(ctx)
				return err
			})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("mark stale files: %w", err)
	}
	ids = nil
	if err := d.read.NewSelect().Model((*fileRow)(nil)).Column("id").Where("state = ?", fileGoing).Limit(int64(limit)).Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("read stale files: %w", err)
	}
	return ids, nil
}

// ForgetUpload forgets a file whose bytes are gone: one that was still coming,
// or was marked. Any other stays.
func (d *DB) ForgetUpload(ctx context.Context, id string) error {
	_, err := d.db.NewDelete().Model((*fileRow)(nil)).Where("id = ? AND state IN (?, ?)", id, fileArriving, fileGoing).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget file: %w", err)
	}
	return nil
}

// A filed is a file that an author wants to post.
type filed struct {
	id     string
	author chat.UserID
}

// uploadOf returns the upload that c points at, "" for none.
func uploadOf(c chat.Content) string {
	if e := c.Event; e != nil && e.What == chat.Pictured {
		return (&chat.File{URL: e.Name}).UploadID()
	}
	return c.File.UploadID()
}

// wants notes the upload that dr points at, if any.
func (b *batch) wants(dr chat.Draft) {
	if id := uploadOf(dr.Content); id != "" {
		if b.files == nil {
			b.files = map[filed]*chat.File{}
		}
		b.files[filed{id, dr.Author}] = nil
	}
}

// readFiles reads the uploads that b's authors may post, and keeps them from
// being removed until the transaction ends.
func (d *DB) readFiles(ctx context.Context, tx *sql.Tx, b *batch) error {
	wanted := make([]filed, 0, len(b.files))
	for f := range b.files {
		wanted = append(wanted, f)
	}
	slices.SortFunc(wanted, func(x, y filed) int { // two transactions lock in the same order
		return cmp.Or(cmp.Compare(x.id, y.id), cmp.Compare(x.author, y.author))
	})
	for _, f := range wanted {
		args := []any{f.id, string(f.author), string(f.author)}
		if err := d.query(ctx, tx, d.sql.lockFile, args, func(rows *sql.Rows) error {
			u := chat.Upload{ID: f.id}
			err := rows.Scan(&u.Name, &u.Type, &u.Size, &u.Width, &u.Height)
			file := u.File()
			b.files[f] = &file
			return err
		}); err != nil {
			return fmt.Errorf("read files: %w", err)
		}
	}
	return nil
}

// file makes dr say of an upload what is known of it here, whatever its author
// says. It reports whether the author may post it.
func (b *batch) file(dr *chat.Draft) bool {
	id, e := uploadOf(dr.Content), dr.Content.Event
	if id == "" {
		return e == nil || e.What != chat.Pictured || e.Name == ""
	}
	f := b.files[filed{id, dr.Author}]
	if e != nil {
		return f != nil && chat.Media(f.Type) == "image"
	}
	dr.Content.File = f
	return f != nil
}

// unsent takes note that an entry that had f is no longer to be read.
func (b *batch) unsent(f *chat.File, m chat.Message) {
	if id := f.UploadID(); id != "" {
		b.freed = append(b.freed, fileEntry{id, m.Conv, m.Seq})
	}
}

// writeFiles notes which entries have which files, and which have them no more.
// A file that no entry has is one that nobody has posted.
func (d *DB) writeFiles(ctx context.Context, tx *sql.Tx, b *batch) error {
	var ids, entries []any
	for _, p := range b.posted {
		ids, entries = append(ids, p.id), append(entries, p.id, string(p.conv), p.seq)
	}
	if err := d.exec(ctx, tx, d.sql.markFiles, ids); err != nil {
		return fmt.Errorf("mark files: %w", err)
	}
	if err := d.exec(ctx, tx, d.sql.insertFileEntries, entries); err != nil {
		return fmt.Errorf("insert entries of files: %w", err)
	}
	slices.SortFunc(b.freed, func(x, y fileEntry) int { return cmp.Compare(x.id, y.id) })
	for _, p := range b.freed {
		// Locked first: one that is just being posted elsewhere stays posted.
		none := func(*sql.Rows) error { return nil }
		if err := d.query(ctx, tx, d.sql.lockUnsent, []any{p.id}, none); err != nil {
			return fmt.Errorf("lock a file: %w", err)
		}
		if err := d.exec(ctx, tx, d.sql.deleteFileEntry, []any{p.id, string(p.conv), p.seq}); err != nil {
			return fmt.Errorf("delete the entry of a file: %w", err)
		}
		if err := d.exec(ctx, tx, d.sql.freeFile, []any{p.id}); err != nil {
			return fmt.Errorf("free a file: %w", err)
		}
	}
	return nil
}

// A fileEntry is a file in an entry of a conversation.
type fileEntry struct {
	id   string
	conv chat.ConvID
	seq  int64
}
