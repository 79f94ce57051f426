package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
)

// A cluster is where tests run: in this process, or a real broker.
type cluster struct {
	name    string
	brokers []string
}

var topics atomic.Int64

// open returns a node on a topic; "" makes a new one.
func (c cluster) open(t testing.TB, topic string, node int) *Carrier {
	t.Helper()
	if topic == "" {
		topic = fmt.Sprint("posts", topics.Add(1))
	}
	k, err := Open(t.Context(), Config{
		Brokers: c.brokers, Topic: topic, Node: node, Partitions: 4, Replication: 1, Lanes: 2, Queue: 2000, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// on runs a test with brokers in this process and with a real one.
func on(t *testing.T, test func(t *testing.T, c cluster)) {
	t.Run("kfake", func(t *testing.T) {
		c, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		test(t, cluster{"kfake", c.ListenAddrs()})
	})
	t.Run("kafka", func(t *testing.T) {
		test(t, cluster{"kafka", servicetest.Addrs(servicetest.Kafka(t, 1))})
	})
}

func TestCarrier(t *testing.T) {
	on(t, func(t *testing.T, c cluster) {
		roomtest.Carrier(t, func(t *testing.T) room.Carrier { return c.open(t, "", 1) })
	})
}

// A log is a database as far as carriers see it: posts by Ref, once, in the
// order in which they came first.
type log struct {
	mu   sync.Mutex
	of   map[chat.ConvID][]string
	have map[string]bool
	n    int
	told map[string]int // how often all were told
	more chan struct{}  // closed and renewed with each commit
}

func newLog() *log {
	return &log{of: map[chat.ConvID][]string{}, have: map[string]bool{}, told: map[string]int{}, more: make(chan struct{})}
}

func (l *log) commit(_ context.Context, ds []chat.Draft) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range ds {
		again := l.have[d.Ref]
		if !again {
			l.have[d.Ref] = true
			l.of[d.Conv] = append(l.of[d.Conv], d.Ref)
			l.n++
		}
		if !again || d.Doubt {
			l.told[d.Ref]++
		}
	}
	close(l.more)
	l.more = make(chan struct{})
	return nil
}

// until waits until n posts are stored.
func (l *log) until(t *testing.T, n int) {
	t.Helper()
	for {
		l.mu.Lock()
		have, more := l.n, l.more
		l.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-more:
		case <-time.After(time.Minute):
			t.Fatalf("%d of %d are stored", have, n)
		}
	}
}

// ordered fails the test unless each conversation has its posts 0 to each-1 in order.
func (l *log) ordered(t *testing.T, convs, each int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range convs {
		conv := conv(i)
		got := l.of[conv]
		for j := range each {
			if j >= len(got) || got[j] != ref(conv, j) {
				t.Fatalf("%s: %d posts, %d of them in order", conv, len(got), j)
			}
		}
	}
}

func conv(i int) chat.ConvID { return chat.ConvID(fmt.Sprint("G", i)) }

func ref(conv chat.ConvID, j int) string { return fmt.Sprintf("%s.%d", conv, j) }

func draft(conv chat.ConvID, ref string) chat.Draft {
	return chat.Draft{Conv: conv, Author: "Ua", Ref: ref, Content: chat.TextContent("x")}
}

// carried carries d, and returns nil once the brokers have it.
func carried(ctx context.Context, k *Carrier, d chat.Draft) error {
	done := make(chan error, 1)
	if err := k.carry(ctx, d, func(err error) { done <- err }); err != nil {
		return err
	}
	return <-done
}

// write carries each posts to each of convs conversations, by turns over nodes, again where they are busy.
func write(t *testing.T, convs, each int, nodes ...*Carrier) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range convs {
		wg.Go(func() {
			for j := range each {
				d := draft(conv(i), ref(conv(i), j))
				for carried(t.Context(), nodes[(i+j)%len(nodes)], d) != nil {
				}
			}
		})
	}
	wg.Wait()
}

