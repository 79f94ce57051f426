package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"kamachat/shared/chat"
)

// standings are what decides who may do what, of those whom a batch names: as the
// database has it, and as the batch itself changes it.
type standings struct {
	users  map[chat.UserID]account
	seats  map[member]chat.Seat // in groups
	groups map[chat.ConvID]*group
	whole  map[chat.ConvID]bool // groups that drafts change
	bonds  map[pair]bond        // what the first of two people has the second as
	former map[member]bool      // who comes in: whether it is known that they were there before
	hidden map[pair]bool        // for the first of two people the second is not there
	// What is to be written.
	joined, gone map[member]bool
	changed      map[member]chat.Seat // of those who stay
	spoke        map[member]int64
}

// An account is what decides of somebody; the zero account is not there, or disabled.
type account struct {
	able, super bool
	owner       chat.UserID // of a bot
}

// A group is one of a batch: whole, or just what decides who may post.
type group struct {
	chat.Group
	changed bool
}

type (
	pair [2]chat.UserID
	bond struct{ contact, blocked bool }
)

func newStandings() standings {
	return standings{
		users: map[chat.UserID]account{}, seats: map[member]chat.Seat{}, groups: map[chat.ConvID]*group{}, whole: map[chat.ConvID]bool{}, bonds: map[pair]bond{}, former: map[member]bool{}, hidden: map[pair]bool{},
		joined: map[member]bool{}, gone: map[member]bool{}, changed: map[member]chat.Seat{}, spoke: map[member]int64{},
	}
}

// asks notes whom a draft is about.
func (s *standings) asks(dr chat.Draft) {
	s.users[dr.Author] = account{}
	if peer, ok := dr.Conv.Peer(dr.Author); ok {
		s.users[peer] = account{}
		if peer != dr.Author {
			s.bonds[pair{dr.Author, peer}], s.bonds[pair{peer, dr.Author}] = bond{}, bond{}
		}
	}
	if !dr.Conv.IsGroup() {
		return
	}
	s.groups[dr.Conv] = nil
	s.seats[member{dr.Conv, dr.Author}] = chat.Seat{}
	if e := dr.Content.Event; e != nil && e.What != chat.Made {
		s.whole[dr.Conv] = true
		for _, u := range e.Who {
			s.seats[member{dr.Conv, u}] = chat.Seat{}
			s.users[u] = account{}
			if e.What != chat.Joined {
				continue
			}
			s.former[member{dr.Conv, u}] = false
			if u != dr.Author {
				s.bonds[pair{dr.Author, u}], s.bonds[pair{u, dr.Author}] = bond{}, bond{}
			}
		}
	}
}

// readStandings reads what asks noted.
func (d *DB) readStandings(ctx context.Context, tx *sql.Tx, b *batch) error {
	users := make([]any, 0, len(b.users))
	for u := range b.users {
		users = append(users, string(u))
	}
	if err := d.query(ctx, tx, d.sql.selectUsers, users, func(rows *sql.Rows) error {
		var u chat.UserID
		a := account{able: true}
		err := rows.Scan(&u, &a.super, &a.owner)
		b.users[u] = a
		return err
	}); err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	b.asksOwnersSeats()
	if err := d.readSeats(ctx, tx, b); err != nil {
		return err
	}
	if err := d.readFormer(ctx, tx, b); err != nil {
		return err
	}
	b.asksOwners()
	bonds := make([]any, 0, 2*len(b.bonds))
	for p := range b.bonds {
		bonds = append(bonds, string(p[0]), string(p[1]))
	}
	if err := d.query(ctx, tx, d.sql.selectBonds, bonds, func(rows *sql.Rows) error {
		var p pair
		var o bond
		err := rows.Scan(&p[0], &p[1], &o.contact, &o.blocked)
		b.bonds[p] = o
		return err
	}); err != nil {
		return fmt.Errorf("read contacts: %w", err)
	}
	return nil
}

// readSeats reads the members that a batch names, and with them what is said of
// who may post. Groups that change, or of which somebody is no member, are read whole.
func (d *DB) readSeats(ctx context.Context, tx *sql.Tx, b *batch) error {
	seats := make([]any, 0, 2*len(b.seats))
	for m := range b.seats {
		seats = append(seats, string(m.conv), string(m.user))
	}
	if err := d.query(ctx, tx, d.sql.selectSeats, seats, func(rows *sql.Rows) error {
		var m member
		s, g := chat.Seat{In: true}, &group{}
		err := rows.Scan(&m.conv, &m.user, &s.Role, &s.Muted, &s.Spoke, &g.State, &g.Slow, &g.Announce)
		b.seats[m], b.groups[m.conv] = s, g
		return err
	}); err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	whole := maps.Clone(b.whole)
	for m, s := range b.seats {
		if !s.In {
			whole[m.conv] = true
		}
	}
	groups := make([]any, 0, len(whole))
	for g := range whole {
		groups = append(groups, string(g))
	}
	if err := d.query(ctx, tx, d.sql.selectGroups, groups, func(rows *sql.Rows) error {
		g := &group{}
		err := rows.Scan(&g.Conv, &g.Name, &g.Avatar, &g.Notice, &g.Owner, &g.Members, &g.State, &g.Joining, &g.Slow, &g.Announce)
		b.groups[g.Conv] = g
		return err
	}); err != nil {
		return fmt.Errorf("read groups: %w", err)
	}
	return nil
}

