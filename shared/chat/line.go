package chat

// MaxPinned is how many conversations one person can have pinned.
const MaxPinned = 50

// A Line is what a person has made of a conversation in the person's own list.
// Nobody else is told. The zero Line is that of a conversation that was left as it is.
type Line struct {
	Pinned   int64 `json:"pinned,omitempty"`   // since when it is on top, Unix milliseconds; 0: it is not
	Archived bool  `json:"archived,omitempty"` // it is in the folder below, whatever comes
	Cleared  int64 `json:"cleared,omitempty"`  // entries up to this Seq are deleted for the person; it only grows
	Marked   bool  `json:"marked,omitempty"`   // as unread, until the person opens it; Marks know nothing of it
	Hushed   int64 `json:"hushed,omitempty"`   // no notifications until then, Unix milliseconds, or Forever; 0: they come
}

// A LineChange is what a person wants changed about a Line. What it does not say stays.
type LineChange struct {
	Pin     *bool  `json:"pin,omitempty"`
	Archive *bool  `json:"archive,omitempty"`
	Clear   int64  `json:"clear,omitempty"` // delete the entries up to this Seq
	Mark    *bool  `json:"mark,omitempty"`
	Hush    *int64 `json:"hush,omitempty"` // a Line's Hushed
}

// Validate refuses a change that says nothing, or nonsense, with Invalid.
func (c LineChange) Validate() error {
	if c.Clear < 0 || c == (LineChange{}) || c.Hush != nil && *c.Hush < Forever {
		return Refuse(Invalid, "the change of the line says nothing")
	}
	return nil
}

// With returns l as c wants it. at is the time of the change, in Unix
// milliseconds, last the end of the log, past which nothing is deleted. What is
// pinned is not in the folder, what is put there is not pinned, and what is deleted is
// neither, nor marked: it comes back like any other. The same change twice is the same as once.
func (l Line) With(c LineChange, at, last int64) Line {
	if clear := min(c.Clear, last); clear > l.Cleared {
		l = Line{Cleared: clear, Hushed: l.Hushed}
	}
	if c.Archive != nil {
		l.Archived = *c.Archive
		if l.Archived {
			l.Pinned = 0
		}
	}
	switch {
	case c.Pin == nil:
	case !*c.Pin:
		l.Pinned = 0
	case l.Pinned == 0:
		l.Pinned, l.Archived = max(at, 1), false
	}
	if c.Mark != nil {
		l.Marked = *c.Mark
	}
	if c.Hush != nil {
		l.Hushed = *c.Hush
	}
	return l
}

// Quiet reports whether the person wants no notifications at now, Unix milliseconds.
func (l Line) Quiet(now int64) bool { return l.Hushed == Forever || l.Hushed > now }

// Hides reports whether entry seq is deleted for the person.
func (l Line) Hides(seq int64) bool { return seq <= l.Cleared }
