package main

import (
	"context"
	"log/slog"
	"time"

	"kamachat/server/config"
	"kamachat/server/inproc"
	"kamachat/server/kafka"
	"kamachat/server/monitor"
	"kamachat/server/room"
)

// wordWithin is how long a node waits for word of a post that another node
// commits, until it asks the database.
const wordWithin = 2 * time.Second

// A carrier is what brings posts to the commit, by --mode.
type carrier struct {
	room.Carrier
	Len          func() int    // posts that wait on this node
	AnswerWithin time.Duration // 0: this node commits what it carries
	Kafka        *kafka.Carrier
	Close        func()
}

// openCarrier chooses, once, how posts travel. lanes is how many commits there are at once.
func openCarrier(ctx context.Context, cfg config.Config, epoch string, lanes int, log *slog.Logger) (*carrier, error) {
	if cfg.Mode == "channel" {
		c := inproc.NewCarrier(queue, lanes)
		return &carrier{Carrier: c, Len: c.Len, Close: func() {}}, nil
	}
	k, err := kafka.Open(ctx, kafka.Config{
		Brokers: cfg.Kafka, Topic: cfg.Topic, Node: cfg.Node, Partitions: cfg.Partitions, Replication: cfg.Replication,
		Lanes: lanes, Queue: queue, Epoch: epoch, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &carrier{Carrier: k, Len: k.Len, AnswerWithin: wordWithin, Kafka: k, Close: k.Close}, nil
}

// kafkaSource is what the monitor is told of Kafka, or nil without.
func (c *carrier) kafkaSource() func() monitor.Kafka {
	if c.Kafka == nil {
		return nil
	}
	return func() monitor.Kafka {
		s := c.Kafka.Stats()
		return monitor.Kafka{
			Carried: s.Carried, Refused: s.Refused, Committed: s.Committed, Dead: s.Dead, Lost: s.Lost,
			Rebalances: s.Rebalances, Partitions: s.Partitions, Lag: s.Lag,
		}
	}
}
