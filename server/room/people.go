package room

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kamachat/shared/chat"
)

// Who looks up people for a client of u, at most 100, without those who are not there for u.
func (h *Hub) Who(ctx context.Context, u chat.UserID, ids []chat.UserID) ([]chat.Person, error) {
	ps, err := h.People.People(ctx, ids[:min(len(ids), 100)]...)
	if err != nil || len(ps) == 0 || h.Seer == nil {
		return ps, err
	}
	hidden, err := h.Seer.Hidden(ctx, u, ids[:min(len(ids), 100)]...)
	return slices.DeleteFunc(ps, func(p chat.Person) bool { return slices.Contains(hidden, p.ID) }), err
}

// nameFor is how long a looked-up author is remembered.
const nameFor = time.Minute

// name returns the author of a message for the dialects that name it.
func (h *Hub) name(ctx context.Context, u chat.UserID) chat.Person {
	now := h.Now()
	h.mu.Lock()
	n, ok := h.names[u]
	h.mu.Unlock()
	if ok && now.Before(n.until) {
		return n.person
	}
	n = named{person: chat.Person{ID: u}, until: now.Add(nameFor)}
	ps, err := h.People.People(ctx, u)
	if err != nil {
		h.Log.Error("look up author", "user", u, "err", err)
		return n.person
	}
	if len(ps) > 0 {
		n.person = ps[0]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.names) >= 10_000 {
		clear(h.names)
	}
	h.names[u] = n
	return n.person
}

// named looks up the people of direct conversations, the authors of last
// messages, and more.
func (h *Hub) named(ctx context.Context, convs []chat.Summary, more ...chat.UserID) ([]chat.Person, error) {
	ids := more
	for _, s := range convs {
		if a, b, ok := s.Conv.Pair(); ok {
			ids = append(ids, a, b)
		}
		if s.Last != nil {
			ids = append(ids, s.Last.Author)
		}
	}
	slices.Sort(ids)
	people, err := h.People.People(ctx, slices.Compact(ids)...)
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	return people, nil
}
