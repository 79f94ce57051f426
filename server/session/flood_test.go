package session_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func containsText(frame, text string) bool {
	return strings.Contains(frame, fmt.Sprintf(`"content":%q`, text))
}

// ended waits until a session other than the first n has ended, and says why and when.
func (w *world) ended(n int) (string, time.Duration) {
	w.t.Helper()
	start := time.Now()
	for time.Since(start) < time.Hour {
		time.Sleep(100 * time.Millisecond)
		if got := w.meter.closed(); len(got) > n {
			return got[n], time.Since(start)
		}
	}
	w.t.Fatal("the session goes on")
	return "", 0
}

func TestMessageThatNeverEndsIsCut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.native(ann)
		go c.closed() // reads, so it answers pings
		var sending sync.WaitGroup
		defer sending.Wait()
		sending.Go(func() {
			_, err := c.raw.Write(masked(0x01, "x")) // it begins
			for err == nil {
				time.Sleep(time.Second)
				_, err = c.raw.Write(masked(0x00, "x")) // and goes on
			}
		})
		if why, after := w.ended(0); why != "flood" || after > 40*time.Second {
			t.Errorf("ended %q after %v, want flood after 30 s", why, after)
		}
	})
}

// masked is a frame of a client with this first byte; the mask is nothing.
func masked(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

func TestFramesThatSayNothingAreBounded(t *testing.T) {
	for name, frame := range map[string][]byte{
		"pings": masked(0x89, "ping"), "pongs": masked(0x8a, "7"), "empty fragments": masked(0x00, ""),
		"pings between messages": append([]byte(strings.Repeat(string(masked(0x89, "ping")), 500)), masked(0x81, "{}")...),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, session.Config{}, 64)
				c := w.native(ann)
				other := w.native(bob)
				closed := make(chan error, 1)
				go func() { closed <- c.closed() }()
				if frame[0] == 0 {
					_, _ = c.raw.Write(masked(0x01, "")) // the message that they belong to
				}
				sent := 0
				many := []byte(strings.Repeat(string(frame), 100))
				for {
					n, err := c.raw.Write(many)
					sent += n
					if err != nil || sent > 1<<20 {
						break
					}
				}
				if most := 2*wire.MaxFrame + 64<<10; sent > most {
					t.Fatalf("%d bytes were taken, want at most %d", sent, most)
				}
				if why, _ := w.ended(0); why != "flood" {
					t.Errorf("ended %q, want flood", why)
				}
				if err := <-closed; websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
					t.Errorf("the peer is told %v", err)
				}
				other.send(post("1", direct, "still here"))
				other.posted("still here")
			})
		})
	}
}

// What is said does not count, also where it comes in small pieces.
func TestMuchMayBeSaid(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.native(ann)
		go c.closed()
		text := `{"k":"seen","b":{"conv":"` + string(direct) + `","x":"`
		text += strings.Repeat("x", 1024-len(text)-4) + `"}}`
		message := masked(0x01, text[:64])
		for i := 64; i < 960; i += 64 {
			message = append(message, masked(0x00, text[i:i+64])...)
		}
		message = append(message, masked(0x80, text[960:])...)
		for range 2000 {
			if _, err := c.raw.Write(message); err != nil {
				t.Fatal(err, w.meter.closed())
			}
		}
		synctest.Wait()
		if n := w.host.Len(); n != 1 {
			t.Errorf("%d sessions, want 1 (ended %v)", n, w.meter.closed())
		}
	})
}

func TestQuietPeerMayPingForHours(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.native(ann)
		go c.closed()
		time.Sleep(7 * time.Second) // never at the time of the server's own, which a pipe can't carry both ways
		for range 4 * 60 {
			time.Sleep(50 * time.Second)
			if _, err := c.raw.Write(masked(0x89, strings.Repeat("x", 125))); err != nil {
				t.Fatal(err, w.meter.closed())
			}
		}
		synctest.Wait()
		if n := w.host.Len(); n != 1 {
			t.Errorf("%d sessions, want 1 (ended %v)", n, w.meter.closed())
		}
	})
}

func TestWhoGoesOnThoughTooFastIsSlowedDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Rate: rate.Every(time.Hour), Burst: 1}, 64)
		for name, frame := range map[string]string{"posts": post("r", direct, "x"), "rubbish": "x"} {
			c := w.native(ann)
			start := time.Now()
			var sending sync.WaitGroup
			sending.Go(func() {
				for range 1000 {
					c.send(frame)
				}
			})
			n := 0
			c.until("the last refusal", func(f wire.Frame) bool {
				if r, ok := f.Body.(wire.Refused); ok && r.Code == chat.RateLimited {
					n++
				}
				return n == 990
			})
			sending.Wait()
			if d := time.Since(start); d < 4*time.Second {
				t.Errorf("%s: 990 refusals within %v: who floods is not slowed down", name, d)
			}
		}
	})
}

