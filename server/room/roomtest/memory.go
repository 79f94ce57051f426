package roomtest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"kamachat/server/room"
	"kamachat/shared/chat"
)

// A Base is a store as the hub sees it, with the doors that fill it.
type Base interface {
	room.Store
	room.People
	// AddUser stores a person, or answers chat.Taken.
	AddUser(ctx context.Context, p chat.Person, hash string, at int64) error
	// CreateGroup makes a group with an empty log; members are distinct and include owner.
	CreateGroup(ctx context.Context, conv chat.ConvID, name string, owner chat.UserID, members []chat.UserID, at int64) error
}

var _ Base = (*Memory)(nil)

// Memory is a store that keeps its contract and nothing else: no disk, no SQL.
// It is what tests with thousands of servers run on. Safe for concurrent use.
type Memory struct {
	now func() time.Time
	id  func() int64

	mu     sync.Mutex
	people map[chat.UserID]chat.Person
	convs  map[chat.ConvID]*memoryConv
	known  map[memoryRef]chat.Message
	bonds  map[[2]chat.UserID]chat.Bond // Contacts: the first has the second as one; Blocking likewise
}

type memoryConv struct {
	chat.Summary // as Summary returns it
	lastAt       int64
	log          []chat.Message // log[i] has Seq i+1
	marks        map[chat.UserID]chat.Marks
	lines        map[chat.UserID]chat.Line
	group        chat.Group // of one that is
	seats        map[chat.UserID]chat.Seat
	joined       map[chat.UserID]int64
}

type memoryRef struct {
	author chat.UserID
	ref    string
}

// NewMemory returns an empty store. now tells the time of entries, id makes their ids.
func NewMemory(now func() time.Time, id func() int64) *Memory {
	return &Memory{
		now: now, id: id, people: map[chat.UserID]chat.Person{}, convs: map[chat.ConvID]*memoryConv{}, known: map[memoryRef]chat.Message{},
		bonds: map[[2]chat.UserID]chat.Bond{},
	}
}

// AddUser stores a person, or answers chat.Taken. hash and at are not kept.
func (m *Memory) AddUser(_ context.Context, p chat.Person, _ string, _ int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.people {
		if o.ID == p.ID || o.Username == p.Username {
			return chat.Refuse(chat.Taken, "the username is in use")
		}
	}
	m.people[p.ID] = p
	return nil
}

// CreateGroup makes a group with an empty log.
func (m *Memory) CreateGroup(_ context.Context, conv chat.ConvID, name string, owner chat.UserID, members []chat.UserID, at int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.convs[conv] != nil {
		return chat.Refuse(chat.Taken, "the group exists")
	}
	c := newMemoryConv(conv, name, members, at)
	c.group = chat.Group{Conv: conv, Name: name, Owner: owner, Members: len(members), Rules: chat.Rules{Joining: chat.JoinInvite}}
	c.seats[owner] = chat.Seat{In: true, Role: chat.Owner}
	m.convs[conv] = c
	return nil
}

func newMemoryConv(conv chat.ConvID, name string, members []chat.UserID, at int64) *memoryConv {
	none := chat.Marks{Conv: conv}
	c := &memoryConv{
		Summary: chat.Summary{Conv: conv, Title: name, Members: len(members), Mine: none, All: none},
		lastAt:  at, marks: map[chat.UserID]chat.Marks{}, lines: map[chat.UserID]chat.Line{},
		seats: map[chat.UserID]chat.Seat{}, joined: map[chat.UserID]int64{},
	}
	for _, u := range members {
		c.marks[u] = chat.Marks{Conv: conv, User: u}
		c.seats[u], c.joined[u] = chat.Seat{In: true}, at
	}
	return c
}

// Append is room.Store's.
func (m *Memory) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]chat.Receipt, len(ds))
	for i, d := range ds {
		out[i] = m.placeLocked(d)
	}
	return out, nil
}

