package inproc

import (
	"context"

	"kamachat/shared/wire"
)

// A Fanout hands events from publishers to one reader, in order. It loses
// nothing: a full queue makes Publish wait, which slows the committer down and
// so fills the carrier, which refuses.
type Fanout struct {
	queue chan []wire.Event
}

// NewFanout returns a fan-out that holds at most size batches.
func NewFanout(size int) *Fanout { return &Fanout{queue: make(chan []wire.Event, size)} }

// Len is how many batches wait.
func (f *Fanout) Len() int { return len(f.queue) }

// Publish queues es as one batch, waiting for a place until ctx ends.
func (f *Fanout) Publish(ctx context.Context, es ...wire.Event) error {
	select {
	case f.queue <- es:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run delivers until ctx ends, then what is queued by that time.
func (f *Fanout) Run(ctx context.Context, deliver func(wire.Event)) error {
	for {
		select {
		case es := <-f.queue:
			for _, e := range es {
				deliver(e)
			}
		case <-ctx.Done():
			for {
				select {
				case es := <-f.queue:
					for _, e := range es {
						deliver(e)
					}
				default:
					return nil
				}
			}
		}
	}
}
