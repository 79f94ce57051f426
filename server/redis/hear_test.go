package redis_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/server/inproc"
	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// deafNode is a node that was asked to hear of nothing yet.
func deafNode(t *testing.T, s *servicetest.Service) *listener {
	l := listen(t, s, 1000)
	l.Unhear("Ga", "Gb", "Gc", "Gd", "Ge", "Gmeet", "Ua")
	return l
}

func TestNodeHearsOnlyOfItsOwnPeopleAndGroups(t *testing.T) {
	s := servicetest.Redis(t)
	a, b, c := deafNode(t, s), deafNode(t, s), deafNode(t, s)
	b.Hear(t.Context(), "Ub", "Gb")
	c.Hear(t.Context(), "Uc", "Gmeet")
	direct, group, other := chat.Direct("Ua", "Ub"), chat.ConvID("Gb"), chat.Direct("Ua", "Uc")
	meet(t, a, b, "Gb")
	meet(t, a, c, "Gmeet")
	meet(t, a, b, chat.Direct("Ub", "Unobody"))
	meet(t, a, c, chat.Direct("Uc", "Unobody"))
	before := c.c.Stats().Received
	const n = 50
	for i := range int64(n) {
		a.post(t, direct, i+1)
		a.post(t, group, 1000+i)
		typing := wire.Event{Conv: group, To: []chat.UserID{"Ub"}, Frame: wire.Frame{Body: wire.Typing{Conv: group, User: "Ua"}}}
		if err := a.Publish(t.Context(), typing); err != nil {
			t.Fatal(err)
		}
	}
	a.post(t, other, 1) // behind all that c must not hear
	eventually(t, "c hears what is its own", func() bool { return len(c.seqs(other)) == 1 })
	eventually(t, "b hears all", func() bool { return len(b.seqs(direct)) == n && len(b.seqs(group)) >= n })
	if heard := c.c.Stats().Received - before; heard != 1 || len(c.seqs(direct)) > 0 || len(c.seqs(group)) > 0 {
		t.Errorf("a node without a member heard %d events, want 1", heard)
	}
	if len(b.seqs(other)) > 0 {
		t.Error("b heard of a conversation of nobody on it")
	}

	// One that holds both hears an event for two once.
	b.Hear(t.Context(), "Ua")
	a.post(t, direct, n+1)
	a.post(t, direct, n+2)
	eventually(t, "b hears the last", func() bool { got := b.seqs(direct); return len(got) > 0 && got[len(got)-1] == n+2 })
	if got := b.seqs(direct); len(got) != n+2 || b.c.Stats().Repeated == 0 {
		t.Errorf("b heard %d events, %d by a second channel", len(got), b.c.Stats().Repeated)
	}

	// Given up as often as asked for, it is no longer heard.
	b.Hear(t.Context(), "Gb")
	b.Unhear("Gb")
	a.post(t, group, 2000)
	eventually(t, "b still hears", func() bool { got := b.seqs(group); return got[len(got)-1] == 2000 })
	b.Unhear("Gb")
	raw := goredis.NewClient(&goredis.Options{Addr: s.Addr})
	defer raw.Close()
	eventually(t, "nobody listens", func() bool {
		return raw.PubSubShardNumSub(t.Context(), "kamachat:events:0:Gb").Val()["kamachat:events:0:Gb"] == 0
	})
	b.Hear(t.Context(), "Gb") // and again
	a.post(t, group, 2001)
	eventually(t, "b hears again", func() bool { got := b.seqs(group); return got[len(got)-1] == 2001 })
}

