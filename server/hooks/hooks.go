// Package hooks joins conversations to programs elsewhere: URLs by which they
// post, and URLs that are told what was said.
package hooks

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"kamachat/server/outward"
	"kamachat/shared/chat"
)

// Store keeps webhooks; see server/store.
type Store interface {
	AddInHook(ctx context.Context, h chat.InHook, most int) error
	InHook(ctx context.Context, id string) (chat.InHook, error)
	InHooks(ctx context.Context, conv chat.ConvID) ([]chat.InHook, error)
	DeleteInHook(ctx context.Context, id string) error

	AddOutHook(ctx context.Context, h chat.OutHook, most int) error
	OutHook(ctx context.Context, id string) (chat.OutHook, error)
	OutHooks(ctx context.Context, conv chat.ConvID) ([]chat.OutHook, error)
	DeleteOutHook(ctx context.Context, conv chat.ConvID, id string) error
	// DueOutHooks returns those that have something to be told, now, and nobody holds,
	// in the order of their last try, but for some makers' and at some hosts.
	DueOutHooks(ctx context.Context, now int64, limit int, notBy []chat.UserID, notAt []string) ([]chat.OutHook, error)
	// HoldOutHook has holder alone tell one until a time, and reports whether it may.
	HoldOutHook(ctx context.Context, id, holder string, now, until int64) (bool, error)
	// OutHookTried notes what became of a try by holder, who no longer holds it.
	OutHookTried(ctx context.Context, h chat.OutHook, holder string) error

	Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error)
	After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)
}

// Hub is where messages go, and what knows who may do what.
type Hub interface {
	PostWait(ctx context.Context, d chat.Draft) (chat.Message, error)
	StandingIn(ctx context.Context, u chat.UserID, conv chat.ConvID) (chat.Standing, error)
}

// Bots makes and ends the accounts that incoming webhooks post as.
type Bots interface {
	MakeHookBot(ctx context.Context, by chat.Person, nickname string) (chat.Person, error)
	EndBot(ctx context.Context, by, id chat.UserID) error
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Hub   Hub
	Bots  Bots
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
	Local bool             // URLs may be of this machine and private networks, and speak http
	Every time.Duration    // how often it is looked for something to tell; 0: 1 s
	// Within is how long an address may take to answer; 0: 10 s.
	Within time.Duration
}

// A Service is everything that can be done with webhooks. It is safe for
// concurrent use.
type Service struct {
	Config
	client *http.Client
	holder string
	wake   chan struct{} // holds one
}

// New returns a Service that tells nobody anything until Run.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Every == 0 {
		c.Every = time.Second
	}
	if c.Within == 0 {
		c.Within = answerWithin
	}
	return &Service{Config: c, client: outward.Client(c.Local, c.Within, perHost), holder: rand.Text(), wake: make(chan struct{}, 1)}
}

// secret returns 32 random bytes in base64url.
func secret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// may says why u may not see or change the webhooks of conv: those are for the
// owner and the administrators of a group.
func (s *Service) may(ctx context.Context, u chat.UserID, conv chat.ConvID) error {
	if !conv.IsGroup() || !conv.Valid() {
		return chat.Refuse(chat.Invalid, "only groups have webhooks")
	}
	st, err := s.Hub.StandingIn(ctx, u, conv)
	switch {
	case err != nil:
		return err
	case !st.Exists, !st.In && st.Rules.Joining == chat.JoinInvite: // that is not there for strangers
		return chat.Refuse(chat.NotFound, "no such conversation")
	case !st.In || st.Role < chat.Admin:
		return chat.Refuse(chat.Forbidden, "not yours to do in this group")
	case st.State != chat.InUse:
		return chat.Refuse(chat.Closed, "the group is closed")
	}
	return nil
}

// Hooks returns the webhooks of conv, for those who may change them.
func (s *Service) Hooks(ctx context.Context, u chat.UserID, conv chat.ConvID) (in []chat.InHook, out []chat.OutHook, err error) {
	if err = s.may(ctx, u, conv); err != nil {
		return nil, nil, err
	}
	if in, err = s.Store.InHooks(ctx, conv); err == nil {
		out, err = s.Store.OutHooks(ctx, conv)
	}
	return in, out, err
}

