// Package kafka is Kafka mode: a carrier by way of a topic that all nodes share.
//
// A post is a record, its conversation the key. Who holds a partition commits
// its conversations, in the partition's order: first to the database, then the
// offset. A node that lost its partition without knowing may still commit what
// it had read; so may a new owner, which begins at the last offset. Both follow
// the same order and the database knows each post by its Ref, so what is stored
// is always a beginning of the partition. See docs/decisions/023-kafka.md.
//
// What can't be read goes to a second topic, "….dead", with the reason.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kamachat/shared/chat"
)

const (
	// deliverWithin is how long a post waits for the brokers until its author is
	// asked to try again.
	deliverWithin = 5 * time.Second
	// sessionTimeout is after how long without a sign of it a node's partitions
	// go to others. Brokers allow no less by default.
	sessionTimeout = 6 * time.Second
	// heartbeat is how often a node shows a sign, and hears whether partitions are to change hands.
	heartbeat = 300 * time.Millisecond
	// openWithin bounds the wait for the brokers at start.
	openWithin = 30 * time.Second
)

// A Config says where the topic is and who reads it.
type Config struct {
	Brokers     []string // host:port
	Topic       string
	Group       string // of the nodes that commit; empty: made from Topic
	Node        int    // this node's number, different for each
	Partitions  int32  // of a topic that has to be made
	Replication int16  // of the same; 0: three, or as many as there are brokers
	Lanes       int    // commits at once, at least 1
	Queue       int    // posts of this node that the brokers have not confirmed, at most
	Epoch       string // of the database: what was posted in another is put aside; empty: not known
	Log         *slog.Logger
	Now         func() time.Time // nil: time.Now
}

// A Carrier is room.Carrier over a Kafka topic. Close it after Run has ended.
type Carrier struct {
	c     Config
	out   *kgo.Client
	flows atomic.Pointer[flow] // what Run works with, while it does
	stats counters
	lost  func(chat.Draft, error)
	busy  atomic.Int64 // when it was last logged that brokers are away, Unix seconds
}

// Open connects to the brokers and makes the topics where they are missing.
func Open(ctx context.Context, c Config) (*Carrier, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Lanes = max(1, c.Lanes)
	k := &Carrier{c: c}
	out, err := kgo.NewClient(append(k.common(),
		kgo.DefaultProduceTopic(c.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()), // and idempotent, which is the default
		kgo.ProducerLinger(0),              // what queues up while a request is under way goes together
		kgo.MaxBufferedRecords(c.Queue),
		kgo.RecordDeliveryTimeout(deliverWithin),
		kgo.ProduceRequestTimeout(3*time.Second),
		kgo.RequestTimeoutOverhead(3*time.Second),            // a broker that hangs is known by then
		kgo.AllowIdempotentProduceCancellation(),             // what the brokers get twice is stored once
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // as all Kafka clients place a key
	)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	k.out = out
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := k.makeTopics(ctx); err != nil {
		out.Close()
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return k, nil
}

// Close lets go of the brokers.
func (k *Carrier) Close() { k.out.Close() }

// common is what both clients, of the producer and of the consumer, are made with.
func (k *Carrier) common() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(k.c.Brokers...),
		kgo.ClientID("kamachat"),
		kgo.WithLogger(logger{k.c.Log}),
		kgo.DialTimeout(3 * time.Second),
		kgo.MetadataMinAge(250 * time.Millisecond), // a new leader is looked for soon
		kgo.MetadataMaxAge(30 * time.Second),
		kgo.RetryTimeout(15 * time.Second),
		kgo.RetryBackoffFn(func(tries int) time.Duration { return min(time.Second, 50*time.Millisecond<<min(tries, 5)) }),
	}
}

// dead is the topic for what can't be read.
func (k *Carrier) dead() string { return k.c.Topic + ".dead" }

// makeTopics makes the topics where they are missing, and waits until they can be written.
func (k *Carrier) makeTopics(ctx context.Context) error {
	admin := kadm.NewClient(k.out)
	replication := k.c.Replication
	if replication == 0 {
		brokers, err := admin.ListBrokers(ctx)
		if err != nil {
			return fmt.Errorf("list brokers: %w", err)
		}
		replication = int16(min(3, len(brokers)))
	}
	// What two of three brokers have survives the third.
	in := map[string]*string{}
	if replication >= 3 {
		two := "2"
		in["min.insync.replicas"] = &two
	}
	for _, t := range []struct {
		name string
		n    int32
	}{{k.c.Topic, k.c.Partitions}, {k.dead(), 1}} {
		_, err := admin.CreateTopic(ctx, t.n, replication, in, t.name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("make topic %s: %w", t.name, err)
		}
	}
	for {
		topics, err := admin.ListTopics(ctx, k.c.Topic, k.dead())
		if err == nil && topics.Error() == nil && led(topics) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topic %s: %w", k.c.Topic, errors.Join(ctx.Err(), err, topics.Error()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// led reports whether all partitions have a leader.
func led(topics kadm.TopicDetails) bool {
	for _, t := range topics {
		for _, p := range t.Partitions {
			if p.Leader < 0 {
				return false
			}
		}
	}
	return true
}

// A logger passes the client's warnings on.
type logger struct{ log *slog.Logger }

func (logger) Level() kgo.LogLevel { return kgo.LogLevelWarn }

func (l logger) Log(level kgo.LogLevel, msg string, args ...any) {
	at := slog.LevelWarn
	if level == kgo.LogLevelError {
		at = slog.LevelError
	}
	l.log.Log(context.Background(), at, "kafka: "+msg, args...)
}

// Stats are counts since Open.
type Stats struct {
	Carried    int64 // posts that the brokers confirmed
	Refused    int64 // posts that they did not take in time
	Committed  int64 // records read, stored and done with
	Dead       int64 // records that could not be read, put aside
	Lost       int64 // of these, those that could not be put aside either
	Rebalances int64 // changes of who holds which partition
	Partitions int   // held by this node
	Lag        int64 // records of these partitions that are not done with
	Waiting    int   // of the lag, records that were read
}

type counters struct {
	carried, refused, committed, dead, lost, rebalances atomic.Int64

	took []func(time.Duration) // does not change once Run has begun
}

// OnCommitted has f told how long each record took from its author's node to
// the database, by the clocks of both. f returns at once. Call it before Run.
func (k *Carrier) OnCommitted(f func(time.Duration)) {
	k.stats.took = append(k.stats.took, f)
}

// OnLost has f told of posts that the brokers did not take, and what to say to
// their authors. f does not wait for long. Call it before the first Carry.
func (k *Carrier) OnLost(f func(d chat.Draft, err error)) { k.lost = f }

// Stats returns the counts.
func (k *Carrier) Stats() Stats {
	s := Stats{
		Carried: k.stats.carried.Load(), Refused: k.stats.refused.Load(), Committed: k.stats.committed.Load(),
		Dead: k.stats.dead.Load(), Lost: k.stats.lost.Load(), Rebalances: k.stats.rebalances.Load(),
	}
	if f := k.flows.Load(); f != nil {
		s.Partitions, s.Waiting, s.Lag = f.count()
	}
	return s
}

// Len is how many posts of this node wait for the brokers.
func (k *Carrier) Len() int { return int(k.out.BufferedProduceRecords()) }
