package chat

import "time"

// A Tick says how far an own message has got.
type Tick uint8

// The ticks, in the order a message passes through them.
const (
	NoTick    Tick = iota // not one's own
	Queued                // waits in the outbox
	Stored                // committed
	Delivered             // every other member's device has it
	Read                  // every other member has read it
	Failed                // refused for good; Row.Why says why
)

// A Row is one line of the message list as both the server's first paint and
// the browser draw it.
type Row struct {
	Key     string // "s" + Seq for committed entries, "r" + Ref for those in the outbox
	Message Message
	Mine    bool
	Tick    Tick
	Why     Code // of a Failed row
	Day     bool // a new day begins: draw a date divider above
	New     bool // the first unread: draw the "new messages" divider above
	Head    bool // begins a run of one person: draw avatar, name and time
	Waits   bool // something about it, of the person's own, is not stored yet
}

// HeadGap is how far apart two messages of one person share a head.
const HeadGap = 5 * time.Minute

// Layout sets Day, New and Head of rows, in place, and takes out of quotes what
// is known to be unsent. unreadAfter is the Seq of the last read entry, or
// negative for no divider. zone is where days begin.
func Layout(rows []Row, unreadAfter int64, zone *time.Location) {
	divided := unreadAfter < 0
	gone := map[int64]bool{}
	for i := range rows {
		r := &rows[i]
		at := time.UnixMilli(r.Message.At).In(zone)
		r.Day, r.New, r.Head = true, false, true
		if i > 0 {
			p := rows[i-1].Message
			before := time.UnixMilli(p.At).In(zone)
			r.Day = before.YearDay() != at.YearDay() || before.Year() != at.Year()
			r.Head = r.Day || p.Author != r.Message.Author || at.Sub(before) > HeadGap || p.Content.Kind == Event
		}
		if !divided && r.Message.Seq > unreadAfter && !r.Mine {
			r.New, r.Head, divided = true, true, true
		}
		if r.Message.Content.Kind == Gone {
			gone[r.Message.Seq] = true
		}
		if q := r.Message.Content.Re; q != nil && gone[q.Seq] {
			r.Message.Content.Re = &Quote{Seq: q.Seq, Author: q.Author}
		}
	}
}

// TickOf returns the tick of an own committed entry, given the lowest marks of the others.
func TickOf(seq int64, others Marks) Tick {
	switch {
	case seq <= others.Read:
		return Read
	case seq <= others.Delivered:
		return Delivered
	}
	return Stored
}
