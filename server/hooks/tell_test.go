package hooks

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// straight posts to the store itself, and has everybody administer every group.
type straight struct{ *store.DB }

func (s straight) PostWait(ctx context.Context, d chat.Draft) (chat.Message, error) {
	rs, err := s.Append(ctx, []chat.Draft{d})
	if err != nil {
		return chat.Message{}, err
	}
	return rs[0].Message, rs[0].Err
}

func (s straight) StandingIn(context.Context, chat.UserID, chat.ConvID) (chat.Standing, error) {
	return chat.Standing{Able: true, Exists: true, Seat: chat.Seat{In: true, Role: chat.Owner}}, nil
}

// A teller is a Service with a database, people and groups.
type teller struct {
	*Service
	hub straight
	t   *testing.T
	n   int
}

func newTeller(t *testing.T, people ...chat.UserID) *teller {
	t.Helper()
	db := storetest.Open(t, storetest.Lite(t), store.Options{})
	for _, p := range people {
		if err := db.AddUser(t.Context(), chat.Person{ID: p, Username: string(p), Nickname: string(p)}, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	// An address that does not answer is waited for as long as the test takes.
	s := New(Config{Store: db, Hub: straight{db}, Log: slog.New(slog.DiscardHandler), Local: true, Every: 20 * time.Millisecond, Within: time.Hour})
	return &teller{Service: s, hub: straight{db}, t: t}
}

// group makes a group of u with so many webhooks at url.
func (s *teller) group(u chat.UserID, url string, hooks int) chat.ConvID {
	s.t.Helper()
	s.n++
	conv := chat.ConvID(fmt.Sprintf("G%010d", s.n))
	if err := s.hub.CreateGroup(s.t.Context(), conv, "group", u, []chat.UserID{u}, 1); err != nil {
		s.t.Fatal(err)
	}
	for i := range hooks {
		if _, _, err := s.MakeOut(s.t.Context(), u, conv, fmt.Sprint(url, "/", i)); err != nil {
			s.t.Fatal(err)
		}
	}
	return conv
}

func (s *teller) say(u chat.UserID, conv chat.ConvID, words string) {
	s.t.Helper()
	s.n++
	if _, err := s.hub.PostWait(s.t.Context(), chat.Draft{Conv: conv, Author: u, Ref: fmt.Sprint("r", s.n), Content: chat.TextContent(words)}); err != nil {
		s.t.Fatal(err)
	}
	s.Stored(chat.Message{})
}

// run runs the Service until end, which waits for it.
func (s *teller) run() (end func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	end = sync.OnceFunc(func() { cancel(); wg.Wait() })
	s.t.Cleanup(end)
	return end
}

// A heard is what a webhook was told at a path.
type heard struct {
	path  string
	texts []string
}

// An ear is a program elsewhere.
type ear struct {
	url     string
	told    chan heard    // each request, as it comes
	answers chan struct{} // closed: it answers; until then nothing is answered
	mu      sync.Mutex
	now     int // requests that wait for an answer
	most    int
}

func newEar(t *testing.T) *ear {
	e := &ear{told: make(chan heard, 1000), answers: make(chan struct{})}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in Telling
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		what := heard{path: r.URL.Path}
		for _, m := range in.Entries {
			what.texts = append(what.texts, m.Content.Text)
		}
		e.mu.Lock()
		e.now++
		e.most = max(e.most, e.now)
		e.mu.Unlock()
		e.told <- what
		select {
		case <-e.answers:
		case <-r.Context().Done():
		}
		e.mu.Lock()
		e.now--
		e.mu.Unlock()
	}))
	e.url = srv.URL
	t.Cleanup(srv.Close)
	return e
}

func (e *ear) waiting() (now, most int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now, e.most
}

// Somebody's addresses that never answer hold up their own and nobody else's.
func TestSlowAddressesOfOneHoldUpNobodyElse(t *testing.T) {
	s := newTeller(t, "Uann", "Ubob")
	slow, quick := newEar(t), newEar(t)
	close(quick.answers)
	for range 3 { // more than are told at a time
		s.say("Uann", s.group("Uann", slow.url, chat.MaxHooks), "never taken")
	}
	// Another host: one may be kept busy by others, too.
	bobs := s.group("Ubob", strings.Replace(quick.url, "127.0.0.1", "localhost", 1), 1)
	end := s.run()
	for range 2 {
		<-slow.told
	}
	for i := range 5 {
		s.say("Ubob", bobs, fmt.Sprint("bob ", i))
		for got := []string(nil); len(got) == 0 || got[len(got)-1] != fmt.Sprint("bob ", i); {
			got = (<-quick.told).texts
		}
	}
	if now, most := slow.waiting(); now != perMaker || most != perMaker {
		t.Errorf("of one maker %d are under way, and were at most %d, want %d", now, most, perMaker)
	}
	// They go on as soon as it answers, each in its turn.
	close(slow.answers)
	paths := map[string]int{}
	for range 3*chat.MaxHooks - 2 {
		paths[(<-slow.told).path]++
	}
	if len(paths) != chat.MaxHooks {
		t.Errorf("told are %v", paths)
	}
	end()
	if _, most := slow.waiting(); most != perMaker {
		t.Errorf("%d were under way at a time, want %d", most, perMaker)
	}
}

// What is under way as the server stops ends, is not taken for a failure, and is
// told again by whoever goes on.
func TestWhatIsUnderWayAsItStopsIsToldAgain(t *testing.T) {
	s := newTeller(t, "Uann")
	e := newEar(t)
	conv := s.group("Uann", e.url, 1)
	end := s.run()
	s.say("Uann", conv, "one")
	if got := fmt.Sprint((<-e.told).texts); got != "[one]" {
		t.Errorf("told %s", got)
	}
	s.say("Uann", conv, "two")
	end()
	if hs, err := s.Store.OutHooks(t.Context(), conv); err != nil || hs[0].Told != 0 || hs[0].Fails != 0 || hs[0].Problem != "" {
		t.Errorf("stopped: %+v, %v", hs, err)
	}
	close(e.answers)
	s.run()
	if got := fmt.Sprint((<-e.told).texts); got != "[one two]" {
		t.Errorf("told then: %s", got)
	}
}