func (m *Memory) placeLocked(d chat.Draft) chat.Receipt {
	refuse := func(c chat.Code, words string) chat.Receipt { return chat.Receipt{Err: chat.Refuse(c, words)} }
	key := memoryRef{d.Author, d.Ref}
	if first, ok := m.known[key]; ok {
		if first.Conv != d.Conv {
			return refuse(chat.Invalid, "the ref is that of a message elsewhere")
		}
		return chat.Receipt{Message: first, Again: true}
	}
	c := m.convs[d.Conv]
	peer, mine := d.Conv.Peer(d.Author)
	if !d.Conv.IsGroup() && !mine {
		return refuse(chat.Forbidden, "not a conversation of yours")
	}
	now := m.now().UnixMilli()
	st, seats := m.standingLocked(d.Author, d.Conv), map[chat.UserID]chat.Seat{}
	err := st.MayPost(d.Conv, d.Content.Kind, now)
	if e := d.Content.Event; e != nil {
		for _, u := range e.Who {
			if c != nil {
				seats[u] = c.seats[u]
			}
		}
		seats[d.Author], st.Going = st.Seat, d.Super
		err = st.MayChange(d.Conv, d.Author, *e, seats, now)
	}
	if err != nil {
		return chat.Receipt{Err: err}
	}
	if seq := d.Content.About(); seq != 0 {
		var target *chat.Message
		if c != nil && seq <= c.LastSeq {
			target = &c.log[seq-1]
		}
		if err := d.Allow(target); err != nil {
			return chat.Receipt{Err: err}
		}
		if d.Content.Re != nil {
			d.Content.Re = chat.QuoteOf(*target)
		}
	}
	if c == nil {
		c = newMemoryConv(d.Conv, "", []chat.UserID{d.Author, peer}, now)
		m.convs[d.Conv] = c
	}
	c.LastSeq++
	c.lastAt = max(c.lastAt, now)
	msg := chat.Message{ID: m.id(), Conv: d.Conv, Seq: c.LastSeq, Author: d.Author, Ref: d.Ref, At: c.lastAt, Content: d.Content}
	c.log = append(c.log, msg)
	if d.Content.Kind.Amends() {
		c.amend(msg)
	}
	m.known[key] = msg
	if e := d.Content.Event; e != nil && e.What != chat.Made && d.Conv.IsGroup() {
		c.change(msg, seats)
	} else if st.Rules.Slow > 0 && st.Role == chat.Plain && !d.Content.Kind.Amends() {
		st.Spoke = msg.At
		c.seats[d.Author] = st.Seat
	}
	return chat.Receipt{Message: msg}
}

// amend applies m to its target. What an edit said that is no longer shown is not kept.
func (c *memoryConv) amend(m chat.Message) {
	target := &c.log[m.Content.Of-1]
	was := target.Content.Fate
	if chat.Amend(target, m) && m.Content.Kind != chat.React && was != nil && was.Edited != 0 {
		c.log[was.Edited-1].Content = chat.Content{Kind: chat.Edit, Of: target.Seq}
	}
}

// Stored is room.Store's.
func (m *Memory) Stored(_ context.Context, ds []chat.Draft) ([]chat.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []chat.Message
	for _, d := range ds {
		if first, ok := m.known[memoryRef{d.Author, d.Ref}]; ok {
			out = append(out, first)
		}
	}
	return out, nil
}

// Members is room.Store's, sorted by user.
func (m *Memory) Members(ctx context.Context, conv chat.ConvID) ([]chat.Marks, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.convs[conv]
	if c == nil {
		return nil, ctx.Err()
	}
	ms := slices.SortedFunc(maps.Values(c.marks), func(a, b chat.Marks) int { return cmp.Compare(a.User, b.User) })
	return ms, ctx.Err()
}

// SaveMarks is room.Store's.
func (m *Memory) SaveMarks(ctx context.Context, ms []chat.Marks) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range ms {
		c := m.convs[n.Conv]
		if c == nil || c.marks[n.User].Conv == "" {
			continue
		}
		k := c.marks[n.User]
		k.Delivered, k.Read = max(k.Delivered, min(n.Delivered, c.LastSeq)), max(k.Read, min(n.Read, c.LastSeq))
		c.marks[n.User] = k
	}
	return nil
}

// Summaries is room.Store's.
func (m *Memory) Summaries(ctx context.Context, u chat.UserID, limit int, convs ...chat.ConvID) ([]chat.Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []chat.Summary{}
	for _, c := range m.listLocked(u) {
		if len(out) < limit && (len(convs) == 0 || slices.Contains(convs, c.Conv)) {
			out = append(out, c.summaryOf(u))
		}
	}
	return out, ctx.Err()
}

// Heads is room.Store's.
func (m *Memory) Heads(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hs := []chat.Head{}
	for _, c := range m.listLocked(u) {
		h := chat.Head{Conv: c.Conv, At: c.lastAt, LastSeq: c.LastSeq, Mine: c.marks[u], All: chat.Marks{Conv: c.Conv}, Line: c.lines[u]}
		if !c.Conv.IsGroup() {
			h.All = c.lowest(u)
		}
		hs = append(hs, h)
	}
	return hs, ctx.Err()
}

