package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
)

// What people do. None of this was measured; docs/scaling.md says where each
// figure comes from.
const (
	onlineShare  = 0.15 // of all people have a socket at the peak, one each
	perDay       = 40.0 // messages that one of them writes
	burst        = 1.5  // the worst minute of the peak hour, times the hour
	groupShare   = 0.4  // of messages are written to groups
	smallest     = 3    // group
	largest      = 1000 // group
	groupSlope   = 1.5  // messages to groups of k members go as k to the power of minus this
	groupsEach   = 10.0 // groups of one person, which a node listens to
	pagesEach    = 0.1  // pages of history read for each message written
	marksPerCopy = 0.5  // marks stored for each copy delivered: they move together
)

// hours is how much of a day's messages is written in each hour, times 24.
var hours = [24]float64{.45, .3, .2, .15, .15, .25, .45, .75, 1.0, 1.15, 1.2, 1.25, 1.35, 1.25, 1.2, 1.2, 1.25, 1.35, 1.5, 1.7, 1.85, 1.75, 1.3, .8}

// What things take. Marked m: measured (docs/performance.md, decisions 011 to 013, tools/fill); the others are assumed.
const (
	bytesPerSocket  = 39e3    // m: memory of a node, 17, and of nginx beside it, 22
	bytesPerRow     = 650.0   // m: a message of 134 bytes with its index, on MariaDB just filled
	bytesPerRecord  = 290.0   // m: the same message as a record of Kafka
	replicas        = 3.0     // of each record
	hear            = 22.0    // m: µs of a node for an event of another one: two thirds of 33
	tell            = 11.0    // m: the rest, of the node that tells it and of Redis; taken as Redis's
	presence        = 3.0     // µs of Redis for each person online, every 30 s
	presenceEvery   = 30.0    // s
	lanesEach       = 8       // m: commits at once of a node
	nodeShare       = 1.0 / 3 // of a commit's CPU time; the rest is the database's own
	kafkaTrip       = 5e3     // µs until three brokers have a record, and as long until it is read
	kafkaRequest    = 450.0   // m, roughly: µs of a node for one request to Kafka and one answer with what it made
	kafkaPost       = 13.0    // m, roughly: more for each post in them
	dbTrip          = 200.0   // µs to a database on another machine and back
	producesABroker = 15e3    // requests a second
	bytesABroker    = 50e6    // bytes a second, copies included
)

// Limits, with what can be had for money where it is not the program's own.
const (
	usable    = 0.6    // of CPU time at the peak: one of few nodes may be gone
	nodeCores = 2      // as measured
	nodeConns = 20_000 // --max-connections; 20,000 come back in 40 s after a drain
	nodeEars  = 500_000
	maxNodes  = 1023 // --node
	dbCores   = 32
	dbConns   = 10_000
	dbBytes   = 20e12
	connsEach = 32  // of a node to the database
	redisMost = 16  // shards that the program spreads channels over
	groupMost = 500 // members of one consumer group
)

// A spread is what becomes of an average message, drawn.
type spread struct {
	copies    float64 // to people online, the author's own among them
	hearers   float64 // nodes that have one of these
	publishes float64 // channels told
}

// draw finds what a message becomes with people on n nodes.
func draw(n int, rnd *rand.Rand) spread {
	const draws = 40_000
	var sizes []float64 // cumulated
	total := 0.0
	for k := smallest; k <= largest; k++ {
		total += math.Pow(float64(k), -groupSlope)
		sizes = append(sizes, total)
	}
	var s spread
	on := map[int]bool{}
	for range draws {
		members, channels := 2, 2.0
		if rnd.Float64() < groupShare {
			r := rnd.Float64() * total
			for members = smallest; sizes[members-smallest] < r; members++ {
			}
			channels = 1
		}
		clear(on)
		copies := 1.0 // the author is online
		on[rnd.IntN(n)] = true
		for range members - 1 {
			if rnd.Float64() < onlineShare {
				copies++
				on[rnd.IntN(n)] = true
			}
		}
		s.copies, s.hearers, s.publishes = s.copies+copies, s.hearers+float64(len(on)), s.publishes+channels
	}
	return spread{s.copies / draws, s.hearers / draws, s.publishes / draws}
}

// A need is how much of something is wanted, and how much there can be as the program is today.
type need struct {
	what       string
	want, have float64
	then       string // what has to change where it is not enough
}

const aYear = "a year in the database"

func (n need) share() float64 { return n.want / n.have }

// A size is an installation.
type size struct {
	users float64
	nodes int
	spread
	perSecond float64 // messages at the peak
	batch     float64 // messages in a commit at the peak
}

