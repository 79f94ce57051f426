package push

import (
	"context"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// asked has ann ask bob to be a contact, and time pass.
func (w *world) asked(message string) {
	w.tend(w.t.Context(), false)
	w.Asked(chat.Request{From: ann, To: bob, Message: message, At: w.now.UnixMilli()})
	w.pass(gather)
}

func TestWhoIsAskedToBeAContactIsTold(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	w.subscribe(bob, "/c", "zh")
	w.subscribe(cat, "/d", "en")
	w.asked("from the lake")
	w.wantTold("/b: Ann: Wants to be your contact: from the lake", "/c: Ann: 想加你为联系人: from the lake")
	for _, r := range w.gate.Requests() {
		if n := w.notice(r); n.Path != "/contacts" || n.Conv != "" || n.Tag == "" {
			t.Errorf("the notice is %+v", n)
		}
	}
}

func TestWhoIsAskedIsNotToldThatLooksOrWantsQuiet(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(ctx context.Context, w *world) error
		told bool
	}{
		"nothing":   {func(context.Context, *world) error { return nil }, true},
		"a session": {func(ctx context.Context, w *world) error { return w.presence.Touch(ctx, bob, "s") }, true},
		"a look":    {func(ctx context.Context, w *world) error { return w.looking.Touch(ctx, bob, "s") }, false},
		"quiet": {func(ctx context.Context, w *world) error {
			return w.SetQuiet(ctx, bob, chat.Quiet{Until: chat.Forever})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.subscribe(bob, "/b", "en")
			if err := c.set(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			w.asked("")
			if told := len(w.told()) > 0; told != c.told {
				t.Errorf("told: %v, want %v", told, c.told)
			}
		})
	}
}

func TestRequestsThatWaitAreBounded(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	w.tend(t.Context(), false)
	for range maxAsks + 5 {
		w.Asked(chat.Request{From: ann, To: bob, At: 1})
	}
	if n, dropped := len(w.asks), w.Stats().Dropped; n != maxAsks || dropped != 5 {
		t.Errorf("%d wait, and %d are gone", n, dropped)
	}
	if w.round(t.Context(), w.now.Add(time.Hour)) || len(w.asks) > 0 {
		t.Errorf("%d wait after their round", len(w.asks))
	}
}
