package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kamachat/server/push/pushtest"
	"kamachat/shared/chat"
	"kamachat/ui/link"
	"kamachat/ui/state"
)

func TestWhoIsAskedHearsOfItOnTheOtherNode(t *testing.T) {
	a, b, _ := twoNodes(t)
	asking(t, a, b)
}

func TestWhoIsAskedHearsOfIt(t *testing.T) {
	url := inProcess(t)
	asking(t, url, url)
}

// asking has somebody at one address ask, and somebody at another hear of it.
func asking(t *testing.T, urlA, urlB string) {
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	var rung atomic.Int64
	c := link.New(link.Config{
		URL: "ws" + strings.TrimPrefix(urlB, "http") + "/ws", Token: b.token,
		OnChange: func(ch state.Change) {
			if ch.Asked {
				rung.Add(1)
			}
		},
	}, state.New())
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	live := func() (is bool) {
		c.Do(func(st *state.State) { is = st.Status().Phase == state.Live })
		return is
	}
	eventually(t, func() string { return "not connected" }, live)
	type waiting struct {
		Waiting int
		Groups  []chat.GroupAsked
	}
	wants := func(what string, n int64, want waiting) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("%s: it rang %d times", what, rung.Load()) }, func() bool { return rung.Load() >= n })
		var got waiting
		call(t, "GET", urlB+"/api/v1/requests/waiting", b.token, nil, &got)
		if got.Waiting != want.Waiting || !slices.Equal(got.Groups, want.Groups) {
			t.Errorf("%s: waiting are %+v, want %+v", what, got, want)
		}
	}
	call(t, "PUT", urlA+"/api/v1/requests/"+string(b.ID), a.token, map[string]any{"message": "hello"}, &struct{}{})
	wants("asked to be a contact", 1, waiting{Waiting: 1})
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", urlB+"/api/v1/groups", b.token, map[string]any{"name": "Tea", "members": []string{}, "joining": "approval"}, &made)
	call(t, "POST", urlA+"/api/v1/groups/"+string(made.Group.ID)+"/join", a.token, map[string]any{"message": "me, too"}, &struct{}{})
	wants("asked into a group", 2, waiting{Waiting: 1, Groups: []chat.GroupAsked{{Conv: made.Group.ID, Name: "Tea", Waiting: 1}}})
}

func TestWhoIsAskedAndNotThereIsPushed(t *testing.T) {
	gate := pushtest.NewGate(t)
	url := inProcess(t, "--push", "local")
	a := join(t, url, "ann")
	id, _, b := subscriber(t, url, "bob", gate)
	call(t, "PUT", url+"/api/v1/requests/"+string(id), a.token, map[string]any{"message": "from the lake"}, &struct{}{})
	eventually(t, func() string { return strings.Join(notices(t, gate, "/bob", b), "; ") }, func() bool {
		return slices.Equal(notices(t, gate, "/bob", b), []string{"ANN: Wants to be your contact: from the lake"})
	})
}
