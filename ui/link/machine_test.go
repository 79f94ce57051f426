package link

import (
	"testing"

	"pgregory.net/rapid"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// TestMachineIsNeverStuck: whatever happens in whatever order, the Machine
// dials only when it has no connection, drops only one that it has, and always
// either waits for an answer of its own asking or has named the next moment.
func TestMachineIsNeverStuck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMachine(state.New(), wire.Hello{}, 75_000, func() float64 { return 0.5 })
		now, next := int64(1), int64(0)
		dialling, open, dropped, over := false, false, false, false
		take := func(o Out) {
			next = o.Next
			if o.Dial {
				if dialling || open || over {
					t.Fatalf("dials while dialling %v, open %v, over %v", dialling, open, over)
				}
				dialling = true
			}
			if o.Over {
				over = true
			}
			if o.Drop != "" {
				if !open && !o.Over {
					t.Fatalf("drops nothing: %s", o.Drop)
				}
				dropped = true
			}
			if len(o.Send) > 0 && (!open || dropped) {
				t.Fatalf("sends %+v into nothing", o.Send)
			}
			if waits := dialling || open && dropped || over; !waits && next == 0 && m.stage != live {
				t.Fatalf("stuck in stage %d", m.stage)
			}
		}
		say := func(b wire.Body) {
			if open && !over && !dropped {
				take(m.Frames([]wire.Frame{{Body: b}}, now))
			}
		}
		take(m.Start(now))
		t.Repeat(map[string]func(*rapid.T){
			"opened": func(t *rapid.T) {
				if dialling && !over {
					dialling, open, dropped = false, true, false
					take(m.Opened(now))
				}
			},
			"closed": func(t *rapid.T) {
				if (dialling || open) && !over {
					dialling, open, dropped = false, false, false
					take(m.Closed(now, rapid.IntRange(0, 30).Draw(t, "401") == 0))
				}
			},
			"welcome": func(t *rapid.T) { say(wire.Welcome{Me: chat.Person{ID: "U1"}, Now: now}) },
			"message": func(t *rapid.T) { say(wire.Online{User: "U2", Online: true}) },
			"bye": func(t *rapid.T) {
				say(wire.Bye{Reason: "restart", ComeAfter: rapid.Int64Range(0, 9_000).Draw(t, "ms")})
			},
			"wake": func(t *rapid.T) { take(m.Wake(now)) },
			"post": func(t *rapid.T) {
				ch, _ := m.st.Add("DU1-U2", chat.TextContent("x"), NewRef(now), now)
				take(m.Did(ch, now))
			},
			"typing": func(t *rapid.T) { take(m.Typing("DU1-U2", now)) },
			"tick": func(t *rapid.T) {
				if next != 0 {
					now = max(now, next) + rapid.SampledFrom([]int64{0, 3, 60_000}).Draw(t, "late")
					take(m.Tick(now))
				}
			},
			"time": func(t *rapid.T) { now += rapid.Int64Range(0, 1_000).Draw(t, "ms") },
		})
		if over {
			return
		}
		for range 100 { // a server that welcomes whoever opens, and answers nothing else
			switch {
			case dialling:
				dialling, open, dropped = false, true, false
				take(m.Opened(now))
			case open && dropped:
				open, dropped = false, false
				take(m.Closed(now, false))
			case m.stage == greeting:
				say(wire.Welcome{Me: chat.Person{ID: "U1"}, Now: now})
			case m.stage == live:
				return
			case next != 0:
				now = max(now, next)
				take(m.Tick(now))
			}
		}
		t.Fatalf("never live again, stage %d", m.stage)
	})
}

func TestBackoffBounds(t *testing.T) {
	for tries, most := range []int64{2_000, 4_000, 8_000, 16_000, 30_000, 30_000} {
		if got := backoff(tries, 0); got != 500 {
			t.Errorf("try %d: at least %d", tries, got)
		}
		if got := backoff(tries, 0.9999999); got > most || got < most-2 {
			t.Errorf("try %d: at most %d, want %d", tries, got, most)
		}
	}
	if got := backoff(1<<30, 0.5); got > 30_000 {
		t.Errorf("after very many tries: %d", got)
	}
}

func TestRefsSortByTime(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for now := int64(1_700_000_000_000); now < 1_700_000_001_000; now++ {
		r := NewRef(now)
		if len(r) != 24 || len(r) > chat.MaxRef || seen[r] || r <= last {
			t.Fatalf("%s after %s", r, last)
		}
		seen[r], last = true, r
	}
}
