package monitor

import (
	"context"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A kind is what a frame that reaches this node is about.
type kind int

const (
	posted kind = iota
	refusal
	seen
	typing
	online
	call
	opened
	other
	kinds
)

func (k kind) String() string {
	return [kinds]string{"posted", "refused", "seen", "typing", "online", "call", "opened", "other"}[k]
}

func kindOf(b wire.Body) kind {
	switch b.(type) {
	case wire.Posted:
		return posted
	case wire.Refused:
		return refusal
	case wire.Seen:
		return seen
	case wire.Typing:
		return typing
	case wire.Online:
		return online
	case wire.Signal:
		return call
	case wire.Opened:
		return opened
	}
	return other
}

// What follows is what the hub tells: room.Meter.

// Stamp notes when a draft was taken in and, when traces are on and this one is
// chosen, begins the span that Handed ends.
func (m *Monitor) Stamp(ctx context.Context) chat.Stamp {
	s := chat.Stamp{At: m.clock()}
	if m.trace != nil {
		if f := m.trace.post(ctx); f != nil {
			s.Trace = f
		}
	}
	return s
}

// clock is the nanoseconds since the monitor began, and never 0.
func (m *Monitor) clock() int64 { return int64(m.now().Sub(m.began)) + 1 }

// Accepted counts a draft that is on its way to the store.
func (m *Monitor) Accepted() { m.accepted.Add(1) }

// Refused counts a draft that was not accepted.
func (m *Monitor) Refused(c chat.Code) {
	n := m.refused[c]
	if n == nil {
		n = m.refused[chat.Internal]
	}
	n.Add(1)
}

// Committed counts what became of a batch of drafts.
func (m *Monitor) Committed(ds []chat.Draft, rs []chat.Receipt, took time.Duration) {
	var stored, repeated int64
	for _, r := range rs {
		switch {
		case r.Err != nil:
			m.Refused(chat.AsRefusal(r.Err).Code)
		case r.Again:
			repeated++
		default:
			stored++
		}
	}
	m.stored.Add(stored)
	m.repeated.Add(repeated)
	m.batch.Observe(float64(len(ds)))
	m.commit.Observe(took.Seconds())
	if m.trace != nil {
		m.trace.committed(ds, took)
	}
}

// CommitFailed counts a batch that is to be tried again.
func (m *Monitor) CommitFailed(int) { m.commitsFailed.Add(1) }

// Handed counts a frame that was pushed to so many sessions, and times the
// draft that it answers.
func (m *Monitor) Handed(b wire.Body, s chat.Stamp, sessions int) {
	k := kindOf(b)
	m.events[k].Add(1)
	m.pushed[k].Add(int64(sessions))
	if s.At == 0 {
		return
	}
	took := time.Duration(m.clock() - s.At)
	m.latency.Observe(took.Seconds())
	m.recent.add(took)
	if f, ok := s.Trace.(*followed); ok {
		f.handed(b, sessions)
	}
}

// Resumed counts the entries that a client had missed.
func (m *Monitor) Resumed(entries int) {
	m.resumes.Add(1)
	m.resumedEntries.Add(int64(entries))
}

// MarksSaved counts marks that were stored.
func (m *Monitor) MarksSaved(marks int) { m.marksSaved.Add(int64(marks)) }

// Asked counts posts that nobody had answered in time, and those of them that the store had.
func (m *Monitor) Asked(posts, found int) {
	m.asked.Add(int64(posts))
	m.askedFound.Add(int64(found))
}

// Carried times a post on its way through Kafka, from its author's node to the database.
func (m *Monitor) Carried(took time.Duration) { m.carried.Observe(max(0, took.Seconds())) }
