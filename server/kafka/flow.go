package kafka

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kamachat/shared/chat"
)

// maxBatch is how many drafts one commit takes at most.
const maxBatch = 256

// A flow is one Run: the partitions held and what waits in them.
type flow struct {
	k      *Carrier
	in     *kgo.Client
	commit func(context.Context, []chat.Draft) error

	mu    sync.Mutex
	parts map[int32]*part // held by this node
	idle  *sync.Cond      // a lane has ended a commit
	moved []chan struct{} // for each lane: something may wait; holds one
}

// A part is a partition from when this node was given it until it is gone.
type part struct {
	id      int32
	known   bool  // something was fetched
	before  int64 // records below were in the topic when it was given: the owner before may have stored them and told nobody
	end     int64 // where the topic ends, as last seen
	next    int64 // behind the last that is done with
	waiting []entry
	busy    bool // a lane commits some of it
	paused  bool
}

// An entry is a record and what it says.
type entry struct {
	part   *part
	record *kgo.Record
	draft  chat.Draft
	bad    error // why it can't be read
}

func newFlow(k *Carrier, commit func(context.Context, []chat.Draft) error) *flow {
	f := &flow{k: k, commit: commit, parts: map[int32]*part{}, moved: make([]chan struct{}, k.c.Lanes)}
	f.idle = sync.NewCond(&f.mu)
	for i := range f.moved {
		f.moved[i] = make(chan struct{}, 1)
	}
	return f
}

// count returns the partitions held, the records that wait here, and the lag.
func (f *flow) count() (parts, waiting int, lag int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		waiting += len(p.waiting)
		if p.known {
			lag += max(0, p.end-p.next)
		}
	}
	return len(f.parts), waiting, lag
}

func (f *flow) assigned(ids []int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		f.parts[id] = &part{id: id}
	}
	if len(ids) > 0 {
		f.k.stats.rebalances.Add(1)
		f.k.c.Log.Info("Kafka partitions taken", "taken", len(ids), "held", len(f.parts))
	}
}

// gone lets go of partitions, and waits for the commits under way that have
// records of them.
func (f *flow) gone(ctx context.Context, ids []int32) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, waitWithin)
	defer cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	defer context.AfterFunc(ctx, func() {
		f.mu.Lock() // not between the look at ctx and the wait
		defer f.mu.Unlock()
		f.idle.Broadcast()
	})()
	var left []*part
	for _, id := range ids {
		if p := f.parts[id]; p != nil {
			p.waiting = nil
			left = append(left, p)
			delete(f.parts, id)
		}
	}
	for _, p := range left {
		for p.busy && ctx.Err() == nil {
			f.idle.Wait()
		}
	}
	f.k.stats.rebalances.Add(1)
	f.k.c.Log.Info("Kafka partitions given up", "given", len(ids), "held", len(f.parts))
}

// took queues what was fetched of a partition.
func (f *flow) took(fetched kgo.FetchTopicPartition) {
	entries := make([]entry, len(fetched.Records))
	for i, r := range fetched.Records {
		entries[i] = entry{record: r}
		entries[i].draft, entries[i].bad = decode(r, f.k.c.Epoch)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.parts[fetched.Partition]
	if p == nil {
		return
	}
	if !p.known && len(entries) > 0 {
		p.known, p.before, p.next = true, fetched.HighWatermark, entries[0].record.Offset
	}
	p.end = max(p.end, fetched.HighWatermark)
	for _, e := range entries {
		e.part = p
		e.draft.Doubt = e.record.Offset < p.before
		p.waiting = append(p.waiting, e)
	}
	if !p.paused && len(p.waiting) > most {
		p.paused = true
		f.in.PauseFetchPartitions(map[string][]int32{f.k.c.Topic: {p.id}})
	}
	if len(entries) > 0 {
		f.nudge(p)
	}
}

func (f *flow) nudge(p *part) {
	select {
	case f.moved[int(p.id)%len(f.moved)] <- struct{}{}:
	default:
	}
}

// lane commits the partitions of one lane until ctx ends, and then what was read of them.
func (f *flow) lane(ctx context.Context, lane int) {
	pause := time.Duration(0)
	for {
		select {
		case <-f.moved[lane]:
		case <-ctx.Done():
		}
		ending := ctx.Err() != nil
		for batch := f.take(lane); len(batch) > 0; batch = f.take(lane) {
			err := f.store(ctx, batch)
			f.done(batch, err)
			if err == nil {
				pause = 0
				continue
			}
			if ending {
				return // others will, or the next Run
			}
			pause = min(max(10*time.Millisecond, 2*pause), 2*time.Second)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				ending = true
			}
		}
		if ending {
			return
		}
	}
}

