package push

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/push/pushtest"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

const (
	ann = chat.UserID("Uann")
	bob = chat.UserID("Ubob")
	cat = chat.UserID("Ucat")
)

var (
	group  = chat.ConvID("Gtea")
	direct = chat.Direct(ann, bob)
)

// world is a service over a real store, at a time of its own. Nothing moves by itself.
type world struct {
	*Service
	t        *testing.T
	db       *store.DB
	presence *inproc.Presence
	looking  *inproc.Presence
	gate     *pushtest.Gate
	browsers map[string]pushtest.Browser // by path of the endpoint
	now      time.Time
	refs     int
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, presence: inproc.NewPresence(), looking: inproc.NewPresence(), gate: pushtest.NewGate(t), browsers: map[string]pushtest.Browser{}, now: time.Now()}
	clock := func() time.Time { return w.now }
	ids := storetest.IDs()
	db := storetest.Open(t, storetest.Lite(t), store.Options{ID: ids.Next, Now: clock})
	for u, name := range map[chat.UserID]string{ann: "Ann", bob: "Bob", cat: "Cat"} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: string(u), Nickname: name}, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CreateGroup(t.Context(), group, "Tea 茶", ann, []chat.UserID{ann, bob, cat}, 1); err != nil {
		t.Fatal(err)
	}
	w.db = db
	c := Config{Store: db, Presence: w.presence, Looking: w.looking, Now: clock, Local: true}
	for _, f := range change {
		f(&c)
	}
	var err error
	if w.Service, err = Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// subscribe has a browser of u told at path.
func (w *world) subscribe(u chat.UserID, path, lang string) {
	w.t.Helper()
	b := pushtest.NewBrowser(w.t)
	w.browsers[path] = b
	p256dh, auth := b.Keys()
	sub := chat.Subscription{
		User: u, Login: "L" + string(u), Endpoint: w.gate.URL + path, Site: "https://chat.example", Lang: lang,
		P256dh: p256dh, Auth: auth,
	}
	if err := w.Subscribe(w.t.Context(), sub); err != nil {
		w.t.Fatal(err)
	}
}

// say stores a message and tells the service, as the hub does.
func (w *world) say(u chat.UserID, conv chat.ConvID, c chat.Content) chat.Message {
	w.t.Helper()
	w.refs++
	rs, err := w.db.Append(w.t.Context(), []chat.Draft{{Conv: conv, Author: u, Ref: fmt.Sprint(w.refs), Content: c}})
	if err != nil || rs[0].Err != nil {
		w.t.Fatal(err, rs)
	}
	w.Stored(rs[0].Message)
	return rs[0].Message
}

// hush has u want no notices of the group until a time.
func (w *world) hush(u chat.UserID, until int64) error {
	_, err := w.db.SetLine(w.t.Context(), u, group, chat.LineChange{Hush: &until})
	return err
}

// pass lets time pass, and does what is due by then.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.round(w.t.Context(), w.now)
	for {
		j, _ := w.jobs.next()
		if j == nil {
			return
		}
		w.send(w.t.Context(), j)
		w.jobs.done(j)
	}
}

// told are the notices that reached the push service, "path: title: body".
func (w *world) told() []string {
	w.t.Helper()
	var out []string
	for _, r := range w.gate.Requests() {
		n := w.notice(r)
		out = append(out, fmt.Sprintf("%s: %s: %s", r.Path, n.Title, n.Body))
	}
	slices.Sort(out)
	return out
}

func (w *world) notice(r pushtest.Request) (n notice) {
	w.t.Helper()
	plain, err := w.browsers[r.Path].Open(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(plain, &n); err != nil {
		w.t.Fatalf("%v in %s", err, plain)
	}
	return n
}

func (w *world) wantTold(want ...string) {
	w.t.Helper()
	if got := w.told(); !slices.Equal(got, want) {
		w.t.Errorf("told %q, want %q", got, want)
	}
}