// MakeIn makes an incoming webhook of conv, with a bot called name as a member of
// it, and returns its secret, which is told this once.
func (s *Service) MakeIn(ctx context.Context, by chat.Person, conv chat.ConvID, name string) (chat.InHook, string, error) {
	if err := s.may(ctx, by.ID, conv); err != nil {
		return chat.InHook{}, "", err
	}
	there, err := s.Store.InHooks(ctx, conv)
	if err != nil {
		return chat.InHook{}, "", err
	}
	if len(there) >= chat.MaxHooks { // before anything is made
		return chat.InHook{}, "", chat.Refuse(chat.Full, "the conversation has as many webhooks as one may have")
	}
	bot, err := s.Bots.MakeHookBot(ctx, by, name)
	if err != nil {
		return chat.InHook{}, "", err
	}
	key := secret()
	h := chat.InHook{ID: rand.Text(), Hash: digest(key), Conv: conv, Bot: bot.ID, By: by.ID, At: s.Now().UnixMilli()}
	_, err = s.Hub.PostWait(ctx, chat.Draft{
		Conv: conv, Author: by.ID, Ref: "hook-" + h.ID,
		Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Joined, Who: []chat.UserID{bot.ID}}},
	})
	if err == nil {
		err = s.Store.AddInHook(ctx, h, chat.MaxHooks)
	}
	if err != nil {
		return chat.InHook{}, "", errors.Join(err, s.leave(ctx, h), s.Bots.EndBot(context.WithoutCancel(ctx), by.ID, bot.ID))
	}
	return h, key, nil
}

// EndIn ends an incoming webhook of conv; its bot leaves.
func (s *Service) EndIn(ctx context.Context, by chat.UserID, conv chat.ConvID, id string) error {
	if err := s.may(ctx, by, conv); err != nil {
		return err
	}
	h, err := s.Store.InHook(ctx, id)
	if err != nil || h.Conv != conv {
		return chat.Refuse(chat.NotFound, "no such webhook")
	}
	if err := s.Store.DeleteInHook(ctx, id); err != nil {
		return err
	}
	if err := s.leave(ctx, h); err != nil {
		s.Log.Warn("the bot of a webhook that ended stays in its group", "conv", conv, "err", err)
	}
	return s.Bots.EndBot(ctx, h.By, h.Bot)
}

// leave has the bot of h leave its group.
func (s *Service) leave(ctx context.Context, h chat.InHook) error {
	_, err := s.Hub.PostWait(context.WithoutCancel(ctx), chat.Draft{
		Conv: h.Conv, Author: h.Bot, Ref: "unhook-" + h.ID,
		Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Left, Who: []chat.UserID{h.Bot}}},
	})
	return err
}

// errNoHook is the one answer to a webhook that is not there and to a wrong secret.
var errNoHook = chat.Refuse(chat.NotFound, "no such webhook")

// Post posts a text by the incoming webhook id, whose secret the caller knows. A
// ref, where there is one, makes the same post the same message. The bot may do
// what a member may, no more. admit counts posts of the bot.
func (s *Service) Post(ctx context.Context, id, key, ref, text string, admit func(chat.UserID) error) (chat.Message, error) {
	h, err := s.Store.InHook(ctx, id)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return chat.Message{}, err
	}
	if subtle.ConstantTimeCompare([]byte(digest(key)), []byte(h.Hash)) != 1 {
		return chat.Message{}, errNoHook
	}
	if err := admit(h.Bot); err != nil {
		return chat.Message{}, err
	}
	owner, err := s.Store.People(ctx, h.By)
	if err != nil {
		return chat.Message{}, err
	}
	if len(owner) == 0 || owner[0].Disabled {
		return chat.Message{}, errNoHook
	}
	if s.may(ctx, h.By, h.Conv) != nil {
		return chat.Message{}, errNoHook // who made it no longer administers the group
	}
	if ref == "" {
		ref = rand.Text()
	}
	return s.Hub.PostWait(ctx, chat.Draft{Conv: h.Conv, Author: h.Bot, Ref: ref, Content: chat.TextContent(text)})
}

const maxHost = 253 // bytes of a host's name

// MakeOut makes an outgoing webhook of conv, which is told what comes from now
// on, and returns the secret that it is signed with, which is told this once.
func (s *Service) MakeOut(ctx context.Context, by chat.UserID, conv chat.ConvID, url string) (chat.OutHook, string, error) {
	if err := s.may(ctx, by, conv); err != nil {
		return chat.OutHook{}, "", err
	}
	at, err := outward.ReadURL(url, s.Local)
	if err != nil {
		return chat.OutHook{}, "", chat.Refuse(chat.Invalid, "the address can't be called: "+err.Error())
	}
	host := strings.TrimSuffix(strings.ToLower(at.Hostname()), ".")
	if len(host) > maxHost {
		return chat.OutHook{}, "", chat.Refuse(chat.Invalid, "the address can't be called: no host has such a name")
	}
	sum, err := s.Store.Summary(ctx, conv)
	if err != nil {
		return chat.OutHook{}, "", fmt.Errorf("read conversation: %w", err)
	}
	h := chat.OutHook{ID: rand.Text(), Conv: conv, URL: url, Host: host, Secret: secret(), By: by, Told: sum.LastSeq, At: s.Now().UnixMilli()}
	return h, h.Secret, s.Store.AddOutHook(ctx, h, chat.MaxHooks)
}

// EndOut ends an outgoing webhook of conv; one that is not there is fine.
func (s *Service) EndOut(ctx context.Context, by chat.UserID, conv chat.ConvID, id string) error {
	if err := s.may(ctx, by, conv); err != nil {
		return err
	}
	return s.Store.DeleteOutHook(ctx, conv, id)
}
