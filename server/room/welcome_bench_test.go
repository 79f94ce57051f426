package room_test

import (
	"context"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A busy person's list: direct conversations, and groups of a thousand.
const (
	manyDirects, manyGroups = 1900, 100
	groupSize, groupTalk    = 1000, 200
)

// crowd fills a database with somebody in 2,000 conversations, and another
// person in 50. Half of all is unread.
func crowd(b testing.TB) (*room.Hub, *store.DB) {
	ids := storetest.IDs()
	db := storetest.Open(b, storetest.Lite(b), store.Options{ID: ids.Next})
	people := []chat.Person{{ID: "Umany", Username: "many"}, {ID: "Ufew", Username: "few"}}
	for i := range manyDirects {
		people = append(people, chat.Person{ID: chat.UserID(fmt.Sprintf("U1wnr%07d", i)), Username: fmt.Sprint("person", i), Nickname: fmt.Sprint("Person ", i), Avatar: "/static/avatars/some-picture.png"})
	}
	hashes := make([]string, len(people))
	for i := range hashes {
		hashes[i] = fmt.Sprint("h", i)
	}
	if err := db.AddUsers(b.Context(), people, hashes, 1); err != nil {
		b.Fatal(err)
	}
	var ds []chat.Draft
	var marks []chat.Marks
	post := func(u chat.UserID, c chat.ConvID) {
		ds = append(ds, chat.Draft{Conv: c, Author: u, Ref: fmt.Sprintf("%012d", len(ds)), Content: chat.TextContent("a text of about one hundred and twenty-eight bytes, which is what people write to each other on an ordinary working day, more or less")})
	}
	for i, p := range people[2:] {
		c := chat.Direct("Umany", p.ID)
		for range 5 {
			post(p.ID, c)
		}
		marks = append(marks, chat.Marks{Conv: c, User: "Umany", Delivered: 5, Read: int64(5 * (i % 2))})
		if i < 50 {
			post(p.ID, chat.Direct("Ufew", p.ID))
		}
	}
	var members []chat.UserID
	for _, p := range people[2:][:groupSize-1] {
		members = append(members, p.ID)
	}
	members = append(members, "Umany")
	for i := range manyGroups {
		c := chat.ConvID(fmt.Sprintf("G1wnr%07d", i))
		if err := db.CreateGroup(b.Context(), c, fmt.Sprint("Group ", i), "Umany", members, 1); err != nil {
			b.Fatal(err)
		}
		for j := range groupTalk {
			post(members[j], c)
		}
		marks = append(marks, chat.Marks{Conv: c, User: "Umany", Delivered: groupTalk, Read: int64(groupTalk * (i % 2))})
	}
	for len(ds) > 0 {
		n := min(len(ds), 250)
		if _, err := db.Append(b.Context(), ds[:n]); err != nil {
			b.Fatal(err)
		}
		ds = ds[n:]
	}
	if err := db.SaveMarks(b.Context(), marks); err != nil {
		b.Fatal(err)
	}
	return room.NewHub(room.Config{
		Store: db, People: db, Log: slog.New(slog.DiscardHandler), Carrier: inproc.NewCarrier(100, 1), Fanout: inproc.NewFanout(100), Presence: inproc.NewPresence(), Seer: db,
	}), db
}

// benchConn is a session that nobody writes to.
type benchConn struct{ user chat.UserID }

func (c benchConn) ID() string        { return "s" }
func (c benchConn) User() chat.UserID { return c.user }
func (c benchConn) Login() string     { return "" }
func (c benchConn) Native() bool      { return true }
func (c benchConn) Push(*wire.Packet) {}
func (c benchConn) Close(string)      {}

// BenchmarkWelcome is what a welcome and the comparison of lists cost the
// server, with their encoding: "many" has 2,000 conversations, 100 of them groups
// of 1,000, "few" has 50. "first" is for a client that holds nothing, "again" for
// one that holds all, "moved" for one that missed an entry in 10 conversations.
// cpu-µs is the process's time: others on the machine do not count.
func BenchmarkWelcome(b *testing.B) {
	h, db := crowd(b)
	for _, u := range []chat.UserID{"Umany", "Ufew"} {
		hs, err := db.Heads(context.Background(), u)
		if err != nil {
			b.Fatal(err)
		}
		n := min(max(len(hs)/8, 1), chat.MaxSums)
		all := chat.Sums(hs, n)
		for i := range 10 {
			hs[i*5].LastSeq--
		}
		c := benchConn{u}
		h.Join(context.Background(), c)
		welcome := func(sums []uint32) func() (wire.Body, error) {
			return func() (wire.Body, error) { return h.Welcome(context.Background(), c, sums...) }
		}
		for name, ask := range map[string]func() (wire.Body, error){
			"first": welcome(nil), "again": welcome(all), "moved": welcome(chat.Sums(hs, n)),
			"compare": func() (wire.Body, error) { return h.Lines(context.Background(), u, wire.List{Sums: all}) },
		} {
			b.Run(string(u[1:])+"/"+name, func(b *testing.B) { run(b, ask) })
		}
	}
}

func run(b *testing.B, ask func() (wire.Body, error)) {
	var p []byte
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		w, err := ask()
		if err != nil {
			b.Fatal(err)
		}
		if p, _, err = wire.V1.Append(p[:0], wire.Frame{Body: w}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(len(p)), "wire-B")
}

// cpu returns the time that the process has run.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
