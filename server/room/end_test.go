package room_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
)

// hanging is a store that from some moment on does not answer before its caller gives up.
type hanging struct {
	*roomtest.Memory
	from time.Time
}

func (s *hanging) hang(ctx context.Context) error {
	if time.Now().Before(s.from) {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *hanging) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	if err := s.hang(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Append(ctx, ds)
}

func (s *hanging) Members(ctx context.Context, conv chat.ConvID) ([]chat.Marks, error) {
	if err := s.hang(ctx); err != nil {
		return nil, err
	}
	return s.Memory.Members(ctx, conv)
}

func (s *hanging) SaveMarks(ctx context.Context, ms []chat.Marks) error {
	if err := s.hang(ctx); err != nil {
		return err
	}
	return s.Memory.SaveMarks(ctx, ms)
}

// A hub that is stopped while the store hangs ends in time. What it did not
// store is counted, and is no error.
func TestHubEndsThoughTheStoreHangs(t *testing.T) {
	for what, at := range map[string]time.Duration{
		"in a commit":              time.Second,             // the second draft's
		"while marks are saved":    1050 * time.Millisecond, // the first draft's: it is delivered, they are not saved yet
		"before anything is known": 0,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
				s := &hanging{roomtest.NewMemory(time.Now, ids.Next), time.Now().Add(at)}
				for _, u := range []chat.UserID{"Ua", "Ub"} {
					if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 0); err != nil {
						t.Fatal(err)
					}
				}
				c := inproc.NewCarrier(100, 2)
				h := room.NewHub(room.Config{
					Store: s, People: s, Log: slog.New(slog.DiscardHandler), Carrier: c, Fanout: inproc.NewFanout(100),
					Presence: inproc.NewPresence(), EndWithin: 4 * time.Second,
				})
				ctx, stop := context.WithCancel(t.Context())
				ran := make(chan error)
				go func() { ran <- h.Run(ctx) }()
				for _, ref := range []string{"1", "2"} {
					if err := h.Post(t.Context(), chat.Draft{Conv: direct, Author: "Ua", Ref: ref, Content: chat.TextContent("x")}); err != nil {
						t.Fatal(err)
					}
					time.Sleep(1010 * time.Millisecond)
				}
				stop()
				began := time.Now()
				if err := <-ran; err != nil {
					t.Errorf("the end is an error: %v", err)
				}
				if d := time.Since(began); d > 4*time.Second {
					t.Errorf("it took %v to end", d)
				}
				p, err := s.Before(t.Context(), direct, 0, 10)
				if err != nil || c.Len()+len(p.Entries) != 2 {
					t.Errorf("%d wait and %d are stored, want two together (%v)", c.Len(), len(p.Entries), err)
				}
			})
		})
	}
}

// Marks that can't be stored are refused rather than kept without a bound.
func TestMarksThatWaitAreBounded(t *testing.T) {
	ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
	s := roomtest.NewMemory(time.Now, ids.Next)
	for _, u := range []chat.UserID{"Ua", "Ub", "Uc"} {
		if err := s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 0); err != nil {
			t.Fatal(err)
		}
	}
	h := room.NewHub(room.Config{ // nothing runs, so nothing is saved
		Store: s, People: s, Log: slog.New(slog.DiscardHandler), Carrier: inproc.NewCarrier(100, 1), Fanout: inproc.NewFanout(100),
		Presence: inproc.NewPresence(), MaxMarks: 2,
	})
	other := chat.Direct("Ua", "Uc")
	for _, c := range []chat.ConvID{direct, other} {
		ds := []chat.Draft{{Conv: c, Author: "Ua", Ref: string(c) + "1", Content: chat.TextContent("x")}, {Conv: c, Author: "Ua", Ref: string(c) + "2", Content: chat.TextContent("x")}}
		if _, err := s.Append(t.Context(), ds); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		u    chat.UserID
		conv chat.ConvID
		read int64
		want chat.Code
	}{
		{"Ub", direct, 1, ""}, {"Ua", direct, 1, ""}, {"Uc", other, 1, chat.Busy},
		{"Ub", direct, 2, ""}, // one that waits moves on
		{"Uc", other, 0, ""},  // nothing moves
	} {
		err := h.Seen(t.Context(), c.u, chat.Marks{Conv: c.conv, Read: c.read})
		if err == nil && c.want != "" || err != nil && chat.AsRefusal(err).Code != c.want {
			t.Errorf("%s reads up to %d in %s: %v, want %q", c.u, c.read, c.conv, err, c.want)
		}
	}
	if n := h.MarksWaiting(); n != 2 {
		t.Errorf("%d wait, want 2", n)
	}
}