func newSize(users float64, nodes int, s spread) size {
	most, sum := 0.0, 0.0
	for _, h := range hours {
		most, sum = max(most, h), sum+h
	}
	z := size{users: users, nodes: nodes, spread: s}
	z.perSecond = users * perDay / 86400 * most / (sum / 24) * burst
	// A lane commits what came while it committed: few nodes, large batches.
	c := cluster()
	each := z.perSecond / float64(nodes) / lanesEach / 1e6
	z.batch = max(1, min(maxBatch, each*(c.commit+c.wait)/max(1e-9, 1-each*c.row)))
	return z
}

// cluster are the costs of a node with its services on other machines.
func cluster() costs {
	c := mariadb.atSize()
	c.wait = flush + 4*dbTrip
	return c
}

func (z size) online() float64  { return z.users * onlineShare }
func (z size) perDay() float64  { return z.users * perDay }
func (z size) kafkaIn() float64 { return z.perSecond * bytesPerRecord } // bytes a second

// heard is how many events nodes hear in a second: messages, and the marks of conversations of two.
func (z size) heard() float64 {
	return z.perSecond * (z.hearers + (z.copies-1)*(1-groupShare))
}

// database is the CPU time of the database, in cores: commits, and marks, which a node stores every 0.1 s.
func (z size) database() float64 {
	c := cluster()
	marks := z.perSecond * (z.copies - 1) * marksPerCopy
	flushes := min(marks, 10*float64(z.nodes))
	return ((z.perSecond/z.batch+flushes)*c.commit + (z.perSecond+marks)*c.row + z.perSecond*pagesEach*c.page) * (1 - nodeShare) / 1e6
}

func (z size) redis() float64 {
	return (z.heard()*tell + z.perSecond*z.publishes*tell + z.online()/presenceEvery*presence) / 1e6
}

// brokers that Kafka takes, three at least.
func (z size) brokers() float64 {
	return max(3, math.Ceil(z.perSecond/producesABroker), math.Ceil(z.kafkaIn()*replicas/bytesABroker))
}

// needs are in the order of the text. cpu is the share of a node's cores that the simulation found.
func (z size) needs(cpu float64) []need {
	n := float64(z.nodes)
	left := max(1, n-1) // one is being updated, or gone
	return []need{
		{"sockets a node, one being gone", z.online() / left, nodeConns, "more nodes"},
		{"channels a node hears", z.online() / left * (1 + groupsEach), nodeEars, "more nodes, or one channel for many groups"},
		{"CPU of a node", cpu, usable, "more nodes, or larger ones"},
		{"numbers for nodes", n, maxNodes, "cells, or wider ids"},
		{"members of a consumer group", n, groupMost, "cells with a topic each, or few nodes that commit for all"},
		{"connections to the database", n * connsEach, dbConns, "a pool between them, or fewer each"},
		{"CPU of the database", z.database(), dbCores * usable, "shards by conversation"},
		{aYear, z.bytesADay() * 365, dbBytes, "shards by conversation, or old messages elsewhere"},
		{"Redis", z.redis(), redisMost * usable, "several clusters by conversation"},
	}
}

func (z size) bytesADay() float64 { return z.perDay() * bytesPerRow }

// worst is what runs out first.
func worst(ns []need) need {
	w := ns[0]
	for _, n := range ns {
		if n.share() > w.share() {
			w = n
		}
	}
	return w
}

// peak runs one node of z through some seconds of the peak, event by event: all
// nodes are alike, so each commits as many as its own people write, and hears
// its share of what the others commit. It returns the share of its cores that is
// used, after how many ms half of the messages are acknowledged, and how many are in a commit.
func peak(z size, rnd *rand.Rand) (cpu, acked, batch float64) {
	c := cluster()
	c.wait += c.commit * (1 - nodeShare) // on the database's machine
	c.commit, c.row, c.page = c.commit*nodeShare, c.row*nodeShare, c.page*nodeShare
	c.lanes = lanesEach
	n := newNode(newMachine(nodeCores), c)
	n.apart, n.carried = true, true
	each := z.perSecond / float64(z.nodes)
	people := crowd(min(2000, max(50, int(z.online())/z.nodes)), 0)
	for i, p := range people {
		p.lane = i
	}
	seconds := max(5, 2000/each)
	end := seconds * 1e6
	n.poisson(each, end, rnd, func() {
		author := people[rnd.IntN(len(people))]
		to := []*client{author}
		for k := z.copies - 1; k > 0; k-- {
			if rnd.Float64() < k {
				to = append(to, people[rnd.IntN(len(people))])
			}
		}
		author.to = to
		n.say(author, n.now)
	})
	n.poisson(max(1, z.heard()/float64(z.nodes)), end, rnd, func() { n.run(func() (float64, func()) { return hear, nil }) })
	n.poisson(max(1, each*pagesEach), end, rnd, func() { n.run(func() (float64, func()) { return c.page, nil }) })
	n.until(end)
	return n.busy / end / nodeCores, quantile(n.times, .5) / 1e3, float64(n.committed) / float64(max(1, n.commits))
}