// take takes the next batch out of the partitions of a lane, each in its order.
func (f *flow) take(lane int) []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	var batch []entry
	for id, p := range f.parts { // in another order each time
		if int(id)%len(f.moved) != lane || len(p.waiting) == 0 {
			continue
		}
		n := min(maxBatch-len(batch), len(p.waiting))
		batch = append(batch, p.waiting[:n]...)
		p.waiting = append(p.waiting[:0:0], p.waiting[n:]...)
		p.busy = p.busy || n > 0
		if p.paused && len(p.waiting) < few {
			p.paused = false
			f.in.ResumeFetchPartitions(map[string][]int32{f.k.c.Topic: {id}})
		}
	}
	return batch
}

// store commits a batch, and puts aside what can't be read.
func (f *flow) store(ctx context.Context, batch []entry) error {
	ctx = context.WithoutCancel(ctx)
	drafts := make([]chat.Draft, 0, len(batch))
	for _, e := range batch {
		if e.bad == nil {
			drafts = append(drafts, e.draft)
		}
	}
	if len(drafts) > 0 {
		if err := f.commit(ctx, drafts); err != nil {
			return err
		}
	}
	for _, e := range batch {
		if e.bad != nil {
			f.k.bury(ctx, e)
		}
	}
	return nil
}

// done marks a batch as done with, or puts it back in front.
func (f *flow) done(batch []entry, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := map[*part]*kgo.Record{}
	back := map[*part][]entry{}
	for _, e := range batch {
		e.part.busy = false
		last[e.part] = e.record
		if err != nil {
			back[e.part] = append(back[e.part], e)
		}
	}
	f.idle.Broadcast()
	if err != nil {
		for p, es := range back {
			if f.parts[p.id] == p {
				p.waiting = append(es, p.waiting...)
			}
		}
		return
	}
	for p, r := range last {
		p.next = r.Offset + 1
		if f.parts[p.id] == p {
			f.in.MarkCommitRecords(r)
		}
	}
	f.k.noteCommitted(batch)
}

func (k *Carrier) noteCommitted(batch []entry) {
	k.stats.committed.Add(int64(len(batch)))
	now := k.c.Now()
	for _, f := range k.stats.took {
		for _, e := range batch {
			f(now.Sub(e.record.Timestamp))
		}
	}
}

// bury puts a record that can't be read aside. Where even that fails, it is in
// the log, and its partition goes on.
func (k *Carrier) bury(ctx context.Context, e entry) {
	k.stats.dead.Add(1)
	r := e.record
	k.c.Log.Error("a record can't be read and is put aside", "partition", r.Partition, "offset", r.Offset, "err", e.bad)
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	err := k.out.ProduceSync(ctx, &kgo.Record{
		Topic: k.dead(), Key: r.Key, Value: r.Value,
		Headers: append(r.Headers,
			kgo.RecordHeader{Key: "reason", Value: []byte(e.bad.Error())},
			kgo.RecordHeader{Key: "partition", Value: []byte(strconv.Itoa(int(r.Partition)))},
			kgo.RecordHeader{Key: "offset", Value: []byte(strconv.FormatInt(r.Offset, 10))},
		),
	}).FirstErr()
	if err != nil {
		k.stats.lost.Add(1)
		k.c.Log.Error("it can't be put aside, either", "partition", r.Partition, "offset", r.Offset, "bytes", len(r.Value), "err", err)
	}
}

func isFenced(err error) bool { return errors.Is(err, kerr.FencedInstanceID) }
