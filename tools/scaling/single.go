package main

import (
	"fmt"
	"io"
	"math/rand/v2"
)

// What was measured (docs/performance.md) and serves as input. All else in the
// first table follows from it.
//
//   - In every row that goes as fast as it can, two cores do 1.74 s of work in a second; the rest is not ours.
//   - A relay that stores nothing delivers for 10.8 µs of CPU, its client included: one write and one read.
//   - It takes 0.11 ms to answer when there is little to do: 22 µs of work and two cores that wake up.
//   - Filling a database takes 14.8 µs a message on SQLite and 10.5 µs on MariaDB, in batches of 2,048.
//   - 5,000 messages/s beside 400 pages/s use 86 % of both cores, in 2,400 commits a second: 40 % of the server's
//     1.29 s are commits, 215 µs for one of two messages. How much a core costs that slept follows from the 86 %.
//   - A commit of one costs MariaDB 1.67 times what it costs SQLite (decision 011), and four round trips.
//   - A flush takes 0.09 ms. A page of history takes 320 µs of CPU (SQLite), 458 µs (MariaDB).
//   - A message costs a fifth more with 10 million present.
const (
	cores     = 2
	ours      = 0.87  // share of a core's time that is ours
	wakeUp    = 44.0  // until a core that slept runs what it is given
	rouse     = 120.0 // CPU time that this takes, with caches gone cold
	flush     = 90.0
	roundTrip = 44.0 // to the database: a core wakes up at the other end
)

// sqlite and mariadb are the costs on either. post and frame were fitted to two
// figures: CPU per message of pairs (0.042 and 0.039 ms), and per delivery in a
// room of 100 (0.0012 and 0.0013 ms). push is a guess; it is small.
var (
	sqlite = costs{
		postWrite: 6, postRead: 3, write: 7, read: 3.8, push: 0.1,
		post: 21.5, frame: 0.55, commit: 185, row: 14.8, wait: flush, lanes: 1, page: 320,
	}
	mariadb = costs{
		postWrite: 6, postRead: 3, write: 7, read: 3.8, push: 0.1,
		post: 21.5, frame: 0.55, commit: 322, row: 10.5, wait: flush + 4*roundTrip, lanes: 8, page: 458,
	}
)

// atSize is c with 10 million messages present.
func (c costs) atSize() costs {
	c.commit, c.row = c.commit*1.2, c.row*1.2
	return c
}

// A result is one line of the table.
type result struct {
	what          string
	measured, got float64
	form          string
	input         bool    // fitted to this very figure
	bound         float64 // how far off it may be, as a share; 0: it is shown, and not held to anything
}

func (r result) off() float64 { return r.got/r.measured - 1 }

// crowd is so many clients, each with its lane.
func crowd(n, inflight int) []*client {
	cs := make([]*client, n)
	for i := range cs {
		cs[i] = &client{free: inflight, lane: i}
	}
	return cs
}

// measure lets n run for a moment, and then for seconds of which the counts are kept.
func measure(n *node, seconds float64) {
	n.until(0.3e6)
	n.forget()
	n.until(0.3e6 + seconds*1e6)
}

func pairs(c costs, closed bool) (*node, []*client) {
	n := newNode(newMachine(cores), c)
	writers, readers := crowd(200, 8), crowd(200, 0)
	for i, w := range writers {
		w.to = []*client{w, readers[i]}
		if n.closed = closed; closed {
			for range w.free {
				n.say(w, 0)
			}
		}
	}
	return n, writers
}

func group(c costs, members, senders int) *node {
	n := newNode(newMachine(cores), c)
	n.closed = true
	all := crowd(members, 8)
	for i, m := range all {
		m.to, m.lane = all, 0
		if i < senders {
			for range m.free {
				n.say(m, 0)
			}
		}
	}
	return n
}

// single are the rows for one database. seed draws when posts come.
func single(c costs, name string, seed uint64) []result {
	m := func(lite, maria float64) float64 {
		if name == "SQLite" {
			return lite
		}
		return maria
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	const s = 2.0
	direct, _ := pairs(c, true)
	measure(direct, s)
	size, _ := pairs(c.atSize(), true)
	measure(size, s)
	calm, writers := pairs(c, false)
	calm.open(writers, 400, 20e6, rnd)
	measure(calm, 19)
	r100 := group(c, 100, 100)
	measure(r100, s)
	r1000 := group(c, 1000, 1)
	measure(r1000, s)
	busy, writers := pairs(c.atSize(), false)
	busy.open(writers, 5000, 5e6, rnd)
	busy.poisson(400, 5e6, rnd, func() { busy.run(func() (float64, func()) { return c.page, nil }) })
	measure(busy, 4.7)
	pages := newNode(newMachine(cores), c)
	for range 16 {
		pages.reader()
	}
	measure(pages, s)
	rows := []result{
		{"200 pairs × 8 in flight: messages/s", m(40_900, 47_400), float64(direct.acked) / s, "%.0f", false, 0.25},
		{"same: CPU µs per message", m(42, 39), direct.busy / float64(direct.acked), "%.1f", true, 0.10},
		{"same, 10 million messages present: messages/s", m(38_500, 40_500), float64(size.acked) / s, "%.0f", false, 0.25},
		{"400 messages/s: acknowledged p50, ms", m(0.53, 0.81), quantile(calm.times, .5) / 1e3, "%.2f", false, 0.25},
		{"same: p99, ms", m(1.7, 2.4), quantile(calm.times, .99) / 1e3, "%.2f", false, 0},
		{"room of 100 × 8 in flight: deliveries/s", m(1_451_000, 1_353_000), float64(r100.delivered) / s, "%.0f", false, 0.25},
		{"same: CPU µs per delivery", m(1.2, 1.3), r100.busy / float64(r100.delivered), "%.2f", true, 0.10},
		{"room of 1,000, one sender: deliveries/s", m(562_000, 378_000), float64(r1000.delivered) / s, "%.0f", false, 0},
		{"pages of history/s, 16 readers", m(5_430, 3_800), float64(pages.pages) / s, "%.0f", true, 0.02},
		{"5,000 messages/s with 400 pages/s, at size: acknowledged p50, ms", m(1.3, 3.0), quantile(busy.times, .5) / 1e3, "%.2f", false, 0},
	}
	if name == "SQLite" {
		rows = append(rows,
			result{"same: commits/s", 2_400, float64(busy.commits) / 4.7, "%.0f", false, 0.25},
			result{"same: share of both cores", 0.86, busy.busy / 4.7e6 / cores, "%.2f", true, 0.10})
	}
	return rows
}

func printSingle(w io.Writer, seed uint64) {
	for _, d := range []struct {
		name string
		c    costs
	}{{"SQLite", sqlite}, {"MariaDB", mariadb}} {
		fmt.Fprintf(w, "One node, %s\n%-66s %10s %10s %7s\n", d.name, "", "measured", "simulated", "off")
		for _, r := range single(d.c, d.name, seed) {
			note := ""
			if r.input {
				note = " (fitted)"
			} else if r.bound == 0 {
				note = " (not held to it)"
			}
			fmt.Fprintf(w, "%-66s %10s %10s %+6.0f%%%s\n", r.what, fmt.Sprintf(r.form, r.measured), fmt.Sprintf(r.form, r.got), 100*r.off(), note)
		}
		fmt.Fprintln(w)
	}
}
