package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kamachat/shared/chat"
)

// Carry queues d for the brokers, behind what this node gave them of its
// conversation. When too much waits for them it refuses with chat.Busy. What
// they don't take in time is told to OnLost, with all of the same partition
// that was queued behind it, so that nothing overtakes it.
func (k *Carrier) Carry(ctx context.Context, d chat.Draft) error {
	return k.carry(ctx, d, func(err error) {
		if err != nil && k.lost != nil {
			k.lost(d, busy)
		}
	})
}

// busy is what the author of a post is told that could not be carried.
var busy = &chat.Refusal{Code: chat.Busy, Words: "messages can't be taken at the moment", RetryAfter: time.Second}

// carry is Carry that tells done, once and from another goroutine, whether all
// replicas in step have d. After an error they may have it all the same; it is
// stored once, however often it is carried.
func (k *Carrier) carry(ctx context.Context, d chat.Draft, done func(error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := encode(d, k.c.Epoch)
	if err != nil {
		return chat.Refuse(chat.Invalid, "the content can't be carried")
	}
	if k.out.BufferedProduceRecords() >= int64(k.c.Queue) {
		k.noteRefused(kgo.ErrMaxBuffered)
		return busy
	}
	// Whether the author waits makes no difference to a record on its way.
	k.out.TryProduce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) {
		if err == nil {
			k.stats.carried.Add(1)
		} else {
			k.noteRefused(err)
		}
		done(err)
	})
	return nil
}

// noteRefused counts a post that was not taken, and now and then says why.
func (k *Carrier) noteRefused(err error) {
	k.stats.refused.Add(1)
	if now := k.c.Now().Unix(); k.busy.Swap(now) < now-10 { // not once for each post
		k.c.Log.Error("Kafka does not take posts", "err", err, "waiting", k.Len())
	}
}
