package inproc_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCarrier(t *testing.T) {
	roomtest.Carrier(t, func(*testing.T) room.Carrier { return inproc.NewCarrier(1000) })
}

func TestFanout(t *testing.T) {
	roomtest.Fanout(t, func(*testing.T) room.Fanout { return inproc.NewFanout(10) })
}

func TestPresence(t *testing.T) {
	roomtest.Presence(t, func(*testing.T) room.Presence { return inproc.NewPresence() })
}

func TestFullFanoutMakesThePublisherWaitNotLose(t *testing.T) {
	f := inproc.NewFanout(1)
	e := wire.Event{Conv: "Ga", Frame: wire.Frame{Body: wire.Typing{Conv: "Ga"}}}
	if err := f.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Publish(ctx, e); err == nil {
		t.Error("a full queue took another batch")
	}
	if f.Len() != 1 {
		t.Errorf("%d batches wait, want 1", f.Len())
	}
}

func TestFullCarrierRefusesAtOnce(t *testing.T) {
	c := inproc.NewCarrier(1)
	d := chat.Draft{Conv: "Ga", Author: "Ua", Ref: "r", Content: chat.TextContent("x")}
	if err := c.Carry(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if r := chat.AsRefusal(c.Carry(t.Context(), d)); r.Code != chat.Busy || r.RetryAfter <= 0 {
		t.Errorf("a full queue answered %v", r)
	}
}
