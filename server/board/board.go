// Package board is what administrators see of the installation as a whole, and
// what they do for it: who may come in by which link, what people reported, and
// how the nodes fare.
package board

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kamachat/shared/chat"
)

// Store keeps all of it. Each method that is given a chat.Deed notes it in the
// transaction that does it. Errors that may be told are *chat.Refusal.
type Store interface {
	Invitations(ctx context.Context) ([]chat.Invitation, error)
	AddInvitation(ctx context.Context, by chat.Deed, i chat.Invitation) error
	DeleteInvitation(ctx context.Context, by chat.Deed, code string) error

	// AddReport does nothing where the same is open already, and answers
	// chat.RateLimited where most of the person's are open.
	AddReport(ctx context.Context, r chat.Report, most int) error
	// Hidden returns those of ids who are not there for u.
	Hidden(ctx context.Context, u chat.UserID, ids ...chat.UserID) ([]chat.UserID, error)
	// Reports returns at most limit whose ids are below behind (0: all), newest first.
	Reports(ctx context.Context, closed bool, behind int64, limit int) ([]chat.Report, error)
	Report(ctx context.Context, id int64) (chat.Report, error)
	OpenReports(ctx context.Context) (int, error)
	CloseReport(ctx context.Context, by chat.Deed, id int64, outcome string) error
	AddDeed(ctx context.Context, by chat.Deed) error
	Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error)
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)

	// AddSample also removes what is older than before. Times are Unix milliseconds.
	AddSample(ctx context.Context, node string, at int64, data string, before int64) error
	// Samples hands each sample since a time to each, in order; of one node where
	// it is named, and of one in so many.
	Samples(ctx context.Context, since int64, node string, one int64, each func(node string, at int64, data string)) error
	Size(ctx context.Context) (database, files int64, err error)
}

// Log is where messages are read and removed.
type Log interface {
	// Before returns entries before seq that u may read, or refuses.
	Before(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	// Remove unsends a message for its author, whatever that may.
	Remove(ctx context.Context, conv chat.ConvID, seq int64, author chat.UserID) error
}

// Jobs is long work, everybody's where u is empty. server/jobs has it.
type Jobs interface {
	// List returns the latest, at most limit.
	List(ctx context.Context, u chat.UserID, limit int) ([]chat.Job, error)
	// Get answers chat.ErrNotFound where there is none.
	Get(ctx context.Context, u chat.UserID, id int64) (chat.Job, error)
	// Cancel ends one; one that has ended stays as it is.
	Cancel(ctx context.Context, u chat.UserID, id int64) error
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Log   Log
	Work  Jobs             // nil: there is none
	Node  string           // what this node is called
	Live  func() Live      // how this node fares at the moment
	Free  func() int64     // bytes that are free where the data is; nil: nobody knows
	Logs  *slog.Logger     // nil: none
	Now   func() time.Time // nil: time.Now
}

// A Service is everything about the installation. It is safe for concurrent use.
type Service struct {
	Config

	mu     sync.Mutex
	size   Storage // as it was last measured
	others latest  // samples of other nodes
	drawn  map[drawing]drawnChart
}

// New returns a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logs == nil {
		c.Logs = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, drawn: map[drawing]drawnChart{}}
}

// PageSize is how many rows a page of a list has.
const PageSize = 50
