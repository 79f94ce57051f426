// Package push reaches people who are not there: it tells their browsers about
// new messages by Web Push (RFC 8030), encrypted for the browser alone (RFC
// 8291) and signed with a key of this installation's own (VAPID, RFC 8292), so
// that nobody need be asked for an account or a key.
//
// The hub says what was stored. Some moments later a round looks at the
// conversations in question: who has a browser to tell, does not want quiet, and
// has no session that looks gets a notice, which waits in a bounded queue for one
// of a few workers. Nothing of it holds a message up, and all of it may be lost.
package push

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"kamachat/server/outward"
	"kamachat/shared/chat"
)

// MaxEach is how many browsers of one person are told; of more the oldest are
// forgotten.
const MaxEach = 20

// keySetting is the setting that holds the private key.
const keySetting = "push.key"

// Store keeps subscriptions, what is muted, and what notices tell.
type Store interface {
	// SettingOnce stores a value unless there is one, and returns the one there is.
	SettingOnce(ctx context.Context, name, value string) (string, error)
	// AddSubscription replaces one with the same endpoint, and forgets the oldest
	// of more than most of one person.
	AddSubscription(ctx context.Context, s chat.Subscription, most int) error
	DeleteSubscription(ctx context.Context, u chat.UserID, endpoint string) error
	DeleteSubscriptionsOf(ctx context.Context, u chat.UserID, login string) error
	DeleteExpiredSubscriptions(ctx context.Context) error
	HasSubscriptions(ctx context.Context) (bool, error)
	Subscriptions(ctx context.Context, us ...chat.UserID) ([]chat.Subscription, error)
	// Listeners returns the members of convs who have subscriptions.
	Listeners(ctx context.Context, convs ...chat.ConvID) ([]chat.Listener, error)
	// UnreadTotals leaves out who has read everything.
	UnreadTotals(ctx context.Context, us ...chat.UserID) (map[chat.UserID]int64, error)
	// Mutes returns what u has muted, of convs where some are named.
	Mutes(ctx context.Context, u chat.UserID, convs ...chat.ConvID) ([]chat.Mute, error)
	SetQuiet(ctx context.Context, u chat.UserID, q chat.Quiet) error
	// Quiet leaves out who never said.
	Quiet(ctx context.Context, us ...chat.UserID) (map[chat.UserID]chat.Quiet, error)
	Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error)
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)
}

