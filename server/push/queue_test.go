package push

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/shared/chat"
)

func someJob(u chat.UserID, topic string, seq int64) *job {
	return &job{sub: chat.Subscription{User: u, Endpoint: "https://push/" + string(u)}, topic: topic, seq: seq}
}

func (q *jobs) names() (out []string) {
	for _, j := range q.waiting {
		out = append(out, fmt.Sprint(j.sub.User, j.topic, j.seq))
	}
	return out
}

func TestQueueIsBoundedAndTheOldestGoes(t *testing.T) {
	q := newJobs(3, time.Now)
	for i := range 5 {
		q.put(someJob("U", fmt.Sprint("t", i, " "), 1))
	}
	if got, want := q.names(), []string{"Ut2 1", "Ut3 1", "Ut4 1"}; !slices.Equal(got, want) || q.dropped.Load() != 2 {
		t.Errorf("got %v and %d dropped, want %v and 2", got, q.dropped.Load(), want)
	}
}

func TestOnlyTheNewestOfATopicWaits(t *testing.T) {
	q := newJobs(9, time.Now)
	later := time.Now().Add(time.Hour)
	first := someJob("Ua", "x ", 1)
	first.at = later
	for _, j := range []*job{first, someJob("Ub", "x ", 1), someJob("Ua", "x ", 3), someJob("Ua", "x ", 2), someJob("Ua", "y ", 1)} {
		q.put(j)
	}
	if got, want := q.names(), []string{"Uax 3", "Ubx 1", "Uay 1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if at := q.waiting[0].at; !at.Equal(later) {
		t.Errorf("the newer one is tried at %v, although the push service asked for %v", at, later)
	}
}

func TestNobodyTakesAllWorkers(t *testing.T) {
	q := newJobs(9, time.Now)
	for _, j := range []*job{someJob("Ua", "1 ", 1), someJob("Ua", "2 ", 1), someJob("Ub", "1 ", 1)} {
		q.put(j)
	}
	a, _ := q.next()
	b, _ := q.next()
	c, _ := q.next()
	if a.sub.User != "Ua" || b.sub.User != "Ub" || c != nil {
		t.Fatalf("took %v %v %v", a, b, c)
	}
	if q.settled() {
		t.Error("settled while two are under way")
	}
	q.done(a)
	if d, _ := q.next(); d == nil || d.topic != "2 " {
		t.Errorf("then %v", d)
	}
}

func TestTakeWaitsForWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		q := newJobs(9, time.Now)
		var took []string
		done := make(chan struct{})
		start := time.Now()
		go func() {
			defer close(done)
			for {
				j, ok := q.take(ctx)
				if !ok {
					return
				}
				took = append(took, fmt.Sprint(j.topic, time.Since(start)))
				q.done(j)
			}
		}()
		late := someJob("Ua", "late ", 1)
		late.at = start.Add(time.Minute)
		q.put(late)
		time.Sleep(time.Second)
		q.put(someJob("Ua", "now ", 1))
		time.Sleep(time.Hour)
		stop()
		<-done
		if want := []string{"now 1s", "late 1m0s"}; !slices.Equal(took, want) {
			t.Errorf("took %v, want %v", took, want)
		}
	})
}
