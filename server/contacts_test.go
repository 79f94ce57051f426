package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/server/settings"
	"kamachat/server/store"
	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// refusedWith is the code with which the last post of s to conv failed, "" for none.
func (s *someone) refusedWith(conv chat.ConvID) (code chat.Code) {
	s.Do(func(st *state.State) {
		for _, r := range st.Rows(conv, time.UTC) {
			code = ""
			if r.Tick == chat.Failed {
				code = r.Why
			}
		}
	})
	return code
}

// Whoever is blocked can't be heard from that moment on, though both have the
// conversation open, on whichever nodes they are.
func TestBlocksHoldAtOnce(t *testing.T) {
	db, redis := servicetest.MariaDB(t).Database(), servicetest.Redis(t)
	urlA := inProcess(t, "--db", db, "--redis", redis.URL(), "--node", "1")
	urlB := inProcess(t, "--db", db, "--redis", redis.URL(), "--node", "2")
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	b.say(conv, "bob 0")
	agree(t, urlA, conv, 2, a, b)
	for round := range 3 {
		if got, code := status(t, "PUT", urlB+"/api/v1/blocks/"+string(a.ID), b.token, nil); got != http.StatusNoContent {
			t.Fatalf("block: %d %s", got, code)
		}
		a.say(conv, fmt.Sprintf("never %d", round))
		b.say(conv, fmt.Sprintf("nor this %d", round))
		for _, p := range []*someone{a, b} {
			eventually(t, func() string { return p.Name() + " is told why" }, func() bool { return p.refusedWith(conv) == chat.Blocked })
		}
		// By the API, too, on both nodes.
		for _, url := range []string{urlA, urlB} {
			if got, code := status(t, "POST", url+"/api/v1/conversations/"+string(b.ID)+"/messages", a.token, map[string]string{"text": "x"}); got != http.StatusForbidden || code != chat.Blocked {
				t.Errorf("by the API: %d %s", got, code)
			}
		}
		if got, code := status(t, "DELETE", urlB+"/api/v1/blocks/"+string(a.ID), b.token, nil); got != http.StatusNoContent {
			t.Fatalf("unblock: %d %s", got, code)
		}
		var m chat.Message
		call(t, "POST", urlA+"/api/v1/conversations/"+string(b.ID)+"/messages", a.token, map[string]string{"text": "again"}, &m)
		if want := int64(3 + round); m.Seq != want {
			t.Errorf("round %d: the next entry is %d, want %d: what was refused is stored", round, m.Seq, want)
		}
	}
}