// A message of many frames that comes too fast is refused at once: nothing of it
// is kept but the refs, each of which is answered.
func TestRestOfATooFastMessageIsRefusedTogether(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Rate: rate.Every(time.Hour), Burst: 1}, 64)
		c := w.native(ann)
		var frames []string
		for i := range 100 {
			frames = append(frames, `{"k":"typing","b":{"conv":"`+string(direct)+`"}}`)
			if i%10 == 5 {
				frames = append(frames, post(fmt.Sprint(i), direct, fmt.Sprint(i)))
			}
		}
		start := time.Now()
		c.send("[" + strings.Join(frames, ",") + "]")
		c.send(post("next", direct, "next"))
		got := map[string]int{}
		c.until("the last refusal", func(f wire.Frame) bool {
			if r, ok := f.Body.(wire.Refused); ok && r.Code == chat.RateLimited {
				got[f.Ref]++
			}
			return f.Ref == "next"
		})
		for i := 15; i < 100; i += 10 {
			if got[fmt.Sprint(i)] != 1 {
				t.Errorf("post %d is answered %d times", i, got[fmt.Sprint(i)])
			}
		}
		if got[""] != 1 {
			t.Errorf("%d answers to frames without a ref, want one for all", got[""])
		}
		if d := time.Since(start); d < 400*time.Millisecond {
			t.Errorf("some 90 frames too many were read within %v: who floods is not slowed down", d)
		}
	})
}

func TestConnectionsOfOnePersonShareABudget(t *testing.T) {
	left := map[chat.UserID]int{ann: 3, bob: 3}
	posts := func(u chat.UserID) error {
		if left[u]--; left[u] < 0 {
			return &chat.Refusal{Code: chat.RateLimited, Words: "too much", RetryAfter: time.Second}
		}
		return nil
	}
	w := newWorld(t, session.Config{Posts: posts}, 64)
	phone, desk, b := w.native(ann), w.native(ann), w.native(bob)
	phone.send(post("1", group, "1"))
	desk.posted("1")
	desk.send(post("2", group, "2"))
	phone.posted("2")
	phone.send(post("3", group, "3"))
	phone.posted("3")
	desk.send(post("4", group, "4"))
	if r := desk.refused("4"); r.Code != chat.RateLimited || r.RetryAfter != 1000 {
		t.Errorf("the fourth of three: %+v", r)
	}
	b.send(post("5", group, "5"))
	b.posted("5")
}

func TestPeerThatNeverReadsIsCutAsSlow(t *testing.T) {
	for name, connect := range map[string]func(*world) *client{
		"native":  func(w *world) *client { return w.native(bob) },
		"classic": func(w *world) *client { return w.classic(bob) },
	} {
		for _, at := range []time.Duration{0, 20 * time.Second} { // before and across a heartbeat
			t.Run(fmt.Sprint(name, at), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					w := newWorld(t, session.Config{}, 64)
					a := w.native(ann)
					go a.closed()
					connect(w) // and reads nothing more
					time.Sleep(at)
					a.send(post("1", group, "one"))
					if why, after := w.ended(0); why != "slow" || after > 16*time.Second {
						t.Errorf("ended %q after %v, want slow within the 15 s of a write", why, after)
					}
				})
			})
		}
	}
}

func TestNoHelloIsIdleness(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.dial("u=" + string(ann)) // no hello
		_ = c.closed()
		synctest.Wait()
		if got := w.meter.closed(); !slices.Equal(got, []string{"idle"}) {
			t.Errorf("ended %q, want idle", got)
		}
	})
}

// The answer to a ping is not waited for when the connection has ended.
func TestSessionEndsWhileAPingIsUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, session.Config{}, 64)
		c := w.native(ann)
		time.Sleep(25*time.Second - time.Millisecond)
		go func() {
			time.Sleep(2 * time.Millisecond)
			_ = c.raw.Close()
		}()
		_, _ = c.raw.Read(make([]byte, 100)) // the ping
		if why, after := w.ended(0); why != "gone" || after > time.Second {
			t.Errorf("ended %q after %v, want gone at once", why, after)
		}
	})
}
