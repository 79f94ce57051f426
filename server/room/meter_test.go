package room_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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

// meter writes down what it is told, a word for each.
type meter struct {
	mu   sync.Mutex
	told map[string]int
}

func (m *meter) note(what string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told[what] += n
}

func (m *meter) count(what string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told[what]
}

func (m *meter) Stamp(context.Context) chat.Stamp { return chat.Stamp{At: 7} }
func (m *meter) Accepted()                        { m.note("accepted", 1) }
func (m *meter) Refused(c chat.Code)              { m.note("refused "+string(c), 1) }
func (m *meter) CommitFailed(n int)               { m.note("failed", n) }
func (m *meter) Resumed(n int)                    { m.note("resumed", n) }
func (m *meter) MarksSaved(n int)                 { m.note("marks", n) }
func (m *meter) Asked(n, found int)               { m.note("asked", n); m.note("found", found) }

func (m *meter) Committed(ds []chat.Draft, rs []chat.Receipt, _ time.Duration) {
	for i, r := range rs {
		switch {
		case ds[i].Stamp.At != 7:
			m.note("without a stamp", 1)
		case r.Err != nil:
			m.note("refused late", 1)
		case r.Again:
			m.note("again", 1)
		default:
			m.note("stored", 1)
		}
	}
}

func (m *meter) Handed(b wire.Body, s chat.Stamp, sessions int) {
	switch b.(type) {
	case wire.Posted, wire.Refused:
		m.note(fmt.Sprintf("handed %T to %d, stamp %d", b, sessions, s.At), 1)
	}
}

// failing answers its first Append with an error.
type failing struct {
	room.Store
	failed atomic.Bool
}

func (s *failing) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	if !s.failed.Swap(true) {
		return nil, errors.New("not just now")
	}
	return s.Store.Append(ctx, ds)
}

func TestTheMeterIsToldOfEachDraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
		store := roomtest.NewMemory(time.Now, ids.Next)
		for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
			if err := store.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 0); err != nil {
				t.Fatal(err)
			}
		}
		m := &meter{told: map[string]int{}}
		h := room.NewHub(room.Config{
			Store: &failing{Store: store}, People: store, Meter: m, Log: slog.New(slog.DiscardHandler),
			Carrier: inproc.NewCarrier(2, 1), Fanout: inproc.NewFanout(10), Presence: inproc.NewPresence(),
		})
		draft := func(u chat.UserID, conv chat.ConvID, ref string) chat.Draft {
			return chat.Draft{Conv: conv, Author: u, Ref: ref, Content: chat.TextContent("x")}
		}
		post := func(d chat.Draft, want chat.Code) {
			t.Helper()
			err := h.Post(t.Context(), d)
			if got := chat.AsRefusal(err).Code; err != nil && got != want || err == nil && want != "" {
				t.Errorf("%+v: %v, want %q", d, err, want)
			}
		}
		ab := chat.Direct("Ua", "Ub")
		post(draft("Ua", ab, "1"), "")
		post(draft("Ua", chat.Direct("Ua", "Unobody"), "2"), "") // the store refuses it
		post(draft("Ua", ab, "3"), chat.Busy)
		post(draft("Uc", ab, "4"), chat.Forbidden)
		post(draft("Ua", "Gnosuch", "5"), chat.NotFound)
		post(draft("Ua", ab, ""), chat.Invalid)
		ring := draft("Ua", "Gnosuch", "6")
		ring.Content = chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "start_call"}}
		if err := h.Signal(t.Context(), ring); chat.AsRefusal(err).Code != chat.Invalid {
			t.Errorf("a call in a group: %v", err)
		}
		_ = h.Refused(chat.Refuse(chat.RateLimited, "too fast for the door"))
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- h.Run(ctx) }()
		time.Sleep(time.Second)
		post(draft("Ua", ab, "1"), "")
		time.Sleep(time.Second)
		if p, err := h.After(t.Context(), "Ub", ab, 0); err != nil || len(p.Entries) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		if err := h.Seen(t.Context(), "Ub", chat.Marks{Conv: ab, Delivered: 1}); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		want := map[string]int{
			"accepted": 3, "refused busy": 1, "refused forbidden": 1, "refused not_found": 1, "refused invalid": 2, "refused rate_limited": 1,
			"failed": 2, "stored": 1, "refused late": 1, "again": 1, "resumed": 1, "marks": 2,
			"handed wire.Posted to 0, stamp 7": 2, "handed wire.Refused to 0, stamp 7": 1,
		}
		for what, n := range m.told {
			if n != want[what] {
				t.Errorf("%s: %d, want %d", what, n, want[what])
			}
			delete(want, what)
		}
		for what, n := range want {
			t.Errorf("%s: never, want %d", what, n)
		}
	})
}
