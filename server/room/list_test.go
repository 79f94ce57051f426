package room_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// listed is a hub where Umany writes with n people, the last one last.
func listed(t *testing.T, n int) (*room.Hub, *roomtest.Memory) {
	t.Helper()
	at := time.UnixMilli(1_000_000)
	ids := chat.NewIDs(0, func() int64 { return 1 })
	s := roomtest.NewMemory(func() time.Time { return at }, ids.Next)
	for i := range n + 1 {
		p := chat.Person{ID: peer(i), Username: fmt.Sprint("peer", i)}
		if i == n {
			p = chat.Person{ID: "Umany", Username: "many"}
		}
		if err := s.AddUser(t.Context(), p, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		at = at.Add(time.Duration(i/3) * time.Millisecond) // some at the same time
		says(t, s, peer(i), i, fmt.Sprint("r", i))
	}
	return room.NewHub(room.Config{
		Store: s, People: s, Log: slog.New(slog.DiscardHandler), Carrier: inproc.NewCarrier(100, 1), Fanout: inproc.NewFanout(100), Presence: inproc.NewPresence(),
	}), s
}

func peer(i int) chat.UserID { return chat.UserID(fmt.Sprintf("Up%04d", i)) }

func says(t *testing.T, s *roomtest.Memory, u chat.UserID, i int, ref string) {
	t.Helper()
	d := chat.Draft{Conv: chat.Direct("Umany", peer(i)), Author: u, Ref: ref, Content: chat.TextContent("x")}
	if rs, err := s.Append(t.Context(), []chat.Draft{d}); err != nil || rs[0].Err != nil {
		t.Fatal(rs, err)
	}
}

func lines(t *testing.T, h *room.Hub, ask wire.List) wire.Listed {
	t.Helper()
	l, err := h.Lines(t.Context(), "Umany", ask)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func names(l []chat.Summary) (cs []chat.ConvID) {
	for _, s := range l {
		cs = append(cs, s.Conv)
	}
	return cs
}

// TestClientsAreToldWhatIsKeptNoLonger: when they come, and as long as they stay with
// each comparison; and of which epoch all of it is.
func TestClientsAreToldWhatIsKeptNoLonger(t *testing.T) {
	h, _ := listed(t, 3)
	x := chat.Expired{Messages: 5, Files: 7}
	h.Epoch, h.Expired = "one", func() chat.Expired { return x }
	c := &conn{user: "Umany"}
	w, err := h.Welcome(t.Context(), c)
	if err != nil || w.Epoch != "one" || w.Expired != x {
		t.Errorf("%+v, %v", w, err)
	}
	x.Messages = 6
	if l := lines(t, h, wire.List{Sums: []uint32{1}}); l.Expired != x {
		t.Errorf("%+v", l)
	}
}

// TestPagesHoldEveryConversationOnce: also those that share a moment, and
// while others move up.
func TestPagesHoldEveryConversationOnce(t *testing.T) {
	h, s := listed(t, 250)
	seen := map[chat.ConvID]int{}
	ask, pages := wire.List{}, 0
	for {
		l := lines(t, h, ask)
		if len(l.Convs) > chat.MaxList || len(l.Convs) == 0 {
			t.Fatalf("a page of %d", len(l.Convs))
		}
		if want := len(l.Convs) + 1; len(l.People) != want {
			t.Errorf("%d people, want %d", len(l.People), want)
		}
		for _, c := range names(l.Convs) {
			seen[c]++
		}
		if pages++; l.Next == "" {
			break
		}
		ask.After, ask.Limit = l.Next, 37
		says(t, s, peer(200+pages), 200+pages, fmt.Sprint("again", pages)) // seen already
	}
	if len(seen) != 250 || pages != 1+5 {
		t.Errorf("%d conversations on %d pages, want 250 on 6", len(seen), pages)
	}
	for c, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", c, n)
		}
	}
}

