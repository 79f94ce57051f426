package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestNoPostStopsTheOthers(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a, b := w.native(ann), w.native(bob)
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	to := `"b":{"conv":"` + string(direct) + `",`
	for ref, frame := range map[string]string{
		"nul\x00": `{"k":"post","r":"nul\u0000",` + to + `"c":{"k":"text","text":"x"}}}`,
		"space ":  `{"k":"post","r":"space ",` + to + `"c":{"k":"text","text":"x"}}}`,
		"deep":    `{"k":"call","r":"deep",` + to + `"call":{"id":"PROXY","what":"start_call","data":` + deep + `}}}`,
		"two":     `{"k":"post","r":"two",` + to + `"c":{"k":"text","text":"x","file":{"url":"javascript:x","name":"x"}}}}`,
	} {
		a.send(frame)
		if r := a.refused(ref); r.Code != chat.Invalid {
			t.Errorf("%q: %+v, want invalid", ref, r)
		}
	}
	b.send(post("r", direct, "still here"))
	a.posted("still here")
}

func TestWhoAsksForMuchIsAnsweredAsFastAsItIsRead(t *testing.T) {
	w := newWorld(t, session.Config{}, 512)
	a := w.native(ann)
	long := strings.Repeat("x", chat.MaxText)
	for i := range chat.MaxPage {
		a.send(post(fmt.Sprint(i), direct, long))
		a.posted(long)
	}
	one := `{"k":"before","b":{"conv":"` + string(direct) + `","limit":100}}`
	a.send("[" + strings.Repeat(one+",", 19) + one + "]") // 20 MB of answers
	time.Sleep(300 * time.Millisecond)
	n := 0
	a.until("20 pages", func(f wire.Frame) bool {
		if _, ok := f.Body.(wire.History); ok {
			n++
		}
		return n == 20
	})
}

func TestOnlyCallsOfTwoAreKept(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	a := w.native(ann)
	for ref, what := range map[string]string{
		"sdp":   string(direct) + `","c":{"k":"call","call":{"id":"PROXY","what":"sdp","data":{}}}`,
		"leave": string(direct) + `","c":{"k":"call","call":{"id":"PEER_LEAVE"}}`,
		"group": string(group) + `","c":{"k":"call","call":{"id":"PROXY","what":"start_call"}}`,
	} {
		a.send(`{"k":"post","r":"` + ref + `","b":{"conv":"` + what + `}}`)
		if r := a.refused(ref); r.Code != chat.Invalid {
			t.Errorf("%s: %+v, want invalid", ref, r)
		}
	}
}

func TestLoginThatEndedBeforeHelloIsClosed(t *testing.T) {
	w := newWorld(t, session.Config{}, 64)
	c, other := w.dial("u=Uann&login=lost"), w.dial("u=Uann&login=kept")
	if err := w.hub.CloseLogin(t.Context(), ann, "lost", "signed_out"); err != nil {
		t.Fatal(err)
	}
	// What is posted later is delivered later: the login has ended by then.
	b := w.native(bob)
	b.send(post("s", direct, "y"))
	b.posted("y")
	c.send(`{"k":"hello","b":{}}`)
	if got := websocket.CloseStatus(c.closed()); got != 4001 {
		t.Errorf("closed with %d, want 4001", got)
	}
	other.send(`{"k":"hello","b":{}}`)
	other.until("welcome", func(f wire.Frame) bool { _, ok := f.Body.(wire.Welcome); return ok })
}
