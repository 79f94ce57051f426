// Package account knows people: who they are, how they prove it, and who makes
// groups with whom.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"kamachat/shared/chat"
)

// Store keeps people. Usernames in it are in lower case; errors a caller may
// be told are *chat.Refusal.
type Store interface {
	Bots
	Contacts
	// AddUser stores a person with a password hash, or answers chat.Taken.
	AddUser(ctx context.Context, p chat.Person, hash string, at int64) error
	// AddInvited is AddUser that counts a use of an invitation, both or neither. It
	// answers chat.Forbidden where that lets nobody in.
	AddInvited(ctx context.Context, p chat.Person, hash, code string, at int64) error
	// Invitation returns an invitation by its code, or chat.ErrNotFound.
	Invitation(ctx context.Context, code string) (chat.Invitation, error)
	// AddUsers stores people without passwords and a token hash for each, all or
	// none, and notes by, or answers chat.Taken.
	AddUsers(ctx context.Context, ps []chat.Person, tokenHashes []string, at int64, by ...chat.Deed) error
	// AddFirstAdmin stores p and removes the setting name, both or neither. It
	// answers chat.Forbidden unless the setting is value and there is no administrator.
	AddFirstAdmin(ctx context.Context, p chat.Person, hash string, at int64, name, value string) error
	// UserByName returns a person and the password hash, or chat.ErrNotFound.
	UserByName(ctx context.Context, username string) (chat.Person, string, error)
	// UsernamesTaken returns which of names are in use.
	UsernamesTaken(ctx context.Context, names []string) ([]string, error)
	// People returns the people with these ids, in no order; unknown ids are left out.
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)
	// SearchPeople returns enabled people whom by may find, whose username or
	// nickname begins with q, or whose id it is.
	SearchPeople(ctx context.Context, by chat.UserID, q string, limit int) ([]chat.Person, error)
	HasAdmin(ctx context.Context) (bool, error)

	AddToken(ctx context.Context, hash string, u chat.UserID, at int64) error
	// TokenUser returns whose token it is and its scopes, separated by spaces, or chat.ErrNotFound.
	TokenUser(ctx context.Context, hash string) (chat.Person, string, error)
	DeleteToken(ctx context.Context, hash string) error

	SaveSetting(ctx context.Context, name, value string) error
	// Setting returns a single value, empty when there is none.
	Setting(ctx context.Context, name string) (string, error)

	GroupStore
	DeviceStore
	FactorStore
	CodeStore
}

// Poster posts a draft and waits until it is committed.
type Poster interface {
	PostWait(ctx context.Context, d chat.Draft) (chat.Message, error)
	// Renew has all nodes read anew what decides in conv, and tells its people.
	Renew(ctx context.Context, conv chat.ConvID, to ...chat.UserID) error
	// Unsee has u be unseen, or seen again, by all who see them now.
	Unsee(ctx context.Context, u chat.UserID, unseen bool) error
	// Here returns those of us of whom u may know that they are online.
	Here(ctx context.Context, u chat.UserID, us ...chat.UserID) []chat.UserID
}

// Config is what a Service needs.
type Config struct {
	Store  Store
	IDs    *chat.IDs
	Poster Poster           // nil where no groups are made, as in an import
	Log    *slog.Logger     // nil: none
	Now    func() time.Time // nil: time.Now
	Cheap  bool             // hash passwords at next to no cost: for tests only
	Limits Limits           // zero: DefaultLimits
	Tries  Counter          // counts sign-ins on all nodes; nil: this is the only one
	Policy func() Policy    // what is allowed now; it does not block. nil: everything
	Codes  CodeSender       // sends codes to phones; nil: nobody signs in by phone
}

// A Service is everything that can be done with people. It is safe for
// concurrent use.
type Service struct {
	store  Store
	ids    *chat.IDs
	poster Poster
	log    *slog.Logger
	now    func() time.Time
	hash   *hasher
	policy func() Policy // nil: everything is allowed
	byAddr *common       // sign-ins and registrations, by network address
	byBoth *common       // sign-ins, by username and address
	byName *common       // sign-ins, by username
	byUser *limiter      // changes, by person
	large  chan struct{} // holds one while a large group is made
	byHost *limiter      // requests and new sockets, by network address
	byAsk  *limiter      // requests to be contacts, by person
	byFind *limiter      // searches for people, by person
	seen   sightings     // uses of sign-ins
	factor factors       // what else is shown at sign-in

	bell    Bell // nil: nobody is told
	notices Notices
}

