package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// twoNodes starts two servers on one MariaDB and one Redis.
func twoNodes(t *testing.T) (a, b string, redis *servicetest.Service) {
	t.Helper()
	db, redis := servicetest.MariaDB(t).Database(), servicetest.Redis(t)
	a = inProcess(t, "--db", db, "--redis", redis.URL(), "--node", "1")
	b = inProcess(t, "--db", db, "--redis", redis.URL(), "--node", "2", "--cache")
	return a, b, redis
}

// sees reports whether s has u as online.
func (s *someone) sees(u chat.UserID) (on bool) {
	s.Do(func(st *state.State) { on = st.Online(u) })
	return on
}

// seesEventually waits until s has u as online, or not.
func seesEventually(t *testing.T, s *someone, u *someone, on bool) {
	t.Helper()
	eventually(t, func() string { return fmt.Sprintf("%s sees %s online: %v", s.Name(), u.Name(), on) }, func() bool { return s.sees(u.ID) == on })
}

func TestPeopleOnTwoNodesChatAndSeeEachOther(t *testing.T) {
	urlA, urlB, _ := twoNodes(t)
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	agree(t, urlB, conv, 1, a, b)
	seesEventually(t, a, b, true)
	seesEventually(t, b, a, true)
	for i := range 100 {
		a.say(conv, fmt.Sprint("ann ", i+1))
		b.say(conv, fmt.Sprint("bob ", i))
	}
	agree(t, urlA, conv, 201, a, b)
	if x, y := a.stored(t, urlA, conv), a.stored(t, urlB, conv); !slices.Equal(x, y) {
		t.Errorf("the nodes tell different histories:\n%v\n%v", x, y)
	}

	// A group made on one node, written in from both.
	c := join(t, urlB, "cat")
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", urlA+"/api/v1/groups", a.token, map[string]any{"name": "both", "members": []chat.UserID{b.ID, c.ID}}, &made)
	for _, p := range []*someone{a, b, c} {
		p.sent = 0
		eventually(t, func() string { return "the group in the list of " + p.Name() }, func() (in bool) {
			p.Do(func(st *state.State) { _, in = st.Conv(made.Group.ID) })
			return in
		})
		p.say(made.Group.ID, p.Username+" 0")
	}
	agree(t, urlB, made.Group.ID, 3, a, b, c)
}

func TestSignOutReachesTheOtherNode(t *testing.T) {
	urlA, urlB, redis := twoNodes(t)
	a := join(t, urlA, "ann")
	phase := func(s *someone) (p state.Phase) {
		s.Do(func(st *state.State) { p = st.Status().Phase })
		return p
	}
	for what, outage := range map[string]struct{ begin, end func() }{
		"Redis there":  {func() {}, func() {}},
		"Redis hangs":  {redis.Pause, redis.Resume},
		"Redis killed": {redis.Kill, redis.Start},
	} {
		t.Run(what, func(t *testing.T) {
			var in struct{ Token string }
			call(t, "POST", urlA+"/api/v1/login", "", map[string]string{"username": "ann", "password": "correct horse ann"}, &in)
			phone := &someone{Person: a.Person, token: in.Token}
			phone.Client = phone.connect(t, urlB)
			eventually(t, func() string { return "the phone is connected" }, func() bool { return phase(phone) == state.Live })
			outage.begin()
			signOut(t, urlA, in.Token)
			outage.end()
			eventually(t, func() string { return "the phone is signed out" }, func() bool { return phase(phone) == state.SignedOut })
			if phase(a) != state.Live {
				t.Error("the other device was signed out, too")
			}
		})
	}
}

func signOut(t *testing.T, url, token string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/api/v1/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("sign out: %s", res.Status)
	}
}

func TestRedisGoesAwayUnderLoad(t *testing.T) {
	urlA, urlB, redis := twoNodes(t)
	c := gather(t, urlA, 8)
	for i, p := range c.people {
		if i%2 == 1 { // each pair of neighbours is on two nodes
			p.Client = p.connect(t, urlB)
		}
	}
	c.write(100, 1)
	for what, outage := range map[string]func(){
		"stopped": func() { redis.Stop(); time.Sleep(time.Second); redis.Start() },
		"killed":  func() { redis.Kill(); time.Sleep(time.Second); redis.Start() },
		"paused":  func() { redis.Pause(); time.Sleep(2 * time.Second); redis.Resume() },
	} {
		time.Sleep(300 * time.Millisecond)
		outage()
		t.Logf("Redis was %s: %d texts wait", what, c.queued())
	}
	time.Sleep(300 * time.Millisecond)
	redis.Kill() // the last texts are written while it is away
	time.Sleep(300 * time.Millisecond)
	c.quiet()
	eventually(t, func() string { return fmt.Sprintf("%d texts wait", c.queued()) }, func() bool { return c.queued() == 0 })
	redis.Start()
	t.Logf("%d texts, each stored once and in order, and seen on both nodes", c.settle(urlB))
	if n := c.failed(); n > 0 {
		t.Errorf("%d texts were refused for good", n)
	}
}

