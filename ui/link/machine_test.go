package link

import (
	"slices"
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
		if got := backoff(tries, 0); got != 500 && tries > 0 || got != 0 && tries == 0 {
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

// TestWhenTheMachineComesBack is when it dials again after a connection, or a
// row of them, went as each case says. Random numbers are all 0.5.
func TestWhenTheMachineComesBack(t *testing.T) {
	type conn struct {
		refused bool   // it could not be opened: HTTP 503, or nobody there
		lived   int64  // ms from welcome to the end; negative: never welcomed
		bye     string // said before the end
		come    int64  // and come_after
	}
	gone, cut := conn{refused: true}, func(ms int64) conn { return conn{lived: ms} }
	for name, c := range map[string]struct {
		conns []conn
		want  int64 // ms from the last end to the next dial
	}{
		"a cut":                           {[]conn{cut(60_000)}, 1_000},
		"the first attempt fails":         {[]conn{gone}, 1_000},
		"a cut, then refused":             {[]conn{cut(60_000), gone}, 2_250},
		"refused twice":                   {[]conn{gone, gone}, 2_250},
		"refused three times":             {[]conn{gone, gone, gone}, 4_250},
		"refused for long":                {[]conn{gone, gone, gone, gone, gone, gone, gone, gone}, 15_250},
		"opened, not welcomed":            {[]conn{cut(-1), cut(-1)}, 2_250},
		"welcomed and cut at once, twice": {[]conn{cut(100), cut(100)}, 2_250},
		"a crash loop":                    {[]conn{cut(9_999), cut(0), cut(500), cut(9_000), cut(10), cut(1)}, 15_250},
		"one that lived after failures":   {[]conn{gone, gone, gone, cut(10_000)}, 1_000},
		"a slot":                          {[]conn{{lived: 60_000, bye: "restart", come: 4_000}}, 4_250},
		"a slot after failures":           {[]conn{gone, gone, gone, {lived: 50, bye: "restart", come: 4_000}}, 4_250},
		"a slot, and then refused":        {[]conn{{lived: 60_000, bye: "restart", come: 4_000}, gone}, 2_250},
		"a slot too far away":             {[]conn{{lived: 60_000, bye: "restart", come: 1 << 50}}, 600_250},
		"a bye without a slot":            {[]conn{{lived: 60_000, bye: "slow"}}, 1_000},
		"a bye without a slot, at once":   {[]conn{{lived: 0, bye: "slow"}, {lived: 0, bye: "slow"}}, 2_250},
	} {
		t.Run(name, func(t *testing.T) {
			m := NewMachine(state.New(), wire.Hello{}, 0, func() float64 { return 0.5 })
			now := int64(1)
			o := m.Start(now)
			var ended int64
			for i, x := range c.conns {
				for !o.Dial {
					if o.Next == 0 {
						t.Fatalf("connection %d is never dialled", i)
					}
					now = max(now, o.Next)
					o = m.Tick(now)
				}
				if !x.refused {
					m.Opened(now)
				}
				if !x.refused && x.lived >= 0 {
					m.Frames([]wire.Frame{{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Now: now}}}, now)
					if n := m.Failures(); n != 0 {
						t.Errorf("%d failures while connected", n)
					}
					now += x.lived
				}
				if x.bye != "" {
					m.Frames([]wire.Frame{{Body: wire.Bye{Reason: x.bye, ComeAfter: x.come}}}, now)
				}
				ended = now
				o = m.Closed(now, false)
			}
			if got := o.Next - ended; got != c.want {
				t.Errorf("dials after %d ms, want %d", got, c.want)
			}
			if o = m.Tick(o.Next - 1); o.Dial {
				t.Error("dials a millisecond too early")
			}
		})
	}
}

// TestHelloSaysWhatIsHeld: a client that comes back with its whole list tells
// its sums, so that only what differs is sent.
func TestHelloSaysWhatIsHeld(t *testing.T) {
	m := NewMachine(state.New(), wire.Hello{Device: "d"}, 0, func() float64 { return 0 })
	hello := func(now int64) wire.Hello { return m.Opened(now).Send[0].Body.(wire.Hello) }
	m.Start(1)
	if b := hello(1); b.Device != "d" || b.Sums != nil {
		t.Errorf("who knows nothing says %+v", b)
	}
	line := chat.Summary{Conv: "G1", LastSeq: 3, Mine: chat.Marks{Delivered: 3, Read: 2}}
	m.Frames([]wire.Frame{{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{line}}}}, 1)
	o := m.Closed(20_000, false)
	m.Tick(o.Next)
	want := chat.Sums([]chat.Head{{Conv: "G1", LastSeq: 3, Mine: line.Mine}}, 1)
	if b := hello(o.Next); !slices.Equal(b.Sums, want) {
		t.Errorf("who comes back says %+v, want the sums %v", b, want)
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

func TestServerHearsWhetherThePageIsSeen(t *testing.T) {
	looks := func(o Out) (said []bool) {
		for _, f := range o.Send {
			if l, ok := f.Body.(wire.Look); ok {
				said = append(said, l.Hidden)
			}
		}
		return said
	}
	m := NewMachine(state.New(), wire.Hello{}, 0, func() float64 { return 0 })
	welcome := []wire.Frame{{Body: wire.Welcome{Me: chat.Person{ID: "U1"}}}}
	m.Start(1)
	for i, c := range []struct {
		what string
		do   func() Out
		want []bool
	}{
		{"hidden before the connection", func() Out { return m.Look(true, 2) }, nil},
		{"open", func() Out { return m.Opened(3) }, nil},
		{"welcome while hidden", func() Out { return m.Frames(welcome, 4) }, []bool{true}},
		{"hidden again", func() Out { return m.Look(true, 5) }, nil},
		{"seen", func() Out { return m.Look(false, 6) }, []bool{false}},
		{"hidden", func() Out { return m.Look(true, 7) }, []bool{true}},
		{"lost", func() Out { return m.Closed(8, false) }, nil},
		{"seen without a connection", func() Out { return m.Look(false, 9) }, nil},
		{"again", func() Out { return m.Tick(100_000) }, nil},
		{"open again", func() Out { return m.Opened(100_001) }, nil},
		{"welcome while seen", func() Out { return m.Frames(welcome, 100_002) }, nil},
	} {
		if got := looks(c.do()); !slices.Equal(got, c.want) {
			t.Errorf("%d, %s: said %v, want %v", i, c.what, got, c.want)
		}
	}
}
