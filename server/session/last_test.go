package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// registry is who may be here.
type registry struct {
	mu     sync.Mutex
	out    []string // proofs that ended
	able   map[chat.UserID]bool
	away   bool
	proofs []string // last asked for
}

func (r *registry) rights(_ context.Context, proofs []string, us []chat.UserID) (map[string]bool, map[chat.UserID]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return nil, nil, errors.New("the database is away")
	}
	r.proofs = slices.Sorted(slices.Values(proofs))
	in, able := map[string]bool{}, map[chat.UserID]bool{}
	for _, p := range proofs {
		in[p] = !slices.Contains(r.out, p)
	}
	for _, u := range us {
		able[u] = r.able == nil || r.able[u]
	}
	return in, able, nil
}

func (r *registry) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func TestSessionsEndWithTheirLoginThoughNobodySaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Heartbeat: time.Hour}, 64)
		r := &registry{}
		var losses int64
		ctx, stop := context.WithCancel(t.Context())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			w.host.Watch(ctx, r.rights, func() (bool, int64) { r.mu.Lock(); defer r.mu.Unlock(); return false, losses })
		}()
		defer func() { stop(); <-watched }()
		w.native(ann, "proof=a")
		phone, b := w.native(ann, "proof=phone"), w.native(bob, "proof=b")
		w.native(cat) // of whom nothing is to be asked
		signedOut := func(who *client) {
			t.Helper()
			who.until("the goodbye", func(f wire.Frame) bool { b, ok := f.Body.(wire.Bye); return ok && b.Reason == wire.ByeSignedOut })
		}
		time.Sleep(31 * time.Second)
		var asked []string
		r.set(func() { asked = r.proofs })
		if want := []string{"a", "b", "phone"}; !slices.Equal(asked, want) || w.host.Len() != 4 {
			t.Errorf("asked for %v with %d sessions, want %v", asked, w.host.Len(), want)
		}
		r.set(func() { r.out, r.away = []string{"phone"}, true })
		time.Sleep(5 * time.Minute)
		if n := w.host.Len(); n != 4 {
			t.Errorf("while nothing is known there are %d sessions", n)
		}
		r.set(func() { r.away = false })
		began := time.Now()
		signedOut(phone)
		if d := time.Since(began); d > 31*time.Second {
			t.Errorf("it took %v", d)
		}
		r.set(func() { r.able = map[chat.UserID]bool{ann: true}; losses++ })
		began = time.Now()
		signedOut(b)
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("after a loss it took %v", d)
		}
		time.Sleep(time.Minute)
		if n := w.host.Len(); n != 2 {
			t.Errorf("%d sessions are left, want ann's and cat's", n)
		}
	})
}
