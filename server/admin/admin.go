// Package admin is what administrators do: they see who is there, enable and
// disable people and groups, and can read what each of them did.
package admin

import (
	"context"
	"log/slog"
	"time"

	"kamachat/shared/chat"
)

// Store keeps people, groups, and what administrators do: each method that is
// given a chat.Deed notes it in the transaction that does it, or does nothing.
// Errors that may be told are *chat.Refusal.
type Store interface {
	// Accounts and AllGroups return one page and where the next begins, "" at the end.
	Accounts(ctx context.Context, ask chat.Ask) ([]chat.Account, string, error)
	AllGroups(ctx context.Context, ask chat.Ask) ([]chat.GroupLine, string, error)
	Account(ctx context.Context, u chat.UserID) (chat.Account, error)
	AccountByName(ctx context.Context, username string) (chat.Account, error)
	SignIns(ctx context.Context, u chat.UserID, limit int) ([]chat.SignIn, error)
	GroupsOf(ctx context.Context, u chat.UserID, after string, limit int) ([]chat.GroupLine, string, error)
	GroupLine(ctx context.Context, conv chat.ConvID) (chat.GroupLine, error)
	GroupMembers(ctx context.Context, conv chat.ConvID, after string, limit int) ([]chat.Account, string, error)
	// The last administrator who can sign in is neither disabled, nor made an
	// ordinary person, nor deleted: chat.Forbidden, however many try at once.
	SetDisabled(ctx context.Context, by chat.Deed, u chat.UserID, off bool) error
	SetAdmin(ctx context.Context, by chat.Deed, u chat.UserID, on bool) error
	ResetPassword(ctx context.Context, by chat.Deed, u chat.UserID, hash string) error
	DeleteAccount(ctx context.Context, by chat.Deed, u chat.UserID, erase bool) error
	// Leaving returns whose accounts were deleted and who may be in groups still,
	// Departures some groups that one of them is in, and Departed notes that there are none.
	Leaving(ctx context.Context) ([]chat.UserID, error)
	Departures(ctx context.Context, u chat.UserID, limit int) ([]chat.Departure, error)
	Departed(ctx context.Context, u chat.UserID) error
	SetGroupState(ctx context.Context, by chat.Deed, conv chat.ConvID, state int) error
	// EraseSome erases a part of what is to be erased and says how much, and
	// whether there is more.
	EraseSome(ctx context.Context) (n int, more bool, err error)
	Deeds(ctx context.Context, ask chat.DeedAsk) ([]chat.Deed, string, error)
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)
}

// Passwords makes of a password what is stored of it.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
}

// Sockets closes the sockets of people, on every node.
type Sockets interface {
	CloseUser(ctx context.Context, u chat.UserID, reason string) error
}

// Log is where conversations say that they changed, on every node.
type Log interface {
	PostWait(ctx context.Context, d chat.Draft) (chat.Message, error)
}

// Config is what a Service needs.
type Config struct {
	Store     Store
	Entries   Log // nil beside a server: then groups change without an entry that says so, and a server goes on with who leaves
	Passwords Passwords
	Sockets   Sockets          // nil beside a server, whose sessions then end when they look up their rights
	Log       *slog.Logger     // nil: none
	Now       func() time.Time // nil: time.Now
}

// A Service is everything that administrators do. It is safe for concurrent use.
type Service struct {
	Config
	wake chan struct{} // there is something to erase
}

// New returns a Service.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{Config: c, wake: make(chan struct{}, 1)}
}

// A Who is who does something, and where from.
type Who struct {
	ID   chat.UserID // empty: nobody with an account, as a shell
	Name string
	Addr string // a network address, or "shell (user)"
}

// deed is an act of who.
func (w Who) deed(what, detail string) chat.Deed {
	return chat.Deed{By: w.ID, ByName: w.Name, Addr: w.Addr, What: what, Detail: detail}
}

// PageSize is how many rows a page of a list has.
const PageSize = 50

// eraseEvery is how often it is looked whether somebody is to leave their groups, or
// there is something to erase, that another process was told of.
const eraseEvery = 5 * time.Second

// Run has people whose accounts were deleted leave their groups, and erases what
// they wrote where that is wished, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(eraseEvery)
	defer t.Stop()
	for {
		if err := s.LeaveAll(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("deleted accounts have not left all of their groups, will be tried again", "err", err)
		}
		if _, err := s.EraseAll(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("messages of a deleted account are not erased, will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-s.wake:
		}
	}
}

// EraseAll erases everything that is to be erased, and says how many messages that were.
func (s *Service) EraseAll(ctx context.Context) (n int, err error) {
	for more := true; more; {
		var k int
		if k, more, err = s.Store.EraseSome(ctx); err != nil {
			return n, err
		}
		n += k
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
	if n > 0 {
		s.Log.Info("messages of deleted accounts erased", "n", n)
	}
	return n, nil
}
