package main

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/store"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

func TestRemovedPersonGetsNoFurtherMessage(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) {
			url := inProcess(t, flags(t)...)
			removed(t, url, url)
		})
	}
}

func TestRemovedPersonOnTheOtherNodeGetsNoFurtherMessage(t *testing.T) {
	a, b, _ := twoNodes(t)
	removed(t, a, b)
}

// removed has ann, at one address, remove bob, at another, from a group.
func removed(t *testing.T, urlA, urlB string) {
	a, b, c := join(t, urlA, "ann"), join(t, urlB, "bob"), join(t, urlB, "cat")
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", urlA+"/api/v1/groups", a.token, map[string]any{"name": "both", "members": []chat.UserID{b.ID, c.ID}}, &made)
	conv := made.Group.ID
	has := func(s *someone, text string) bool {
		ts, _ := texts(s.Client, conv)
		return strings.Contains(strings.Join(ts, "|"), text)
	}
	listed := func(s *someone) (in bool) {
		s.Do(func(st *state.State) { _, in = st.Conv(conv) })
		return in
	}
	a.say(conv, "before")
	for _, p := range []*someone{b, c} {
		eventually(t, func() string { return p.Name() + " sees the first" }, func() bool { return has(p, "before") })
	}
	// Round by round: removed, added again, and removed.
	for round := range 2 {
		member := "/api/v1/groups/" + string(conv) + "/members"
		if got, code := status(t, "DELETE", urlA+member+"/"+string(b.ID), a.token, nil); got != http.StatusNoContent {
			t.Fatalf("remove: %d %s", got, code)
		}
		eventually(t, func() string { return "the group goes from the list" }, func() bool { return !listed(b) })
		secret := fmt.Sprint("secret ", round)
		a.say(conv, secret)
		eventually(t, func() string { return "who stays sees it" }, func() bool { return has(c, secret) })
		// What comes later shows that it has not come.
		a.say(chat.Direct(a.ID, b.ID), fmt.Sprint("later ", round))
		eventually(t, func() string { return "the later one" }, func() bool {
			ts, _ := texts(b.Client, chat.Direct(a.ID, b.ID))
			return len(ts) == round+1
		})
		if listed(b) || has(b, "secret") {
			t.Error("who was removed has it")
		}
		for _, url := range []string{urlA, urlB} {
			for method, body := range map[string]any{"GET": nil, "POST": map[string]string{"text": "still here"}} {
				if got, code := status(t, method, url+"/api/v1/conversations/"+string(conv)+"/messages", b.token, body); got != http.StatusNotFound || code != chat.NotFound {
					t.Errorf("%s at %s: %d %s", method, url, got, code)
				}
			}
		}
		if got, code := status(t, "POST", urlB+member, a.token, map[string]any{"people": []chat.UserID{b.ID}}); got != http.StatusNoContent {
			t.Fatalf("add: %d %s", got, code)
		}
		eventually(t, func() string { return "the group is back" }, func() bool { return listed(b) })
		a.say(conv, fmt.Sprint("welcome ", round))
		eventually(t, func() string { return "what is said then" }, func() bool { return has(b, fmt.Sprint("welcome ", round)) })
	}
}

// A hearer is a native client that counts what it is sent.
type hearer struct {
	t  *testing.T
	ws *websocket.Conn
}

func hear(t *testing.T, url, token string) *hearer {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{"kamachat.v1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 24)
	t.Cleanup(func() { _ = ws.CloseNow() })
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"k":"hello","b":{}}`)); err != nil {
		t.Fatal(err)
	}
	return &hearer{t: t, ws: ws}
}

// until reads until the change what is told, and returns how many bytes that took.
func (l *hearer) until(what string) int {
	l.t.Helper()
	n := 0
	for {
		_, p, err := l.ws.Read(l.t.Context())
		if err != nil {
			l.t.Fatal(err)
		}
		n += len(p)
		fs, err := wire.V1.Parse(p)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, f := range fs {
			if w, ok := f.Body.(wire.Posted); ok && w.Content.Event != nil && w.Content.Event.What == what {
				return n
			}
			if _, ok := f.Body.(wire.Welcome); ok && what == "" {
				return n
			}
		}
	}
}

// In a group of 10,000 a change of one costs what one costs.
func TestChangesOfALargeGroupAreSmallOnTheWire(t *testing.T) {
	const n, small = 10_000, 4_000
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "big.db")
	url := inProcess(t, "--db", dsn)
	a, c := join(t, url, "ann"), join(t, url, "cat")
	db, err := store.Open(t.Context(), dsn, store.Options{ID: func() int64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ps, hashes, ids := make([]chat.Person, n-1), make([]string, n-1), []chat.UserID{a.ID}
	for i := range ps {
		name := fmt.Sprintf("many%05d", i)
		ps[i], hashes[i] = chat.Person{ID: chat.UserID("U" + name), Username: name, Nickname: "Person " + name}, name
		ids = append(ids, ps[i].ID)
	}
	if err := db.AddUsers(t.Context(), ps, hashes, 1); err != nil {
		t.Fatal(err)
	}
	const conv = chat.ConvID("Gbig")
	if err := db.CreateGroupAs(t.Context(), chat.Group{Conv: conv, Name: "Big", Owner: a.ID, Rules: chat.Rules{Joining: chat.JoinDirect}}, ids[:n-1], 1); err != nil {
		t.Fatal(err)
	}
	l := hear(t, url, a.token)
	if got := l.until(""); got > small {
		t.Errorf("the welcome has %d bytes", got)
	}
	at := url + "/api/v1/groups/" + string(conv)
	for _, step := range []struct {
		what, method, path, token string
		in                        any
	}{
		{chat.Joined, "POST", "/join", c.token, nil},
		{chat.Left, "DELETE", "/members/" + string(c.ID), c.token, nil},
		{chat.Joined, "POST", "/members", a.token, map[string]any{"people": []chat.UserID{c.ID}}},
		{chat.Left, "DELETE", "/members/" + string(c.ID), a.token, nil},
		{chat.Renamed, "PATCH", "", a.token, map[string]any{"name": "Bigger"}},
	} {
		if got, code := status(t, step.method, at+step.path, step.token, step.in); got/100 != 2 {
			t.Fatalf("%s: %d %s", step.what, got, code)
		}
		if got := l.until(step.what); got > small {
			t.Errorf("that somebody %s has %d bytes", step.what, got)
		}
	}
	var page struct {
		Members []struct{ User chat.Person }
		Next    string
	}
	call(t, "GET", at+"/members", a.token, nil, &page)
	if len(page.Members) != 50 || page.Next == "" {
		t.Errorf("the first page has %d members, and then %q", len(page.Members), page.Next)
	}
	for _, path := range []string{at, at + "/members", url + "/api/v1/conversations", url + "/g/" + string(conv) + "/members", url + "/c/" + string(conv)} {
		began := time.Now()
		if got := size(t, path, a.token); got > 100_000 {
			t.Errorf("%s has %d bytes", path, got)
		}
		t.Logf("%s took %v", strings.TrimPrefix(path, url), time.Since(began))
	}
}

// size is how large an answer is.
func size(t *testing.T, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", url, res.Status, err)
	}
	return b.Len()
}