func TestOnlyWhatDiffersIsListed(t *testing.T) {
	h, s := listed(t, 250)
	heads := func() []chat.Head {
		hs, err := s.Heads(t.Context(), "Umany")
		if err != nil {
			t.Fatal(err)
		}
		return hs
	}
	same := chat.Sums(heads(), 30)
	if l := lines(t, h, wire.List{Sums: same}); len(l.Convs)+len(l.People)+len(l.Differ) > 0 || l.More || l.Next != "" {
		t.Errorf("of the same list differs %+v", l)
	}
	c := &conn{user: "Umany"}
	h.Join(t.Context(), c)
	w, err := h.Welcome(t.Context(), c, same...)
	if err != nil || !w.Known || len(w.Convs) > 0 || w.Me.ID != "Umany" || w.More {
		t.Errorf("the welcome of who knows all is %+v, %v", w, err)
	}

	moved := chat.Direct("Umany", peer(17))
	says(t, s, "Umany", 17, "more")
	l := lines(t, h, wire.List{Sums: same})
	part := chat.Part(moved, 30)
	if !slices.Equal(l.Differ, []int{part}) || l.Convs[0].Conv != moved || l.Convs[0].LastSeq != 2 || l.More {
		t.Errorf("one moved, in part %d, and %+v differ", part, l)
	}
	for _, c := range names(l.Convs) {
		if chat.Part(c, 30) != part {
			t.Errorf("%s is of another part", c)
		}
	}
	if w, err = h.Welcome(t.Context(), c, same...); err != nil || !w.Known || !slices.Equal(names(w.Convs), names(l.Convs)) || !slices.Equal(w.Differ, l.Differ) {
		t.Errorf("the welcome has %+v, %v, want what a list of the same sums has", w, err)
	}

	// A client that holds nothing of this is told as many parts as fit; with too
	// few sums for that, the first page.
	l = lines(t, h, wire.List{Sums: make([]uint32, 30)})
	if !l.More || len(l.Differ) == 0 || len(l.Convs) > chat.MaxList || len(l.Convs) < chat.MaxList/2 {
		t.Errorf("%d lines of %d parts, more %v", len(l.Convs), len(l.Differ), l.More)
	}
	l = lines(t, h, wire.List{Sums: []uint32{0}})
	if l.More || len(l.Differ) > 0 || len(l.Convs) != chat.MaxList || l.Next == "" {
		t.Errorf("%d lines, parts %v, more %v, next %q; want a first page", len(l.Convs), l.Differ, l.More, l.Next)
	}
	if w, err = h.Welcome(t.Context(), c, 0); err != nil || w.Known || len(w.Convs) != chat.MaxList || w.Next == "" {
		t.Errorf("the welcome of too few sums: known %v, %d lines, next %q, %v", w.Known, len(w.Convs), w.Next, err)
	}
}

func TestLinesByName(t *testing.T) {
	h, _ := listed(t, 3)
	others := chat.Direct(peer(0), peer(1))
	l := lines(t, h, wire.List{IDs: []chat.ConvID{chat.Direct("Umany", peer(1)), others, "Gnone", "nonsense"}})
	if got := names(l.Convs); !slices.Equal(got, []chat.ConvID{chat.Direct("Umany", peer(1))}) {
		t.Errorf("got %v, want the own one alone", got)
	}
	for name, ask := range map[string]wire.List{
		"too many ids":  {IDs: make([]chat.ConvID, chat.MaxList+1)},
		"too many sums": {Sums: make([]uint32, chat.MaxSums+1)},
		"no such place": {After: "x"},
		"half a place":  {After: "5 x"},
	} {
		if l, err := h.Lines(t.Context(), "Umany", ask); chat.AsRefusal(err).Code != chat.Invalid {
			t.Errorf("%s: got %+v, %v", name, l, err)
		}
	}
}

