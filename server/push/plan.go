package push

import (
	"context"
	"slices"
	"sync"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

const (
	// gather is how long a message waits for others before anybody is told.
	gather = 200 * time.Millisecond
	// gap is between two notices about one conversation.
	gap = 3 * time.Second
	// grace is how long who has a session may take to get, or to look at, a message.
	grace = 10 * time.Second
	// maxConvs is how many conversations are looked at in time. News of more are dropped.
	maxConvs = 10_000
	// maxLooks is how many conversations one query is about.
	maxLooks = 100
	// tendEvery is how often it is asked whether anybody has a subscription at all.
	tendEvery = 5 * time.Second
	// sweepEvery is how often subscriptions are removed whose logins have expired.
	sweepEvery = time.Hour
	// lastWithin is how long notices may take when the program ends.
	lastWithin = time.Second
)

// news is the last message of a conversation, and who is still to be told.
type news struct {
	m      chat.Message
	fresh  bool      // not looked at
	due    time.Time // when to look
	looked time.Time
	later  []chat.UserID // had a session when it was looked at
}

// Stored notes that m was committed. It only remembers it.
func (s *Service) Stored(m chat.Message) {
	if s.Off || !s.anybody.Load() {
		return
	}
	if !notable(m) {
		s.amend(m)
		return
	}
	now := s.Now()
	s.mu.Lock()
	n := s.convs[m.Conv]
	if n == nil {
		if len(s.convs) >= maxConvs {
			s.mu.Unlock()
			s.missed.Add(1)
			return
		}
		n = &news{}
		s.convs[m.Conv] = n
	}
	if !n.fresh {
		n.due = now.Add(gather)
		if next := n.looked.Add(gap); next.After(n.due) {
			n.due = next
		}
	}
	if m.Seq > n.m.Seq {
		n.m = m
	}
	n.fresh = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// amend takes note that a message which somebody is still to be told of was
// edited or unsent.
func (s *Service) amend(m chat.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.convs[m.Conv]; n != nil {
		chat.Amend(&n.m, m)
	}
}

// Run tells people what they missed until ctx ends; then what it knows of, for a
// moment.
func (s *Service) Run(ctx context.Context) {
	if s.Off {
		return
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { s.work(sending) })
	}
	s.plan(ctx)
	last, cancel := context.WithTimeout(sending, lastWithin)
	defer cancel()
	s.round(last, s.Now().Add(gap))
	for !s.jobs.settled() && last.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	wg.Wait()
	s.client.CloseIdleConnections()
}

// plan looks at conversations when they are due.
func (s *Service) plan(ctx context.Context) {
	var tended, swept time.Time
	t, soon := time.NewTimer(0), true
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			if !soon {
				t.Reset(gather)
				soon = true
			}
			continue
		case <-t.C:
		}
		now := s.Now()
		if now.Sub(tended) >= tendEvery {
			s.tend(ctx, now.Sub(swept) >= sweepEvery)
			tended = now
			if now.Sub(swept) >= sweepEvery {
				swept = now
			}
		}
		if soon = s.round(ctx, now); soon {
			t.Reset(gather)
		} else {
			t.Reset(tendEvery)
		}
	}
}

// tend finds out whether there is anything to do at all.
func (s *Service) tend(ctx context.Context, sweep bool) {
	if sweep {
		if err := s.Store.DeleteExpiredSubscriptions(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("sweep subscriptions, will be tried again", "err", err)
		}
	}
	some, err := s.Store.HasSubscriptions(ctx)
	if err == nil {
		s.anybody.Store(some)
	} else if ctx.Err() == nil {
		s.Log.Error("look for subscriptions, will be tried again", "err", err)
	}
}

// A look is what a round looks at in one conversation.
type look struct {
	m    chat.Message
	only []chat.UserID // of a second look: whom it is about
}

// round looks at what is due by now, and says whether more is to come.
func (s *Service) round(ctx context.Context, now time.Time) (more bool) {
	looks, more := s.due(now)
	for part := range slices.Chunk(looks, maxLooks) {
		if err := s.lookAt(ctx, part, now); err != nil {
			if ctx.Err() == nil {
				s.Log.Error("notices, will be tried again", "conversations", len(part), "err", err)
			}
			s.putBack(part, now)
			more = true
		}
	}
	return s.roundOfAsks(ctx, now) || more
}

// due takes what is due by now.
func (s *Service) due(now time.Time) (looks []look, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, n := range s.convs {
		switch {
		case n.due.After(now):
		case !notable(n.m): // unsent
			delete(s.convs, c)
		case n.fresh:
			looks = append(looks, look{m: n.m})
			n.fresh, n.looked, n.due, n.later = false, now, now.Add(grace), nil
		default:
			if len(n.later) > 0 {
				looks = append(looks, look{n.m, n.later})
			}
			delete(s.convs, c)
		}
	}
	return looks, len(s.convs) > 0
}

