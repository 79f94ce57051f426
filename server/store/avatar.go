package store

import (
	"context"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// errNoPicture is the answer to an avatar that is no picture of the person's own.
var errNoPicture = chat.Refuse(chat.Invalid, "the picture must be a file that was uploaded here")

// worn holds of a file f that is its owner's avatar: everybody may read that. An
// avatar is stored as chat.File.URL has it, with the id from the eighth byte on.
const worn = "EXISTS (SELECT 1 FROM users AS a WHERE a.id = f.owner AND SUBSTR(a.avatar, 8, 26) = f.id)"

// wear checks that u may have avatar, and keeps its file, as one that is posted
// is. The file of the avatar before goes, unless it was posted. It returns the
// path to store.
func (d *DB) wear(ctx context.Context, tx bun.Tx, u chat.UserID, avatar string) (string, error) {
	q := tx.NewSelect().Table("users").Column("avatar").Where("id = ?", string(u))
	if d.mysql { // SQLite has one writer
		q = q.For("UPDATE")
	}
	var was string
	if err := q.Scan(ctx, &was); err != nil {
		return "", err
	}
	if avatar == was {
		return was, nil
	}
	if avatar != "" {
		up, err := d.ownPicture(ctx, tx, u, (&chat.File{URL: avatar}).UploadID())
		if err != nil {
			return "", err
		}
		up.Name = "avatar" // what it was called is nobody's business
		avatar = up.URL()
		if _, err := tx.NewUpdate().Table("files").Set("state = ?", filePosted).Where("id = ?", up.ID).Exec(ctx); err != nil {
			return "", err
		}
	}
	if id := (&chat.File{URL: was}).UploadID(); id != "" {
		return avatar, freeOwn(ctx, tx, u, id)
	}
	return avatar, nil
}

// ownPicture returns a picture that u has uploaded, and keeps it from being
// removed until the transaction ends.
func (d *DB) ownPicture(ctx context.Context, tx bun.Tx, u chat.UserID, id string) (chat.Upload, error) {
	var rows []fileRow
	q := tx.NewSelect().Model(&rows).Where("id = ? AND owner = ? AND state IN (?, ?)", id, string(u), fileUnposted, filePosted)
	if d.mysql {
		q = q.For("UPDATE")
	}
	if err := q.Scan(ctx); err != nil {
		return chat.Upload{}, err
	}
	if len(rows) == 0 || chat.Media(rows[0].Type) != "image" {
		return chat.Upload{}, errNoPicture
	}
	return rows[0].upload(), nil
}

// freeOwn has a file that u had as an avatar be one that nobody has posted, where that is so.
func freeOwn(ctx context.Context, tx bun.Tx, u chat.UserID, id string) error {
	_, err := tx.NewUpdate().Table("files").Set("state = ?", fileUnposted).
		Where("id = ? AND owner = ? AND state = ?", id, string(u), filePosted).
		Where("NOT EXISTS (SELECT 1 FROM file_entries AS e WHERE e.file_id = files.id)").Exec(ctx)
	return err
}

// unwear lets go of the avatar of u, who is being deleted.
func unwear(ctx context.Context, tx bun.Tx, u chat.UserID) error {
	var was []string
	if err := tx.NewSelect().Table("users").Column("avatar").Where("id = ?", string(u)).Scan(ctx, &was); err != nil || len(was) == 0 {
		return err
	}
	return freeOwn(ctx, tx, u, (&chat.File{URL: was[0]}).UploadID())
}
