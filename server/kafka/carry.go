package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kamachat/shared/chat"
)

// Carry returns nil once the brokers have d: all replicas that are in step. When
// too much waits for them, or they do not answer in time, it refuses with
// chat.Busy. d may reach commit all the same then, and is stored once however
// often it is carried.
func (k *Carrier) Carry(ctx context.Context, d chat.Draft) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := encode(d)
	if err != nil {
		return chat.Refuse(chat.Invalid, "the content can't be carried")
	}
	done := make(chan error, 1)
	// Whether the author waits makes no difference to a record on its way.
	k.out.TryProduce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) { done <- err })
	late := time.NewTimer(carryWithin)
	defer late.Stop()
	select {
	case err = <-done:
	case <-late.C:
		err = errors.New("no answer from the brokers")
	case <-ctx.Done():
		return ctx.Err()
	}
	if err == nil {
		k.stats.carried.Add(1)
		return nil
	}
	k.stats.refused.Add(1)
	if now := k.c.Now().Unix(); k.busy.Swap(now) < now-10 { // not once for each post
		k.c.Log.Error("Kafka does not take posts", "err", err, "waiting", k.Len())
	}
	return &chat.Refusal{Code: chat.Busy, Words: "messages can't be taken at the moment", RetryAfter: time.Second}
}