// listLocked returns the conversations of u, latest first.
func (m *Memory) listLocked(u chat.UserID) []*memoryConv {
	var mine []*memoryConv
	for _, c := range m.convs {
		if c.marks[u].Conv != "" {
			mine = append(mine, c)
		}
	}
	slices.SortFunc(mine, func(a, b *memoryConv) int {
		return cmp.Or(cmp.Compare(b.lastAt, a.lastAt), cmp.Compare(a.Conv, b.Conv))
	})
	return mine
}

// lowest returns the lowest marks of all but u.
func (c *memoryConv) lowest(u chat.UserID) chat.Marks {
	low, others := chat.Marks{Conv: c.Conv}, false
	for _, o := range c.marks {
		switch {
		case o.User == u:
		case !others:
			low.Delivered, low.Read, others = o.Delivered, o.Read, true
		default:
			low.Delivered, low.Read = min(low.Delivered, o.Delivered), min(low.Read, o.Read)
		}
	}
	return low
}

// summaryOf is the line of c in the list of u.
func (c *memoryConv) summaryOf(u chat.UserID) chat.Summary {
	s := c.Summary
	s.At, s.Mine, s.Line = c.lastAt, c.marks[u], c.lines[u]
	if s.Members <= chat.MaxLow {
		s.All = c.lowest(u)
	}
	for _, e := range c.log[min(max(s.Mine.Read, s.Cleared), s.LastSeq):] {
		if e.Author != u && !e.Content.Kind.Amends() {
			s.Unread++
		}
	}
	for i := len(c.log) - 1; i >= int(s.Cleared) && s.Last == nil; i-- {
		if last := c.log[i]; !last.Content.Kind.Amends() {
			s.Last = &last
		}
	}
	return s
}

// Summary is room.Store's.
func (m *Memory) Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.convs[conv]
	if c == nil {
		return chat.Summary{}, cmp.Or(ctx.Err(), error(chat.ErrNotFound))
	}
	return c.Summary, ctx.Err()
}

// After is room.Store's.
func (m *Memory) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return m.page(ctx, conv, func(end int64) (from, to int64) { return max(seq, end-int64(limit), 0), end })
}

// Before is room.Store's.
func (m *Memory) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return m.page(ctx, conv, func(end int64) (from, to int64) {
		if seq > 0 {
			end = min(end, seq-1)
		}
		return max(end-int64(limit), 0), end
	})
}

// page returns the entries after from up to to.
func (m *Memory) page(ctx context.Context, conv chat.ConvID, span func(end int64) (from, to int64)) (chat.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := chat.Page{Conv: conv, Entries: []chat.Message{}}
	if c := m.convs[conv]; c != nil {
		p.LastSeq = c.LastSeq
		if from, to := span(p.LastSeq); from < to {
			p.Entries = slices.Clone(c.log[from:to])
		}
	}
	return p, ctx.Err()
}

// Moved is room.Store's.
func (m *Memory) Moved(ctx context.Context, at int64, conv chat.ConvID, limit int) ([]chat.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hs := []chat.Head{}
	for _, c := range m.convs {
		if c.lastAt > at || c.lastAt == at && c.Conv > conv {
			hs = append(hs, chat.Head{Conv: c.Conv, At: c.lastAt, LastSeq: c.LastSeq})
		}
	}
	slices.SortFunc(hs, func(a, b chat.Head) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Conv, b.Conv)) })
	return hs[:min(len(hs), limit)], ctx.Err()
}

// Groups is room.Store's, sorted.
func (m *Memory) Groups(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var gs []chat.ConvID
	for _, c := range m.convs {
		if c.Conv.IsGroup() && c.marks[u].Conv != "" {
			gs = append(gs, c.Conv)
		}
	}
	slices.Sort(gs)
	return gs, ctx.Err()
}

// Joined is room.Store's.
func (m *Memory) Joined(ctx context.Context, at int64, convs ...chat.ConvID) ([]chat.Marks, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []chat.Marks
	for _, id := range convs {
		c := m.convs[id]
		if c == nil {
			continue
		}
		for u, o := range c.marks {
			if c.joined[u] >= at {
				out = append(out, o)
			}
		}
	}
	return out, ctx.Err()
}

// People is room.People's.
func (m *Memory) People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ps []chat.Person
	for _, id := range ids {
		if p, ok := m.people[id]; ok {
			ps = append(ps, p)
		}
	}
	return ps, ctx.Err()
}
