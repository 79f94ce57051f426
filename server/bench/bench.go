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
// that were measured together, best with the floor (Config.Floor) beside them.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"kamachat/shared/chat"
)

// The workloads.
const (
	Direct = "direct" // in each of Pairs pairs of people the first writes and the second reads
	Fanout = "fanout" // Members people in one group, of whom Senders write and all read
	Idle   = "idle"   // Members connections that do nothing
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
	Pairs    int           // Direct: how many; 0 means 100
	Members  int           // Fanout, Idle: how many; 0 means 100
	Senders  int           // Fanout: how many members write; 0 means all
	InFlight int           // posts that one writer may have unacknowledged; 0 means 1
	Rate     float64       // posts per second of all writers together, an open loop; 0 means a closed one
	Duration time.Duration // how long to write; 0 means 10 s
	Floor    bool          // measure a relay inside this process that stores nothing, instead of URL
	JSON     bool          // print the report as JSON instead of a table
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
	if c.Floor {
		f, err := startFloor(nil)
		if err != nil {
			return Report{}, err
		}
		defer f.close()
		c.URL, c.People = f.url, nil
	}
	r, err := newRun(ctx, c)
	if err != nil {
		return Report{}, err
	}
	defer r.close()
	rep, err := r.measure(ctx)
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
	if c.Duration == 0 {
		c.Duration = 10 * time.Second
	}
	switch {
	case c.Workload != Direct && c.Workload != Fanout && c.Workload != Idle:
		return c, fmt.Errorf("no workload %q: want %s, %s or %s", c.Workload, Direct, Fanout, Idle)
	case c.Pairs < 0 || c.Members < 0 || c.Senders < 0 || c.InFlight < 0 || c.Rate < 0 || c.Duration < 0:
		return c, errors.New("a number is negative")
	case c.Workload == Fanout && c.Senders > c.Members:
		return c, fmt.Errorf("%d senders of %d members", c.Senders, c.Members)
	}
	return c, nil
}

// people is how many accounts c needs.
func (c Config) people() int {
	switch c.Workload {
	case Direct:
		return 2 * c.Pairs
	case Fanout:
		return c.Members
	}
	return min(c.Members, max(len(c.People), 1)) // idle: connections may share accounts
}
