package room_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/shared/chat"
)

// awayStore fails to append while it is away.
type awayStore struct {
	room.Store
	away atomic.Bool
	seq  int64
}

func (s *awayStore) Append(_ context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	if s.away.Load() {
		return nil, errors.New("the disk is full")
	}
	rs := make([]chat.Receipt, len(ds))
	for i, d := range ds {
		s.seq++
		rs[i] = chat.Receipt{Message: chat.Message{Conv: d.Conv, Author: d.Author, Ref: d.Ref, Seq: s.seq, Content: d.Content}}
	}
	return rs, nil
}

func (s *awayStore) Members(context.Context, chat.ConvID) ([]chat.Marks, error) { return nil, nil }
func (s *awayStore) Laws(context.Context, chat.ConvID) (chat.Laws, error)       { return chat.Laws{}, nil }
func (s *awayStore) Summary(context.Context, chat.ConvID) (chat.Summary, error) {
	return chat.Summary{}, chat.ErrNotFound
}
func (s *awayStore) SaveMarks(context.Context, []chat.Marks) error { return nil }

func TestWhatCantBeStoredIsRefusedAsBusyUntilItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &awayStore{}
		h := room.NewHub(room.Config{
			Store: s, Log: slog.New(slog.DiscardHandler), Carrier: inproc.NewCarrier(100, 1), Fanout: inproc.NewFanout(100), Presence: inproc.NewPresence(),
		})
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- h.Run(ctx) }()
		post := func(ref string) error {
			return h.Post(ctx, chat.Draft{Conv: chat.Direct("Ua", "Ub"), Author: "Ua", Ref: ref, Content: chat.TextContent("x")})
		}
		s.away.Store(true)
		if err := post("1"); err != nil {
			t.Errorf("while nobody knows that the store is away a post is refused: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := post("2"); err != nil {
			t.Errorf("after a tenth of a second a post is refused: %v", err)
		}
		time.Sleep(3 * time.Second)
		if r := chat.AsRefusal(post("3")); r.Code != chat.Busy || r.RetryAfter <= 0 {
			t.Errorf("after three seconds a post is answered %v, want busy and when to try again", r)
		}
		if !h.StoreAway() {
			t.Error("the hub does not know that the store is away")
		}
		s.away.Store(false)
		time.Sleep(3 * time.Second) // the carrier tries the first two again
		if err := post("3"); err != nil {
			t.Errorf("with the store back a post is refused: %v", err)
		}
		time.Sleep(time.Second)
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if s.seq != 3 {
			t.Errorf("%d posts are stored, want the two that waited and the one after", s.seq)
		}
	})
}
