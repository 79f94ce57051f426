package state

import "kamachat/shared/chat"

// Gone is what the server keeps no longer, as far as it said.
func (s *State) Gone() chat.Expired { return s.expired }

// expire takes note of what the server keeps no longer.
func (s *State) expire(x chat.Expired, ch *Change) {
	if x == s.expired {
		return
	}
	s.expired, ch.Gone = x, true
	for id, c := range s.convs {
		changed := c.log.expire(x)
		if c.past != nil && c.past.expire(x) || changed {
			ch.touch(id)
		}
	}
}

// without leaves of es, which were kept, what the server has left of them.
func (s *State) without(es []chat.Message) {
	for i := range es {
		s.expired.Apply(&es[i])
	}
}

// expire reports whether anything has changed.
func (t *timeline) expire(x chat.Expired) (changed bool) {
	for i := range t.run {
		if x.Apply(&t.run[i]) {
			t.note(t.run[i].Seq)
			changed = true
		}
	}
	if t.tip != nil { // whoever has the old one keeps it
		if tip := *t.tip; x.Apply(&tip) {
			t.tip, changed = &tip, true
		}
	}
	return changed
}
