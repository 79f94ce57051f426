package hooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kamachat/server/outward"
	"kamachat/shared/chat"
)

const (
	// atOnce is how many webhooks are told at a time, perMaker how many of one
	// person and perHost how many at one host, more than one person may have there: who does
	// not answer holds up nobody else.
	atOnce, perMaker, perHost = 16, 2, 3
	// answerWithin is how long one may take to answer.
	answerWithin = 10 * time.Second
	// heldFor is for how long a node has one to itself, beside the time in which it
	// is to answer: should the node die, another goes on then.
	heldFor = 50 * time.Second
	// told is how many entries are told at a time.
	told = 50
	// known is how many of those that wait are read at a time.
	known = 128
	// longest is how long it is waited at most after a try that failed.
	longest = time.Hour
)

// Wake has it looked at once for something to tell.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Stored wakes: it is room.Notifier's.
func (s *Service) Stored(chat.Message) { s.Wake() }

// Run tells outgoing webhooks what was said, until ctx ends and nothing is under
// way. Of the nodes that share a database each webhook has one at a time.
func (s *Service) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	t, ended := newTurns(atOnce), make(chan ending)
	defer func() {
		for range len(t.under) {
			<-ended
		}
	}()
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	// What comes at once is told at once, and no more often than this.
	var soon <-chan time.Time
	await := func() {
		if soon == nil {
			soon = time.After(s.Every / 10)
		}
	}
	for look := true; ; {
		s.begin(ctx, t, look, ended)
		look = false
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			look = true
		case <-s.wake:
			await()
		case <-soon:
			soon, look = nil, true
		case e := <-ended:
			t.ended(e.hook)
			switch {
			case e.err != nil:
				t.more = false // what fails here is not asked again at once
				s.failed(ctx, e.err)
			case e.more:
				t.due = append(t.due, e.hook)
			case e.took: // what came meanwhile woke while it was held
				await()
			}
		}
	}
}

// An ending is that of a turn: whether the webhook took what it was told, and there
// was more to tell.
type ending struct {
	hook       chat.OutHook
	took, more bool
	err        error
}

func (s *Service) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.Log.Error("webhooks can't be told, will be tried again", "err", err)
	}
}

// begin has those told whose turn it is. look says that there may be others than are
// known to wait.
func (s *Service) begin(ctx context.Context, t *turns, look bool, ended chan<- ending) {
	for {
		if look {
			if err := s.look(ctx, t); err != nil {
				s.failed(ctx, err)
				return
			}
		}
		begun := false
		for h, ok := t.next(); ok; h, ok = t.next() {
			begun = true
			go func() {
				e := ending{hook: h}
				e.took, e.more, e.err = s.tell(ctx, h)
				ended <- e
			}()
		}
		// All that are known to wait are held up by their like, and there may be others.
		if look = t.more && len(t.under) < t.most && (begun || !look); !look {
			return
		}
	}
}

// look reads who waits: where those that wait longest may not begin, others.
func (s *Service) look(ctx context.Context, t *turns) (err error) {
	now := s.Now().UnixMilli()
	if t.due, err = s.Store.DueOutHooks(ctx, now, known, nil, nil); err != nil {
		return err
	}
	if t.more = len(t.due) == known; t.more && !slices.ContainsFunc(t.due, t.may) {
		makers, hosts := t.full()
		t.due, err = s.Store.DueOutHooks(ctx, now, known, makers, hosts)
	}
	return err
}