func TestContactsAreMadeByAskingAndAccepting(t *testing.T) {
	url := inProcess(t)
	a, b, c := join(t, url, "ann"), join(t, url, "bob"), join(t, url, "cat")
	do := func(method, path string, p *someone, in any, want int) chat.Code {
		t.Helper()
		got, code := status(t, method, url+"/api/v1"+path, p.token, in)
		if got != want {
			t.Errorf("%s %s by %s: %d %s, want %d", method, path, p.Name(), got, code, want)
		}
		return code
	}
	contacts := func(p *someone) string {
		t.Helper()
		var out struct{ People []chat.Person }
		call(t, "GET", url+"/api/v1/contacts", p.token, nil, &out)
		var names []string
		for _, o := range out.People {
			names = append(names, o.Username)
		}
		return fmt.Sprint(names)
	}
	type asking struct {
		Message string
		Person  chat.Person
	}
	var rs struct{ To, From []asking }
	requests := func(p *someone) {
		t.Helper()
		call(t, "GET", url+"/api/v1/requests", p.token, nil, &rs)
	}

	do("PUT", "/requests/"+string(b.ID), a, map[string]string{"message": "it's me"}, 200)
	do("PUT", "/requests/"+string(b.ID), a, map[string]string{"message": "it is me, ann"}, 200)
	requests(b)
	if len(rs.To) != 1 || rs.To[0].Message != "it is me, ann" || rs.To[0].Person.ID != a.ID || len(rs.From) != 0 {
		t.Errorf("bob finds %+v", rs)
	}
	do("POST", "/requests/"+string(b.ID)+"/accept", a, nil, 404) // ann can't accept her own
	do("POST", "/requests/"+string(a.ID)+"/accept", c, nil, 404)
	do("POST", "/requests/"+string(a.ID)+"/accept", b, nil, 204)
	do("POST", "/requests/"+string(a.ID)+"/accept", b, nil, 204) // and again: nothing more
	conv := chat.Direct(a.ID, b.ID)
	for _, p := range []*someone{a, b} {
		eventually(t, func() string { return p.Name() + " has the conversation" }, func() (in bool) {
			p.Do(func(st *state.State) { _, in = st.Conv(conv) })
			return in
		})
	}
	if x, y := contacts(a), contacts(b); x != "[bob]" || y != "[ann]" {
		t.Errorf("ann has %s, bob %s", x, y)
	}
	if code := do("PUT", "/requests/"+string(a.ID), b, struct{}{}, 409); code != chat.Taken {
		t.Errorf("who is a contact: %s", code)
	}
	// Both ask: no need to accept.
	do("PUT", "/requests/"+string(c.ID), b, struct{}{}, 200)
	do("PUT", "/requests/"+string(b.ID), c, struct{}{}, 200)
	if got := contacts(b); got != "[ann cat]" {
		t.Errorf("bob has %s", got)
	}
	// Refused, and asked again.
	do("PUT", "/requests/"+string(c.ID), a, struct{}{}, 200)
	do("POST", "/requests/"+string(a.ID)+"/refuse", c, nil, 204)
	do("POST", "/requests/"+string(a.ID)+"/accept", c, nil, 404)
	do("POST", "/requests/"+string(a.ID)+"/refuse", c, nil, 204)
	do("PUT", "/requests/"+string(c.ID), a, struct{}{}, 200) // ann is not told, and cat not bothered
	requests(a)
	if len(rs.From) != 1 || rs.From[0].Person.ID != c.ID {
		t.Errorf("ann finds out that she was refused: %+v", rs)
	}
	requests(c)
	if len(rs.To) != 0 {
		t.Errorf("cat is bothered again: %+v", rs)
	}
	// Blocked: asking is refused.
	do("PUT", "/blocks/"+string(a.ID), c, nil, 204)
	do("POST", "/requests/"+string(a.ID)+"/accept", c, nil, 403)
	do("PUT", "/blocks/"+string(a.ID), c, nil, 204) // again
	if code := do("PUT", "/requests/"+string(c.ID), a, struct{}{}, 403); code != chat.Blocked {
		t.Errorf("who is blocked asks: %s", code)
	}
	do("DELETE", "/contacts/"+string(a.ID), b, nil, 204)
	if x, y := contacts(a), contacts(b); x != "[]" || y != "[cat]" {
		t.Errorf("ended: ann has %s, bob %s", x, y)
	}
	do("PUT", "/requests/"+string(a.ID), a, struct{}{}, 400)
	do("PUT", "/requests/Unobody", a, struct{}{}, 404)
	do("PUT", "/requests/"+string(b.ID), a, map[string]string{"message": string(make([]rune, 101))}, 400)
	for _, path := range []string{"/contacts", "/requests", "/blocks", "/me/profile", "/people/" + string(a.ID)} {
		if got, _ := status(t, "GET", url+"/api/v1"+path, "", nil); got != http.StatusUnauthorized {
			t.Errorf("%s by nobody: %d", path, got)
		}
	}
}

