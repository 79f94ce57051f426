package room

import (
	"context"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Carrier brings accepted drafts to the one place that commits them.
type Carrier interface {
	// Carry takes d over. After a nil return d reaches commit at least once,
	// behind every draft of its conversation carried before it, or Hub.Lost is
	// told that it does not. When it can take no more it answers a chat.Refusal
	// Busy at once.
	Carry(ctx context.Context, d chat.Draft) error
	// Run hands drafts to commit until ctx ends, in order within a conversation,
	// in batches that may span conversations. A batch whose commit fails is handed
	// over again. At the end what was carried is handed over once more; where that
	// fails, too, nothing behind it in its conversation may be. commit sees to it
	// that this does not take for ever.
	Run(ctx context.Context, commit func(context.Context, []chat.Draft) error) error
}

// Fanout tells every node what happened on one. It may lose, repeat and reorder:
// readers order by Seq and resume over a gap.
type Fanout interface {
	// Publish takes es over, which nobody may change from then on. It may wait for
	// a place until ctx ends, so deliver must not call it.
	Publish(ctx context.Context, es ...wire.Event) error
	// Run hands events to deliver, one at a time, until ctx ends; then those that
	// wait on this node.
	Run(ctx context.Context, deliver func(wire.Event)) error
}

// Presence knows who is online on any node. That a node has died it finds out
// after a while of its own.
type Presence interface {
	// Touch says that a session of u is alive, until Leave. Once is enough, and
	// again does no harm.
	Touch(ctx context.Context, u chat.UserID, session string) error
	// Leave says that it has ended. One that was never touched is fine.
	Leave(ctx context.Context, u chat.UserID, session string) error
	// Online tells who of us has a session. After an error it still tells who has
	// one on this node; nothing is known of the others.
	Online(ctx context.Context, us ...chat.UserID) (map[chat.UserID]bool, error)
}

// Store keeps the logs. It is the truth; everything else may be lost.
type Store interface {
	Moves
	// Append commits ds in one transaction, in order, checking once more who may
	// post where, and answers a draft stored before with its first message. Receipt
	// i answers ds[i]. After an error it is not known which of ds are stored, if
	// any: all are to be handed over again. One transaction may become several
	// where one draft spoils it for the others.
	Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error)
	// Stored returns those of ds that are stored, found by Author and Ref alone, in
	// any order, with their Refs.
	Stored(ctx context.Context, ds []chat.Draft) ([]chat.Message, error)
	// Members returns the members of conv with their marks; none where there is no such conversation.
	Members(ctx context.Context, conv chat.ConvID) ([]chat.Marks, error)
	// Laws returns what decides who may do what in conv.
	Laws(ctx context.Context, conv chat.ConvID) (chat.Laws, error)
	// SaveMarks moves marks forward, never back and not past the end of the log.
	SaveMarks(ctx context.Context, ms []chat.Marks) error
	// Summaries returns a person's conversations, latest first, at most limit;
	// where some are named, of those. Unread is exact up to 100. Nothing is told of
	// what is deleted for the person.
	Summaries(ctx context.Context, u chat.UserID, limit int, convs ...chat.ConvID) ([]chat.Summary, error)
	// Heads returns the heads of all of a person's conversations, latest first.
	Heads(ctx context.Context, u chat.UserID) ([]chat.Head, error)
	// Pinned returns what a person has pinned, the last one first.
	Pinned(ctx context.Context, u chat.UserID) ([]chat.ConvID, error)
	// Line returns what a person has made of conv in the list; nothing where the
	// person is not in it.
	Line(ctx context.Context, u chat.UserID, conv chat.ConvID) (chat.Line, error)
	// SetLine changes that, and returns what it is now. It answers chat.NotFound
	// where the person is not in conv or nothing was ever written there, and
	// chat.TooLong where chat.MaxPinned are pinned.
	SetLine(ctx context.Context, u chat.UserID, conv chat.ConvID, c chat.LineChange) (chat.Line, error)
	// Summary returns conv without anything personal: no marks, nothing unread.
	Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error)
	// After returns the entries after seq; where more than limit are missing, the newest limit.
	After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	// Before returns at most limit entries before seq; seq 0 means the end of the log.
	Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
}

// People looks up accounts. Unknown ids are left out.
type People interface {
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)
}

// Conn is a live session as the hub sees it.
type Conn interface {
	ID() string
	User() chat.UserID
	Login() string // what it was signed in with; see Hub.CloseLogin
	Native() bool  // false: the dialect names the author in each message
	// Push queues a packet for writing and never blocks. A full queue ends the
	// session, which comes back and resumes. It may be called at once from two
	// goroutines, not with the same packet.
	Push(p *wire.Packet)
	// Close ends the session with a reason of wire.Bye. It does not wait.
	Close(reason string)
}

// A Notifier reaches people who have no session that looks.
type Notifier interface {
	// Stored is told of each entry that was committed here, once, in order within
	// its conversation; of the last ones before a crash perhaps not. It returns at
	// once: the next commit waits for it.
	Stored(m chat.Message)
}

// A Meter is told what the hub does. Its methods are called at once from several
// goroutines and on the way of each message: they return at once, and keep
// nothing of what they are given.
type Meter interface {
	// Stamp is put on each draft on its way to the carrier and comes back with Committed and Handed.
	Stamp(ctx context.Context) chat.Stamp
	// Accepted: the carrier has taken a draft over.
	Accepted()
	// Refused: a draft was not accepted. One refused later is in a receipt of Committed.
	Refused(code chat.Code)
	// Committed: the store answered a batch, rs[i] to ds[i].
	Committed(ds []chat.Draft, rs []chat.Receipt, took time.Duration)
	// CommitFailed: a batch of so many is not known to be stored; it will be tried again.
	CommitFailed(drafts int)
	// Handed: a frame was pushed to so many sessions here, perhaps none. The
	// stamp is that of the draft it answers, if any.
	Handed(b wire.Body, s chat.Stamp, sessions int)
	// Resumed: a client that missed entries was given so many.
	Resumed(entries int)
	// MarksSaved: so many marks were stored.
	MarksSaved(marks int)
	// Asked: the store was asked about so many posts that nobody had answered, and has found so many.
	Asked(posts, found int)
}

// noMeter measures nothing.
type noMeter struct{}

func (noMeter) Stamp(context.Context) (s chat.Stamp)                  { return s }
func (noMeter) Accepted()                                             {}
func (noMeter) Refused(chat.Code)                                     {}
func (noMeter) Committed([]chat.Draft, []chat.Receipt, time.Duration) {}
func (noMeter) CommitFailed(int)                                      {}
func (noMeter) Handed(wire.Body, chat.Stamp, int)                     {}
func (noMeter) Resumed(int)                                           {}
func (noMeter) MarksSaved(int)                                        {}
func (noMeter) Asked(int, int)                                        {}
