package session

import (
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// maxCursors is of how many conversations it is known from the beginning how far
// a client that can't resume has got. Of more it is with the first entry heard.
const maxCursors = 10_000

// While the store does not say what was missed it is asked again after these
// pauses, doubled each time.
const (
	firstFill = 100 * time.Millisecond
	maxFill   = 2 * time.Second
)

// A cursor is where a client stands that can't resume. The hub may be told of an
// entry late, again, or not at all; such a client gets each of its entries once
// and in order all the same: what it has is not sent again, and what is missing
// before an entry is read from the store and sent first. It costs 24 bytes or so
// for each conversation.
type cursor struct {
	mu      sync.Mutex
	at      map[uint64]int64 // by the hash of a conversation, up to where all was sent
	hot     chat.ConvID      // of which hotAt is newer than at; in a busy room it is all that is looked at
	hotAt   int64
	some    bool  // not all conversations are in at
	gaps    []gap // to be read from the store; the first is being read
	reading bool
	unrung  map[rung]bool // calls that were passed over; word of one that rings may still come
}

// A gap is what is missing in a conversation, up to a Seq.
type gap struct {
	conv chat.ConvID
	to   int64
}

type rung struct {
	conv chat.ConvID
	seq  int64
}

var hashSeed = maphash.MakeSeed()

func keyOf(c chat.ConvID) uint64 { return maphash.String(hashSeed, string(c)) }

// begin takes in where the logs of all conversations end.
func (c *cursor) begin(hs []chat.Head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.some = len(hs) > maxCursors
	hs = hs[:min(len(hs), maxCursors)]
	c.at, c.hot = make(map[uint64]int64, len(hs)), ""
	for _, h := range hs {
		c.at[keyOf(h.Conv)] = h.LastSeq
	}
}

// passed notes that all up to seq was sent, or is not going to be.
func (c *cursor) passed(conv chat.ConvID, seq int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turnLocked(conv, 0)
	c.hotAt = max(c.hotAt, seq)
}

// turnLocked makes conv the hot one. Of one that is not in at, otherwise is where it stands.
func (c *cursor) turnLocked(conv chat.ConvID, otherwise int64) {
	if conv == c.hot {
		return
	}
	if c.hot != "" {
		c.at[keyOf(c.hot)] = c.hotAt
	}
	at, known := c.at[keyOf(conv)]
	if !known {
		at = otherwise
	}
	c.hot, c.hotAt = conv, at
}

// silent notes that a call was not rung.
func (c *cursor) silent(conv chat.ConvID, seq int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unrung == nil {
		c.unrung = map[rung]bool{}
	}
	c.unrung[rung{conv, seq}] = true
}

// nextLocked reports whether an entry is to be sent now, and whether there is
// now something to be read from the store and nobody who does.
func (c *cursor) nextLocked(it item) (send, read bool) {
	first := int64(0)
	if c.some {
		first = it.seq - 1
	}
	c.turnLocked(it.conv, first)
	switch {
	case it.seq <= c.hotAt:
		r := rung{it.conv, it.seq}
		if send = it.call && c.unrung[r]; send {
			delete(c.unrung, r)
		}
		return send, false
	case len(c.gaps) > 0 && c.wideLocked(it):
		return false, false
	case it.seq == c.hotAt+1:
		c.hotAt = it.seq
		return true, false
	}
	c.gaps = append(c.gaps, gap{it.conv, it.seq})
	read, c.reading = !c.reading, true
	return false, read
}

// wideLocked makes the gap of its conversation reach to it, where there is one.
func (c *cursor) wideLocked(it item) bool {
	for i, g := range c.gaps {
		if g.conv == it.conv {
			c.gaps[i].to = max(g.to, it.seq)
			return true
		}
	}
	return false
}

// first returns the gap to be read and where it begins, or false, and that
// nobody reads any more, where there is none.
func (c *cursor) first() (g gap, at int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.gaps) > 0 {
		g = c.gaps[0]
		if c.turnLocked(g.conv, 0); c.hotAt < g.to {
			return g, c.hotAt, true
		}
		c.gaps = c.gaps[1:]
	}
	c.gaps, c.reading = nil, false
	return g, 0, false
}

// forget drops the gap of conv.
func (c *cursor) forget(conv chat.ConvID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaps = slices.DeleteFunc(c.gaps, func(g gap) bool { return g.conv == conv })
}

// sendInOrder queues an entry when it is its turn.
func (s *Session) sendInOrder(it item) {
	c := s.cursor
	c.mu.Lock()
	defer c.mu.Unlock()
	send, read := c.nextLocked(it)
	if send && it.data != nil {
		s.queue(it)
	}
	if read {
		s.fillLater(0, firstFill)
	}
}

// fillLater has what is missing read after a pause. The next pause is that if
// the store does not answer.
func (s *Session) fillLater(after, next time.Duration) {
	read := func() {
		if s.enter() {
			s.fill(next)
		}
	}
	if after == 0 {
		go read()
		return
	}
	time.AfterFunc(after, read)
}

// fill reads what is missing and sends it.
func (s *Session) fill(pause time.Duration) {
	defer s.leave()
	for !s.out.isClosed() {
		g, at, ok := s.cursor.first()
		if !ok {
			return
		}
		s.out.ease()
		n := min(g.to-at, chat.MaxPage)
		p, err := s.host.cfg.Hub.Before(s.host.ctx, s.who.User, g.conv, at+n+1, int(n))
		switch {
		case errors.Is(err, &chat.Refusal{Code: chat.Forbidden}), errors.Is(err, &chat.Refusal{Code: chat.NotFound}):
			s.cursor.passed(g.conv, g.to) // it is no longer the client's to read
		case err != nil:
			s.logged("read what was missed, will be tried again", err)
			s.fillLater(pause, min(2*pause, maxFill))
			return
		default:
			s.sendMissing(p)
			switch {
			case len(p.Entries) > 0:
			case p.LastSeq > at: // deleted for the person
				s.cursor.passed(g.conv, min(at+n, p.LastSeq))
			default:
				s.cursor.forget(g.conv) // whoever told of it made it up
			}
			pause = firstFill
		}
	}
}

// sendMissing queues the entries of p.
func (s *Session) sendMissing(p chat.Page) {
	by := peopleOf(p)
	for _, m := range p.Entries {
		it := s.entry(m, by[m.Author])
		s.cursor.passed(m.Conv, m.Seq)
		if it.data != nil {
			s.queue(it)
		}
	}
}

// entry encodes an entry. There are no data where the dialect has no words for
// it, or where its author does not want to hear it.
func (s *Session) entry(m chat.Message, by chat.Person) item {
	it := itemOf(m, s.who.User)
	if it.call && it.own {
		return it // the seed never echoes call signals
	}
	if data, ok, err := s.d.Codec.Append(nil, wire.Frame{Body: wire.Posted{Message: m, By: by}}); err == nil && ok {
		it.data = data
	}
	return it
}

func itemOf(m chat.Message, reader chat.UserID) item {
	return item{conv: m.Conv, seq: m.Seq, own: m.Author == reader, call: m.Content.Kind == chat.CallK}
}

func peopleOf(p chat.Page) map[chat.UserID]chat.Person {
	by := make(map[chat.UserID]chat.Person, len(p.People))
	for _, w := range p.People {
		by[w.ID] = w
	}
	return by
}
