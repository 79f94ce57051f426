package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"kamachat/shared/chat"
)

// A plan is everything that a seed decides: who is there, who does what when,
// and which faults happen when. Faults go by virtual time, not by counting, so
// that what happens in between does not shift those that come later.
type plan struct {
	seed  uint64
	lossy bool // the fan-out loses, doubles and reorders events; else it is the one of package inproc as it is

	carrier, fanout, queue, rooms int // sizes
	wire                          int // bytes on their way, of one direction, before the writer waits
	lanes, welcomes               int // how many at a time; 0: the default
	rate                          int // posts a second that a session may send; 0: any

	users   []chat.UserID
	devices []devicePlan
	groups  map[chat.ConvID][]chat.UserID // made before the start
	convs   []chat.ConvID                 // of everybody, also the groups made later

	events  []event
	windows []window
	end     time.Duration // the last fault and the last act of a person are over
}

// A devicePlan is one device of one person.
type devicePlan struct {
	user    chat.UserID
	classic bool          // speaks the seed's dialect
	skew    time.Duration // of its clock
	lag     time.Duration // of its network, one way
	acts    []act
}

// An act is what a person does on a device.
type act struct {
	at   time.Duration
	what string
	conv chat.ConvID
	n    int
}

// An event is a fault, or something that happens to the server, at one moment.
type event struct {
	at   time.Duration
	what string
	dev  int
	user chat.UserID
	conv chat.ConvID
	who  []chat.UserID
	n    int           // bytes after which a connection is cut
	for_ time.Duration // how long the server is down, how far the clock jumps
}

// A window is a fault that lasts.
type window struct {
	what     string
	from, to time.Duration
	dev      int // -1: the server's
	p        float64
	by       time.Duration // of slowness
}

// Sizes of connections: as usual, and such that a silent peer is soon noticed.
const wide, narrow = 64 << 10, 1 << 10

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable
// pseudorandom number generators, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func mixText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// chance is a number in [0,1) that follows from the seed and what it is asked
// for: it does not matter what was asked before.
func (p *plan) chance(what string, ns ...int64) float64 {
	h := mixText(mix(p.seed), what)
	for _, n := range ns {
		h = mix(h ^ uint64(n))
	}
	return float64(h>>11) / (1 << 53)
}

// during returns the fault of this kind that lasts at a moment.
func (p *plan) during(what string, dev int, at time.Duration) (window, bool) {
	for _, w := range p.windows {
		if w.what == what && w.dev == dev && w.from <= at && at < w.to {
			return w, true
		}
	}
	return window{}, false
}

// A dice draws while a plan is made.
type dice struct{ *rand.Rand }

func (d dice) between(a, b int) int               { return a + d.IntN(b-a+1) }
func (d dice) oneIn(n int) bool                   { return d.IntN(n) == 0 }
func (d dice) upTo(t time.Duration) time.Duration { return time.Duration(d.Int64N(int64(t))) }

// some returns between n and all of us, in the order of us.
func (d dice) some(us []chat.UserID, n int) []chat.UserID {
	out := slices.Clone(us)
	d.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	out = out[:d.between(n, len(out))]
	slices.Sort(out)
	return out
}

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// newPlan draws a plan.
func newPlan(seed uint64) *plan {
	d := dice{rand.New(rand.NewPCG(seed, 0x6b616d61))}
	p := &plan{seed: seed, groups: map[chat.ConvID][]chat.UserID{}}
	p.lossy = d.oneIn(4)
	p.carrier, p.fanout = pick(d, 2, 3, 4, 16, 4096), pick(d, 1, 8, 4096)
	p.queue, p.rooms = pick(d, d.between(24, 32), 48, 256, 4096), pick(d, 1, 0, 0)
	if p.wire = wide; p.queue < 48 {
		p.wire = narrow
	}
	p.rate = pick(d, 0, 0, 5)
	p.lanes, p.welcomes = pick(d, 1, 1, 4), pick(d, 0, 1)
	p.end = 8*time.Second + d.upTo(8*time.Second)

	for i := range d.between(4, 6) {
		p.users = append(p.users, chat.UserID(fmt.Sprint("U", i)))
	}
	p.talk(d)
	classic := p.queue >= 48 || d.oneIn(2)
	for i, u := range p.users {
		if i == len(p.users)-1 && classic {
			p.devices = append(p.devices, devicePlan{user: u, classic: true})
			break
		}
		for range d.between(1, 2) {
			p.devices = append(p.devices, devicePlan{user: u})
		}
	}
	for i := range p.devices {
		v := &p.devices[i]
		v.lag = time.Millisecond + d.upTo(40*time.Millisecond)
		v.skew = pick(d, 0, time.Duration(d.between(-7200, 7200))*time.Second)
		p.act(d, v)
	}
	p.tidy(dice{rand.New(rand.NewPCG(seed, 0x6c696e65))})
	if !d.oneIn(12) { // sometimes nothing goes wrong
		p.trouble(d)
		if p.queue < 48 {
			p.rush(d, classic)
		}
	}
	for i := range p.devices {
		slices.SortStableFunc(p.devices[i].acts, func(a, b act) int { return int(a.at - b.at) })
	}
	slices.SortStableFunc(p.events, func(a, b event) int { return int(a.at - b.at) })
	return p
}