func TestProfilesTellOthersOnlyWhatIsTheirs(t *testing.T) {
	url := inProcess(t)
	a, b := join(t, url, "ann"), join(t, url, "bob")
	mine := chat.Profile{Signature: "in the hills", Gender: "female", Birthday: "1990-02-03", Email: "ann@example.org", Phone: "+491234567", Unlisted: true}
	var saved struct{ Profile chat.Profile }
	call(t, "PUT", url+"/api/v1/me/profile", a.token, map[string]any{"nickname": "Ann 🥾", "profile": mine}, &saved)
	if saved.Profile != mine {
		t.Errorf("saved is %+v", saved.Profile)
	}
	var card struct {
		Person  chat.Person
		Profile chat.Profile
	}
	if got, code := status(t, "GET", url+"/api/v1/people/"+string(a.ID), b.token, nil); got != http.StatusNotFound {
		t.Errorf("a stranger sees who is not to be found: %d %s", got, code)
	}
	a.say(chat.Direct(a.ID, b.ID), "ann 0") // she knows him now, and he her
	agree(t, url, chat.Direct(a.ID, b.ID), 1, a, b)
	call(t, "GET", url+"/api/v1/people/"+string(a.ID), b.token, nil, &card)
	if want := (chat.Profile{Signature: mine.Signature, Gender: mine.Gender, Birthday: mine.Birthday}); card.Profile != want || card.Person.Nickname != "Ann 🥾" {
		t.Errorf("bob sees %+v", card)
	}
	var found struct{ People []chat.Person }
	call(t, "GET", url+"/api/v1/people?q=ann", b.token, nil, &found)
	if len(found.People) != 0 {
		t.Errorf("who does not want to be found is: %+v", found.People)
	}
	for _, bad := range []chat.Profile{
		{Birthday: "2999-01-01"}, {Birthday: "yesterday"}, {Email: "ann"}, {Email: "Ann <a@b.c>"}, {Phone: "call me"}, {Phone: "1"}, {Gender: "x y"},
		{Signature: string(make([]rune, 256))}, {Signature: "a\u202eb"},
	} {
		if got, code := status(t, "PUT", url+"/api/v1/me/profile", a.token, map[string]any{"nickname": "Ann", "profile": bad}); got != 400 && got != 413 {
			t.Errorf("%+v: %d %s", bad, got, code)
		}
	}
	for _, avatar := range []string{"https://evil.example/x.png", "//evil.example/x", "javascript:x"} {
		if got, _ := status(t, "PUT", url+"/api/v1/me/profile", a.token, map[string]any{"nickname": "Ann", "avatar": avatar}); got != 400 {
			t.Errorf("%s: %d", avatar, got)
		}
	}
}

func TestWhoIsUnseenIsOfflineForAllOnAllNodes(t *testing.T) {
	db, redis := servicetest.MariaDB(t).Database(), servicetest.Redis(t)
	urlA := inProcess(t, "--db", db, "--redis", redis.URL(), "--node", "1")
	urlB := inProcess(t, "--db", db, "--redis", redis.URL(), "--node", "2")
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	agree(t, urlA, conv, 1, a, b)
	see := func(want bool, when string) {
		t.Helper()
		for _, p := range [][2]*someone{{a, b}, {b, a}} {
			eventually(t, func() string { return fmt.Sprintf("%s: %s sees %s: %v", when, p[0].Name(), p[1].Name(), want) }, func() (ok bool) {
				p[0].Do(func(st *state.State) { ok = st.Online(p[1].ID) == want })
				return ok
			})
		}
	}
	card := func(url string, by, of *someone) (c struct {
		Online bool
		SeenAt int64 `json:"seen_at"`
	}) {
		t.Helper()
		call(t, "GET", url+"/api/v1/people/"+string(of.ID), by.token, nil, &c)
		return c
	}
	profile := func(unseen bool) {
		t.Helper()
		// By the node on which she has no session.
		call(t, "PUT", urlB+"/api/v1/me/profile", a.token, map[string]any{"nickname": "Ann", "profile": chat.Profile{Unseen: unseen}}, &struct{}{})
	}
	see(true, "at first")
	if c := card(urlB, b, a); !c.Online {
		t.Errorf("bob sees %+v", c)
	}
	profile(true)
	see(false, "unseen")
	for _, p := range [][2]*someone{{a, b}, {b, a}} {
		for _, url := range []string{urlA, urlB} {
			if c := card(url, p[0], p[1]); c.Online || c.SeenAt != 0 {
				t.Errorf("%s is shown %+v", p[0].Name(), c)
			}
		}
	}
	// They can be written to as ever.
	b.say(conv, "bob 0")
	agree(t, urlA, conv, 2, a, b)
	profile(false)
	see(true, "seen again")
	// So it is between two of whom one has blocked the other, who finds out nothing.
	for _, do := range []string{"PUT", "DELETE"} {
		if got, code := status(t, do, urlB+"/api/v1/blocks/"+string(b.ID), a.token, nil); got != http.StatusNoContent {
			t.Fatalf("%s: %d %s", do, got, code)
		}
		blocked := do == "PUT"
		see(!blocked, do)
		if c := card(urlA, b, a); c.Online == blocked || blocked && c.SeenAt != 0 {
			t.Errorf("%s: bob is shown %+v", do, c)
		}
		if c := card(urlB, a, b); c.Online == blocked {
			t.Errorf("%s: ann is shown %+v", do, c)
		}
	}
}

