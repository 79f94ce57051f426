package settings

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/shared/chat"
)

// memory is a Store.
type memory struct {
	mu     sync.Mutex
	values map[string]string
	deeds  []chat.Deed
	fail   error
}

func (m *memory) SettingsOf(_ context.Context, _ ...string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.values), m.fail
}

func (m *memory) ChangeSettings(_ context.Context, by chat.Deed, values map[string]string, _ func(string) string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	maps.Copy(m.values, values)
	m.deeds = append(m.deeds, by)
	return nil
}

func (m *memory) set(name, value string, fail error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[name], m.fail = value, fail
}

func TestSettingsAreCheckedBeforeAnyIsStored(t *testing.T) {
	for what, c := range map[string]struct {
		in   map[string]string
		want Values // zero: refused
	}{
		"nothing":      {nil, Defaults},
		"everything":   {map[string]string{Registration: "invite", Posting: "contacts", KeepDays: "30", KeepFileDays: "7", MaxGroup: "2"}, Values{chat.RegisterInvite, true, 30, 7, 2}},
		"largest":      {map[string]string{KeepDays: "36500", MaxGroup: "10000"}, Values{Registration: chat.RegisterOpen, KeepDays: 36500, MaxGroup: 10000}},
		"no such way":  {map[string]string{Registration: "maybe"}, Values{}},
		"nobody":       {map[string]string{Posting: "nobody"}, Values{}},
		"negative":     {map[string]string{KeepDays: "-1"}, Values{}},
		"too long":     {map[string]string{KeepFileDays: "36501"}, Values{}},
		"not a number": {map[string]string{MaxGroup: "1e3"}, Values{}},
		"one alone":    {map[string]string{MaxGroup: "1"}, Values{}},
		"too many":     {map[string]string{MaxGroup: "10001"}, Values{}},
		"unknown":      {map[string]string{"setup_key": "x"}, Values{}},
		"half":         {map[string]string{Registration: "closed", MaxGroup: "0"}, Values{}},
	} {
		m := &memory{values: map[string]string{}}
		s := New(m, nil)
		err := s.Change(t.Context(), chat.Deed{By: "Uboss"}, c.in)
		if c.want == (Values{}) {
			if chat.AsRefusal(err).Code != chat.Invalid || len(m.values) > 0 || s.Get() != Defaults {
				t.Errorf("%s: %v, stored %v, now %+v; want a refusal and nothing", what, err, m.values, s.Get())
			}
			continue
		}
		if err != nil || s.Get() != c.want {
			t.Errorf("%s: %v %+v, want %+v", what, err, s.Get(), c.want)
		}
		for name, v := range c.in {
			if c.want.Of(name) != v {
				t.Errorf("%s: %s is %q, want %q", what, name, c.want.Of(name), v)
			}
		}
	}
}

func TestWhatTheDatabaseSaysWrongAllowsLeast(t *testing.T) {
	s := New(&memory{values: map[string]string{Registration: "opne", Posting: "", KeepDays: "soon", MaxGroup: "5"}}, nil)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := (Values{Registration: chat.RegisterClosed, ContactsOnly: true, MaxGroup: 5}); s.Get() != want {
		t.Errorf("got %+v, want %+v", s.Get(), want)
	}
}

func TestAChangeElsewhereCountsWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{values: map[string]string{}}
		s := New(m, nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		m.set(Registration, "closed", nil)
		time.Sleep(refreshEvery)
		synctest.Wait()
		if got := s.Get().Registration; got != chat.RegisterClosed {
			t.Errorf("after a change elsewhere it is %q", got)
		}
		m.set(Registration, "open", errors.New("away"))
		time.Sleep(refreshEvery)
		synctest.Wait()
		if got := s.Get().Registration; got != chat.RegisterClosed {
			t.Errorf("while the database is away it is %q, want what was known", got)
		}
		stop()
		<-done
	})
}
