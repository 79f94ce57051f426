package state

// A Phase says how the connection is.
type Phase uint8

// The phases.
const (
	Connecting Phase = iota // dialling, or waiting for welcome
	Live                    // welcomed
	Offline                 // waiting for the next attempt
	SignedOut               // the session has ended; nothing more is tried
)

func (p Phase) String() string {
	return [...]string{"connecting", "live", "offline", "signed out"}[p]
}

// A Status is the connection as a person cares about it.
type Status struct {
	Phase  Phase
	Since  int64 // Unix milliseconds
	Queued int   // posts that wait to be stored
}

// Status returns how the connection is.
func (s *State) Status() Status {
	return Status{Phase: s.phase, Since: s.since, Queued: s.outbox.waiting()}
}

// SetPhase tells how the connection is. Leaving Live forgets everything that
// was under way; the next Welcome starts it again. Live itself is set by
// Apply of a Welcome.
func (s *State) SetPhase(p Phase, now int64) Change {
	if p == s.phase {
		return Change{}
	}
	if p != Live {
		s.drop()
	}
	s.setPhase(p, now)
	return Change{Link: true}
}

func (s *State) setPhase(p Phase, now int64) {
	if p != s.phase {
		s.phase, s.since = p, now
	}
}

// drop forgets what was asked and sent over a connection that is gone.
func (s *State) drop() {
	s.asks.clear()
	s.outbox.unsend()
	s.roster.reask()
	s.dropList()
	for _, c := range s.convs {
		c.up, c.down, c.upAt, c.downAt = "", "", 0, 0
		clear(c.typing)
		if c.past != nil {
			c.past.ref, c.past.next = "", 0
		}
	}
}
