package push

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kamachat/server/push/pushtest"
	"kamachat/shared/chat"
)

func TestEndedSubscriptionIsForgotten(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		w := newWorld(t)
		w.subscribe(bob, "/gone", "en")
		w.subscribe(bob, "/kept", "en")
		w.gate.Answer(func(r pushtest.Request) (int, string) {
			if r.Path == "/gone" {
				return status, ""
			}
			return http.StatusCreated, ""
		})
		w.say(ann, direct, chat.TextContent("x"))
		w.pass(gather)
		subs, err := w.db.Subscriptions(t.Context(), bob)
		if err != nil || len(subs) != 1 || !strings.HasSuffix(subs[0].Endpoint, "/kept") {
			t.Errorf("%d: left are %+v, %v", status, subs, err)
		}
		if s := w.Stats(); s != (Stats{Sent: 1, Gone: 1}) {
			t.Errorf("%d: counted %+v", status, s)
		}
	}
}

func TestBusyPushServiceIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	answers := []struct {
		status int
		after  string
	}{{http.StatusTooManyRequests, "30"}, {http.StatusServiceUnavailable, ""}, {http.StatusCreated, ""}}
	w.gate.Answer(func(pushtest.Request) (int, string) {
		a := answers[0]
		answers = answers[1:]
		return a.status, a.after
	})
	w.say(ann, direct, chat.TextContent("x"))
	for i, step := range []struct {
		pass time.Duration
		sent int
	}{{gather, 1}, {29 * time.Second, 1}, {2 * time.Second, 2}, {time.Minute, 3}, {time.Hour, 3}} {
		w.pass(step.pass)
		if got := len(w.gate.Requests()); got != step.sent {
			t.Errorf("step %d: %d requests, want %d", i, got, step.sent)
		}
	}
	if s := w.Stats(); s != (Stats{Sent: 1, Retried: 2}) || w.Len() != 0 {
		t.Errorf("counted %+v, %d wait", s, w.Len())
	}
}

func TestItGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		after  string
		tries  int
	}{
		"away for long":         {http.StatusInternalServerError, "", maxTries},
		"refused":               {http.StatusForbidden, "", 1},
		"asks for much time":    {http.StatusTooManyRequests, "7200", 1},
		"leads somewhere else":  {http.StatusTemporaryRedirect, "", 1},
		"asks for a date in it": {http.StatusServiceUnavailable, "Thu, 01 Jan 1970 00:00:00 GMT", maxTries},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.subscribe(bob, "/b", "en")
			w.gate.Answer(func(pushtest.Request) (int, string) { return c.status, c.after })
			w.say(ann, direct, chat.TextContent("x"))
			for range 10 {
				w.pass(10 * time.Minute)
			}
			if got := len(w.gate.Requests()); got != c.tries {
				t.Errorf("tried %d times, want %d", got, c.tries)
			}
			if s := w.Stats(); s.Failed != 1 || s.Sent != 0 || w.Len() != 0 {
				t.Errorf("counted %+v, %d wait", s, w.Len())
			}
		})
	}
}

func TestWhatWasReadMeanwhileIsNotTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	w.gate.Answer(func(pushtest.Request) (int, string) { return http.StatusServiceUnavailable, "" })
	m := w.say(ann, direct, chat.TextContent("x"))
	w.pass(gather)
	if err := w.db.SaveMarks(t.Context(), []chat.Marks{{Conv: direct, User: bob, Delivered: m.Seq, Read: m.Seq}}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if got := len(w.gate.Requests()); got != 1 || w.Len() != 0 {
		t.Errorf("%d requests, %d wait", got, w.Len())
	}
}

func TestSignOutEndsIt(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	w.subscribe(cat, "/c", "en")
	if err := w.Forget(t.Context(), bob, "L"+string(bob)); err != nil {
		t.Fatal(err)
	}
	w.say(ann, group, chat.TextContent("x"))
	w.pass(gather)
	w.wantTold("/c: Tea 茶: Ann: x")
}

func TestTestReachesAllBrowsersOfOne(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/1", "en")
	w.subscribe(bob, "/2", "zh")
	w.subscribe(cat, "/c", "en")
	w.gate.Answer(func(r pushtest.Request) (int, string) {
		if r.Path == "/1" {
			return http.StatusGone, ""
		}
		return http.StatusCreated, ""
	})
	as, err := w.Test(t.Context(), bob)
	if err != nil || len(as) != 2 {
		t.Fatal(as, err)
	}
	host := strings.TrimPrefix(w.gate.URL, "http://")
	for i, want := range []Answer{{Host: host, Status: 410, Gone: true}, {Host: host, Status: 201, OK: true}} {
		if !slices.Contains(as, want) {
			t.Errorf("answer %d: %+v is not among %+v", i, want, as)
		}
	}
	w.wantTold("/1: KamaChat: Notifications reach this browser.", "/2: KamaChat: 本浏览器能收到通知。")
	if _, err := w.Test(t.Context(), bob); !errors.Is(err, chat.Refuse(chat.RateLimited, "")) {
		t.Errorf("again at once: %v", err)
	}
	if _, err := w.Test(t.Context(), cat); err != nil {
		t.Errorf("another's: %v", err)
	}
	w.now = w.now.Add(testEvery)
	if as, err := w.Test(t.Context(), bob); err != nil || len(as) != 1 {
		t.Errorf("later: %v, %v", as, err)
	}
}

func TestKeyLasts(t *testing.T) {
	w := newWorld(t)
	again, err := Open(t.Context(), w.Config)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.Key()
	b, _ := again.Key()
	if raw, err := b64.DecodeString(a); a != b || err != nil || len(raw) != 65 || raw[0] != 4 {
		t.Errorf("keys %q and %q", a, b)
	}
}

func TestNothingHappensWhenOff(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	c := w.Config
	c.Off = true
	off, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = off
	w.say(ann, direct, chat.TextContent("x"))
	w.pass(time.Minute)
	w.wantTold()
	if _, err := off.Key(); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("the key: %v", err)
	}
	if err := off.Subscribe(t.Context(), chat.Subscription{}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("subscribing: %v", err)
	}
	if _, err := off.Test(t.Context(), bob); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("a test: %v", err)
	}
	off.Run(t.Context()) // it returns
}
