package state

import (
	"cmp"
	"maps"
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A model is the smallest server that keeps the protocol's promises: a log
// per conversation, (author, Ref) stored once, marks that only grow, and posting
// reads what is before.
type model struct {
	limit   int // entries in a page
	lines   int // conversations in a page
	logs    map[chat.ConvID][]chat.Message
	refs    map[string]int64 // author, conv and Ref to Seq
	read    map[chat.ConvID]map[chat.UserID]chat.Marks
	left    map[chat.ConvID]map[chat.UserID]bool
	own     map[chat.ConvID]map[chat.UserID]chat.Line
	busy    bool // refuse posts for now
	crashed bool // once
	now     int64
	peers   []*peer
}

var members = map[chat.ConvID][]chat.UserID{
	"G1":     {"U1", "U2", "U3"},
	"G2":     {"U1", "U2"},
	"DU1-U2": {"U1", "U2"},
	"DU1-U3": {"U1", "U3"},
}

func newModel(limit, lines int) *model {
	m := &model{
		limit: limit, lines: lines, logs: map[chat.ConvID][]chat.Message{}, refs: map[string]int64{},
		read: map[chat.ConvID]map[chat.UserID]chat.Marks{}, left: map[chat.ConvID]map[chat.UserID]bool{},
		own: map[chat.ConvID]map[chat.UserID]chat.Line{},
	}
	for c := range members {
		m.read[c], m.left[c], m.own[c] = map[chat.UserID]chat.Marks{}, map[chat.UserID]bool{}, map[chat.UserID]chat.Line{}
	}
	return m
}

// in says whether u is in c now.
func (m *model) in(c chat.ConvID, u chat.UserID) bool {
	return slices.Contains(members[c], u) && !m.left[c][u]
}

// leave takes u out of c, of which u's devices are told, or back in.
func (m *model) leave(c chat.ConvID, u chat.UserID, out bool) {
	for _, q := range m.peers {
		if out && !m.left[c][u] && q.up && q.user == u {
			q.fan = append(q.fan, wire.Frame{Body: wire.Parted{Conv: c}})
		}
	}
	m.left[c][u] = out
}

// A peer is one device: a State and what travels to and from it.
type peer struct {
	user   chat.UserID
	st     *State
	up     bool
	toSrv  []wire.Frame
	acks   []wire.Frame // answers, in order
	fan    []wire.Frame // what Fanout brings: may be lost, doubled, reordered
	posted map[chat.ConvID][]string
	amends map[string]bool // refs of what was posted
}

func (m *model) join(u chat.UserID) *peer {
	p := &peer{user: u, st: New(), posted: map[chat.ConvID][]string{}, amends: map[string]bool{}}
	m.peers = append(m.peers, p)
	return p
}

func (p *peer) send(fs ...wire.Frame) {
	if p.up {
		p.toSrv = append(p.toSrv, fs...)
	}
}

// due lets the device send what has come due.
func (p *peer) due(now int64) {
	fs, _ := p.st.Due(now)
	p.send(fs...)
	p.send(p.st.TakeSeen()...)
}

func (p *peer) apply(f wire.Frame, now int64) {
	if b, parts := f.Body.(wire.Parted); parts { // takes posts along
		for _, u := range p.st.Unsent() {
			if u.Conv == b.Conv {
				p.posted[u.Conv] = slices.DeleteFunc(p.posted[u.Conv], func(r string) bool { return r == u.Ref })
			}
		}
	}
	p.send(p.st.Apply(f, now).Need...)
	p.due(now)
}

func (m *model) disconnect(p *peer) {
	p.up, p.toSrv, p.acks, p.fan = false, nil, nil, nil
	p.st.SetPhase(Offline, m.now)
}

func (m *model) connect(p *peer) {
	if p.up {
		return
	}
	p.up = true
	p.st.SetPhase(Connecting, m.now)
	p.acks = append(p.acks, wire.Frame{Body: m.welcome(p.user, p.st.Sums())})
}

func (m *model) welcome(u chat.UserID, sums []uint32) wire.Welcome {
	w := wire.Welcome{Me: chat.Person{ID: u}, Session: "s" + string(u), Now: m.now}
	l := wire.Listed{}
	if len(sums) > 0 {
		l, w.Known = m.differing(u, sums)
	} else {
		l = m.listPage(u, "")
	}
	w.Convs, w.Next, w.Differ, w.More = l.Convs, l.Next, l.Differ, l.More
	return w
}

// heads returns the list of u, latest first.
func (m *model) heads(u chat.UserID) []chat.Head {
	var hs []chat.Head
	for c := range members {
		if log := m.logs[c]; m.in(c, u) && len(log) > 0 {
			hs = append(hs, chat.Head{Conv: c, At: log[len(log)-1].At, LastSeq: int64(len(log)), Mine: m.read[c][u], All: m.lowest(c, u), Line: m.own[c][u]})
		}
	}
	slices.SortFunc(hs, func(a, b chat.Head) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.Conv, b.Conv))
	})
	return hs
}