func TestWhoIsNewIsToldOfTheGroup(t *testing.T) {
	s := servicetest.Redis(t)
	a, b := deafNode(t, s), deafNode(t, s)
	b.Hear(t.Context(), "Ub")
	many := []chat.UserID{"Ub"}
	for i := range 1000 {
		many = append(many, chat.UserID(fmt.Sprint("Um", i)))
	}
	for conv, who := range map[chat.ConvID][]chat.UserID{"Gnew": {"Ua", "Ub"}, "Glarge": many} {
		m := chat.Message{Conv: conv, Seq: 1, Author: "Ua", Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: "made", Who: who}}}
		if err := a.Publish(t.Context(), wire.Event{Conv: conv, Author: "Ua", Frame: wire.Frame{Body: wire.Posted{Message: m}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "b hears of "+string(conv), func() bool { return len(b.seqs(conv)) == 1 })
	}
}

// entries is a session that remembers the entries that it is told of.
type entries struct {
	user chat.UserID
	name string
	conv chat.ConvID // of this one
	mu   sync.Mutex
	got  map[int64]bool
}

func (e *entries) ID() string        { return e.name }
func (e *entries) User() chat.UserID { return e.user }
func (e *entries) Login() string     { return "" }
func (e *entries) Native() bool      { return true }
func (e *entries) Close(string)      {}
func (e *entries) Push(p *wire.Packet) {
	if b, ok := p.Frame.Body.(wire.Posted); ok && b.Conv == e.conv {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.got[b.Seq] = true
	}
}

// has reports whether all from a Seq to another came.
func (e *entries) has(from, to int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ; from <= to; from++ {
		if !e.got[from] {
			return false
		}
	}
	return true
}

// Who signs in on a node that has heard of nothing is told where the logs end,
// and gets all that comes behind: nothing falls in between.
func TestSigningInLeavesNoGap(t *testing.T) {
	s := servicetest.Redis(t)
	ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
	db := roomtest.NewMemory(time.Now, ids.Next)
	for _, u := range []chat.UserID{"Ua", "Ub"} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CreateGroup(t.Context(), "Ga", "", "Ua", []chat.UserID{"Ua", "Ub"}, 1); err != nil {
		t.Fatal(err)
	}
	var hubs [2]*room.Hub
	for i := range hubs {
		c, _ := node(t, s, "")
		f := redis.NewFanout(c, inproc.NewFanout(1000), 1000)
		hubs[i] = room.NewHub(room.Config{
			Store: db, People: db, Carrier: inproc.NewCarrier(1000, 1), Fanout: f, Presence: inproc.NewPresence(), Log: slog.New(slog.DiscardHandler),
			Losses: func() (bool, int64) { return false, 0 }, // the slow path would hide a gap
		})
		ctx, stop := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := hubs[i].Run(ctx); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(func() { stop(); wg.Wait() })
		eventually(t, "the node is connected", func() bool { now, _ := f.Losses(); return !now })
	}
	direct := chat.Direct("Ua", "Ub")
	writing, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		for i := 0; writing.Err() == nil; i++ {
			for _, conv := range []chat.ConvID{direct, "Ga"} {
				_ = hubs[0].Post(writing, chat.Draft{Conv: conv, Author: "Ua", Ref: fmt.Sprint(conv, i), Content: chat.TextContent("x")})
			}
			time.Sleep(200 * time.Microsecond)
		}
	})
	for round := range 4 { // the node gives a person up seconds after the last session
		for _, conv := range []chat.ConvID{direct, "Ga"} {
			b := &entries{user: "Ub", name: fmt.Sprint("S", round, conv), conv: conv, got: map[int64]bool{}}
			hubs[1].Join(t.Context(), b)
			hs, err := hubs[1].Standing(t.Context(), "Ub")
			if err != nil {
				t.Fatal(err)
			}
			from := int64(1)
			for _, h := range hs {
				if h.Conv == conv {
					from = h.LastSeq + 1
				}
			}
			eventually(t, fmt.Sprintf("entries of %s from %d on", conv, from), func() bool { return b.has(from, from+50) })
			hubs[1].Leave(t.Context(), b)
		}
		time.Sleep(3500 * time.Millisecond)
	}
}