// sightings are uses of sign-ins, by what is stored of these.
type sightings struct {
	mu    sync.Mutex
	noted map[string]time.Time // until when not to note again, but for seenStep
	next  []chat.SignIn        // to be noted
}

// New returns a Service.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits
	}
	return &Service{
		store: c.Store, ids: c.IDs, poster: c.Poster, log: c.Log, now: c.Now, hash: newHasher(c.Cheap), policy: c.Policy,
		byAddr: &common{newLimiter(c.Limits.Address, c.Limits.AddressBurst, c.Now), "addr", c.Tries},
		byBoth: &common{newLimiter(c.Limits.Name, c.Limits.NameBurst, c.Now), "both", c.Tries},
		byName: &common{newLimiter(c.Limits.Anywhere, c.Limits.AnywhereMost, c.Now), "name", c.Tries},
		byUser: newLimiter(c.Limits.Person, c.Limits.PersonBurst, c.Now),
		large:  make(chan struct{}, 1),
		byHost: newLimiter(c.Limits.Request, c.Limits.RequestBurst, c.Now),
		byAsk:  newLimiter(c.Limits.Ask, c.Limits.AskBurst, c.Now),
		byFind: newLimiter(c.Limits.Find, c.Limits.FindBurst, c.Now),
		seen:   sightings{noted: map[string]time.Time{}},
		factor: newFactors(c),
	}
}

// SetPoster tells the service who posts the first entry of a new group. It is
// called once, before the service is used, where the poster itself needs the service.
func (s *Service) SetPoster(p Poster) { s.poster = p }

// Admit counts an attempt from a network address and answers
// chat.RateLimited when there have been too many.
func (s *Service) Admit(ctx context.Context, addr string) error { return s.byAddr.take(ctx, addr) }

// AdmitRequest counts a request, or a socket that is opened, from a network
// address and answers chat.RateLimited when there have been too many.
func (s *Service) AdmitRequest(addr string) error { return s.byHost.take(addr) }

// AdmitChange counts something that a person does, like a post or a new group,
// and answers chat.RateLimited when there has been too much.
func (s *Service) AdmitChange(u chat.UserID) error { return s.byUser.take(string(u)) }

// newPerson checks what someone typed and makes it a person and a password hash.
func (s *Service) newPerson(ctx context.Context, username, password, nickname string) (chat.Person, string, error) {
	p, err := s.named(username, nickname)
	if err != nil {
		return p, "", err
	}
	if err := checkPassword(password); err != nil {
		return p, "", err
	}
	hash, err := s.hash.make(ctx, password)
	return p, hash, err
}

// named returns a new person with a checked username and nickname.
func (s *Service) named(username, nickname string) (chat.Person, error) {
	folded, err := checkUsername(username)
	if err != nil {
		return chat.Person{}, err
	}
	nickname = strings.TrimSpace(nickname)
	if nickname == "" {
		nickname = strings.TrimSpace(username)
	}
	if err := checkNickname(nickname); err != nil {
		return chat.Person{}, err
	}
	return chat.Person{ID: s.ids.NewUser(), Username: folded, Nickname: nickname}, nil
}

// errSignIn is the one answer to an unknown username and to a wrong password.
var errSignIn = chat.Refuse(chat.SignedOut, "wrong username or password")

// SignIn returns the person with this username and password, or answers a
// *NeedsFactor where they must show a second factor, too. Attempts are
// limited by network address, by username and address, and loosely by username;
// an unknown username costs the same time as a wrong password.
func (s *Service) SignIn(ctx context.Context, addr, username, password string) (chat.Person, error) {
	p, hash, err := s.password(ctx, addr, username, password)
	if err == nil {
		err = s.needs(ctx, p.ID, hash)
	}
	if err != nil {
		return chat.Person{}, err
	}
	return p, nil
}