// putBack has first looks taken again that came to nothing. Second ones are let go.
func (s *Service) putBack(looks []look, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range looks {
		if n := s.convs[l.m.Conv]; n != nil && l.only == nil && !n.fresh {
			n.fresh, n.due = true, now.Add(gap)
		}
	}
}

// wait has us looked at again, unless the conversation has news by then.
func (s *Service) wait(conv chat.ConvID, us []chat.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.convs[conv]; n != nil && !n.fresh {
		n.later = us
	}
}

// lookAt decides who is told now about looks, and queues that.
func (s *Service) lookAt(ctx context.Context, looks []look, now time.Time) error {
	of, convs := map[chat.ConvID]look{}, []chat.ConvID{}
	for _, l := range looks {
		of[l.m.Conv] = l
		convs = append(convs, l.m.Conv)
	}
	ls, err := s.Store.Listeners(ctx, convs...)
	if err != nil || len(ls) == 0 {
		return err
	}
	seen := s.see(ctx, ls)
	var told []chat.Listener
	later := map[chat.ConvID][]chat.UserID{}
	for _, l := range ls {
		k := of[l.Conv]
		if k.only != nil && !slices.Contains(k.only, l.User) {
			continue
		}
		switch decide(l, k.m, seen[l.User], k.only != nil, now) {
		case tell:
			told = append(told, l)
		case wait:
			later[l.Conv] = append(later[l.Conv], l.User)
		}
	}
	for c, us := range later {
		s.wait(c, us)
	}
	return s.tell(ctx, told, of, now)
}

// sight is what is known of where a person is.
type sight struct {
	online  bool // has a session
	looking bool // has one that the person looks at
}

// see finds out who is there. Whose whereabouts are unknown counts as there: a
// second look goes by what reached the person.
func (s *Service) see(ctx context.Context, ls []chat.Listener) map[chat.UserID]sight {
	us := people(ls)
	on, err := s.Presence.Online(ctx, us...)
	unknown := err != nil
	looking := on
	if s.Looking != nil {
		looking, err = s.Looking.Online(ctx, us...)
	}
	out := make(map[chat.UserID]sight, len(us))
	for _, u := range us {
		out[u] = sight{online: on[u] || unknown, looking: looking[u] || err != nil}
	}
	return out
}

func people(ls []chat.Listener) []chat.UserID {
	us := make([]chat.UserID, len(ls))
	for i, l := range ls {
		us[i] = l.User
	}
	slices.Sort(us)
	return slices.Compact(us)
}

// A verdict is what to do about one person and one message.
type verdict int

const (
	leave verdict = iota // the person need not be told
	tell                 // now
	wait                 // look again
)

// decide says whether l is told about m: at once without a session; with one,
// when m has not reached the person by the second look, or nobody has looked.
func decide(l chat.Listener, m chat.Message, s sight, second bool, now time.Time) verdict {
	switch {
	case l.User == m.Author || l.Read >= m.Seq || ahead(l.Muted, now):
		return leave
	case !s.online:
		return tell
	case !second:
		return wait
	case l.Delivered < m.Seq || !s.looking:
		return tell
	}
	return leave
}

// tell queues a notice for each browser of those who do not want quiet.
func (s *Service) tell(ctx context.Context, told []chat.Listener, of map[chat.ConvID]look, now time.Time) error {
	if len(told) == 0 {
		return nil
	}
	us := people(told)
	quiet, err := s.Store.Quiet(ctx, us...)
	if err != nil {
		return err
	}
	us = slices.DeleteFunc(us, func(u chat.UserID) bool { return quietAt(quiet[u], now) })
	told = slices.DeleteFunc(told, func(l chat.Listener) bool {
		_, in := slices.BinarySearch(us, l.User)
		return !in
	})
	subs, err := s.Store.Subscriptions(ctx, us...)
	if err != nil {
		return err
	}
	unread, err := s.Store.UnreadTotals(ctx, us...)
	if err != nil {
		return err
	}
	by := map[chat.UserID][]chat.Subscription{}
	for _, sub := range subs {
		by[sub.User] = append(by[sub.User], sub)
	}
	for i := 0; i < len(told); {
		conv := told[i].Conv
		m := of[conv].m
		author, group, err := s.about(ctx, m)
		if err != nil {
			return err
		}
		for ; i < len(told) && told[i].Conv == conv; i++ {
			for _, sub := range by[told[i].User] {
				n := noticeOf(m, author, group, words.Lang(sub.Lang))
				n.Unread = unread[sub.User]
				s.jobs.put(jobOf(sub, m, n))
			}
		}
	}
	return nil
}

// about looks up what a notice says besides the message.
func (s *Service) about(ctx context.Context, m chat.Message) (by chat.Person, group chat.Summary, err error) {
	ps, err := s.Store.People(ctx, m.Author)
	if err != nil {
		return by, group, err
	}
	if by = (chat.Person{ID: m.Author}); len(ps) > 0 {
		by = ps[0]
	}
	if m.Conv.IsGroup() {
		group, err = s.Store.Summary(ctx, m.Conv)
	}
	return by, group, err
}