// lowest returns the lowest marks of c without those of u; of all where u is "".
func (m *model) lowest(c chat.ConvID, u chat.UserID) chat.Marks {
	low := chat.Marks{Conv: c, Delivered: int64(len(m.logs[c])), Read: int64(len(m.logs[c]))}
	for _, o := range members[c] {
		if k := m.read[c][o]; o != u {
			low.Delivered, low.Read = min(low.Delivered, k.Delivered), min(low.Read, k.Read)
		}
	}
	return low
}

func (m *model) listPage(u chat.UserID, after string) (l wire.Listed) {
	hs := m.heads(u)
	if i := slices.IndexFunc(hs, func(h chat.Head) bool { return string(h.Conv) == after }); i >= 0 {
		hs = hs[i+1:]
	}
	if len(hs) > m.lines {
		hs = hs[:m.lines]
		l.Next = string(hs[m.lines-1].Conv)
	}
	for _, h := range hs {
		l.Convs = append(l.Convs, m.summary(h.Conv, u))
	}
	return l
}

func (m *model) differing(u chat.UserID, sums []uint32) (l wire.Listed, told bool) {
	hs := m.heads(u)
	for p, sum := range chat.Sums(hs, len(sums)) {
		var part []chat.Summary
		for _, h := range hs {
			if chat.Part(h.Conv, len(sums)) == p {
				part = append(part, m.summary(h.Conv, u))
			}
		}
		switch {
		case sum == sums[p]:
		case len(l.Convs)+len(part) > max(m.lines, len(hs)): // as with 100 lines at once, a part always fits
			l.More = true
		default:
			l.Convs = append(l.Convs, part...)
			l.Differ = append(l.Differ, p)
		}
	}
	if l.More && len(l.Differ) == 0 {
		return m.listPage(u, ""), false
	}
	return l, true
}

func (m *model) summary(c chat.ConvID, u chat.UserID) chat.Summary {
	log := m.logs[c]
	return chat.Summary{
		Conv: c, Members: len(members[c]), LastSeq: int64(len(log)), Last: m.lastOf(c, u),
		Mine: m.read[c][u], All: m.lowest(c, u), Unread: m.unread(c, u), Line: m.own[c][u],
	}
}

// lastOf returns the last message of c that is not deleted for u.
func (m *model) lastOf(c chat.ConvID, u chat.UserID) *chat.Message {
	for i := len(m.logs[c]) - 1; i >= int(m.own[c][u].Cleared); i-- {
		if last := m.logs[c][i]; !last.Content.Kind.Amends() {
			return &last
		}
	}
	return nil
}

func (m *model) unread(c chat.ConvID, u chat.UserID) (n int) {
	for _, e := range m.logs[c] {
		if e.Author != u && !e.Content.Kind.Amends() && e.Seq > max(m.read[c][u].Read, m.own[c][u].Cleared) {
			n++
		}
	}
	return n
}

// serve takes the next frame of p.
func (m *model) serve(p *peer) {
	f := p.toSrv[0]
	p.toSrv = p.toSrv[1:]
	switch b := f.Body.(type) {
	case wire.Post:
		m.post(p, f.Ref, b)
	case wire.Resume:
		log := m.logs[b.Conv]
		from := max(int(b.After), len(log)-m.limit, 0)
		p.acks = append(p.acks, m.page(p, f.Ref, b.Conv, min(from, len(log)), len(log)))
	case wire.Before:
		to := len(m.logs[b.Conv])
		if b.Seq > 0 {
			to = min(to, int(b.Seq)-1)
		}
		p.acks = append(p.acks, m.page(p, f.Ref, b.Conv, max(0, to-min(m.limit, b.Limit)), to))
	case wire.List:
		l := wire.Listed{}
		switch {
		case len(b.IDs) > 0:
			for _, c := range b.IDs {
				if m.in(c, p.user) && len(m.logs[c]) > 0 {
					l.Convs = append(l.Convs, m.summary(c, p.user))
				}
			}
		case len(b.Sums) > 0:
			l, _ = m.differing(p.user, b.Sums)
		default:
			l = m.listPage(p.user, b.After)
		}
		p.acks = append(p.acks, wire.Frame{Ref: f.Ref, Body: l})
	case wire.Who:
		p.acks = append(p.acks, wire.Frame{Ref: f.Ref, Body: wire.People{People: []chat.Person{{ID: "U1"}, {ID: "U2"}, {ID: "U3"}}}})
	case wire.Seen:
		m.mark(b.Conv, p.user, b.Marks)
	case wire.Line:
		m.setLine(p, f.Ref, b)
	}
}

