package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kamachat/shared/chat"
)

const (
	// most is how many records of a partition may wait here until it is paused,
	// and few at how many it goes on.
	most, few = 2000, 500
	// leaveWithin bounds the goodbye to the brokers.
	leaveWithin = 3 * time.Second
	// waitWithin is how long a partition that goes to another node waits for the
	// commit under way. A commit that comes later does no harm, as the package
	// comment says.
	waitWithin = 10 * time.Second
)

// group names the readers: all nodes are one.
func (k *Carrier) group() string { return cmp.Or(k.c.Group, k.c.Topic+".commit") }

func (k *Carrier) instance() string { return fmt.Sprint("node-", k.c.Node) }

// Run hands what is carried, by any node, to commit until ctx ends: those
// partitions that this node holds, each in its order, a batch of up to 256 for
// each lane at a time. A batch that fails is handed over again after a pause
// that grows to 2 s. What is not committed when ctx ends stays in the topic, for
// another node or the next Run.
func (k *Carrier) Run(ctx context.Context, commit func(context.Context, []chat.Draft) error) error {
	f := newFlow(k, commit)
	in, err := kgo.NewClient(append(k.common(),
		kgo.ConsumerGroup(k.group()),
		kgo.ConsumeTopics(k.c.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // a group that is new has missed nothing
		kgo.InstanceID(k.instance()),                      // a node that is back at once finds its partitions
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.RebalanceTimeout(30*time.Second),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.BlockRebalanceOnPoll(), // so that what is polled is of partitions that are held
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(time.Second),
		kgo.FetchMaxWait(2*time.Second),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, ps map[string][]int32) { f.assigned(ps[k.c.Topic]) }),
		kgo.OnPartitionsRevoked(func(ctx context.Context, in *kgo.Client, ps map[string][]int32) {
			f.gone(ctx, ps[k.c.Topic])
			if err := in.CommitMarkedOffsets(ctx); err != nil {
				k.c.Log.Warn("offsets not committed; what follows them is read once more", "err", err)
			}
		}),
		kgo.OnPartitionsLost(func(ctx context.Context, _ *kgo.Client, ps map[string][]int32) { f.gone(ctx, ps[k.c.Topic]) }),
	)...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	f.in = in
	k.flows.Store(f)
	defer k.flows.Store(nil)
	var lanes sync.WaitGroup
	for i := range k.c.Lanes {
		lanes.Go(func() { f.lane(ctx, i) })
	}
	err = f.poll(ctx)
	lanes.Wait()
	k.leave(ctx, in)
	return err
}

// poll brings records to the lanes until ctx ends.
func (f *flow) poll(ctx context.Context) error {
	for {
		fetched := f.in.PollRecords(ctx, 1000)
		if ctx.Err() != nil {
			f.in.AllowRebalance()
			return nil
		}
		var fenced error
		fetched.EachError(func(topic string, p int32, err error) {
			if errors.Is(err, kgo.ErrClientClosed) || isFenced(err) {
				fenced = err
				return
			}
			f.k.c.Log.Warn("Kafka can't be read, will be tried again", "topic", topic, "partition", p, "err", err)
		})
		fetched.EachPartition(f.took)
		f.in.AllowRebalance()
		if fenced != nil {
			// Another process has this node's number. It commits; we would fight for the partitions.
			f.k.c.Log.Error("another node has this --node; this one commits no more until it is started again", "err", fenced)
			<-ctx.Done()
			return nil
		}
	}
}

// leave ends the membership, so that others need not wait for the session to
// time out: a static member would otherwise keep its partitions that long.
func (k *Carrier) leave(ctx context.Context, in *kgo.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	if err := in.CommitMarkedOffsets(ctx); err != nil {
		k.c.Log.Warn("offsets not committed; what follows them is read once more", "err", err)
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = k.group()
	id := k.instance()
	m := kmsg.NewLeaveGroupRequestMember()
	m.InstanceID = &id
	m.MemberID, _ = in.GroupMetadata()
	req.Members = append(req.Members, m)
	resp, err := req.RequestWith(ctx, in)
	for i := 0; err == nil && i < len(resp.Members); i++ {
		err = kerr.ErrorForCode(resp.Members[i].ErrorCode)
	}
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		k.c.Log.Warn("the group was not left; others take the partitions over a little later", "err", err)
	}
	in.CloseAllowingRebalance()
}
