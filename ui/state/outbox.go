package state

import (
	"maps"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxOutbox is how many posts may wait, failed ones included, until Add takes no more.
const maxOutbox = 1_000

// An Unsent is a post that is not known to be stored.
type Unsent struct {
	Conv    chat.ConvID  `json:"conv"`
	Ref     string       `json:"ref"`
	At      int64        `json:"at"`              // Unix milliseconds by the server's clock, as far as known
	N       int64        `json:"n"`               // rises from post to post of one page, whatever its clock does, and is near At
	After   int64        `json:"after,omitempty"` // once stored, its Seq is higher than this
	Content chat.Content `json:"c"`
	Why     chat.Code    `json:"why,omitempty"`   // set: refused for good, waits for Retry or Discard
	Epoch   string       `json:"epoch,omitempty"` // that what it names is of
	// Line is there where it is no post, but a change of the person's own line.
	Line *chat.LineChange `json:"line,omitempty"`
}

// quiet reports whether it shows elsewhere than among the messages.
func (u Unsent) quiet() bool { return u.Line != nil || u.Content.Kind.Amends() }

// A post is an Unsent and what was tried with it.
type post struct {
	Unsent
	next  int64 // not to be sent before
	tries int   // without an answer, over the present connection
}

// An outbox keeps posts until the server says that they are stored, or
// refuses them for good.
//
// Own order is kept by having at most one post of a conversation under way:
// the next leaves when the one before it is settled. A busy refusal can then
// never let a later post overtake. Different conversations go in parallel.
// Sending a post again is always safe, (author, Ref) is stored once.
type outbox struct {
	queues map[chat.ConvID][]*post
	n      int
	last   int64 // the greatest N
}

func newOutbox() outbox { return outbox{queues: map[chat.ConvID][]*post{}} }

func (o *outbox) of(id chat.ConvID) []*post { return o.queues[id] }

// add puts a post last in its conversation, unless it is there.
func (o *outbox) add(u Unsent) bool {
	if p, _ := o.find(u.Ref); p != nil {
		return false
	}
	if u.N == 0 {
		u.N = max(u.At, o.last+1)
	}
	o.last = max(o.last, u.N)
	o.queues[u.Conv] = append(o.queues[u.Conv], &post{Unsent: u})
	o.n++
	return true
}

func (o *outbox) find(ref string) (*post, int) {
	for _, q := range o.queues {
		for i, p := range q {
			if p.Ref == ref {
				return p, i
			}
		}
	}
	return nil, 0
}

// settle takes a post out that is stored as seq. Those behind it come later in the log.
func (o *outbox) settle(ref string, seq int64) bool {
	p, i := o.find(ref)
	if p == nil {
		return false
	}
	o.queues[p.Conv] = slices.Delete(o.queues[p.Conv], i, i+1)
	if len(o.queues[p.Conv]) == 0 {
		delete(o.queues, p.Conv)
	}
	o.n--
	for _, p := range o.queues[p.Conv] {
		p.After = max(p.After, seq)
	}
	return true
}

// head returns the post of a conversation that is, or is next to be, under way.
func (o *outbox) head(id chat.ConvID) *post {
	q := o.queues[id]
	if i := slices.IndexFunc(q, func(p *post) bool { return p.Why == "" }); i >= 0 {
		return q[i]
	}
	return nil
}

// refuse delays a post, or has it fail.
func (o *outbox) refuse(ref string, r wire.Refused, now int64) (chat.ConvID, bool) {
	p, _ := o.find(ref)
	if p == nil {
		return "", false
	}
	p.tries = 0
	switch {
	case r.RetryAfter > 0:
		p.next = now + wait(r.RetryAfter)
	case r.Code == chat.SignedOut:
		p.next = now + maxWait // sent again once signed in
	default:
		p.Why = r.Code
	}
	return p.Conv, true
}

// unsend says that the connection is gone and with it all answers.
func (o *outbox) unsend() {
	for _, q := range o.queues {
		for _, p := range q {
			p.next, p.tries = 0, 0
		}
	}
}

// due returns the posts whose turn it is, and when the next one's comes.
func (o *outbox) due(now int64) (frames []wire.Frame, next int64) {
	for _, id := range slices.Sorted(maps.Keys(o.queues)) {
		p := o.head(id)
		if p == nil {
			continue
		}
		if now >= p.next {
			p.next = now + patience<<min(p.tries, 2)
			p.tries++
			f := wire.Frame{Ref: p.Ref, Body: wire.Post{Conv: id, Content: p.Content}}
			if p.Line != nil {
				f.Body = wire.Line{Conv: id, LineChange: *p.Line}
			}
			frames = append(frames, f)
		}
		next = soonest(next, p.next)
	}
	return frames, next
}

// waiting is how many posts wait to be stored.
func (o *outbox) waiting() (n int) {
	for _, q := range o.queues {
		for _, p := range q {
			if p.Why == "" && p.Line == nil {
				n++
			}
		}
	}
	return n
}

// Add puts a post under ref, a name never used before, last in its
// conversation. Content that no server would take fails at once. ok is false
// where the outbox is full or has ref already, or an amendment is not one; then
// nothing happened.
func (s *State) Add(conv chat.ConvID, c chat.Content, ref string, now int64) (ch Change, ok bool) {
	u := Unsent{Conv: conv, Ref: ref, At: now + s.skew, Epoch: s.epoch, Content: c}
	if err := c.Validate(); err != nil {
		if c.Kind.Amends() {
			return ch, false
		}
		u.Why = chat.AsRefusal(err).Code
	}
	if c, ok := s.convs[conv]; ok {
		u.After = c.log.end
	}
	if !conv.Valid() || s.outbox.n >= maxOutbox || !s.outbox.add(u) {
		return ch, false
	}
	s.conv(conv)
	ch.touch(conv)
	ch.Link = true
	return ch, true
}

// Retry puts a failed post last in its conversation, to be sent again.
func (s *State) Retry(ref string, now int64) (ch Change) {
	p, _ := s.outbox.find(ref)
	if p == nil || p.Why == "" {
		return ch
	}
	u := p.Unsent
	u.Why, u.At, u.N = "", now+s.skew, 0
	s.outbox.settle(ref, 0)
	s.outbox.add(u)
	ch.touch(u.Conv)
	ch.Link = true
	return ch
}

// Discard gives a failed post up.
func (s *State) Discard(ref string) (ch Change) {
	p, _ := s.outbox.find(ref)
	if p == nil || p.Why == "" {
		return ch
	}
	s.outbox.settle(ref, 0)
	ch.touch(p.Conv)
	ch.Link = true
	return ch
}

// Unsent returns the outbox in order, to be kept over a reload.
func (s *State) Unsent() []Unsent {
	us := make([]Unsent, 0, s.outbox.n)
	for _, id := range s.ids() {
		for _, p := range s.outbox.of(id) {
			us = append(us, p.Unsent)
		}
	}
	return us
}

// Restore puts kept posts and changes back, behind those already waiting, however many there
// are: several pages may have filled their outboxes.
func (s *State) Restore(us []Unsent) (ch Change) {
	for _, u := range us {
		if s.phase == Live && s.epoch != "" && !u.into(s.epoch) {
			continue
		}
		if u.Conv.Valid() && u.Ref != "" && s.outbox.add(u) {
			c := s.conv(u.Conv)
			if u.Line != nil {
				s.cut(c, u.Line.Clear, &ch)
			}
			ch.touch(u.Conv)
			ch.Link = true
		}
	}
	return ch
}
