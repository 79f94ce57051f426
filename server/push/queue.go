package push

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kamachat/shared/chat"
)

// A job is a notice on its way to one browser.
type job struct {
	sub     chat.Subscription
	conv    chat.ConvID
	seq     int64
	body    []byte
	topic   string
	ttl     time.Duration
	urgency string
	tries   int
	at      time.Time // not before
}

// jobs are notices that wait, the oldest first. Of those for one browser and
// conversation only the newest does. When they are full the oldest goes.
type jobs struct {
	limit   int
	now     func() time.Time
	dropped atomic.Int64
	wake    chan struct{} // holds one

	mu      sync.Mutex
	waiting []*job
	busy    map[chat.UserID]bool // whose notice is on its way: nobody takes all workers
}

func newJobs(limit int, now func() time.Time) *jobs {
	return &jobs{limit: limit, now: now, wake: make(chan struct{}, 1), busy: map[chat.UserID]bool{}}
}

func (q *jobs) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// put queues j, in place of an older one of the same topic.
func (q *jobs) put(j *job) {
	q.mu.Lock()
	i := slices.IndexFunc(q.waiting, func(o *job) bool { return o.topic == j.topic && o.sub.Endpoint == j.sub.Endpoint })
	switch {
	case i >= 0 && q.waiting[i].seq >= j.seq: // the newer one waits already
	case i >= 0:
		j.at = q.waiting[i].at // the push service may have asked for that
		q.waiting[i] = j
	default:
		if len(q.waiting) >= q.limit {
			q.waiting = slices.Delete(q.waiting, 0, 1)
			q.dropped.Add(1)
		}
		q.waiting = append(q.waiting, j)
	}
	q.mu.Unlock()
	q.ring()
}

func (q *jobs) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for a job that is due and whose person has none under way, until
// ctx ends. The caller calls done.
func (q *jobs) take(ctx context.Context) (*job, bool) {
	for ctx.Err() == nil {
		j, wait := q.next()
		if j != nil {
			q.ring() // there may be more
			return j, true
		}
		t := time.NewTimer(wait)
		select {
		case <-q.wake:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	return nil, false
}

// next takes the first job that may be done now, or says how long to wait.
func (q *jobs) next() (*job, time.Duration) {
	now, wait := q.now(), time.Hour
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, j := range q.waiting {
		if left := j.at.Sub(now); left > 0 {
			wait = min(wait, left)
		} else if !q.busy[j.sub.User] {
			q.busy[j.sub.User] = true
			q.waiting = slices.Delete(q.waiting, i, i+1)
			return j, 0
		}
	}
	return nil, wait
}

// done says that a job which was taken is no longer under way.
func (q *jobs) done(j *job) {
	q.mu.Lock()
	delete(q.busy, j.sub.User)
	q.mu.Unlock()
	q.ring()
}

// settled reports whether nothing is under way or due.
func (q *jobs) settled() bool {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.busy) == 0 && !slices.ContainsFunc(q.waiting, func(j *job) bool { return !j.at.After(now) })
}
