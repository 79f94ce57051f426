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

// BenchmarkFanout brings entries of 128 bytes in batches of 32, into 200 groups or
// between 200 pairs, to this node alone, in memory and with a Redis that nobody
// else listens to, and to a second node that hears or does not. cpu-µs is the
// time on processors of all together.
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
	group := func(n int) chat.ConvID { return chat.ConvID(fmt.Sprint("G", n)) }
	pair := func(n int) chat.ConvID {
		return chat.Direct(chat.UserID(fmt.Sprint("Ux", n)), chat.UserID(fmt.Sprint("Uy", n)))
	}
	var groups, people []string
	for n := range 200 {
		x, y, _ := pair(n).Pair()
		groups, people = append(groups, string(group(n))), append(people, string(x), string(y))
	}
	b.Run("alone", func(b *testing.B) { fan(b, group, inproc.NewFanout(4096), nil) })
	b.Run("redis", func(b *testing.B) { fan(b, group, open(b), nil, groups...) })
	b.Run("groups/heard", func(b *testing.B) { fan(b, group, open(b), open(b), groups...) })
	b.Run("groups/not heard", func(b *testing.B) { fan(b, group, open(b), open(b)) })
	b.Run("pairs/heard", func(b *testing.B) { fan(b, pair, open(b), open(b), people...) })
	b.Run("pairs/one heard", func(b *testing.B) { fan(b, pair, open(b), open(b), people[:200]...) })
	b.Run("pairs/not heard", func(b *testing.B) { fan(b, pair, open(b), open(b)) })
}

// fan has near tell n events, and far hear those of ids.
func fan(b *testing.B, conv func(int) chat.ConvID, near, far room.Fanout, ids ...string) {
	ctx, stop := context.WithCancel(b.Context())
	var here, there atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() { _ = near.Run(ctx, func(wire.Event) { here.Add(1) }) })
	f, ok := near.(*redis.Fanout)
	if ok {
		f.HearSoon(ids...)
	}
	if far != nil {
		wg.Go(func() { _ = far.Run(ctx, func(wire.Event) { there.Add(1) }) })
		far.(*redis.Fanout).HearSoon(append(ids, "Gmeet")...)
	}
	defer wg.Wait()
	defer stop()
	all := int64(b.N+31) / 32 * 32
	if far != nil {
		for there.Load() == 0 { // until the nodes have met
			if err := near.Publish(ctx, wire.Event{Conv: "Gmeet", Frame: wire.Frame{Body: wire.Typing{Conv: "Gmeet"}}}); err != nil {
				b.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		far.(*redis.Fanout).Hear(ctx, ids...)
		here.Store(0)
		there.Store(0)
	}
	asked := map[string]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	var want int64
	before := cpu(b)
	b.ResetTimer()
	text := strings.Repeat("x", 128)
	for n := 0; n < b.N; {
		var es []wire.Event
		for range 32 {
			n++
			conv := conv(n % 200)
			if x, y, _ := conv.Pair(); asked[string(conv)] || asked[string(x)] || asked[string(y)] {
				want++
			}
			m := chat.Message{ID: int64(n), Conv: conv, Seq: int64(n/200 + 1), Author: "Ua", At: 5, Content: chat.TextContent(text)}
			es = append(es, wire.Event{Conv: conv, Author: "Ua", Ref: "r", Frame: wire.Frame{Body: wire.Posted{Message: m}}})
		}
		if err := near.Publish(ctx, es...); err != nil {
			b.Fatal(err)
		}
		for ok && f.Len() > 2048 || far != nil && want-there.Load() > 20_000 { // or some would be dropped, here or by Redis
			time.Sleep(100 * time.Microsecond)
		}
	}
	for here.Load() < all || far != nil && there.Load() < want {
		time.Sleep(time.Millisecond)
	}
	for ok && f.Len() > 0 { // until all is told
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(all), "cpu-µs")
}
