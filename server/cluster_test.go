package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A cluster is what docs/scaling.md describes, small: three server processes
// behind a balancer, brokers, MariaDB, and Redis at the end of a wire.
type cluster struct {
	t       *testing.T
	brokers []*servicetest.Service
	db      *servicetest.Service
	redis   *servicetest.Service
	wire    *front // to Redis
	nodes   []*process
	url     string // of the balancer
}

// newCluster starts one, with so many brokers.
func newCluster(t *testing.T, brokers int) *cluster {
	t.Helper()
	c := &cluster{t: t, brokers: servicetest.Kafka(t, brokers), db: servicetest.MariaDB(t), redis: servicetest.Redis(t)}
	c.wire = newFront(t, c.redis.Addr)
	db := c.db.Database()
	var addrs []string
	for n := range 3 {
		p := &process{t: t, data: t.TempDir(), flags: []string{
			"--mode", "kafka", "--kafka", strings.Join(servicetest.Addrs(c.brokers), ","), "--kafka-partitions", "12",
			"--db", db, "--redis", "redis://" + c.wire.addr(), "--node", fmt.Sprint(n + 1),
		}}
		p.start("127.0.0.1:0")
		t.Cleanup(func() { p.kill() })
		c.nodes = append(c.nodes, p)
		addrs = append(addrs, strings.TrimPrefix(p.url, "http://"))
	}
	c.url = "http://" + newFront(t, addrs...).addr()
	return c
}

// A fault breaks something, and mends it before it returns.
type fault struct {
	name string
	do   func()
}

// faults are all that a cluster has to survive, with what happens under each.
func (c *cluster) faults(r *rand.Rand) []fault {
	node := func() *process { return c.nodes[r.IntN(len(c.nodes))] }
	broker := func() *servicetest.Service { return c.brokers[r.IntN(len(c.brokers))] }
	return []fault{
		{"a node is killed, another takes over, it is added again", func() {
			p := node()
			p.kill()
			time.Sleep(2 * time.Second)
			p.again()
		}},
		{"a node ends in good order and comes back", func() {
			p := node()
			p.stop()
			p.again()
		}},
		{"a node hangs for longer than its partitions wait", func() {
			p := node()
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(9 * time.Second)
			_ = p.cmd.Process.Signal(syscall.SIGCONT)
		}},
		{"a broker is killed and started", func() { b := broker(); b.Kill(); time.Sleep(time.Second); b.Start() }},
		{"a broker is restarted", func() { b := broker(); b.Stop(); b.Start() }},
		{"Redis is restarted", func() { c.redis.Stop(); time.Sleep(time.Second); c.redis.Start() }},
		{"the wire to Redis is cut and healed", func() { c.wire.cut(); time.Sleep(4 * time.Second); c.wire.heal() }},
		{"MariaDB is restarted", func() { c.db.Stop(); time.Sleep(500 * time.Millisecond); c.db.Start() }},
		{"MariaDB is killed and started", func() { c.db.Kill(); time.Sleep(500 * time.Millisecond); c.db.Start() }},
	}
}

// stop ends p as a deployment does.
func (p *process) stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("a server told to end: %v", err)
	}
}

// oldest is for how long the text that waits longest has not been acknowledged.
func (c *crowd) oldest() (age time.Duration) {
	now := time.Now()
	for _, p := range c.people {
		p.Do(func(st *state.State) {
			for _, u := range st.Unsent() {
				age = max(age, now.Sub(time.UnixMilli(u.At)))
			}
		})
	}
	return age
}

// calm is how old the oldest text may be where nothing is wrong: on a busy
// machine acknowledgements take their time.
const calm = time.Second

// suffer does what f says and returns how long that took, and after how long
// from its beginning everybody's texts were acknowledged promptly again.
func (c *crowd) suffer(f fault) (lasted, recovered time.Duration) {
	c.t.Helper()
	began := time.Now()
	done := make(chan time.Duration, 1)
	go func() { f.do(); done <- time.Since(began) }()
	late := began // when a text was last seen to wait for long
	eventually(c.t, func() string { return fmt.Sprintf("%s: the oldest text waits for %v", f.name, c.oldest()) }, func() bool {
		if c.oldest() > calm {
			late = time.Now()
		}
		select {
		case lasted = <-done:
		default:
		}
		return lasted > 0 && time.Since(late) > 3*calm && time.Since(began) > lasted+calm
	})
	return lasted, late.Sub(began)
}

