package redis_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kamachat/server/inproc"
	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// BenchmarkFanout brings entries of 128 bytes in batches of 32 to this node
// alone, in memory and with a Redis that nobody else listens to, and to a second
// node. cpu-µs is the time on processors of all together.
func BenchmarkFanout(b *testing.B) {
	url := servicetest.Redis(b).URL()
	open := func(b *testing.B) room.Fanout {
		c, err := redis.Open(b.Context(), redis.Config{URL: url})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		return redis.NewFanout(c, inproc.NewFanout(4096), 4096)
	}
	b.Run("alone", func(b *testing.B) { fan(b, inproc.NewFanout(4096), nil) })
	b.Run("redis", func(b *testing.B) { fan(b, open(b), nil) })
	b.Run("two nodes", func(b *testing.B) { fan(b, open(b), open(b)) })
}

func fan(b *testing.B, near, far room.Fanout) {
	ctx, stop := context.WithCancel(b.Context())
	var here, there atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() { _ = near.Run(ctx, func(wire.Event) { here.Add(1) }) })
	if far != nil {
		wg.Go(func() { _ = far.Run(ctx, func(wire.Event) { there.Add(1) }) })
	}
	defer wg.Wait()
	defer stop()
	all := int64(b.N+31) / 32 * 32
	if far != nil {
		for there.Load() == 0 { // until the nodes have met
			if err := near.Publish(ctx, wire.Event{Conv: "Ga", Frame: wire.Frame{Body: wire.Typing{Conv: "Ga"}}}); err != nil {
				b.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		here.Store(0)
		there.Store(0)
	}
	before := cpu(b)
	b.ResetTimer()
	text := strings.Repeat("x", 128)
	for n := 0; n < b.N; {
		var es []wire.Event
		for range 32 {
			n++
			conv := chat.ConvID(fmt.Sprint("G", n%200))
			m := chat.Message{ID: int64(n), Conv: conv, Seq: int64(n/200 + 1), Author: "Ua", At: 5, Content: chat.TextContent(text)}
			es = append(es, wire.Event{Conv: conv, Author: "Ua", Ref: "r", Frame: wire.Frame{Body: wire.Posted{Message: m}}})
		}
		if err := near.Publish(ctx, es...); err != nil {
			b.Fatal(err)
		}
	}
	for here.Load() < all || far != nil && there.Load() < all {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(all), "cpu-µs")
}
