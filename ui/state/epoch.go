package state

import "slices"

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
	old, anew := s.convs, epoch != s.epoch
	if anew {
		n := New()
		s.convs, s.parted, s.roster, s.lineup, s.after, s.expired = n.convs, n.parted, n.roster, n.lineup, n.after, n.expired
		s.epoch, ch.Anew = epoch, true
	}
	for id, c := range old {
		q := slices.DeleteFunc(s.outbox.queues[id], func(p *post) bool { return !p.into(epoch) })
		s.outbox.n += len(q) - len(s.outbox.queues[id])
		if s.outbox.queues[id] = q; len(q) == 0 {
			delete(s.outbox.queues, id)
		}
		if anew {
			ch.touch(id)
			if len(q) > 0 || c.draft != "" || id == s.open {
				n := s.conv(id)
				n.fresh, n.draft = len(q) == 0, c.draft
			}
		}
	}
}

// into makes of u what may be sent in an epoch: what it says of entries that were
// meant in another one is left out. It reports whether anything is left of it.
func (u *Unsent) into(epoch string) bool {
	other := u.Epoch != "" && u.Epoch != epoch
	if u.Epoch = epoch; !other {
		return true
	}
	u.After, u.Content.Re = 0, nil
	return !u.Content.Kind.Amends() && (u.Line == nil || u.Line.Clear == 0)
}
