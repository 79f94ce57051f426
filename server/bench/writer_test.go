package bench

import (
	"context"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestWindowKnowsWhatWaits(t *testing.T) {
	var w window
	for due := range int64(5) {
		if n := w.add(due * 10); n != due {
			t.Fatalf("number %d was given out as %d", due, n)
		}
	}
	for _, step := range []struct {
		settle int64
		ok     bool
		base   int64
		open   int64
	}{{2, true, 0, 4}, {2, false, 0, 4}, {0, true, 1, 3}, {1, true, 3, 2}, {7, false, 3, 2}, {-1, false, 3, 2}, {4, true, 3, 1}, {3, true, 5, 0}, {3, false, 5, 0}} {
		due, ok := w.settle(step.settle)
		if ok != step.ok || w.base != step.base || w.open != step.open || ok && due != step.settle*10 {
			t.Errorf("settle %d: got %d, %v, base %d, %d open, want %+v", step.settle, due, ok, w.base, w.open, step)
		}
	}
	if w.given() != 5 || w.waits(4) || w.waits(5) {
		t.Errorf("at the end: %+v", w)
	}
}

func TestRefsTellTheirNumber(t *testing.T) {
	for _, n := range []int64{0, 1, 0xabc, 1 << 40} {
		ref := appendRef(nil, "stamp-", n, "U1")
		if got, ok := numberOf(ref, "stamp-"); !ok || got != n {
			t.Errorf("%s: got %d, %v, want %d", ref, got, ok, n)
		}
		if len(ref) > chat.MaxRef {
			t.Errorf("%s is too long", ref)
		}
	}
	for _, ref := range []string{"", "stamp-", "stamp-U1", "other-000000001-U1", "stamp-00000001", "stamp--U1"} {
		if n, ok := numberOf([]byte(ref), "stamp-"); ok {
			t.Errorf("%q is number %d", ref, n)
		}
	}
}

// The texts that are sent are the ones that the codecs would send.
func TestPostsAreWhatTheCodecReads(t *testing.T) {
	note := note{7, 1, 2, 3}
	frames, err := wire.V1.Parse(appendNative(nil, "s-", "U1", "G1", note))
	if err != nil || len(frames) != 1 {
		t.Fatalf("got %v, %v", frames, err)
	}
	p, ok := frames[0].Body.(wire.Post)
	if !ok || p.Conv != "G1" || p.Content.Kind != chat.Text || len(p.Content.Text) != textSize || frames[0].Ref != "s-000000002-U1" {
		t.Errorf("got %+v", frames[0])
	}
	if got, ok := noteOf(p.Content.Text); !ok || got != note {
		t.Errorf("the note is %+v", got)
	}
}

type asked []int64

func (a *asked) askAt(due int64) { *a = append(*a, due) }

func TestPaceAsksInTurnAndOnTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	var a, b asked
	late, err := pace(ctx, func() int64 { return int64(time.Since(start)) }, 1000, []*asked{&a, &b})
	if err != nil || late < 0 {
		t.Fatal(late, err)
	}
	most := int(time.Since(start)/time.Millisecond) + 1
	if n := len(a) + len(b); n == 0 || n > most || len(a)-len(b) < 0 || len(a)-len(b) > 1 {
		t.Fatalf("asked %d and %d times, want at most %d together", len(a), len(b), most)
	}
	for i := range a {
		if got := a[i] - a[0]; got != int64(i)*int64(2*time.Millisecond) {
			t.Errorf("question %d of the first was due after %v", i, time.Duration(got))
		}
	}
}

func TestStormClientAsksForWhatItMissed(t *testing.T) {
	const conv = "DU1-U2"
	s := &storm{id: 9, stamp: "s-"}
	cl := &stormClient{storm: s, person: Person{ID: "U1"}, conv: conv}
	welcome := func(last int64) wire.Frame {
		return wire.Frame{Body: wire.Welcome{Convs: []chat.Summary{{Conv: "G1", LastSeq: 70}, {Conv: conv, LastSeq: last}}}}
	}
	entry := func(seq, n int64) chat.Message {
		return chat.Message{Conv: conv, Seq: seq, Author: "U1", Content: chat.TextContent(text(9, 0, n, 0))}
	}
	resume := string(appendNativeFrame(nil, wire.Frame{Ref: "resume", Body: wire.Resume{Conv: conv, After: 5}}))
	cl.outbox = []int64{0}
	post := string(cl.appendPost(nil, 0))
	for _, step := range []struct {
		name   string
		frame  wire.Frame
		sends  string
		last   int64
		outbox int
	}{
		{"the first welcome", welcome(4), post, 4, 1},
		{"its own entry", wire.Frame{Body: wire.Posted{Message: entry(5, 0)}}, "", 5, 0},
		{"it again", wire.Frame{Body: wire.Posted{Message: entry(5, 0)}}, "", 5, 0},
		{"one too far", wire.Frame{Body: wire.Posted{Message: entry(7, 2)}}, resume, 5, 0},
		{"elsewhere", wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "G1", Seq: 71}}}, "", 5, 0},
		{"a welcome that tells more", welcome(7), resume, 5, 0},
		{"what was missing", wire.Frame{Body: wire.History{Page: chat.Page{Conv: conv, Entries: []chat.Message{entry(6, 1), entry(7, 2)}, LastSeq: 7}}}, "", 7, 0},
		{"a welcome that tells nothing new", welcome(7), "", 7, 0},
	} {
		if got := string(cl.take(step.frame)); got != step.sends || cl.last != step.last || len(cl.outbox) != step.outbox {
			t.Errorf("%s: sent %q, has up to %d, %d wait, want %+v", step.name, got, cl.last, len(cl.outbox), step)
		}
	}
	if !cl.hasLocked(3) || cl.hasLocked(4) || cl.track.doubled != 0 {
		t.Errorf("at the end: %+v", cl)
	}
}
