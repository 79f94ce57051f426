package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

type contactRow struct {
	bun.BaseModel `bun:"table:contacts,alias:k"`

	UserID  string `bun:"user_id,pk"`
	PeerID  string `bun:"peer_id,pk"`
	Contact bool   `bun:"contact"`
	Blocked bool   `bun:"blocked"`
	At      int64  `bun:"at"`
}

// asksOwners notes what is to be known of the owners of bots, who are known by now.
func (s *standings) asksOwners() {
	more := map[pair]bond{}
	for p := range s.bonds {
		if s.users[p[0]].owner == "" && s.users[p[1]].owner == "" {
			continue
		}
		for _, u := range s.faceOf(p[0]).Faces() {
			for _, v := range s.faceOf(p[1]).Faces() {
				if k := (pair{u, v}); k != p && u != v {
					more[k] = bond{}
				}
			}
		}
	}
	maps.Copy(s.bonds, more)
}

func (s *standings) faceOf(u chat.UserID) chat.Person {
	return chat.Person{ID: u, BotOf: s.users[u].owner}
}

// bond returns what peer is to u.
func (s *standings) bond(u, peer chat.UserID) chat.Bond {
	return chat.Between(s.faceOf(u), s.faceOf(peer), func(x, y chat.UserID) (contact, blocked bool) {
		b := s.bonds[pair{x, y}]
		return b.contact, b.blocked
	})
}

// BondsWith returns what others are to u, seen by u. What is between the owners of
// bots counts, as chat.Between tells.
func (d *DB) BondsWith(ctx context.Context, u chat.UserID, others ...chat.UserID) (map[chat.UserID]chat.Bond, error) {
	return bondsOf(ctx, d.db, u, others...)
}

// Barred returns those who have blocked u, or whom u has blocked. Of a bot its
// owner's count, too.
func (d *DB) Barred(ctx context.Context, u chat.UserID) (us []chat.UserID, err error) {
	of := func(whose, who string) *bun.SelectQuery {
		return d.read.NewSelect().Table("contacts").Column(who).
			Where("? IN (?, (SELECT bot_of FROM users WHERE id = ?)) AND blocked = ?", bun.Ident(whose), string(u), string(u), true)
	}
	if err := of("user_id", "peer_id").Union(of("peer_id", "user_id")).Scan(ctx, &us); err != nil {
		return nil, fmt.Errorf("read who is blocked: %w", err)
	}
	return us, nil
}

// OwnBond returns what u and peer have each other as, whoever's bots they are, seen by u.
func (d *DB) OwnBond(ctx context.Context, u, peer chat.UserID) (chat.Bond, error) {
	return ownBond(ctx, d.db, u, peer)
}

func ownBond(ctx context.Context, db bun.IDB, u, peer chat.UserID) (chat.Bond, error) {
	has, err := readBonds(ctx, db, []chat.UserID{u}, []chat.UserID{peer})
	return chat.Between(chat.Person{ID: u}, chat.Person{ID: peer}, has), err
}

// bondsOf is BondsWith by what db reads.
func bondsOf(ctx context.Context, db bun.IDB, u chat.UserID, others ...chat.UserID) (map[chat.UserID]chat.Bond, error) {
	bonds := make(map[chat.UserID]chat.Bond, len(others))
	for part := range slices.Chunk(others, chunk) {
		var bots []userRow
		if err := db.NewSelect().Model(&bots).Column("id", "bot_of").Where("id IN (?) AND bot_of <> ''", bun.List(append(part[:len(part):len(part)], u))).Scan(ctx); err != nil {
			return nil, fmt.Errorf("read bots: %w", err)
		}
		owners := map[chat.UserID]chat.UserID{}
		for _, b := range bots {
			owners[chat.UserID(b.ID)] = chat.UserID(b.BotOf)
		}
		faceOf := func(u chat.UserID) chat.Person { return chat.Person{ID: u, BotOf: owners[u]} }
		var faces []chat.UserID
		for _, o := range part {
			faces = append(faces, faceOf(o).Faces()...)
		}
		has, err := readBonds(ctx, db, faceOf(u).Faces(), faces)
		if err != nil {
			return nil, err
		}
		for _, o := range part {
			bonds[o] = chat.Between(faceOf(u), faceOf(o), has)
		}
	}
	return bonds, nil
}

// readBonds reads what those of xs and those of ys have each other as.
func readBonds(ctx context.Context, db bun.IDB, xs, ys []chat.UserID) (has func(x, y chat.UserID) (contact, blocked bool), err error) {
	var rows []contactRow
	err = db.NewSelect().Model(&rows).
		Where("user_id IN (?) AND peer_id IN (?) OR peer_id IN (?) AND user_id IN (?)", bun.List(xs), bun.List(ys), bun.List(xs), bun.List(ys)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	found := make(map[pair]bond, len(rows))
	for _, r := range rows {
		found[pair{chat.UserID(r.UserID), chat.UserID(r.PeerID)}] = bond{r.Contact, r.Blocked}
	}
	return func(x, y chat.UserID) (contact, blocked bool) {
		b := found[pair{x, y}]
		return b.contact, b.blocked
	}, nil
}