// start runs k until the returned function is called.
func start(t *testing.T, k *Carrier, commit func(context.Context, []chat.Draft) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := k.Run(ctx, commit); err != nil {
			t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func TestNodesShareTheWorkAndTakeOver(t *testing.T) {
	on(t, func(t *testing.T, c cluster) {
		const convs, each = 40, 60
		a := c.open(t, "", 1)
		b, d := c.open(t, a.c.Topic, 2), c.open(t, a.c.Topic, 3)
		db := newLog()
		start(t, a, db.commit)
		stop := start(t, b, db.commit)
		wrote := make(chan struct{})
		go func() { defer close(wrote); write(t, convs, each, a, b, d) }()
		db.until(t, convs*each/4)
		start(t, d, db.commit)
		db.until(t, convs*each/2)
		stop()
		<-wrote
		db.until(t, convs*each)
		db.ordered(t, convs, each)
		for a.Stats().Partitions+d.Stats().Partitions != 4 { // the nodes that are left hold all; the test's own time limit says that they don't
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// TestTwoOwnersMakeOneOrder: two groups each hold all partitions, as a node
// would that does not know that it has lost them.
func TestTwoOwnersMakeOneOrder(t *testing.T) {
	on(t, func(t *testing.T, c cluster) {
		const convs, each = 20, 50
		a := c.open(t, "", 1)
		b := c.open(t, a.c.Topic, 2)
		db := newLog()
		start(t, a, db.commit)
		second := &Carrier{c: b.c, out: b.out}
		second.c.Group = "another"
		start(t, second, db.commit)
		write(t, convs, each, a, b)
		db.until(t, convs*each)
		db.ordered(t, convs, each)
		for _, k := range []*Carrier{a, second} {
			for k.Stats().Committed < convs*each {
				time.Sleep(10 * time.Millisecond)
			}
		}
		db.ordered(t, convs, each)
	})
}

func TestWhatAnotherMayHaveStoredIsInDoubt(t *testing.T) {
	on(t, func(t *testing.T, c cluster) {
		a := c.open(t, "", 1)
		db := newLog()
		// The first owner stores them and is gone before the offsets are: here its
		// commit says that it failed.
		stop := start(t, a, func(ctx context.Context, ds []chat.Draft) error {
			_ = db.commit(ctx, ds)
			return errors.New("no answer")
		})
		for i := range 5 {
			if err := a.Carry(t.Context(), draft("Ga", fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		db.until(t, 5)
		stop()
		clear(db.told)
		b := c.open(t, a.c.Topic, 2)
		start(t, b, db.commit)
		for b.Stats().Committed < 5 {
			time.Sleep(10 * time.Millisecond)
		}
		// A post that is sent once more, later, is told to its author alone.
		if err := b.Carry(t.Context(), draft("Ga", "0")); err != nil {
			t.Fatal(err)
		}
		for b.Stats().Committed < 6 {
			time.Sleep(10 * time.Millisecond)
		}
		db.mu.Lock()
		defer db.mu.Unlock()
		for i := range 5 {
			if n := db.told[fmt.Sprint(i)]; n != 1 {
				t.Errorf("post %d was told %d times by the second owner, want once", i, n)
			}
		}
	})
}

func TestPoisonIsPutAside(t *testing.T) {
	on(t, func(t *testing.T, c cluster) {
		k := c.open(t, "", 1)
		good := func(ref string) *kgo.Record {
			r, err := encode(draft("Ga", ref), "")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		poison := map[string]*kgo.Record{
			"not JSON":               {Key: []byte("Ga"), Value: []byte("\x00rubbish")},
			"version 9":              {Key: []byte("Ga"), Value: []byte(strings.Replace(string(good("x").Value), `"v":1`, `"v":9`, 1))},
			"the key is not its":     {Key: []byte("Gb"), Value: good("x").Value},
			"no such author":         {Key: []byte("Ga"), Value: []byte(strings.Replace(string(good("x").Value), `"Ua"`, `"nobody"`, 1))},
			"the message is empty":   {Key: []byte("Ga"), Value: []byte(strings.Replace(string(good("x").Value), `"text":"x"`, `"text":" "`, 1))},
			"not an event of a conv": {Key: []byte("Ga"), Value: []byte(strings.Replace(string(good("x").Value), `{"k":"text","text":"x"}`, `{"k":"event"}`, 1))},
			"unexpected end of JSON": {Key: []byte("Ga"), Value: nil},
		}
		n := 0
		for _, r := range poison {
			if err := k.out.ProduceSync(t.Context(), good(fmt.Sprint(n)), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			n++
		}
		db := newLog()
		start(t, k, db.commit)
		db.until(t, n)
		for k.Stats().Committed < int64(2*n) {
			time.Sleep(10 * time.Millisecond)
		}
		if s := k.Stats(); s.Dead != int64(n) || s.Lost != 0 || s.Lag != 0 {
			t.Errorf("%+v, want %d dead and no lag", s, n)
		}
		in, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.ConsumeTopics(k.dead()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var reasons []string
		for len(reasons) < n {
			in.PollFetches(t.Context()).EachRecord(func(r *kgo.Record) {
				for _, h := range r.Headers {
					if h.Key == "reason" {
						reasons = append(reasons, string(h.Value))
					}
				}
			})
		}
		for want := range poison {
			if !slices.ContainsFunc(reasons, func(r string) bool { return strings.Contains(r, want) }) {
				t.Errorf("no dead record says %q: %q", want, reasons)
			}
		}
	})
}

func TestPostsAreRefusedWhileBrokersAreAway(t *testing.T) {
	brokers := servicetest.Kafka(t, 1)
	k := cluster{"kafka", servicetest.Addrs(brokers)}.open(t, "", 1)
	lost := make(chan error, 2*k.c.Queue)
	k.OnLost(func(_ chat.Draft, err error) { lost <- err })
	db := newLog()
	start(t, k, db.commit)
	write(t, 3, 10, k)
	db.until(t, 30)
	brokers[0].Kill()
	for i := range 20 {
		if err := k.Carry(t.Context(), draft("Gaway", fmt.Sprint("away", i))); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if r := chat.AsRefusal(<-lost); r.Code != chat.Busy || r.RetryAfter <= 0 {
			t.Errorf("without brokers it answers %v", r)
		}
	}
	// No more waits than the bound.
	for i := range 2 * k.c.Queue {
		err := k.Carry(t.Context(), draft("Gaway", fmt.Sprint("more", i)))
		if took := i < k.c.Queue; took != (err == nil) && i != k.c.Queue || err != nil && chat.AsRefusal(err).Code != chat.Busy {
			t.Fatalf("post %d: %v", i, err)
		}
	}
	brokers[0].Start()
	// What was refused is sent again, and stored once.
	for i := range 20 {
		for carried(t.Context(), k, draft("Gaway", fmt.Sprint("away", i))) != nil {
		}
	}
	db.until(t, 50)
	db.mu.Lock()
	defer db.mu.Unlock()
	seen := map[string]int{}
	for _, ref := range db.of["Gaway"] {
		seen[ref]++
	}
	for i := range 20 {
		if n := seen[fmt.Sprint("away", i)]; n != 1 {
			t.Errorf("post %d is stored %d times", i, n)
		}
	}
}

// TestOneOfThreeBrokersDies: with three replicas nothing is refused for longer than a moment, and nothing lost.
func TestOneOfThreeBrokersDies(t *testing.T) {
	brokers := servicetest.Kafka(t, 3)
	topic := fmt.Sprint("posts", topics.Add(1))
	var nodes []*Carrier
	db := newLog()
	for n := range 2 {
		k, err := Open(t.Context(), Config{
			Brokers: servicetest.Addrs(brokers), Topic: topic, Node: n, Partitions: 6, Replication: 3, Lanes: 2, Queue: 2000, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(k.Close)
		start(t, k, db.commit)
		nodes = append(nodes, k)
	}
	const convs, each = 30, 60
	wrote := make(chan struct{})
	go func() { defer close(wrote); write(t, convs, each, nodes...) }()
	db.until(t, convs*each/3)
	brokers[1].Kill()
	<-wrote
	db.until(t, convs*each)
	db.ordered(t, convs, each)
	details, err := kadm.NewClient(nodes[0].out).ListTopics(t.Context(), topic)
	if err != nil || len(details[topic].Partitions) != 6 {
		t.Errorf("%v, %v: want 6 partitions", details, err)
	}
}
