package push

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"kamachat/server/outward"
	"kamachat/shared/chat"
	"kamachat/shared/words"
)

const (
	// workers is how many requests are made at once.
	workers = 16
	// answerWithin is how long a push service may take.
	answerWithin = 10 * time.Second
	// maxTries is how often a notice is tried where the push service is busy or away.
	maxTries = 4
	// maxPause is how long a push service may ask us to wait.
	maxPause = time.Hour
	// testEvery is how often a person may ask for a test.
	testEvery = 5 * time.Second
)

// work sends notices, one after the other, until ctx ends.
func (s *Service) work(ctx context.Context) {
	for {
		j, ok := s.jobs.take(ctx)
		if !ok {
			return
		}
		s.send(ctx, j)
		s.jobs.done(j)
	}
}

// send tries to send j and decides what becomes of it.
func (s *Service) send(ctx context.Context, j *job) {
	if j.tries > 0 && s.stale(ctx, j) {
		return
	}
	a := s.ask(ctx, j)
	switch {
	case a.ok():
		s.sent.Add(1)
	case a.gone():
		s.gone.Add(1)
		s.drop(ctx, j.sub)
	case a.again() && j.tries+1 < maxTries && a.pause <= maxPause:
		j.tries++
		s.retried.Add(1)
		j.at = s.Now().Add(max(a.pause, time.Second<<(2*j.tries)))
		s.jobs.put(j)
	default:
		s.failed.Add(1)
		s.Log.Info("notice was not taken", "host", a.Host, "status", a.Status, "err", a.err)
	}
}

// stale reports whether what j tells has been read in the meantime.
func (s *Service) stale(ctx context.Context, j *job) bool {
	if j.conv == "" { // a request, which is not read
		return false
	}
	ls, err := s.Store.Listeners(ctx, j.conv)
	if err != nil {
		return false
	}
	for _, l := range ls {
		if l.User == j.sub.User {
			return l.Read >= j.seq
		}
	}
	return true
}

// drop forgets a subscription that has ended.
func (s *Service) drop(ctx context.Context, sub chat.Subscription) {
	if err := s.Store.DeleteSubscription(ctx, sub.User, sub.Endpoint); err != nil {
		s.Log.Error("forget subscription", "user", sub.User, "err", err)
	}
}

// An Answer is what a push service said to a notice.
type Answer struct {
	Host   string `json:"host"`             // of the push service
	Status int    `json:"status"`           // of HTTP; 0: it did not answer
	OK     bool   `json:"ok"`               // it took the notice
	Gone   bool   `json:"gone,omitempty"`   // the subscription had ended, and is forgotten
	Reason string `json:"reason,omitempty"` // why it did not answer
	err    error
	pause  time.Duration // that it asked for
}

func (a Answer) ok() bool   { return a.Status >= 200 && a.Status < 300 }
func (a Answer) gone() bool { return a.Status == http.StatusNotFound || a.Status == http.StatusGone }
func (a Answer) again() bool {
	return a.Status == 0 && !errors.Is(a.err, outward.ErrInside) || a.Status == http.StatusTooManyRequests || a.Status >= 500
}

// ask makes the request.
func (s *Service) ask(ctx context.Context, j *job) (a Answer) {
	res, err := s.request(ctx, j, &a)
	if err != nil {
		// The URL in it is a secret between the browser and us.
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		a.err, a.Reason = err, "no answer"
		if errors.Is(err, outward.ErrInside) {
			a.Reason = outward.ErrInside.Error()
		}
		return a
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10)) // so that the connection can be used again
	a.Status, a.pause = res.StatusCode, pauseOf(res.Header.Get("Retry-After"), s.Now())
	a.OK, a.Gone = a.ok(), a.gone()
	return a
}

func (s *Service) request(ctx context.Context, j *job, a *Answer) (*http.Response, error) {
	at, err := outward.ReadURL(j.sub.Endpoint, s.Local)
	if err != nil {
		return nil, err
	}
	a.Host = at.Host
	keys, err := readKeys(j.sub.P256dh, j.sub.Auth)
	if err != nil {
		return nil, err
	}
	sealed, err := seal(keys, j.body)
	if err != nil {
		return nil, err
	}
	auth, err := s.vapid.authorization(at, j.sub.Site)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.sub.Endpoint, bytes.NewReader(sealed))
	if err != nil {
		return nil, err
	}
	for name, v := range map[string]string{
		"Authorization": auth, "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream",
		"TTL": strconv.Itoa(int(j.ttl.Seconds())), "Urgency": j.urgency, "Topic": j.topic,
	} {
		req.Header.Set(name, v)
	}
	return s.client.Do(req)
}

// pauseOf reads Retry-After: seconds, or a date.
func pauseOf(h string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(h, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(h); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// Test sends a notice to all browsers of u at once and tells what came of it.
// It answers chat.RateLimited to who asks again within five seconds.
func (s *Service) Test(ctx context.Context, u chat.UserID) ([]Answer, error) {
	if s.Off {
		return nil, errOff
	}
	if err := s.mayTest(u); err != nil {
		return nil, err
	}
	subs, err := s.Store.Subscriptions(ctx, u)
	if err != nil {
		return nil, err
	}
	as := make([]Answer, len(subs))
	var wg sync.WaitGroup
	for i, sub := range subs {
		wg.Go(func() {
			n := notice{Title: "KamaChat", Body: words.Say(words.Lang(sub.Lang), "push.test"), Tag: "test"}
			as[i] = s.ask(ctx, &job{sub: sub, body: n.encode(), topic: topicOf(sub, ""), ttl: keepCall, urgency: "high"})
			if as[i].Gone {
				s.gone.Add(1)
				s.drop(ctx, sub)
			}
		})
	}
	wg.Wait()
	return as, nil
}

// mayTest counts a test of u.
func (s *Service) mayTest(u chat.UserID) error {
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for o, at := range s.tested {
		if now.Sub(at) >= testEvery {
			delete(s.tested, o)
		}
	}
	if at, ok := s.tested[u]; ok {
		return &chat.Refusal{Code: chat.RateLimited, Words: "too many tests", RetryAfter: cmp.Or(testEvery-now.Sub(at), 1)}
	}
	s.tested[u] = now
	return nil
}
