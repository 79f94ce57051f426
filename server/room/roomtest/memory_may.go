package roomtest

import (
	"context"

	"kamachat/shared/chat"
)

// Bond has x block, or have as a contact, y, as far as b says so.
func (m *Memory) Bond(x, y chat.UserID, b chat.Bond) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bonds[[2]chat.UserID{x, y}] = b
}

func (m *Memory) bondLocked(x, y chat.UserID) chat.Bond {
	return chat.Between(m.faceLocked(x), m.faceLocked(y), func(x, y chat.UserID) (contact, blocked bool) {
		b := m.bonds[[2]chat.UserID{x, y}]
		return b.Contacts, b.Blocking
	})
}

func (m *Memory) faceLocked(u chat.UserID) chat.Person {
	return chat.Person{ID: u, BotOf: m.people[u].BotOf}
}

// ableLocked reports whether u, and of a bot its owner, is there and enabled.
func (m *Memory) ableLocked(u chat.UserID) bool {
	p, ok := m.people[u]
	return ok && !p.Disabled && (p.BotOf == "" || m.ableLocked(p.BotOf))
}

func (m *Memory) standingLocked(u chat.UserID, conv chat.ConvID) (s chat.Standing) {
	s.Able, s.Super = m.ableLocked(u), m.people[u].Admin
	if peer, ok := conv.Peer(u); ok {
		s.Peer, s.Bond = m.ableLocked(peer), m.bondLocked(u, peer)
	}
	if c := m.convs[conv]; c != nil && conv.IsGroup() {
		s.Exists, s.State, s.Rules, s.Members, s.Seat = true, c.group.State, c.group.Rules, c.group.Members, c.seats[u]
	}
	return s
}

// change applies a change of the group that m tells, made by seats.
func (c *memoryConv) change(m chat.Message, seats map[chat.UserID]chat.Seat) {
	g, next := c.group.Apply(m.Author, *m.Content.Event, seats)
	c.group, c.Title, c.Avatar, c.Members = g, g.Name, g.Avatar, g.Members
	for u, s := range next {
		if _, was := c.marks[u]; !was {
			c.marks[u] = chat.Marks{Conv: m.Conv, User: u, Delivered: m.Seq - 1, Read: m.Seq - 1}
			c.joined[u] = m.At
		}
		if c.seats[u] = s; !s.In {
			delete(c.marks, u)
			delete(c.joined, u)
		}
	}
}

// Laws is room.Store's.
func (m *Memory) Laws(ctx context.Context, conv chat.ConvID) (l chat.Laws, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x, y, ok := conv.Pair(); ok {
		l.Bonds = map[chat.UserID]chat.Bond{x: m.bondLocked(x, y), y: m.bondLocked(y, x)}
	} else if c := m.convs[conv]; c != nil {
		g := c.group
		l.Group, l.Seats = &g, map[chat.UserID]chat.Seat{}
		for u, s := range c.seats {
			if s.In && s != (chat.Seat{In: true}) {
				l.Seats[u] = s
			}
		}
	}
	return l, ctx.Err()
}