// Presence knows who has a session on any node. After an error it knows those
// whom it names.
type Presence interface {
	Online(ctx context.Context, us ...chat.UserID) (map[chat.UserID]bool, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Presence Presence
	Looking  Presence // who has a session that the person looks at; nil: every session is
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
	Off      bool             // nobody is told anything, and no browser may subscribe
	Local    bool             // push services may be on this machine and speak http: for tests
	Queue    int              // notices that wait; 0: 4,096
}

// Stats count since the start.
type Stats struct {
	Sent    int64 // taken by the push service
	Retried int64 // to be tried again, since it was busy
	Failed  int64 // not taken
	Gone    int64 // the subscription had ended
	Dropped int64 // made room for others, waiting
}

// A Service tells people what they missed. Its methods are safe for concurrent
// use; Run does the work.
type Service struct {
	Config
	vapid  *vapid
	client *http.Client
	jobs   *jobs
	wake   chan struct{} // holds one

	anybody                             atomic.Bool // has a subscription
	sent, retried, failed, gone, missed atomic.Int64

	mu     sync.Mutex
	convs  map[chat.ConvID]*news // to be looked at
	asks   []asking              // the same
	tested map[chat.UserID]time.Time
}

// Open returns a service with the installation's key, which it makes where there
// is none yet.
func Open(ctx context.Context, c Config) (*Service, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Queue == 0 {
		c.Queue = 4096
	}
	s := &Service{
		Config: c, client: outward.Client(c.Local, answerWithin, workers), jobs: newJobs(c.Queue, c.Now), wake: make(chan struct{}, 1),
		convs: map[chat.ConvID]*news{}, tested: map[chat.UserID]time.Time{},
	}
	if c.Off {
		return s, nil
	}
	fresh, err := newVapidKey()
	if err != nil {
		return nil, fmt.Errorf("make push key: %w", err)
	}
	private, err := c.Store.SettingOnce(ctx, keySetting, fresh)
	if err != nil {
		return nil, err
	}
	if s.vapid, err = readVapid(private, c.Now); err != nil {
		return nil, fmt.Errorf("read push key: %w", err)
	}
	some, err := c.Store.HasSubscriptions(ctx)
	s.anybody.Store(some)
	return s, err
}

// maxSite is the longest origin that we may be used at, in bytes.
const maxSite = 300

// errOff is what is answered where push is switched off.
var errOff = chat.Refuse(chat.NotFound, "push notifications are switched off here")

// Key is the public key that browsers subscribe with: an uncompressed point of
// P-256 in base64url.
func (s *Service) Key() (string, error) {
	if s.Off {
		return "", errOff
	}
	return s.vapid.public, nil
}

// Subscribe has a browser told from now on. It answers chat.Invalid for what is
// no subscription, or one at a service that may not be called.
func (s *Service) Subscribe(ctx context.Context, sub chat.Subscription) error {
	if s.Off {
		return errOff
	}
	if _, err := outward.ReadURL(sub.Endpoint, s.Local); err != nil {
		return chat.Refuse(chat.Invalid, "the endpoint can't be used: "+err.Error())
	}
	keys, err := readKeys(sub.P256dh, sub.Auth)
	if err != nil || len(sub.Site) > maxSite {
		return chat.Refuse(chat.Invalid, "the keys of the subscription can't be used")
	}
	sub.P256dh, sub.Auth = keys.words() // in one form, whichever it came in
	if err := s.Store.AddSubscription(ctx, sub, MaxEach); err != nil {
		return err
	}
	s.anybody.Store(true)
	return nil
}

// Unsubscribe has a browser of u told no longer; one that was not is fine.
func (s *Service) Unsubscribe(ctx context.Context, u chat.UserID, endpoint string) error {
	return s.Store.DeleteSubscription(ctx, u, endpoint)
}

// Forget has those browsers of u told no longer that subscribed with a login,
// which has ended.
func (s *Service) Forget(ctx context.Context, u chat.UserID, login string) error {
	return s.Store.DeleteSubscriptionsOf(ctx, u, login)
}

// Mutes returns what u has muted by now, of convs where some are named.
func (s *Service) Mutes(ctx context.Context, u chat.UserID, convs ...chat.ConvID) ([]chat.Mute, error) {
	all, err := s.Store.Mutes(ctx, u, convs...)
	now, ms := s.Now(), all[:0]
	for _, m := range all {
		if ahead(m.Until, now) {
			ms = append(ms, m)
		}
	}
	return ms, err
}

// SetQuiet sets when u wants no notices at all.
func (s *Service) SetQuiet(ctx context.Context, u chat.UserID, q chat.Quiet) error {
	if err := checkQuiet(q); err != nil {
		return err
	}
	return s.Store.SetQuiet(ctx, u, q)
}

// Quiet returns when u wants no notices at all.
func (s *Service) Quiet(ctx context.Context, u chat.UserID) (chat.Quiet, error) {
	qs, err := s.Store.Quiet(ctx, u)
	return qs[u], err
}

// Stats returns the figures of this moment.
func (s *Service) Stats() Stats {
	return Stats{
		Sent: s.sent.Load(), Retried: s.retried.Load(), Failed: s.failed.Load(), Gone: s.gone.Load(),
		Dropped: s.missed.Load() + s.jobs.dropped.Load(),
	}
}

// Len is how many notices wait, those that are tried again among them.
func (s *Service) Len() int { return s.jobs.len() }