// TestClusterUnderFaults: people on three nodes write all the time, while one
// thing after the other breaks. In the end every text that was acknowledged is
// stored once, the logs have no gap, everybody sees what is stored, and nobody
// is stuck. `make cluster-test` does it at length.
func TestClusterUnderFaults(t *testing.T) {
	members, perSecond := rounds(t, "KAMACHAT_CLUSTER_PEOPLE", 12), rounds(t, "KAMACHAT_CLUSTER_RATE", 60)
	c := newCluster(t, rounds(t, "KAMACHAT_CLUSTER_BROKERS", 1))
	seed := uint64(rounds(t, "KAMACHAT_CLUSTER_SEED", int(time.Now().UnixNano()%1_000_000)))
	t.Logf("%d people, %d texts a second, seed %d", members, perSecond, seed)
	r := rand.New(rand.NewPCG(seed, 0))
	people := gather(t, c.url, members)
	people.write(perSecond, seed)
	began := time.Now()
	time.Sleep(2 * time.Second)
	faults := c.faults(r)
	if os.Getenv("KAMACHAT_CLUSTER_PEOPLE") == "" { // CI has no time for all: another choice with each run
		r.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		faults = faults[:4]
	}
	r.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	var table []string
	for _, f := range faults {
		before := people.acknowledged()
		lasted, recovered := people.suffer(f)
		table = append(table, fmt.Sprintf("| %s | %.1f s | %.1f s | %d |", f.name, lasted.Seconds(), recovered.Seconds(), people.acknowledged()-before))
		t.Log(table[len(table)-1])
	}
	for time.Since(began) < time.Duration(rounds(t, "KAMACHAT_CLUSTER_SECONDS", 0))*time.Second {
		time.Sleep(100 * time.Millisecond)
	}
	people.quiet()
	took := time.Since(began)
	total := people.settle(c.url)
	t.Logf("| fault | lasted | until all is prompt again | acknowledged meanwhile |\n|---|---|---|---|\n%s\n"+
		"%d texts in %.0f s by %d people: each stored once and in order, seen by all as stored", strings.Join(table, "\n"), total, took.Seconds(), members)
	if n := people.failed(); n > 0 {
		t.Errorf("%d texts were refused for good", n)
	}
	if total < people.asked()*6/10 {
		t.Errorf("%d of %d texts were written: that is no load", total, people.asked())
	}
}

// TestRollingRestart: each node in turn is told to end and comes back; no text
// fails, and those who write hardly notice.
func TestRollingRestart(t *testing.T) {
	members := rounds(t, "KAMACHAT_CLUSTER_PEOPLE", 12)
	c := newCluster(t, 1)
	people := gather(t, c.url, members)
	people.write(rounds(t, "KAMACHAT_CLUSTER_RATE", 60), 1)
	time.Sleep(time.Second)
	var ages []time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, p := range c.nodes {
			p.stop()
			p.again()
			time.Sleep(3 * time.Second)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(20 * time.Millisecond):
		}
		ages = append(ages, people.oldest())
		if n := people.failed(); n > 0 {
			t.Fatalf("%d texts were refused for good", n)
		}
	}
	people.quiet()
	total := people.settle(c.url)
	slices.Sort(ages)
	t.Logf("three nodes restarted under %d texts: the oldest text not acknowledged, looked at every 20 ms: p50 %v, p99 %v, at most %v",
		total, ages[len(ages)/2].Round(time.Millisecond), ages[len(ages)*99/100].Round(time.Millisecond), ages[len(ages)-1].Round(time.Millisecond))
}

// TestSeedsClientsChatAcrossNodes: in Kafka mode the seed's clients on
// different nodes write to each other, and sign out.
func TestSeedsClientsChatAcrossNodes(t *testing.T) {
	c := newCluster(t, 1)
	a, b := join(t, c.nodes[0].url, "ann"), join(t, c.nodes[1].url, "bob")
	x, y := seedConnect(t, c.nodes[0].url, "/ws", a), seedConnect(t, c.nodes[2].url, "/wss", b)
	for i := range 50 {
		x.sendJSON(x.message(1, string(b.ID), fmt.Sprint("ann ", i)))
	}
	for i := range 50 {
		for _, end := range []*seedClient{x, y} {
			if f := end.gets(a, string(b.ID)); f.Content != fmt.Sprint("ann ", i) {
				t.Fatalf("%s got %q, want %d", end.Username, f.Content, i)
			}
		}
	}
	y.sendJSON(y.message(1, string(a.ID), "bye"))
	for _, end := range []*seedClient{x, y} {
		if f := end.gets(b, string(a.ID)); f.Content != "bye" {
			t.Errorf("%s got %q", end.Username, f.Content)
		}
	}
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", c.nodes[1].url+"/api/v1/groups", b.token, map[string]any{"name": "both", "members": []chat.UserID{a.ID}}, &made)
	x.sendJSON(x.message(1, string(made.Group.ID), "to all"))
	for _, end := range []*seedClient{x, y} {
		if f := end.gets(a, string(made.Group.ID)); f.Content != "to all" {
			t.Errorf("%s got %q", end.Username, f.Content)
		}
	}
	signOut(t, c.nodes[1].url, a.token)
	for { // until the socket ends; the test's own time limit says that it does not
		if _, _, err := x.ws.Read(t.Context()); err != nil {
			break
		}
	}
}

// TestChannelBecomesKafkaByARestart: people who are connected keep their
// conversations, without a gap.
func TestChannelBecomesKafkaByARestart(t *testing.T) {
	brokers, db, redis := servicetest.Kafka(t, 1), servicetest.MariaDB(t).Database(), servicetest.Redis(t)
	p := &process{t: t, data: t.TempDir(), flags: []string{"--db", db, "--redis", redis.URL(), "--node", "1"}}
	p.start("127.0.0.1:0")
	t.Cleanup(func() { p.kill() })
	people := gather(t, p.url, 8)
	people.write(100, 1)
	time.Sleep(2 * time.Second)
	p.stop()
	p.flags = append(p.flags, "--mode", "kafka", "--kafka", brokers[0].Addr)
	p.again()
	time.Sleep(2 * time.Second)
	// And back, while they write.
	p.stop()
	p.flags = p.flags[:6]
	p.again()
	time.Sleep(2 * time.Second)
	people.quiet()
	if n := people.settle(p.url); n < 200 {
		t.Errorf("%d texts: that is no load", n)
	}
}

func TestKafkaThatIsNotThereEndsTheStart(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	err = run(t.Context(), []string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--mode", "kafka", "--kafka", addr}, noEnv, t.Output(), t.Output())
	if err == nil || !strings.Contains(err.Error(), "kafka") {
		t.Errorf("it ended with %v", err)
	}
}
