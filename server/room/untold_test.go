package room_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var direct = chat.Direct("Ua", "Ub")

// shaky is a store whose next calls fail as told.
type shaky struct {
	*roomtest.Memory
	mu         sync.Mutex
	unanswered int          // commits that are stored and then answered with an error
	unread     int          // reads of members that fail
	joined     []chat.Marks // members besides those of Memory
}

func (s *shaky) take(n *int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n--
	return *n >= 0
}

func (s *shaky) set(unanswered, unread int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unanswered, s.unread = unanswered, unread
}

func (s *shaky) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	rs, err := s.Memory.Append(ctx, ds)
	if s.take(&s.unanswered) {
		return nil, errors.New("the connection was lost before the answer came")
	}
	return rs, err
}

func (s *shaky) Members(ctx context.Context, conv chat.ConvID) ([]chat.Marks, error) {
	if s.take(&s.unread) {
		return nil, errors.New("the database is away")
	}
	ms, err := s.Memory.Members(ctx, conv)
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(ms, s.joined...), err
}

// ear is a session that remembers what it was told.
type ear struct {
	user chat.UserID
	seed bool // speaks the seed's dialect
	mu   sync.Mutex
	got  []wire.Body
}

func (e *ear) ID() string        { return "S" + string(e.user) }
func (e *ear) User() chat.UserID { return e.user }
func (e *ear) Login() string     { return "" }
func (e *ear) Native() bool      { return !e.seed }
func (e *ear) Close(string)      {}
func (e *ear) Push(p *wire.Packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, p.Frame.Body)
}

// seqs are the entries of conv that e was told, low the last word of how far everybody is.
func (e *ear) heard(conv chat.ConvID) (seqs string, low chat.Marks) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.got {
		switch b := b.(type) {
		case wire.Posted:
			if b.Conv == conv {
				seqs += fmt.Sprint(b.Seq, " ")
			}
		case wire.Seen:
			if b.Conv == conv && b.User == "" {
				low = b.Marks
			}
		}
	}
	return seqs, low
}

// inHub runs f in a bubble with a hub on which Ua and Ub are.
func inHub(t *testing.T, rooms int, f func(t *testing.T, h *room.Hub, s *shaky, a, b *ear)) {
	inHubWith(t, rooms, func(s *shaky) room.Store { return s }, func(t *testing.T, h *room.Hub, s room.Store, a, b *ear) { f(t, h, s.(*shaky), a, b) })
}

// inHubWith is inHub with a store made of that one.
func inHubWith(t *testing.T, rooms int, with func(*shaky) room.Store, f func(t *testing.T, h *room.Hub, s room.Store, a, b *ear)) {
	synctest.Test(t, func(t *testing.T) {
		ids := chat.NewIDs(0, func() int64 { return 0 })
		s := &shaky{Memory: roomtest.NewMemory(time.Now, ids.Next)}
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		st := with(s)
		h := room.NewHub(room.Config{
			Store: st, People: s, Carrier: inproc.NewCarrier(64, 1), Fanout: inproc.NewFanout(64), Presence: inproc.NewPresence(),
			Log: slog.New(slog.DiscardHandler), MaxRooms: rooms,
		})
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.Run(ctx) })
		a, b := &ear{user: "Ua"}, &ear{user: "Ub"}
		h.Join(ctx, a)
		h.Join(ctx, b)
		f(t, h, st, a, b)
		stop()
		wg.Wait()
	})
}

func post(t *testing.T, h *room.Hub, u chat.UserID, conv chat.ConvID, ref string) {
	t.Helper()
	if err := h.Post(t.Context(), chat.Draft{Conv: conv, Author: u, Ref: ref, Content: chat.TextContent(ref)}); err != nil {
		t.Fatal(err)
	}
}

// A commit whose answer is lost is tried again, and answered as stored before:
// but nobody has been told of it yet.
func TestReceiversAreToldWhatWasStoredWithoutAnAnswer(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		s.set(3, 0)
		post(t, h, "Ua", direct, "x")
		time.Sleep(time.Second)
		for name, e := range map[string]*ear{"the author": a, "the other": b} {
			if got, _ := e.heard(direct); got != "1 " {
				t.Errorf("%s was told of %q, want 1", name, got)
			}
		}
	})
}