// of returns the standing of u in conv.
func (s *standings) of(u chat.UserID, conv chat.ConvID) (st chat.Standing) {
	st.Able, st.Super = s.users[u].able, s.users[u].super
	if peer, ok := conv.Peer(u); ok {
		st.Peer, st.Bond = s.users[peer].able && !s.hidden[pair{u, peer}], s.bond(u, peer)
	}
	if g := s.groups[conv]; g != nil {
		st.Exists, st.State, st.Rules, st.Members = true, g.State, g.Rules, g.Group.Members
		st.Seat = s.seat(member{conv, u})
		s.asOwner(&st, member{conv, u})
	}
	return st
}

// allow is the last check of who may post what where: only and most are what the
// server allows, as a chat.Standing has them. The error is a *chat.Refusal.
func (s *standings) allow(dr chat.Draft, only bool, most int, now int64) error {
	if dr.Super && dr.Content.Kind == chat.Recall {
		return nil // what it recalls is checked as ever
	}
	st := s.of(dr.Author, dr.Conv)
	st.Only, st.Most, st.Going = only, most, dr.Super
	if !dr.Conv.IsGroup() {
		if _, mine := dr.Conv.Peer(dr.Author); !mine {
			return chat.Refuse(chat.Forbidden, "not a conversation of yours")
		}
	}
	e := dr.Content.Event
	if e == nil {
		return st.MayPost(dr.Conv, dr.Content.Kind, now)
	}
	if peer, ok := dr.Conv.Peer(dr.Author); ok { // of a bot that is a contact itself its owner need be none
		st.Contacts = s.bonds[pair{dr.Author, peer}].contact && s.bonds[pair{peer, dr.Author}].contact
	}
	if e.What == chat.Joined || e.What == chat.Promoted || e.What == chat.Handed {
		for _, u := range e.Who {
			if !s.users[u].able {
				return chat.Refuse(chat.Forbidden, "a member's account is disabled")
			}
			if e.What != chat.Joined || e.Asked || u == dr.Author {
				continue
			}
			if err := s.bond(dr.Author, u).MayAdd(only); err != nil {
				return err
			}
		}
	}
	return st.MayChange(dr.Conv, dr.Author, *e, s.seatsOf(dr.Conv, *e, dr.Author), now)
}

func (s *standings) seatsOf(conv chat.ConvID, c chat.Change, by chat.UserID) map[chat.UserID]chat.Seat {
	seats := make(map[chat.UserID]chat.Seat, len(c.Who)+1)
	for _, u := range c.Who {
		seats[u] = s.seat(member{conv, u})
	}
	seats[by] = s.seat(member{conv, by})
	return seats
}

// changes takes note of what the entry m changes for those behind it, and in the
// database.
func (s *standings) changes(m chat.Message) {
	g := s.groups[m.Conv]
	if g == nil {
		return
	}
	at := member{m.Conv, m.Author}
	e := m.Content.Event
	if e == nil {
		if seat := s.seats[at]; g.Slow > 0 && seat.Role == chat.Plain && !m.Content.Kind.Amends() {
			seat.Spoke = m.At
			s.seats[at], s.spoke[at] = seat, m.At
			owner := member{m.Conv, s.users[m.Author].owner}
			if of := s.seats[owner]; of.In { // they take turns as one
				of.Spoke = m.At
				s.seats[owner], s.spoke[owner] = of, m.At
			}
		}
		return
	}
	if e.What == chat.Made {
		return
	}
	next, seats := g.Apply(m.Author, *e, s.seatsOf(m.Conv, *e, m.Author))
	g.Group, g.changed = next, true
	for u, seat := range seats {
		k := member{m.Conv, u}
		was := s.seats[k]
		s.seats[k] = seat
		switch {
		case !seat.In:
			// Also where they came with this batch: deleted first, then inserted.
			delete(s.joined, k)
			delete(s.changed, k)
			delete(s.spoke, k)
			s.gone[k] = true
		case !was.In:
			s.joined[k] = true
		default:
			s.changed[k] = seat
		}
	}
}

