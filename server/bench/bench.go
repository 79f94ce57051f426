// Package bench is the load generator behind "kamachat bench". It signs many
// people in over real WebSockets, has them write, and measures what a person
// would feel: how long until a post is acknowledged and until it reaches the
// others. Every text carries its sender, a number and its time, so that a
// message that got lost, came twice or overtook another is found.
//
// A closed loop (the default) keeps a fixed number of posts in flight and finds
// the greatest rate. An open loop (Config.Rate) posts by the clock, whatever
// the server does, and measures from the moment a post was due: a server that
// stalls can't hide it by slowing the generator down (coordinated omission,
// Gil Tene).
//
// Generator and server share the machine in local runs; only compare rates
// that were measured together, best with the floor (ServeFloor) beside them, in
// a process of its own as the server is: by Config.Servers the CPU time of both
// is told apart. The generator is made to cost little (socket.go, scan.go), so
// that the server's figures are the server's.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kamachat/shared/chat"
)

// The workloads.
const (
	Direct  = "direct"  // in each of Pairs pairs of people the first writes and the second reads
	Fanout  = "fanout"  // Members people in one group, of whom Senders write and all read
	Idle    = "idle"    // Members connections that do nothing
	History = "history" // Readers connections that read pages anywhere in their conversations
	Storm   = "storm"   // Members connections in pairs, all lost at once, come back as real clients do
)

// The dialects.
const (
	Native  = "native"  // wire.V1
	Classic = "classic" // the seed's
)

// How a storm begins. A server that ended is not started again by the generator.
const (
	CutConnections = "connections" // the generator drops them, without a word
	CutTerm        = "term"        // the first of Config.Servers is asked to end
	CutKill        = "kill"        // it is killed
)

// A Person is an account to act as.
type Person struct {
	Username string
	ID       chat.UserID
	Token    string // for the Authorization header
}

// A Config is what to measure, against what.
type Config struct {
	URL      string   // of the server, e.g. http://127.0.0.1:8000
	People   []Person // accounts to use; none: register throw-away ones
	Workload string
	Dialect  string        // "" means Native
	Pairs    int           // Direct: how many; 0 means 100
	Members  int           // Fanout, Idle, Storm: how many; 0 means 100
	Senders  int           // Fanout: how many members write; 0 means all
	Deaf     int           // Fanout: so many more members read nothing; the server has to cut them
	InFlight int           // posts that one writer, or questions that one reader, may have without an answer; 0 means 1
	Rate     float64       // posts per second of all writers together, an open loop; 0 means a closed one
	Pages    float64       // pages of history per second of all readers together, beside any load; 0 means none, History: a closed loop
	Readers  int           // connections that read history; 0 means 16
	Dialers  int           // connections made at a time; 0 means 64
	Duration time.Duration // how long to write, or to wait for a storm to pass; 0 means 10 s
	Cut      string        // Storm: how the connections are lost; "" means CutConnections
	JSON     bool          // print the report as JSON instead of a table

	// Servers are the server's processes on this machine: itself, of which memory
	// and files are told, and those that work for it, such as a database.
	Servers []int
	Metrics string        // address of the server's metrics; "" means /metrics at URL
	Sample  time.Duration // between two looks at the server; 0 means 1 s
}

// ErrWrong is what Run returns besides the report when a message was lost, came
// twice, overtook another or was never acknowledged, or a connection broke.
var ErrWrong = errors.New("the server did not keep its promises")

// drainTime is how long Run waits after the last post for what is under way.
const drainTime = 10 * time.Second

// Run does what c says and writes the report to w. It ends early with ctx.
func Run(ctx context.Context, c Config, w io.Writer) (Report, error) {
	c, err := c.withDefaults()
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := runLoad
	if c.Workload == Storm {
		work = runStorm
	}
	rep, err := work(ctx, c)
	if err != nil {
		return rep, err
	}
	if err := rep.print(w, c.JSON); err != nil {
		return rep, err
	}
	if rep.wrong() {
		return rep, ErrWrong
	}
	return rep, nil
}

func (c Config) withDefaults() (Config, error) {
	orDefault := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	orDefault(&c.Pairs, 100)
	orDefault(&c.Members, 100)
	orDefault(&c.Senders, c.Members)
	orDefault(&c.InFlight, 1)
	orDefault(&c.Readers, 16)
	orDefault(&c.Dialers, 64)
	c.Dialect, c.Cut = cmp.Or(c.Dialect, Native), cmp.Or(c.Cut, CutConnections)
	c.Duration = cmp.Or(c.Duration, 10*time.Second)
	c.Sample = cmp.Or(c.Sample, time.Second)
	c.URL = strings.TrimRight(c.URL, "/")
	c.Metrics = cmp.Or(c.Metrics, c.URL+"/metrics")
	known := []string{Direct, Fanout, Idle, History, Storm}
	switch {
	case !slices.Contains(known, c.Workload):
		return c, fmt.Errorf("no workload %q: want one of %s", c.Workload, strings.Join(known, ", "))
	case c.Dialect != Native && c.Dialect != Classic:
		return c, fmt.Errorf("no dialect %q: want %s or %s", c.Dialect, Native, Classic)
	case c.Dialect == Classic && (c.reads() || c.Workload == Storm):
		return c, errors.New("the seed's dialect has no words for history")
	case min(c.Pairs, c.Members, c.Senders, c.Deaf, c.InFlight, c.Readers, c.Dialers) < 0 || min(c.Rate, c.Pages) < 0 || min(c.Duration, c.Sample) < 0:
		return c, errors.New("a number is negative")
	case c.Workload == Fanout && c.Senders > c.Members:
		return c, fmt.Errorf("%d senders of %d members", c.Senders, c.Members)
	case c.Deaf > 0 && c.Workload != Fanout:
		return c, errors.New("only a fan-out has members who read nothing")
	case c.Cut != CutConnections && c.Cut != CutTerm && c.Cut != CutKill:
		return c, fmt.Errorf("no cut %q: want %s, %s or %s", c.Cut, CutConnections, CutTerm, CutKill)
	case c.Cut != CutConnections && len(c.Servers) == 0:
		return c, errors.New("which server is to end is not told")
	case c.Workload == Storm && c.Members%2 != 0:
		return c, errors.New("a storm needs an even number of members")
	}
	return c, nil
}

// reads reports whether pages of history are read.
func (c Config) reads() bool { return c.Workload == History || c.Pages > 0 }

// people is how many accounts c needs.
func (c Config) people() int {
	switch c.Workload {
	case Direct:
		return 2 * c.Pairs
	case Fanout:
		return c.Members + c.Deaf
	case Storm:
		return c.Members
	case History:
		return 1 // readers may share accounts
	}
	return min(c.Members, max(len(c.People), 1)) // idle: connections may share accounts
}