// setLine changes a line of p's person, and tells the person's devices.
func (m *model) setLine(p *peer, ref string, b wire.Line) {
	switch {
	case m.busy:
		p.acks = append(p.acks, wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.Busy, RetryAfter: 300}})
		return
	case !m.in(b.Conv, p.user) || len(m.logs[b.Conv]) == 0:
		p.acks = append(p.acks, wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.NotFound}})
		return
	}
	l := m.own[b.Conv][p.user].With(b.LineChange, m.now, int64(len(m.logs[b.Conv])))
	m.own[b.Conv][p.user] = l
	told := wire.Lined{Conv: b.Conv, Line: l}
	p.acks = append(p.acks, wire.Frame{Ref: ref, Body: told})
	for _, q := range m.peers {
		if q.up && q.user == p.user {
			q.fan = append(q.fan, wire.Frame{Body: told})
		}
	}
}

// mark moves the marks of u in c, and tells u's devices and, where the lowest moved, everybody.
func (m *model) mark(c chat.ConvID, u chat.UserID, k chat.Marks) {
	if !m.in(c, u) {
		return
	}
	low := m.lowest(c, "")
	end := int64(len(m.logs[c]))
	k.Delivered, k.Read = min(k.Delivered, end), min(k.Read, end)
	k = m.read[c][u].Merge(k)
	k.Conv, k.User = c, u
	m.read[c][u] = k
	for _, q := range m.peers {
		if q.up && q.user == u {
			q.fan = append(q.fan, wire.Frame{Body: wire.Seen{Marks: k}})
		}
		if now := m.lowest(c, ""); q.up && m.in(c, q.user) && now != low {
			q.fan = append(q.fan, wire.Frame{Body: wire.Seen{Marks: now}})
		}
	}
}

func (m *model) page(p *peer, ref string, c chat.ConvID, from, to int) wire.Frame {
	if !m.in(c, p.user) {
		return wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.Forbidden}}
	}
	es := slices.Clone(m.logs[c][from:max(from, to)])
	for i := range es {
		es[i].Ref = ""
	}
	es = slices.DeleteFunc(es, func(e chat.Message) bool { return m.own[c][p.user].Hides(e.Seq) })
	h := chat.Page{Conv: c, Entries: es, LastSeq: int64(len(m.logs[c]))}
	if c.IsGroup() {
		low := m.lowest(c, "")
		h.All = &low
	}
	return wire.Frame{Ref: ref, Body: wire.History{Page: h}}
}

func (m *model) post(p *peer, ref string, b wire.Post) {
	key := string(p.user) + " " + ref
	seq, again := m.refs[key]
	switch {
	case m.busy:
		p.acks = append(p.acks, wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.Busy, RetryAfter: 300}})
		return
	case !again && !m.in(b.Conv, p.user):
		p.acks = append(p.acks, wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.Forbidden}})
		return
	case !again && b.Content.About() != 0 && m.denies(p.user, b) != nil:
		p.acks = append(p.acks, wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.AsRefusal(m.denies(p.user, b)).Code}})
		return
	case !again:
		seq = int64(len(m.logs[b.Conv])) + 1
		m.refs[key] = seq
		m.logs[b.Conv] = append(m.logs[b.Conv], chat.Message{ID: m.now*100 + seq, Conv: b.Conv, Seq: seq, Author: p.user, Ref: ref, At: m.now, Content: b.Content})
	}
	e := m.logs[b.Conv][seq-1]
	if !again && b.Content.Kind.Amends() {
		target := &m.logs[b.Conv][b.Content.Of-1]
		was := target.Content.Fate
		if chat.Amend(target, e) && was != nil && was.Edited > 0 && b.Content.Kind != chat.React {
			m.logs[b.Conv][was.Edited-1].Content.Text = "" // as the store forgets it
		}
	}
	for _, q := range m.peers {
		f := wire.Frame{Body: wire.Posted{Message: e}}
		switch {
		case !q.up || again && q != p || !again && !m.in(b.Conv, q.user):
			continue
		case q.user == p.user:
			f.Ref = ref
		}
		if seq == 1 && !again {
			q.fan = append(q.fan, wire.Frame{Body: wire.Opened{Summary: chat.Summary{Conv: b.Conv, Members: len(members[b.Conv])}}})
		}
		q.fan = append(q.fan, f)
	}
	if !again && (!b.Content.Kind.Amends() || m.read[b.Conv][p.user].Read == seq-1) {
		m.mark(b.Conv, p.user, chat.Marks{Delivered: seq, Read: seq})
	}
}

// denies says why b may not be stored.
func (m *model) denies(u chat.UserID, b wire.Post) error {
	var target *chat.Message
	if seq := b.Content.About(); seq <= int64(len(m.logs[b.Conv])) {
		target = &m.logs[b.Conv][seq-1]
	}
	return chat.Draft{Conv: b.Conv, Author: u, Content: b.Content}.Allow(target)
}

// convsOf returns the conversations that u may ever be in.
func convsOf(u chat.UserID) (cs []chat.ConvID) {
	for _, c := range slices.Sorted(maps.Keys(members)) {
		if slices.Contains(members[c], u) {
			cs = append(cs, c)
		}
	}
	return cs
}
