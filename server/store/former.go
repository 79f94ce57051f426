package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// formerRow is what stays of who was in a group.
type formerRow struct {
	bun.BaseModel `bun:"table:former_members,alias:fm"`

	ConvID     string `bun:"conv_id,pk"`
	UserID     string `bun:"user_id,pk"`
	MutedUntil int64  `bun:"muted_until"`
	SpokeAt    int64  `bun:"spoke_at"`
	Removed    bool   `bun:"removed"`
}

func (r formerRow) seat() chat.Seat {
	return chat.Seat{Muted: r.MutedUntil, Spoke: r.SpokeAt, Removed: r.Removed}
}

// seat returns the place of somebody in a group. A bot is no way back for its owner.
func (s *standings) seat(m member) chat.Seat {
	seat := s.seats[m]
	if o := s.users[m.user].owner; o != "" && !seat.In {
		seat.Removed = seat.Removed || s.seats[member{m.conv, o}].Removed
	}
	return seat
}

// asksOwnersSeats notes that places of bots are also those of their owners.
func (s *standings) asksOwnersSeats() {
	for m := range maps.Clone(s.seats) {
		if o := s.users[m.user].owner; o != "" {
			if k := (member{m.conv, o}); !s.seats[k].In {
				s.seats[k] = chat.Seat{}
			}
		}
	}
}

// asOwner makes of st that of m, a bot's: it is no way around that its owner is muted,
// has to wait, or was removed.
func (s *standings) asOwner(st *chat.Standing, m member) {
	o := s.users[m.user].owner
	if o == "" {
		return
	}
	of := s.seats[member{m.conv, o}]
	st.Muted, st.Spoke = max(st.Muted, of.Muted), max(st.Spoke, of.Spoke)
	if of.Removed {
		st.In, st.Removed = false, true
	}
}

// readFormer reads what stayed of those who are to come in, and of the owners of bots.
func (d *DB) readFormer(ctx context.Context, tx *sql.Tx, b *batch) error {
	ask := map[member]bool{}
	for m := range b.former {
		ask[m] = !b.seats[m].In
	}
	for m := range b.seats {
		if o := b.users[m.user].owner; o != "" {
			k := member{m.conv, o}
			ask[k] = !b.seats[k].In
		}
	}
	var args []any
	for k, is := range ask {
		if is {
			args = append(args, string(k.conv), string(k.user))
		}
	}
	if err := d.query(ctx, tx, d.sql.selectFormer, args, func(rows *sql.Rows) error {
		var r formerRow
		err := rows.Scan(&r.ConvID, &r.UserID, &r.MutedUntil, &r.SpokeAt, &r.Removed)
		m := member{chat.ConvID(r.ConvID), chat.UserID(r.UserID)}
		b.seats[m], b.former[m] = r.seat(), true
		return err
	}); err != nil {
		return fmt.Errorf("read former members: %w", err)
	}
	return nil
}

// writeFormer writes what stays of those who went, and forgets those who came.
func (d *DB) writeFormer(ctx context.Context, tx *sql.Tx, b *batch) error {
	now := d.now().UnixMilli()
	old := maps.Clone(b.gone)
	for k, found := range b.former {
		if found && b.seats[k].In {
			old[k] = true
		}
	}
	for _, k := range sorted(old) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM former_members WHERE conv_id = ? AND user_id = ?", string(k.conv), string(k.user)); err != nil {
			return fmt.Errorf("forget former member: %w", err)
		}
		s := b.seats[k]
		if s.In || !s.Removed && s.Muted <= now && s.Spoke+chat.MaxSlow*1000 <= now {
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO former_members (conv_id, user_id, muted_until, spoke_at, removed) VALUES (?, ?, ?, ?, ?)",
			string(k.conv), string(k.user), s.Muted, s.Spoke, s.Removed); err != nil {
			return fmt.Errorf("remember former member: %w", err)
		}
	}
	return nil
}
