package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// Hidden returns those of ids who want to be found by nobody, and whom u does not
// know: they are no contacts of u's, have no conversation with u, are or were in no
// group that u is in, and neither has asked the other. For u they are not there.
// Administrators know everybody, bots whom their owner knows; who is blocked by u is known to u.
func (d *DB) Hidden(ctx context.Context, u chat.UserID, ids ...chat.UserID) ([]chat.UserID, error) {
	return d.hiddenFrom(ctx, d.read.DB, u, ids...)
}

// there answers chat.NotFound where peer does not exist, or not for u.
func (d *DB) there(ctx context.Context, tx bun.Tx, u, peer chat.UserID) error {
	is, err := tx.NewSelect().Table("users").Where("id = ?", string(peer)).Exists(ctx)
	if err != nil {
		return err
	}
	hidden, err := d.hiddenFrom(ctx, tx.Tx, u, peer)
	if err == nil && (!is || len(hidden) > 0) {
		err = chat.Refuse(chat.NotFound, "no such person")
	}
	return err
}

// hiddenFrom is Hidden by what conn reads.
func (d *DB) hiddenFrom(ctx context.Context, conn bun.IConn, u chat.UserID, ids ...chat.UserID) (hidden []chat.UserID, err error) {
	for part := range slices.Chunk(ids, chunk) {
		var some []chat.UserID
		if err := d.db.NewSelect().Conn(conn).Model((*profileRow)(nil)).Column("user_id").Where("user_id IN (?) AND unlisted = ? AND user_id <> ?", bun.List(part), true, string(u)).
			Scan(ctx, &some); err != nil {
			return nil, fmt.Errorf("read who is not listed: %w", err)
		}
		hidden = append(hidden, some...)
	}
	if len(hidden) == 0 {
		return nil, nil
	}
	var me []userRow
	if err := d.db.NewSelect().Conn(conn).Model(&me).Column("id", "admin", "bot_of").Where("id = ?", string(u)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read who asks: %w", err)
	}
	if len(me) > 0 && me[0].Admin {
		return nil, nil
	}
	faces := []chat.UserID{u}
	if len(me) > 0 && me[0].BotOf != "" {
		faces = append(faces, chat.UserID(me[0].BotOf))
	}
	known := map[chat.UserID]bool{}
	for _, f := range faces {
		known[f] = true
	}
	for part := range slices.Chunk(hidden, chunk/2) {
		if err := d.acquaintances(ctx, conn, faces, part, known); err != nil {
			return nil, fmt.Errorf("read who is known: %w", err)
		}
	}
	return slices.DeleteFunc(hidden, func(id chat.UserID) bool { return known[id] }), nil
}

// acquaintances notes those of ids whom one of faces knows.
func (d *DB) acquaintances(ctx context.Context, conn bun.IConn, faces, ids []chat.UserID, known map[chat.UserID]bool) error {
	var direct []string
	peers := map[string]chat.UserID{}
	for _, f := range faces {
		for _, id := range ids {
			c := string(chat.Direct(f, id))
			direct, peers[c] = append(direct, c), id
		}
	}
	us, them := bun.List(faces), bun.List(ids)
	for _, q := range []*bun.SelectQuery{
		d.db.NewSelect().Table("contacts").Column("peer_id").Where("user_id IN (?) AND peer_id IN (?) AND (contact = ? OR blocked = ?)", us, them, true, true),
		d.db.NewSelect().Table("contacts").Column("user_id").Where("user_id IN (?) AND peer_id IN (?) AND contact = ?", them, us, true),
		d.db.NewSelect().Table("contact_requests").Column("to_id").Where("from_id IN (?) AND to_id IN (?)", us, them),
		d.db.NewSelect().Table("contact_requests").Column("from_id").Where("from_id IN (?) AND to_id IN (?)", them, us),
		d.db.NewSelect().Table("conversations").Column("id").Where("id IN (?)", bun.List(direct)),
		d.shared(us, them, "members"),
		d.shared(us, them, "former_members"),
	} {
		var found []string
		if err := q.Conn(conn).Scan(ctx, &found); err != nil && err != sql.ErrNoRows {
			return err
		}
		for _, f := range found {
			known[chat.UserID(f)], known[peers[f]] = true, true
		}
	}
	return nil
}

// shared asks who of them is or was, as table has it, in a group that one of us is in.
func (d *DB) shared(us, them any, table string) *bun.SelectQuery {
	return d.db.NewSelect().TableExpr("members AS a").ColumnExpr("b.user_id").Join("JOIN ? AS b ON b.conv_id = a.conv_id", bun.Ident(table)).
		Where("a.user_id IN (?) AND b.user_id IN (?) AND a.conv_id >= ? AND a.conv_id < ?", us, them, "G", "H").GroupExpr("b.user_id")
}

// readHidden reads for whom the person is not there with whom a batch would begin a
// conversation.
func (d *DB) readHidden(ctx context.Context, tx *sql.Tx, b *batch, ds []chat.Draft) error {
	for _, dr := range ds {
		peer, ok := dr.Conv.Peer(dr.Author)
		if !ok || b.heads[dr.Conv] != nil || !b.users[peer].able {
			continue
		}
		us, err := d.hiddenFrom(ctx, tx, dr.Author, peer)
		if err != nil {
			return err
		}
		b.hidden[pair{dr.Author, peer}] = len(us) > 0
	}
	return nil
}