// Rooms are let go when there are many. Whoever was told how far the others are
// must be told when they get further.
func TestMarksAreToldThoughTheirRoomWasLetGo(t *testing.T) {
	inHub(t, 1, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		post(t, h, "Ua", direct, "x")
		time.Sleep(time.Second)
		if err := h.Seen(t.Context(), "Ub", chat.Marks{Conv: direct, Delivered: 1, Read: 1}); err != nil {
			t.Fatal(err)
		}
		post(t, h, "Ua", chat.Direct("Ua", "Uc"), "y") // another room takes the place
		time.Sleep(time.Second)
		if _, low := a.heard(direct); low.Read != 1 {
			t.Errorf("the author was told %+v, want that all is read", low)
		}
	})
}

// The store may be away just when something that it has stored is handed out.
func TestWhatCouldNotBeDeliveredComesLaterInOrder(t *testing.T) {
	inHub(t, 1, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		for i := range 5 {
			s.set(0, 3) // the room was let go, and can't be loaded
			post(t, h, "Ua", direct, fmt.Sprint(i))
			synctest.Wait()
		}
		time.Sleep(time.Second)
		for name, e := range map[string]*ear{"the author": a, "the other": b} {
			if got, _ := e.heard(direct); got != "1 2 3 4 5 " {
				t.Errorf("%s was told of %q, want 1 to 5", name, got)
			}
		}
	})
}

// A client of the seed has what was written to it, and no more: when it is cut
// before its own message comes back, it gets that when it is back itself.
func TestWhatASeedsClientWroteCountsWhenItWasWrittenBack(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		a.seed = true
		d := chat.Draft{Conv: direct, Author: "Ua", Ref: "x", Content: chat.TextContent("x"), Unread: true}
		if err := h.Post(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		post(t, h, "Ub", direct, "y")
		time.Sleep(time.Second)
		for u, want := range map[chat.UserID]int{"Ua": 1, "Ub": 0} {
			got, err := h.Standing(t.Context(), u)
			got = slices.DeleteFunc(got, func(o chat.Head) bool { return o.LastSeq <= o.Mine.Delivered })
			if err != nil || len(got) != want {
				t.Errorf("%s is behind in %v, %v, want %d", u, got, err, want)
			}
		}
	})
}

// Who posts has read what is before, also through the API without any session.
func TestWhoPostsWithoutASessionHasRead(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		conv := chat.Direct("Ub", "Uc")
		post(t, h, "Ub", conv, "x")
		post(t, h, "Uc", conv, "y")
		time.Sleep(time.Second)
		ms, err := s.Members(t.Context(), conv)
		if err != nil || ms[1] != (chat.Marks{Conv: conv, User: "Uc", Delivered: 2, Read: 2}) {
			t.Errorf("%+v, %v, want that Uc has read both", ms, err)
		}
	})
}

// What another node stored may not have been told here.
func TestMarksOfEntriesThatWereNotToldCount(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		post(t, h, "Ua", direct, "x")
		time.Sleep(time.Second)
		if _, err := s.Append(t.Context(), []chat.Draft{{Conv: direct, Author: "Ua", Ref: "y", Content: chat.TextContent("y")}}); err != nil {
			t.Fatal(err)
		}
		if err := h.Seen(t.Context(), "Ub", chat.Marks{Conv: direct, Delivered: 2, Read: 99}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		ms, err := s.Members(t.Context(), direct)
		if err != nil || ms[1] != (chat.Marks{Conv: direct, User: "Ub", Delivered: 2, Read: 2}) {
			t.Errorf("%+v, %v, want that Ub has read both", ms, err)
		}
	})
}

// Who came into a group by an entry that was not told here hears what follows.
func TestAHoleInWhatIsToldMayHaveChangedTheMembers(t *testing.T) {
	inHub(t, 0, func(t *testing.T, h *room.Hub, s *shaky, a, b *ear) {
		if err := s.CreateGroup(t.Context(), "G1", "g", "Ua", []chat.UserID{"Ua", "Ub"}, 1); err != nil {
			t.Fatal(err)
		}
		c := &ear{user: "Uc"}
		h.Join(t.Context(), c)
		post(t, h, "Ua", "G1", "x")
		time.Sleep(time.Second)
		if _, err := s.Append(t.Context(), []chat.Draft{{Conv: "G1", Author: "Ua", Ref: "y", Content: chat.TextContent("y")}}); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.joined = []chat.Marks{{Conv: "G1", User: "Uc"}}
		s.mu.Unlock()
		post(t, h, "Ua", "G1", "z")
		time.Sleep(time.Second)
		if got, _ := c.heard("G1"); got != "3 " {
			t.Errorf("who joined was told of %q, want 3", got)
		}
	})
}