// writeStandings writes what changes noted. Changes are rare: each is a statement.
func (d *DB) writeStandings(ctx context.Context, tx *sql.Tx, b *batch) error {
	for _, k := range sorted(b.gone) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM members WHERE conv_id = ? AND user_id = ?", string(k.conv), string(k.user)); err != nil {
			return fmt.Errorf("remove member: %w", err)
		}
	}
	if err := d.writeFormer(ctx, tx, b); err != nil {
		return err
	}
	for _, k := range sorted(b.joined) {
		// Nothing before is news to them.
		h := b.heads[k.conv]
		before := h.last - int64(b.entriesOf(k.conv))
		if _, err := tx.ExecContext(ctx, "INSERT INTO members (conv_id, user_id, joined_at, delivered_seq, read_seq, role, muted_until, spoke_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			string(k.conv), string(k.user), h.at, before, before, int(b.seats[k].Role), b.seats[k].Muted, b.seats[k].Spoke); err != nil {
			return fmt.Errorf("insert member: %w", err)
		}
	}
	for _, k := range sorted(b.changed) {
		if b.joined[k] {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE members SET role = ?, muted_until = ? WHERE conv_id = ? AND user_id = ?",
			int(b.changed[k].Role), b.changed[k].Muted, string(k.conv), string(k.user)); err != nil {
			return fmt.Errorf("change member: %w", err)
		}
	}
	for _, k := range sorted(b.spoke) {
		if _, err := tx.ExecContext(ctx, "UPDATE members SET spoke_at = ? WHERE conv_id = ? AND user_id = ?", b.spoke[k], string(k.conv), string(k.user)); err != nil {
			return fmt.Errorf("note post: %w", err)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(b.groups)) {
		g := b.groups[c]
		if g == nil || !g.changed {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE conversations SET name = ?, avatar = ?, notice = ?, owner = ?, members = ?, state = ?, joining = ?, slow = ?, announce = ? WHERE id = ?",
			g.Name, g.Avatar, g.Notice, string(g.Owner), g.Members, int(g.State), string(g.Joining), g.Slow, g.Announce, string(c)); err != nil {
			return fmt.Errorf("change group: %w", err)
		}
	}
	return nil
}

// sorted returns the keys of m, so that two transactions write in the same order.
func sorted[V any](m map[member]V) []member {
	return slices.SortedFunc(maps.Keys(m), func(x, y member) int {
		return cmp.Or(cmp.Compare(x.conv, y.conv), cmp.Compare(x.user, y.user))
	})
}

// entriesOf returns how many entries of conv the batch has.
func (b *batch) entriesOf(conv chat.ConvID) (n int) {
	for _, r := range b.rows {
		if r.ConvID == string(conv) {
			n++
		}
	}
	return n
}

// Laws returns what decides who may do what in conv.
func (d *DB) Laws(ctx context.Context, conv chat.ConvID) (l chat.Laws, err error) {
	if x, y, ok := conv.Pair(); ok {
		bonds, err := bondsOf(ctx, d.read, x, y)
		b := bonds[y]
		l.Bonds = map[chat.UserID]chat.Bond{x: b, y: b.Turned()}
		return l, err
	}
	var rows []convRow
	if err := d.read.NewSelect().Model(&rows).Where("id = ?", string(conv)).Scan(ctx); err != nil {
		return l, fmt.Errorf("read group: %w", err)
	}
	if len(rows) == 0 {
		return l, nil
	}
	g := rows[0].group()
	var members []memberRow
	err = d.read.NewSelect().Model(&members).Where("conv_id = ? AND (role > 0 OR muted_until > 0 OR spoke_at > 0)", string(conv)).Scan(ctx)
	if err != nil {
		return l, fmt.Errorf("read seats: %w", err)
	}
	l.Group, l.Seats = &g, make(map[chat.UserID]chat.Seat, len(members))
	for _, m := range members {
		l.Seats[chat.UserID(m.UserID)] = m.seat()
	}
	return l, nil
}

func (r convRow) group() chat.Group {
	return chat.Group{
		Conv: chat.ConvID(r.ID), Name: r.Name, Avatar: r.Avatar, Notice: r.Notice, Owner: chat.UserID(r.Owner), Members: r.Members,
		State: chat.GroupState(r.State), Rules: chat.Rules{Joining: chat.Joining(r.Joining), Slow: r.Slow, Announce: r.Announce},
	}
}

func (r memberRow) seat() chat.Seat {
	return chat.Seat{In: true, Role: chat.Role(r.Role), Muted: r.MutedUntil, Spoke: r.SpokeAt}
}