// tell tells h what comes next, and reports whether it took it, and there is more.
func (s *Service) tell(ctx context.Context, h chat.OutHook) (took, more bool, err error) {
	now := s.Now()
	mine, err := s.Store.HoldOutHook(ctx, h.ID, s.holder, now.UnixMilli(), now.Add(s.Within+heldFor).UnixMilli())
	if err != nil || !mine {
		return false, false, err
	}
	// It was read before it was held: another may have told it meanwhile, or ended it.
	h, err = s.Store.OutHook(ctx, h.ID)
	if errors.Is(err, chat.ErrNotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	if h.Next > now.UnixMilli() {
		return false, false, s.Store.OutHookTried(context.WithoutCancel(ctx), h, s.holder)
	}
	// Who made it and may no longer see to it must not go on reading by it.
	why := s.may(ctx, h.By, h.Conv)
	if why == nil {
		if by, err := s.Store.People(ctx, h.By); err != nil {
			return false, false, errors.Join(err, s.Store.OutHookTried(context.WithoutCancel(ctx), h, s.holder))
		} else if len(by) == 0 || by[0].Disabled {
			why = chat.Refuse(chat.Forbidden, "the account is disabled or gone")
		}
	}
	if why != nil {
		if r := chat.AsRefusal(why); r.RetryMillis() == 0 {
			h.Problem, h.Next = "who made it does not administer the group", now.Add(longest).UnixMilli()
		}
		return false, false, s.Store.OutHookTried(context.WithoutCancel(ctx), h, s.holder)
	}
	last, err := s.next(ctx, h)
	if err != nil {
		return false, false, errors.Join(err, s.Store.OutHookTried(context.WithoutCancel(ctx), h, s.holder))
	}
	switch why := last.problem; {
	case last.seq == h.Told: // nothing
	case why == "":
		h.Told, h.Fails, h.Next, h.Problem, took = last.seq, 0, 0, "", true
	case ctx.Err() == nil:
		h.Fails++
		h.Next, h.Problem = s.Now().Add(pause(h.Fails)).UnixMilli(), why
	}
	return took, took && last.more, s.Store.OutHookTried(context.WithoutCancel(ctx), h, s.holder)
}

// pause is how long it is waited after so many tries that failed: 2, 4, 8 … seconds.
func pause(fails int) time.Duration {
	return min(time.Second<<min(fails, 20), longest)
}

// A try is how far a webhook was told, whether there is more, and what was wrong.
type try struct {
	seq     int64
	more    bool
	problem string
}

// A Telling is what an outgoing webhook is told.
type Telling struct {
	Hook    string         `json:"hook"`
	Conv    chat.ConvID    `json:"conv"`
	Title   string         `json:"title"`
	Entries []chat.Message `json:"entries"` // rising in seq
	People  []chat.Person  `json:"people"`  // who wrote them
}

// next tells h the entries that follow what it was told.
func (s *Service) next(ctx context.Context, h chat.OutHook) (try, error) {
	sum, err := s.Store.Summary(ctx, h.Conv)
	if err != nil {
		return try{}, err
	}
	to := min(sum.LastSeq, h.Told+told)
	if to <= h.Told {
		return try{seq: h.Told}, nil
	}
	page, err := s.Store.Before(ctx, h.Conv, to+1, int(to-h.Told))
	if err != nil {
		return try{}, err
	}
	var ids []chat.UserID
	seen := map[chat.UserID]bool{}
	for _, m := range page.Entries {
		if !seen[m.Author] {
			seen[m.Author] = true
			ids = append(ids, m.Author)
		}
	}
	people, err := s.Store.People(ctx, ids...)
	if err != nil {
		return try{}, err
	}
	body, err := json.Marshal(Telling{Hook: h.ID, Conv: h.Conv, Title: sum.Title, Entries: page.Entries, People: people})
	if err != nil {
		return try{}, fmt.Errorf("encode entries: %w", err)
	}
	return try{to, to < sum.LastSeq, s.call(ctx, h, body)}, nil
}

// call makes the request, and says what was wrong, "" for nothing.
func (s *Service) call(ctx context.Context, h chat.OutHook, body []byte) string {
	at, err := outward.ReadURL(h.URL, s.Local)
	if err != nil {
		return err.Error()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(body))
	if err != nil {
		return "the request can't be made"
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "KamaChat-Webhook")
	req.Header.Set("X-Kama-Signature", Sign(h.Secret, s.Now(), body))
	res, err := s.client.Do(req)
	if err != nil {
		// The URL may hold a secret.
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		if errors.Is(err, outward.ErrInside) {
			return outward.ErrInside.Error()
		}
		s.Log.Info("webhook does not answer", "hook", h.ID, "err", err)
		return "no answer"
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10)) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return "it answered " + strconv.Itoa(res.StatusCode)
	}
	return ""
}

// Sign is what the header X-Kama-Signature says of a body: the time in Unix
// seconds, and the HMAC-SHA256 of that, a dot and the body, in hexadecimal. Who is
// told should refuse what is older than some minutes.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(t + "."))
	m.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(m.Sum(nil))
}
