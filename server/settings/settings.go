// Package settings holds what administrators set for the whole installation:
// typed, with defaults, and in memory, so that asking costs nothing.
package settings

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
)

// Store keeps the settings by name.
type Store interface {
	// SettingsOf returns the values of those of names that are stored.
	SettingsOf(ctx context.Context, names ...string) (map[string]string, error)
	// ChangeSettings stores values and notes each that was another before, in one
	// transaction. was tells what counts for a name that is not stored.
	ChangeSettings(ctx context.Context, by chat.Deed, values map[string]string, was func(name string) string) error
}

// Values are the settings. They are never changed in place.
type Values struct {
	Registration chat.Registration // who may make an account
	ContactsOnly bool              // only contacts may write to each other; else anybody may
	KeepDays     int               // after so many days messages are removed; 0: never
	KeepFileDays int               // after so many days files are removed; 0: never
	MaxGroup     int               // people in a group, 2 to chat.MaxMembers
}

// Defaults are the settings of a new installation.
var Defaults = Values{Registration: chat.RegisterOpen, MaxGroup: chat.MaxMembers}

// The names of the settings, as they are stored and in forms.
const (
	Registration = "registration"         // open, invite or closed
	Posting      = "posting"              // anyone or contacts
	KeepDays     = "retention.days"       // 0 to MaxDays
	KeepFileDays = "retention.files_days" // 0 to MaxDays
	MaxGroup     = "max_group"            // 2 to chat.MaxMembers
)

// MaxDays is the longest time that something is kept but not for ever: 100 years.
const MaxDays = 36500

// The values of Posting.
const (
	Anyone   = "anyone"
	Contacts = "contacts"
)

// Names are all the settings there are, in the order in which they are shown.
var Names = []string{Registration, Posting, MaxGroup, KeepDays, KeepFileDays}

// Of returns the value called name as it is stored.
func (v Values) Of(name string) string {
	switch name {
	case Registration:
		return string(v.Registration)
	case Posting:
		if v.ContactsOnly {
			return Contacts
		}
		return Anyone
	case KeepDays:
		return strconv.Itoa(v.KeepDays)
	case KeepFileDays:
		return strconv.Itoa(v.KeepFileDays)
	case MaxGroup:
		return strconv.Itoa(v.MaxGroup)
	}
	return ""
}

// with returns v with the setting called name changed, or a *chat.Refusal.
func (v Values) with(name, value string) (Values, error) {
	_, low, high := Bounds(name)
	n, err := strconv.Atoi(value)
	within := err == nil && n >= low && n <= high
	err = nil
	switch name {
	case Registration:
		switch r := chat.Registration(value); r {
		case chat.RegisterOpen, chat.RegisterInvite, chat.RegisterClosed:
			v.Registration = r
		default:
			err = chat.Refuse(chat.Invalid, "there is no such way to register")
		}
	case Posting:
		if value != Anyone && value != Contacts {
			err = chat.Refuse(chat.Invalid, "there is no such way to say who may write")
		}
		v.ContactsOnly = value == Contacts
	case KeepDays:
		if v.KeepDays = n; !within {
			err = chat.Refuse(chat.Invalid, "messages are kept for 0 to 36,500 days")
		}
	case KeepFileDays:
		if v.KeepFileDays = n; !within {
			err = chat.Refuse(chat.Invalid, "files are kept for 0 to 36,500 days")
		}
	case MaxGroup:
		if v.MaxGroup = n; !within {
			err = chat.Refuse(chat.Invalid, "a group may have from 2 to 10,000 people")
		}
	default:
		err = chat.Refuse(chat.Invalid, "there is no such setting")
	}
	return v, err
}

// Bounds returns what the setting called name may be: one of options, or else a
// whole number from low to high.
func Bounds(name string) (options []string, low, high int) {
	switch name {
	case Registration:
		return []string{string(chat.RegisterOpen), string(chat.RegisterInvite), string(chat.RegisterClosed)}, 0, 0
	case Posting:
		return []string{Anyone, Contacts}, 0, 0
	case MaxGroup:
		return nil, 2, chat.MaxMembers
	}
	return nil, 0, MaxDays
}

// Service holds the settings. It is safe for concurrent use.
type Service struct {
	store Store
	log   *slog.Logger
	now   atomic.Pointer[Values]
}

// refreshEvery is after how long a change on another node counts here, at most.
const refreshEvery = 2 * time.Second

// New returns a Service with the defaults. Load comes next.
func New(s Store, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	sv := &Service{store: s, log: log}
	v := Defaults
	sv.now.Store(&v)
	return sv
}

// Get returns the settings as they are known here. It never blocks.
func (s *Service) Get() Values { return *s.now.Load() }

// Load reads the settings. A stored value that this build does not know counts
// as the strictest: nobody registers by a word that was mistyped in the database.
func (s *Service) Load(ctx context.Context) error {
	stored, err := s.store.SettingsOf(ctx, Names...)
	if err != nil {
		return fmt.Errorf("load settings: %w", err)
	}
	v := Defaults
	var bad error
	for _, name := range Names {
		value, ok := stored[name]
		if !ok {
			continue
		}
		next, err := v.with(name, value)
		if err != nil {
			bad = errors.Join(bad, err)
			next = v.strictest(name)
		}
		v = next
	}
	if was := s.Get(); v != was {
		s.now.Store(&v)
		if bad != nil {
			s.log.Warn("a setting is not understood", "err", bad)
		}
	}
	return nil
}

// strictest returns v with the setting called name so that least is allowed and
// nothing is removed.
func (v Values) strictest(name string) Values {
	switch name {
	case Registration:
		v.Registration = chat.RegisterClosed
	case Posting:
		v.ContactsOnly = true
	}
	return v
}

// Run reads the settings again and again until ctx ends. While that fails, those
// count that are known.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(refreshEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.Load(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug("settings are not refreshed", "err", err)
		}
	}
}

// Change stores settings by name, all or none, notes those that become others
// as by's deed, and has them count here at once. The error is a *chat.Refusal
// where a value can't be.
func (s *Service) Change(ctx context.Context, by chat.Deed, values map[string]string) error {
	v := s.Get()
	for name, value := range values {
		var err error
		if v, err = v.with(name, value); err != nil {
			return err
		}
	}
	as := make(map[string]string, len(values))
	for name := range values {
		as[name] = v.Of(name) // as this program writes it
	}
	by.What = chat.ActSet
	if err := s.store.ChangeSettings(ctx, by, as, Defaults.Of); err != nil {
		return fmt.Errorf("change settings: %w", err)
	}
	return s.Load(ctx)
}