// Where only contacts may write to each other, that holds from the moment it is
// set, for those who have talked before, too, until they are contacts.
func TestOnlyContactsWriteToEachOtherWhereThatIsSet(t *testing.T) {
	dsn, redis := servicetest.MariaDB(t).Database(), servicetest.Redis(t)
	urlA := inProcess(t, "--db", dsn, "--redis", redis.URL(), "--node", "1")
	urlB := inProcess(t, "--db", dsn, "--redis", redis.URL(), "--node", "2")
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	agree(t, urlA, conv, 1, a, b)
	db, err := store.Open(t.Context(), dsn, store.Options{ID: chat.NewIDs(9, func() int64 { return time.Now().UnixMilli() }).Next, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	posting := func(who string) {
		t.Helper()
		set := settings.New(db, slog.New(slog.DiscardHandler))
		if err := set.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := set.Change(t.Context(), chat.Deed{By: a.ID}, map[string]string{settings.Posting: who}); err != nil {
			t.Fatal(err)
		}
	}
	// answers posts from both sides, by both nodes, until all get the same.
	answers := func(want chat.Code, when string) {
		t.Helper()
		eventually(t, func() string { return when + ": both are answered " + string(want) }, func() bool {
			for _, url := range []string{urlA, urlB} {
				for _, p := range [][2]*someone{{a, b}, {b, a}} {
					if _, code := status(t, "POST", url+"/api/v1/conversations/"+string(p[1].ID)+"/messages", p[0].token, map[string]string{"text": "x"}); code != want {
						return false
					}
				}
			}
			return true
		})
	}
	answers("", "anyone")
	posting("contacts")
	answers(chat.NotContact, "contacts")
	var open struct {
		Allowed bool
		Why     chat.Code
	}
	call(t, "GET", urlA+"/api/v1/conversations/open?person="+string(b.ID), a.token, nil, &open)
	if open.Allowed || open.Why != chat.NotContact {
		t.Errorf("opening is %+v", open)
	}
	a.say(conv, "never")
	eventually(t, func() string { return "ann is told why" }, func() bool { return a.refusedWith(conv) == chat.NotContact })
	// Nor those who never have, nor by way of a group.
	c := join(t, urlA, "cat")
	if got, code := status(t, "POST", urlA+"/api/v1/conversations/"+string(c.ID)+"/messages", a.token, map[string]string{"text": "x"}); got != http.StatusForbidden || code != chat.NotContact {
		t.Errorf("a stranger writes: %d %s", got, code)
	}
	if got, code := status(t, "POST", urlA+"/api/v1/groups", a.token, map[string]any{"name": "x", "members": []chat.UserID{c.ID}}); got != http.StatusForbidden || code != chat.NotContact {
		t.Errorf("a group with a stranger: %d %s", got, code)
	}
	call(t, "PUT", urlA+"/api/v1/requests/"+string(b.ID), a.token, map[string]string{"message": "it is me"}, &struct{}{})
	if got, code := status(t, "POST", urlB+"/api/v1/requests/"+string(a.ID)+"/accept", b.token, nil); got != 204 {
		t.Fatalf("accept: %d %s", got, code)
	}
	answers("", "now contacts")
	call(t, "GET", urlA+"/api/v1/conversations/open?person="+string(b.ID), a.token, nil, &open)
	if !open.Allowed {
		t.Errorf("opening is %+v between contacts", open)
	}
	if got, code := status(t, "DELETE", urlA+"/api/v1/contacts/"+string(b.ID), a.token, nil); got != 204 {
		t.Fatalf("end: %d %s", got, code)
	}
	answers(chat.NotContact, "no longer contacts")
	posting("anyone")
	answers("", "anyone again")
}
