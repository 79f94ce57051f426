package state

// Epoch names the life of the server's database that all here is of, "" where the
// server did not say.
func (s *State) Epoch() string { return s.epoch }

// In says of which epoch that is what Boot begins with.
func (s *State) In(epoch string) { s.epoch = epoch }

// enter takes note of the epoch that the server is in. Where it is another a backup was
// restored, and Seqs may be given once more: all that was the server's is
// forgotten. What the person wrote stays.
func (s *State) enter(epoch string, ch *Change) {
	if epoch == "" {
		return
	}
	us := s.Unsent()
	s.outbox = newOutbox()
	if epoch != s.epoch {
		old := *s
		*s = *New()
		s.me, s.phase, s.since, s.skew, s.open = old.me, old.phase, old.since, old.skew, old.open
		s.asks.n, s.epoch = old.asks.n, epoch
		for id, c := range old.convs {
			ch.touch(id)
			if c.draft != "" || id == s.open {
				s.conv(id).fresh, s.convs[id].draft = true, c.draft
			}
		}
		ch.Anew = true
	}
	for _, u := range us {
		if u, ok := u.into(epoch); ok && s.outbox.add(u) {
			s.conv(u.Conv)
		}
	}
}

// into returns u as it may be sent in an epoch: what it says of entries that were
// meant in another one is left out. ok is false where nothing is left of it.
func (u Unsent) into(epoch string) (_ Unsent, ok bool) {
	if u.Epoch != "" && u.Epoch != epoch {
		u.After, u.Content.Re = 0, nil
		ok = !u.Content.Kind.Amends() && (u.Line == nil || u.Line.Clear == 0)
	} else {
		ok = true
	}
	u.Epoch = epoch
	return u, ok
}