// password returns the person with this username and password, and the hash of that.
func (s *Service) password(ctx context.Context, addr, username, password string) (chat.Person, string, error) {
	name := fold(username)
	both := addr + " " + name
	if err := s.byAddr.take(ctx, addr); err != nil {
		return chat.Person{}, "", err
	}
	// Who is refused here does not use up what the others have.
	if err := s.byBoth.take(ctx, both); err != nil {
		return chat.Person{}, "", err
	}
	if err := s.byName.take(ctx, name); err != nil {
		return chat.Person{}, "", err
	}
	p, hash, err := s.store.UserByName(ctx, name)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return chat.Person{}, "", fmt.Errorf("sign in: %w", err)
	}
	ok, err := s.hash.check(ctx, password, hash)
	switch {
	case err != nil:
		return chat.Person{}, "", err
	case !ok:
		s.log.Info("sign-in refused", "addr", addr)
		return chat.Person{}, "", errSignIn
	case p.Disabled:
		return chat.Person{}, "", chat.Refuse(chat.Forbidden, "the account is disabled")
	}
	s.byBoth.forget(ctx, both)
	s.byName.forget(ctx, name)
	return p, hash, nil
}

// Person returns one enabled or disabled person, or chat.ErrNotFound.
func (s *Service) Person(ctx context.Context, id chat.UserID) (chat.Person, error) {
	ps, err := s.store.People(ctx, id)
	if err != nil {
		return chat.Person{}, err
	}
	if len(ps) == 0 {
		return chat.Person{}, chat.Refuse(chat.NotFound, "no such person")
	}
	return ps[0], nil
}

// People returns the people with these ids, in no order; unknown ids are left out.
func (s *Service) People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error) {
	return s.store.People(ctx, ids...)
}

// admitFind counts that by looks for people, a bot's with its owner's.
func (s *Service) admitFind(ctx context.Context, by chat.UserID) error {
	p, err := s.Person(ctx, by)
	if err != nil {
		return err
	}
	return s.byFind.take(string(cmp.Or(p.BotOf, by)))
}

// PersonFor is Person as by sees them: who is not listed is not there for strangers.
// An id of nobody counts as a search: chat.RateLimited.
func (s *Service) PersonFor(ctx context.Context, by, id chat.UserID) (chat.Person, error) {
	ps, err := s.PeopleFor(ctx, by, id)
	switch {
	case err != nil:
		return chat.Person{}, err
	case len(ps) > 0:
		return ps[0], nil
	}
	return chat.Person{}, cmp.Or(s.admitFind(ctx, by), error(chat.Refuse(chat.NotFound, "no such person")))
}

// PeopleFor is People as by sees them.
func (s *Service) PeopleFor(ctx context.Context, by chat.UserID, ids ...chat.UserID) ([]chat.Person, error) {
	ps, err := s.store.People(ctx, ids...)
	if err != nil || len(ps) == 0 {
		return nil, err
	}
	hidden, err := s.store.Hidden(ctx, by, ids...)
	return slices.DeleteFunc(ps, func(p chat.Person) bool { return slices.Contains(hidden, p.ID) }), err
}

// maxFound is how many people a search returns.
const maxFound = 20

// Search returns at most 20 people other than by whose username or nickname
// begins with q, or whose id it is. Who does not want to be found is found by their
// contacts alone. So that nobody lists everybody, people may not search too often:
// chat.RateLimited.
func (s *Service) Search(ctx context.Context, by chat.UserID, q string) ([]chat.Person, error) {
	q = strings.TrimSpace(q)
	if q == "" || len(q) > 4*chat.MaxName {
		return nil, nil
	}
	if err := s.admitFind(ctx, by); err != nil {
		return nil, err
	}
	found, err := s.store.SearchPeople(ctx, by, q, maxFound+1)
	if err != nil {
		return nil, err
	}
	ps := make([]chat.Person, 0, len(found))
	for _, p := range found {
		if p.ID != by && len(ps) < maxFound {
			ps = append(ps, p)
		}
	}
	return ps, nil
}
