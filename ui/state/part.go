package state

import "kamachat/shared/chat"

// part forgets a group that the person is no longer in, with all that was written
// there and for it. What is open closes.
func (s *State) part(id chat.ConvID, ch *Change) {
	if !id.IsGroup() {
		return
	}
	s.parted[id] = true
	ch.Parted = append(ch.Parted, id)
	ch.touch(id)
	ch.Link = true // posts that waited are gone
	delete(s.lineup.wanted, id)
	s.outbox.n -= len(s.outbox.queues[id])
	delete(s.outbox.queues, id)
	if s.open == id {
		*ch = ch.Merge(s.Close())
	}
	delete(s.convs, id)
}