// talk draws who talks with whom.
func (p *plan) talk(d dice) {
	for i, a := range p.users {
		for _, b := range p.users[i+1:] {
			if d.oneIn(2) || i == 0 {
				p.convs = append(p.convs, chat.Direct(a, b))
			}
		}
	}
	for i := range d.between(1, 2) {
		g := chat.ConvID(fmt.Sprint("G", i))
		p.groups[g] = d.some(p.users, 3)
		p.convs = append(p.convs, g)
	}
	for i := range d.between(0, 2) {
		g := chat.ConvID(fmt.Sprint("Gnew", i))
		p.convs = append(p.convs, g)
		p.events = append(p.events, event{at: d.upTo(p.end), what: "make group", conv: g, who: d.some(p.users, 3)})
	}
}

// mayHave reports whether u can be in conv, also later.
func (p *plan) mayHave(u chat.UserID, conv chat.ConvID) bool {
	if _, ok := conv.Peer(u); ok {
		return true
	}
	return conv.IsGroup()
}

// act draws what a person does on a device.
func (p *plan) act(d dice, v *devicePlan) {
	var mine []chat.ConvID
	for _, c := range p.convs {
		if p.mayHave(v.user, c) {
			mine = append(mine, c)
		}
	}
	for range d.between(6, 14) {
		a := act{at: d.upTo(p.end), conv: pick(d, mine...), n: d.between(1, 3)}
		a.what = pick(d, "post", "post", "post", "post", "open", "read", "read", "type", "older", "leave", "wake", "reload")
		if v.classic {
			a.what, a.n = "post", 1
			if d.oneIn(2) {
				continue
			}
		}
		if a.what == "post" && d.oneIn(12) {
			a.n = pick(d, 12, 24)
		}
		if a.what == "reload" && !d.oneIn(3) {
			a.what = "read"
		}
		v.acts = append(v.acts, a)
	}
}

// tidy has people pin, archive and delete conversations. Its dice are its own: what
// else a seed decides stays as it was.
func (p *plan) tidy(d dice) {
	for i := range p.devices {
		v := &p.devices[i]
		for range d.between(0, 4) {
			a := act{at: d.upTo(p.end), conv: pick(d, p.convs...), what: pick(d, "pin", "pin", "unpin", "archive", "unarchive", "delete")}
			if p.mayHave(v.user, a.conv) && !v.classic {
				v.acts = append(v.acts, a)
			}
		}
	}
}

// rush has everybody write into one group at once, while some fall silent and
// some come back to a slow store: more than a small queue holds, and with a program
// of the seed less than the hundred that it gets of what it missed.
func (p *plan) rush(d dice, classic bool) {
	n := 20
	if classic {
		n = 8
	}
	at := d.upTo(p.end)
	p.end = max(p.end, at+6*time.Second)
	for i := range p.devices {
		p.devices[i].acts = append(p.devices[i].acts, act{at: at + d.upTo(50*time.Millisecond), what: "post", conv: "G0", n: n})
	}
	p.windows = append(p.windows, window{what: "reads are slow", dev: -1, from: at, to: at + 4*time.Second, by: 250*time.Millisecond + d.upTo(100*time.Millisecond)})
	for range 2 {
		p.windows = append(p.windows, window{what: "silent", dev: d.IntN(len(p.devices)), from: at, to: at + 4*time.Second + d.upTo(2*time.Second)})
		p.events = append(p.events, event{at: at + d.upTo(time.Second), what: "cut", dev: d.IntN(len(p.devices))})
	}
}

// trouble draws the faults.
func (p *plan) trouble(d dice) {
	for range d.between(0, 3) {
		what := pick(d, "kill", "kill", "kill before commit", "kill after commit", "drain")
		p.events = append(p.events, event{at: d.upTo(p.end), what: what, for_: d.upTo(2 * time.Second)})
	}
	for range d.between(0, 2) {
		by := time.Duration(d.between(-5000, 5000)) * pick(d, time.Millisecond, time.Second)
		p.events = append(p.events, event{at: d.upTo(p.end), what: "clock jumps", for_: by})
	}
	for range d.between(0, 6) {
		e := event{at: d.upTo(p.end), what: "cut", dev: d.IntN(len(p.devices)), n: pick(d, 0, d.IntN(200), d.IntN(5000))}
		p.events = append(p.events, e)
	}
	for range d.between(0, 2) {
		p.events = append(p.events, event{at: d.upTo(p.end), what: "close sessions", user: pick(d, p.users...)})
	}
	last := func(most time.Duration) (from, to time.Duration) {
		from = d.upTo(p.end)
		return from, min(from+d.upTo(most), p.end)
	}
	for range d.between(0, 4) {
		w := window{dev: -1, p: pick(d, 0.2, 0.5, 1)}
		w.what = pick(d, "append fails", "append is not answered", "append is slow", "reads fail", "reads are slow", "marks fail", "people fail")
		w.from, w.to = last(4 * time.Second)
		w.by = d.upTo(300 * time.Millisecond)
		p.windows = append(p.windows, w)
	}
	for range d.between(0, 4) {
		w := window{what: pick(d, "offline", "silent", "slow"), dev: d.IntN(len(p.devices)), by: d.upTo(time.Second)}
		w.from, w.to = last(pick(d, time.Second, 10*time.Second))
		if p.devices[w.dev].classic && w.what == "offline" {
			w.what = "slow" // see conn.cut
		}
		p.windows = append(p.windows, w)
	}
}
