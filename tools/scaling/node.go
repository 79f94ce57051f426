package main

import (
	"math/rand/v2"
	"slices"
)

// Costs of one server, in µs of CPU unless they say otherwise. single.go says where they come from.
type costs struct {
	postWrite, postRead float64 // the client's write of some posts, the server's read of them
	post                float64 // each post at both ends: making, parsing, checking, its acknowledgement
	commit, row         float64 // one commit, and each message in it
	wait                float64 // for the commit beside its CPU time; no core is held
	lanes               int     // commits at once
	push                float64 // queueing a message for one session
	write, read         float64 // the server's write of some frames to a session, the client's read of them
	frame               float64 // each frame in it, at both ends
	page                float64 // a page of history at both ends
}

const (
	maxBatch  = 256 // messages in a commit
	maxFrames = 64  // frames in a write
)

// A post is a message on its way.
type post struct {
	author *client
	to     []*client
	due    float64
}

// A client is a connection with its session at the server.
type client struct {
	free    int       // posts it may have in flight
	unsent  []float64 // due times of posts to be written
	writing bool
	out     []*post // frames that wait for the session's writer
	sending bool
	in      []*post // frames that wait for the client's reader
	reading bool
	to      []*client
	lane    int
}

type lane struct {
	queue []*post
	busy  bool
}

// A node is one server, its clients and its database on one machine.
type node struct {
	*machine
	c       costs
	lanes   []lane
	fan     []*post
	fanning bool

	apart   bool       // clients are on other machines: they cost nothing here
	carried bool       // posts go by way of Kafka
	held    []heldPost // for its next request
	asking  bool

	closed    bool // clients post again as soon as they are answered
	acked     int
	delivered int
	pages     int
	commits   int
	committed int
	times     []float64 // from due until acknowledged
}

func newNode(m *machine, c costs) *node { return &node{machine: m, c: c, lanes: make([]lane, c.lanes)} }

// say has a client write a post that was due then.
func (n *node) say(c *client, due float64) {
	c.unsent = append(c.unsent, due)
	if c.writing {
		return
	}
	c.writing = true
	n.aside(func() (float64, func()) { // the client writes all that is due
		posts := c.unsent
		c.unsent, c.writing = nil, false
		return n.c.postWrite + n.c.post/2*float64(len(posts)), func() {
			n.run(func() (float64, func()) { // the server reads, parses and checks it
				return n.c.postRead + n.c.post/2*float64(len(posts)), func() {
					l := &n.lanes[c.lane%len(n.lanes)]
					for _, due := range posts {
						n.carry(l, &post{c, c.to, due})
					}
				}
			})
		}
	})
}

// aside does what a client does.
func (n *node) aside(t task) {
	if !n.apart {
		n.run(t)
		return
	}
	cost, done := t()
	n.after(cost, done)
}

// carry brings a post to its lane.
func (n *node) carry(l *lane, p *post) {
	if !n.carried {
		l.queue = append(l.queue, p)
		n.commit(l)
		return
	}
	n.held = append(n.held, heldPost{l, p})
	n.request()
}

type heldPost struct {
	lane *lane
	post *post
}

// request gives Kafka all that is held: what comes while it is under way goes together.
func (n *node) request() {
	if n.asking || len(n.held) == 0 {
		return
	}
	n.asking = true
	n.run(func() (float64, func()) {
		posts := n.held
		n.held = nil
		return kafkaRequest + kafkaPost*float64(len(posts)), func() {
			n.after(kafkaTrip, func() {
				n.asking = false
				n.request()
			})
			n.after(2*kafkaTrip, func() {
				for _, h := range posts {
					h.lane.queue = append(h.lane.queue, h.post)
					n.commit(h.lane)
				}
			})
		}
	})
}

// commit commits what waits in a lane, at once and whatever there is.
func (n *node) commit(l *lane) {
	if l.busy || len(l.queue) == 0 {
		return
	}
	l.busy = true
	n.run(func() (float64, func()) {
		k := min(len(l.queue), maxBatch)
		batch := slices.Clone(l.queue[:k])
		l.queue = l.queue[k:]
		n.commits++
		n.committed += k
		return n.c.commit + n.c.row*float64(k), func() {
			n.after(n.c.wait, func() {
				l.busy = false
				n.fan = append(n.fan, batch...)
				n.deliver()
				n.commit(l)
			})
		}
	})
}

// deliver queues all that was committed for the sessions: who does it does not
// stop in between, so that what is for one of them gathers.
func (n *node) deliver() {
	if n.fanning || len(n.fan) == 0 {
		return
	}
	n.fanning = true
	n.run(func() (float64, func()) {
		posts, copies := n.fan, 0
		n.fan = nil
		for _, p := range posts {
			copies += len(p.to)
		}
		return n.c.push * float64(copies), func() {
			n.fanning = false
			for _, p := range posts {
				for _, c := range p.to {
					c.out = append(c.out, p)
				}
			}
			for _, p := range posts {
				for _, c := range p.to {
					n.send(c)
				}
			}
			n.deliver()
		}
	})
}

// send writes what is queued for a session.
func (n *node) send(c *client) {
	if c.sending || len(c.out) == 0 {
		return
	}
	c.sending = true
	n.run(func() (float64, func()) {
		k := min(len(c.out), maxFrames)
		frames := c.out[:k:k]
		c.out = c.out[k:]
		return n.c.write + n.c.frame/2*float64(k), func() {
			c.sending = false
			c.in = append(c.in, frames...)
			n.read(c)
			n.send(c)
		}
	})
}

// read has a client take all that has come, and post again what that makes room for.
func (n *node) read(c *client) {
	if c.reading || len(c.in) == 0 {
		return
	}
	c.reading = true
	n.aside(func() (float64, func()) {
		frames := c.in
		c.in = nil
		return n.c.read + n.c.frame/2*float64(len(frames)), func() {
			c.reading = false
			n.delivered += len(frames)
			for _, p := range frames {
				if p.author != c {
					continue
				}
				n.acked++
				n.times = append(n.times, n.now-p.due)
				if n.closed {
					n.say(c, n.now)
				}
			}
			n.read(c)
		}
	})
}

// open has posts of random writers come rate times a second until end, whatever the server does.
func (n *node) open(writers []*client, rate, end float64, rnd *rand.Rand) {
	n.poisson(rate, end, rnd, func() { n.say(writers[rnd.IntN(len(writers))], n.now) })
}

func (n *node) poisson(rate, end float64, rnd *rand.Rand, f func()) {
	next := n.now + rnd.ExpFloat64()*1e6/rate
	if next >= end {
		return
	}
	n.after(next-n.now, func() {
		f()
		n.poisson(rate, end, rnd, f)
	})
}

// reader reads pages of history one after the other.
func (n *node) reader() {
	n.run(func() (float64, func()) {
		return n.c.page, func() {
			n.pages++
			n.reader()
		}
	})
}

// forget begins to count anew.
func (n *node) forget() {
	n.busy, n.acked, n.delivered, n.pages, n.commits, n.committed, n.times = 0, 0, 0, 0, 0, 0, nil
}

// quantile of what is sorted here.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[min(len(v)-1, int(q*float64(len(v))))]
}