// TestMarksOnTheirWayAreListed: what a client has told counts at once, in lines
// and in sums, though it is saved later.
func TestMarksOnTheirWayAreListed(t *testing.T) {
	h, s := listed(t, 3)
	c := chat.Direct("Umany", peer(1))
	says(t, s, peer(1), 1, "2")
	if err := h.Seen(t.Context(), "Umany", chat.Marks{Conv: c, Delivered: 2, Read: 1}); err != nil {
		t.Fatal(err)
	}
	l := lines(t, h, wire.List{IDs: []chat.ConvID{c}})
	if s := l.Convs[0]; s.Mine.Delivered != 2 || s.Mine.Read != 1 || s.Unread != 1 {
		t.Errorf("the line is %+v", s)
	}
	hs, _ := s.Heads(t.Context(), "Umany")
	for i := range hs {
		if hs[i].Conv == c {
			hs[i].Mine = chat.Marks{Delivered: 2, Read: 1}
		}
	}
	if l := lines(t, h, wire.List{Sums: chat.Sums(hs, 1)}); len(l.Differ) > 0 {
		t.Errorf("sums with the marks that were told differ: %+v", l)
	}
}

// TestPeersFurtherDownSeeOneAnother: who pages on is told who is online there,
// and seen there, once.
func TestPeersFurtherDownSeeOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := listed(t, 150)
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- h.Run(ctx) }()
		old, me := &conn{user: peer(0)}, &conn{user: "Umany"} // the oldest conversation
		welcome := func(c *conn) wire.Welcome {
			h.Join(ctx, c)
			w, err := h.Welcome(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return w
		}
		welcome(old)
		w := welcome(me)
		if len(w.Online) != 0 || len(old.got) != 0 {
			t.Errorf("somebody who is not listed is online: %v, told %v", w.Online, old.got)
		}
		for range 2 {
			l := lines(t, h, wire.List{After: w.Next})
			synctest.Wait()
			if !slices.Equal(l.Online, []chat.UserID{peer(0)}) {
				t.Errorf("online further down: %v", l.Online)
			}
			if want := []wire.Body{wire.Online{User: "Umany", Online: true}}; !slices.Equal(old.got, want) {
				t.Errorf("the peer is told %v, want %v", old.got, want)
			}
		}
		stop()
		<-ran
	})
}

// conn is a session that keeps what it is told.
type conn struct {
	benchConn
	user chat.UserID
	got  []wire.Body
}

func (c *conn) User() chat.UserID   { return c.user }
func (c *conn) Push(p *wire.Packet) { c.got = append(c.got, p.Frame.Body) }

// TestWelcomeIsSmallForWhoHasMuch: of 2,000 conversations, half of them unread,
// a client that holds nothing gets the first page, and one that holds all next to
// nothing.
func TestWelcomeIsSmallForWhoHasMuch(t *testing.T) {
	h, db := crowd(t)
	c := &conn{user: "Umany"}
	h.Join(t.Context(), c)
	hs, err := db.Heads(t.Context(), c.user)
	if err != nil || len(hs) != manyDirects+manyGroups {
		t.Fatalf("%d conversations, %v", len(hs), err)
	}
	for name, tt := range map[string]struct {
		sums  []uint32
		lines int
		most  int // bytes
	}{
		"first":        {nil, chat.MaxList, 60_000},
		"nothing came": {chat.Sums(hs, chat.MaxSums), 0, 1000},
	} {
		w, err := h.Welcome(t.Context(), c, tt.sums...)
		if err != nil {
			t.Fatal(err)
		}
		p, ok, err := wire.V1.Append(nil, wire.Frame{Body: w})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if len(w.Convs) != tt.lines || len(p) > tt.most {
			t.Errorf("%s: %d lines in %d bytes, want %d in at most %d", name, len(w.Convs), len(p), tt.lines, tt.most)
		}
		t.Logf("%s: %d lines, %d bytes", name, len(w.Convs), len(p))
	}
}