func TestChatsOfANodeDoNotWaitForRedis(t *testing.T) {
	redis := servicetest.Redis(t)
	url := inProcess(t, "--redis", redis.URL(), "--cache")
	a, b := join(t, url, "ann"), join(t, url, "bob")
	conv := chat.Direct(a.ID, b.ID)
	const each = 200
	round := func(from int) (slow int, p99 time.Duration) {
		var took []time.Duration
		for i := range each {
			began := time.Now()
			body := map[string]string{"text": fmt.Sprint("ann ", from+i), "ref": fmt.Sprint("r", from+i)}
			var m chat.Message
			call(t, "POST", url+"/api/v1/conversations/"+string(conv)+"/messages", a.token, body, &m)
			d := time.Since(began)
			took = append(took, d)
			if d > 400*time.Millisecond { // most of what one call may wait for Redis
				slow++
			}
		}
		slices.Sort(took)
		return slow, took[each*99/100]
	}
	_, there := round(0)
	redis.Pause()
	slow, away := round(each)
	agree(t, url, conv, 2*each, b) // with Redis still hanging: nothing of this needs it
	redis.Resume()
	t.Logf("a post that is stored took, p99: with Redis %v, while it hangs %v", there, away)
	if slow > each/20 {
		t.Errorf("%d of %d posts waited for Redis", slow, each)
	}
}

func TestPresenceIsUnknownWithoutRedisAndRecovers(t *testing.T) {
	urlA, urlB, redis := twoNodes(t)
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	agree(t, urlA, conv, 1, a, b)
	seesEventually(t, b, a, true)
	unknown := func(p *someone) (is bool) {
		p.Do(func(st *state.State) { v, _ := st.Conv(conv); is = v.Unknown })
		return is
	}
	redis.Kill()
	eventually(t, func() string { return "bob is told that nothing is known of ann" }, func() bool { return unknown(b) && !b.sees(a.ID) })
	// Who connects now is told nothing of people on the other node.
	late := &someone{Person: b.Person, token: b.token}
	late.Client = late.connect(t, urlB)
	agree(t, urlB, conv, 1, late)
	if late.sees(a.ID) || !unknown(late) {
		t.Error("somebody is said to be online, or not, on a node that can't be asked")
	}
	redis.Start()
	// Over the connection that stood. That ann is online may be heard before: her
	// node tells it of conversations that are found to be new.
	eventually(t, func() string { return "bob knows, and sees ann" }, func() bool { return !unknown(b) && b.sees(a.ID) })
	eventually(t, func() string { return "presence is known again" }, func() bool {
		again := &someone{Person: b.Person, token: b.token}
		again.Client = again.connect(t, urlB)
		agree(t, urlB, conv, 1, again)
		return again.sees(a.ID)
	})
}

// Nodes hear of each other by the database while there is no Redis, over
// connections that stand, and of new conversations, too.
func TestNodesHearOfEachOtherWithoutRedis(t *testing.T) {
	urlA, urlB, redis := twoNodes(t)
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	agree(t, urlB, conv, 1, a, b)
	redis.Kill()
	for i := range 5 {
		a.say(conv, fmt.Sprint("ann ", i+1))
		b.say(conv, fmt.Sprint("bob ", i))
	}
	agree(t, urlA, conv, 11, a, b)
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", urlA+"/api/v1/groups", a.token, map[string]any{"name": "new", "members": []chat.UserID{b.ID}}, &made)
	eventually(t, func() string { return "the new group in bob's list" }, func() (in bool) {
		b.Do(func(st *state.State) { _, in = st.Conv(made.Group.ID) })
		return in
	})
	b.sent = 0
	b.say(made.Group.ID, "bob 0")
	a.sent = 0
	agree(t, urlB, made.Group.ID, 1, a, b)
}

func TestServerStartsWithoutRedis(t *testing.T) {
	redis := servicetest.Redis(t)
	redis.Kill()
	url := inProcess(t, "--redis", redis.URL())
	a, b := join(t, url, "ann"), join(t, url, "bob")
	conv := chat.Direct(a.ID, b.ID)
	a.say(conv, "ann 0")
	agree(t, url, conv, 1, a, b)
	seesEventually(t, b, a, true) // both are here
}

func TestBadRedisAddressEndsTheStart(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"serve", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--redis", "redis://u:secret@h:1/x"}, noEnv, &out, &out)
	if err == nil || bytes.Contains([]byte(err.Error()+out.String()), []byte("secret")) {
		t.Errorf("got %v, %q", err, out.String())
	}
}

func TestGuessesOnBothNodesCountTogether(t *testing.T) {
	urlA, urlB, _ := twoNodes(t)
	join(t, urlA, "ann")
	guess := func(url, password string) int {
		body := strings.NewReader(fmt.Sprintf(`{"username":"ann","password":%q}`, password))
		res, err := http.Post(url+"/api/v1/login", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	// Ten are allowed; each node has seen five of them.
	for range 5 {
		for _, url := range []string{urlA, urlB} {
			if got := guess(url, "wrong"); got != http.StatusUnauthorized {
				t.Fatalf("a wrong password: status %d", got)
			}
		}
	}
	if got := guess(urlB, "correct horse ann"); got != http.StatusTooManyRequests {
		t.Errorf("eleventh try: status %d, want %d", got, http.StatusTooManyRequests)
	}
}
