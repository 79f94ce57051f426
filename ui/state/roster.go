package state

import (
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// typingFor is how long someone is believed to be typing, in milliseconds.
const typingFor = 6_000

// A roster is the people known, who of them is online, and who is still to be asked for.
type roster struct {
	people map[chat.UserID]chat.Person
	online map[chat.UserID]bool
	blind  bool                 // of others it is not known whether they are online
	wanted map[chat.UserID]bool // to be asked for
	asked  map[chat.UserID]bool // asked for over the present connection
	news   []chat.UserID        // who was learned since Learned
	gone   string               // what to call who has deleted the account; empty: as the server does
}

func newRoster() roster {
	return roster{people: map[chat.UserID]chat.Person{}, online: map[chat.UserID]bool{}, wanted: map[chat.UserID]bool{}, asked: map[chat.UserID]bool{}}
}

func (r *roster) learn(ps ...chat.Person) {
	for _, p := range ps {
		if p.ID != "" {
			if r.people[p.ID] != p {
				r.news = append(r.news, p.ID)
			}
			r.people[p.ID] = p
			delete(r.wanted, p.ID)
		}
	}
}

// unknown notes ids that somebody should introduce.
func (r *roster) unknown(ids ...chat.UserID) {
	for _, id := range ids {
		if _, ok := r.people[id]; !ok && !r.asked[id] && id.Valid() {
			r.wanted[id] = true
		}
	}
}

// takeUnknown returns at most n ids to ask for.
func (r *roster) takeUnknown(n int) []chat.UserID {
	ids := make([]chat.UserID, 0, len(r.wanted))
	for id := range r.wanted {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = ids[:min(n, len(ids))]
	for _, id := range ids {
		delete(r.wanted, id)
		r.asked[id] = true
	}
	return ids
}

// reask wants everybody again who was asked for in vain.
func (r *roster) reask() {
	for id := range r.asked {
		delete(r.asked, id)
		r.unknown(id)
	}
}

func (r *roster) setOnline(u chat.UserID, on bool) (changed bool) {
	changed = r.online[u] != on
	if on {
		r.online[u] = true
	} else {
		delete(r.online, u)
	}
	return changed
}

func (r *roster) onlyOnline(us []chat.UserID) {
	clear(r.online)
	for _, u := range us {
		r.online[u] = true
	}
}

// Me returns the signed-in person.
func (s *State) Me() chat.Person { return s.me }

// Person returns what is known of id.
func (s *State) Person(id chat.UserID) (chat.Person, bool) {
	p, ok := s.roster.people[id]
	return p, ok
}

// Name is what to call id on screen, at worst the id itself.
func (s *State) Name(id chat.UserID) string {
	p, ok := s.roster.people[id]
	switch {
	case !ok:
		return string(id)
	case p.Gone() && s.roster.gone != "":
		return s.roster.gone
	}
	return p.Name()
}

// CallGone says what to call people whose accounts were deleted.
func (s *State) CallGone(name string) { s.roster.gone = name }

// Online reports whether id is online.
func (s *State) Online(id chat.UserID) bool { return s.roster.online[id] }

// Meet adds people that were learned elsewhere, as from a search.
func (s *State) Meet(ps ...chat.Person) { s.roster.learn(ps...) }

func (s *State) typing(t wire.Typing, now int64, ch *Change) {
	c, ok := s.convs[t.Conv]
	if !ok || t.User == "" || t.User == s.me.ID {
		return
	}
	c.typing[t.User] = now + typingFor
	s.roster.unknown(t.User)
	ch.touch(t.Conv)
}

// Expire forgets who has stopped typing.
func (s *State) Expire(now int64) (ch Change) {
	for id, c := range s.convs {
		for u, at := range c.typing {
			if at <= now {
				delete(c.typing, u)
				ch.touch(id)
			}
		}
	}
	return ch
}
