package room_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// island is a node whose fan-out reaches nobody else.
type island struct {
	*room.Hub
	losing atomic.Bool
	lost   atomic.Int64
}

// movesStore counts and fails.
type movesStore struct {
	*roomtest.Memory
	away            atomic.Bool
	looks, fetches  atomic.Int64
	groups, strange atomic.Int64
}

var errStoreAway = errors.New("the database is away")

func (s *movesStore) Moved(ctx context.Context, at int64, conv chat.ConvID, limit int) ([]chat.Head, error) {
	if s.looks.Add(1); s.away.Load() {
		return nil, errStoreAway
	}
	return s.Memory.Moved(ctx, at, conv, limit)
}

func (s *movesStore) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	s.fetches.Add(1)
	return s.Memory.After(ctx, conv, seq, limit)
}

func (s *movesStore) Groups(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	if s.groups.Add(1); s.away.Load() {
		return nil, errStoreAway
	}
	return s.Memory.Groups(ctx, u)
}

func (s *movesStore) Joined(ctx context.Context, at int64, convs ...chat.ConvID) ([]chat.Marks, error) {
	s.strange.Add(int64(len(convs)))
	return s.Memory.Joined(ctx, at, convs...)
}

// onIslands runs f in a bubble with two nodes on one store that hear of each
// other by the slow path alone.
func onIslands(t *testing.T, losing bool, f func(t *testing.T, s *movesStore, a, b *island)) {
	synctest.Test(t, func(t *testing.T) {
		ids := chat.NewIDs(0, func() int64 { return 0 })
		s := &movesStore{Memory: roomtest.NewMemory(time.Now, ids.Next)}
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CreateGroup(t.Context(), "Gold", "old", "Ua", []chat.UserID{"Ua", "Ub"}, 1); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		var nodes [2]*island
		for i := range nodes {
			n := &island{}
			n.losing.Store(losing)
			n.Hub = room.NewHub(room.Config{
				Store: s, People: s, Carrier: inproc.NewCarrier(1000, 1), Fanout: inproc.NewFanout(1000), Presence: inproc.NewPresence(),
				Log: slog.New(slog.DiscardHandler), Losses: func() (bool, int64) { return n.losing.Load(), n.lost.Load() },
			})
			nodes[i] = n
			go func() { ended <- n.Run(ctx) }()
		}
		f(t, s, nodes[0], nodes[1])
		stop()
		for range nodes {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

func (n *island) says(t *testing.T, u chat.UserID, conv chat.ConvID, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := n.Post(t.Context(), chat.Draft{Conv: conv, Author: u, Ref: fmt.Sprint(conv, u, i), Content: chat.TextContent(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

func (e *ear) wants(t *testing.T, conv chat.ConvID, want string) {
	t.Helper()
	synctest.Wait()
	if got, _ := e.heard(conv); got != want {
		t.Errorf("%s was told %q of %s, want %q", e.user, got, conv, want)
	}
}

// soon is after one look, while events are lost.
const soon = 2*time.Second + 200*time.Millisecond

func TestWhatTheFanoutDoesNotBringComesFromTheStoreOnceAndInOrder(t *testing.T) {
	onIslands(t, true, func(t *testing.T, s *movesStore, a, b *island) {
		x, y := &ear{user: "Ua"}, &ear{user: "Ub"}
		a.Join(t.Context(), x)
		b.Join(t.Context(), y)
		a.says(t, "Ua", direct, 1, 1)
		a.says(t, "Ua", "Gold", 1, 1)
		y.wants(t, direct, "")
		time.Sleep(soon)
		y.wants(t, direct, "1 ")
		y.wants(t, "Gold", "1 ")
		a.says(t, "Ua", direct, 2, 5)
		b.says(t, "Ub", direct, 6, 6) // heard here before what came before it
		a.says(t, "Ua", "Gold", 2, 3)
		for range 10 { // and again never
			time.Sleep(soon)
			y.wants(t, "Gold", "1 2 3 ")
			x.wants(t, direct, "1 2 3 4 5 6 ")
			x.wants(t, "Gold", "1 2 3 ")
		}
		y.wants(t, direct, "1 6 ") // of which its client asks for what is between
		if n := s.fetches.Load(); n > 4 {
			t.Errorf("%d runs of entries were read", n)
		}
	})
}

func TestNewConversationsAreFoundToo(t *testing.T) {
	onIslands(t, true, func(t *testing.T, s *movesStore, a, b *island) {
		y := &ear{user: "Ub"}
		b.Join(t.Context(), y)
		a.says(t, "Ua", chat.Direct("Ua", "Ub"), 1, 3)
		if err := s.CreateGroup(t.Context(), "Gnew", "new", "Ua", []chat.UserID{"Ua", "Ub"}, time.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateGroup(t.Context(), "Gother", "other", "Ua", []chat.UserID{"Ua", "Uc"}, time.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		a.says(t, "Ua", "Gnew", 1, 1)
		a.says(t, "Ua", "Gother", 1, 1)
		time.Sleep(soon)
		y.wants(t, direct, "3 ") // of the first it has nothing, and nothing was heard here
		y.wants(t, "Gnew", "1 ")
		asked := s.strange.Load()
		a.says(t, "Ua", "Gnew", 2, 2)
		for range 10 {
			time.Sleep(soon)
		}
		y.wants(t, "Gnew", "1 2 ")
		y.wants(t, "Gother", "")
		if n := s.strange.Load(); n != asked {
			t.Errorf("groups of which nobody is here were looked up %d times more, though they have not moved", n-asked)
		}
	})
}

func TestStoreIsAskedSeldomWhileNothingIsLost(t *testing.T) {
	onIslands(t, false, func(t *testing.T, s *movesStore, a, b *island) {
		y := &ear{user: "Ub"}
		b.Join(t.Context(), y)
		a.says(t, "Ua", direct, 1, 1)
		time.Sleep(16*time.Second + 200*time.Millisecond)
		y.wants(t, direct, "1 ") // nobody knew that it was lost
		looks := s.looks.Load()
		time.Sleep(10 * time.Minute)
		if n := (s.looks.Load() - looks) / 2; n < 30 || n > 45 {
			t.Errorf("each node asked %d times in ten minutes", n)
		}
		a.says(t, "Ua", direct, 2, 2)
		b.lost.Add(1) // somebody says so
		time.Sleep(soon)
		y.wants(t, direct, "1 2 ")
	})
}

// TestWhatIsOnItsWayIsNotFetched: the store is ahead of the fan-out for a moment
// whenever people write. That is not missed, and is told in its turn.
func TestWhatIsOnItsWayIsNotFetched(t *testing.T) {
	onIslands(t, false, func(t *testing.T, s *movesStore, a, b *island) {
		y := &ear{user: "Ub"}
		b.Join(t.Context(), y)
		const late = 10 // entries that are stored and not heard of yet
		want := ""
		for seq := 1; seq <= 1000; seq++ {
			a.says(t, "Ua", direct, seq, seq)
			if seq > late {
				p, err := s.Memory.Before(t.Context(), direct, int64(seq-late+1), 1)
				if err != nil {
					t.Fatal(err)
				}
				if err := b.Fanout.Publish(t.Context(), wire.Event{Conv: direct, Author: "Ua", Frame: wire.Frame{Body: wire.Posted{Message: p.Entries[0]}}}); err != nil {
					t.Fatal(err)
				}
				want += fmt.Sprint(seq-late, " ")
			}
			time.Sleep(50 * time.Millisecond)
		}
		y.wants(t, direct, want)
		if n := s.fetches.Load(); n > 0 || s.looks.Load() < 4 {
			t.Errorf("%d runs of entries were read in %d looks", n, s.looks.Load())
		}
	})
}

func TestSlowPathGoesOnWhenTheStoreIsBack(t *testing.T) {
	onIslands(t, true, func(t *testing.T, s *movesStore, a, b *island) {
		s.away.Store(true)
		y := &ear{user: "Ub"}
		b.Join(t.Context(), y) // whose groups are not known
		a.says(t, "Ua", "Gold", 1, 1)
		a.says(t, "Ua", direct, 1, 1)
		time.Sleep(5 * time.Minute)
		a.says(t, "Ua", "Gold", 2, 2)
		y.wants(t, "Gold", "")
		s.away.Store(false)
		time.Sleep(soon)
		y.wants(t, "Gold", "2 ")
		y.wants(t, direct, "1 ")
		b.Leave(t.Context(), y)
		time.Sleep(5 * time.Second)
		z := &ear{user: "Ub"} // comes back after the node had forgotten the person
		b.Join(t.Context(), z)
		a.says(t, "Ua", "Gold", 3, 3)
		time.Sleep(soon)
		z.wants(t, "Gold", "3 ")
		y.wants(t, "Gold", "2 ")
	})
}

// More moves than one look takes in: the next goes on where it ended.
func TestManyMovesAreLookedAtInParts(t *testing.T) {
	onIslands(t, true, func(t *testing.T, s *movesStore, a, b *island) {
		const n = 5_000
		var ds []chat.Draft
		var last chat.ConvID
		for i := range n {
			u := chat.UserID(fmt.Sprintf("V%05d", i))
			if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1); err != nil {
				t.Fatal(err)
			}
			last = chat.Direct("Ub", u)
			ds = append(ds, chat.Draft{Conv: last, Author: u, Ref: fmt.Sprint("m", i), Content: chat.TextContent("x")})
		}
		y := &ear{user: "Ub"}
		b.Join(t.Context(), y)
		if _, err := s.Append(t.Context(), ds); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2100 * time.Millisecond)
		y.wants(t, last, "")
		for range 4 {
			time.Sleep(soon)
		}
		for _, d := range ds {
			y.wants(t, d.Conv, "1 ")
		}
	})
}
