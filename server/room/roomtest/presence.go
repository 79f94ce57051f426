package roomtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
)

// Presence checks a presence.
func Presence(t *testing.T, fresh func(t *testing.T) room.Presence) {
	ctx := t.Context()
	p := fresh(t)
	want := func(us ...chat.UserID) {
		t.Helper()
		on, err := p.Online(ctx, "Ua", "Ub", "Uc")
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if on[u] != slices.Contains(us, u) {
				t.Errorf("online: %v, want %v", on, us)
			}
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want()
	do(p.Touch(ctx, "Ua", "S1"))
	do(p.Touch(ctx, "Ua", "S2"))
	do(p.Touch(ctx, "Ub", "S3"))
	want("Ua", "Ub")
	do(p.Leave(ctx, "Ua", "S1"))
	want("Ua", "Ub")
	do(p.Leave(ctx, "Ua", "S1"))
	do(p.Leave(ctx, "Ub", "S9"))
	want("Ua", "Ub")
	do(p.Leave(ctx, "Ua", "S2"))
	want("Ub")

	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s := fmt.Sprint("T", i)
			_ = p.Touch(ctx, "Uc", s)
			time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
			_ = p.Leave(ctx, "Uc", s)
		})
	}
	wg.Wait()
	want("Ub")
}

// PresenceNodes checks that two nodes see each other's people. fresh returns
// both; what one says the other may see a moment later.
func PresenceNodes(t *testing.T, fresh func(t *testing.T) (a, b room.Presence)) {
	ctx := t.Context()
	a, b := fresh(t)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// sees waits until both nodes see who is online.
	sees := func(us ...chat.UserID) {
		t.Helper()
		for _, p := range []room.Presence{a, b} {
			for {
				on, err := p.Online(ctx, "Ua", "Ub", "Uc")
				do(err)
				if len(on) == len(us) && !slices.ContainsFunc(us, func(u chat.UserID) bool { return !on[u] }) {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
	do(a.Touch(ctx, "Ua", "S1"))
	do(b.Touch(ctx, "Ua", "S2"))
	do(b.Touch(ctx, "Ub", "S3"))
	sees("Ua", "Ub")
	do(a.Leave(ctx, "Ua", "S1"))
	sees("Ua", "Ub") // still on b
	do(b.Leave(ctx, "Ua", "S2"))
	sees("Ub")
	do(a.Touch(ctx, "Ua", "S1"))
	sees("Ua", "Ub")
	do(a.Leave(ctx, "Ub", "S3")) // b's session is not a's to end
	sees("Ua", "Ub")

	// One who is always somewhere is never seen to be gone.
	stop, looked := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for stop.Err() == nil {
			if on, err := b.Online(ctx, "Ub"); err != nil || !on["Ub"] {
				t.Errorf("online: %v, %v", on, err)
				return
			}
			if on, err := a.Online(ctx, "Ub"); err != nil || !on["Ub"] {
				t.Errorf("online: %v, %v", on, err)
				return
			}
		}
	})
	for i := range 50 {
		s := fmt.Sprint("T", i)
		do(a.Touch(ctx, "Ub", s))
		do(b.Touch(ctx, "Ub", s))
		do(a.Leave(ctx, "Ub", s))
		do(b.Leave(ctx, "Ub", s))
	}
	looked()
	wg.Wait()
}