// fits is how many people n nodes have room for until something runs out, by
// everything but the nodes' CPU time and, unless it is asked for, the room for a year.
func fits(n int, s spread, year bool) (float64, need) {
	first := func(users float64) need {
		ns := newSize(users, n, s).needs(0)
		if !year {
			ns = slices.DeleteFunc(ns, func(n need) bool { return n.what == aYear })
		}
		return worst(ns)
	}
	low, high := 1.0, 1e9
	for high/low > 1.005 {
		if mid := math.Sqrt(low * high); first(mid).share() > 1 {
			high = mid
		} else {
			low = mid
		}
	}
	return low, first(high)
}

// printNodes tells what one node of thirty carries.
func printNodes(w io.Writer, seed uint64) {
	fmt.Fprintln(w, "One node of thirty, Kafka mode, at the worst minute of the day")
	fmt.Fprintf(w, "%10s %10s %11s %13s %6s %10s\n", "sockets", "people", "messages/s", "deliveries/s", "CPU", "memory")
	for _, sockets := range []float64{5e3, 20e3, 45e3, 100e3} {
		rnd := rand.New(rand.NewPCG(seed, uint64(sockets)))
		z := newSize(30*sockets/onlineShare, 30, draw(30, rnd))
		cpu, _, _ := peak(z, rnd)
		fmt.Fprintf(w, "%10.0f %10.0f %11.0f %13.0f %5.0f%% %7.0f MB\n", sockets, z.users/30, z.perSecond/30, z.perSecond*z.copies/30, 100*cpu, sockets*bytesPerSocket/1e6)
	}
	fmt.Fprintln(w)
}

func printCluster(w io.Writer, seed uint64) {
	fmt.Fprintln(w, "Several nodes of two cores, Kafka mode, at the worst minute of the day")
	for _, nodes := range []int{3, 30, 300, 3000} {
		rnd := rand.New(rand.NewPCG(seed, uint64(nodes)))
		s := draw(nodes, rnd)
		z := newSize(float64(nodes)*1e5/3, nodes, s)
		cpu, acked, batch := peak(z, rnd)
		fmt.Fprintf(w, "\n%d people on %d nodes\n", int(z.users+.5), nodes)
		line := func(what, form string, vs ...any) { fmt.Fprintf(w, "  %-34s %s\n", what, fmt.Sprintf(form, vs...)) }
		line("sockets, a node", "%.0f, %.0f", z.online(), z.online()/float64(nodes))
		line("messages/s, deliveries/s", "%.0f, %.0f", z.perSecond, z.perSecond*z.copies)
		line("a message: copies, nodes, channels", "%.2f, %.2f, %.2f", z.copies, z.hearers, z.publishes)
		line("a node: CPU, acknowledged, batch", "%.0f %%, %.1f ms, %.2f", 100*cpu, acked, batch)
		line("Kafka: in, brokers, a day's log", "%.2f MB/s, %.0f, %.2f TB", z.kafkaIn()/1e6, z.brokers(), z.perDay()*bytesPerRecord*replicas/1e12)
		line("Kafka: partitions", "%d", max(24, 4*nodes))
		line("database: rows, GB a day", "%.0f, %.0f", z.perDay(), z.bytesADay()/1e9)
		line("database: cores, servers", "%.1f, %.0f", z.database(), math.Ceil(max(z.database()/dbCores/usable, z.bytesADay()*365/dbBytes)))
		line("Redis: events/s, cores, shards", "%.0f, %.1f, %.0f", z.perSecond*z.publishes+z.heard(), z.redis(), math.Ceil(z.redis()/usable))
		ns := z.needs(cpu)
		for _, n := range ns {
			if n.share() > 1 {
				line("NOT ENOUGH: "+n.what, "%.3g of %.3g: %s", n.want, n.have, n.then)
			}
		}
		first := worst(ns)
		line("the scarcest", "%s, %.0f %%", first.what, 100*first.share())
		for _, year := range []bool{true, false} {
			what := map[bool]string{true: "there is room for", false: "and but for the year"}[year]
			if most, then := fits(nodes, s, year); most < 2 {
				line(what, "nobody: %s", then.what)
			} else {
				line(what, "%.2g people; then %s", most, then.what)
			}
		}
	}
	most, _ := fits(30, draw(30, rand.New(rand.NewPCG(seed, 30))), true)
	fmt.Fprintf(w, "\n100000000 people are %.0f times what 30 nodes and one database have room for.\n", math.Ceil(1e8/most))
}
