package state

import (
	"slices"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A model is the smallest server that keeps the protocol's promises: a log
// per conversation, (author, Ref) stored once, marks that only grow.
type model struct {
	limit int // entries in a page
	logs  map[chat.ConvID][]chat.Message
	refs  map[string]int64 // author, conv and Ref to Seq
	read  map[chat.ConvID]map[chat.UserID]chat.Marks
	busy  bool // refuse posts for now
	now   int64
	peers []*peer
}

var members = map[chat.ConvID][]chat.UserID{
	"G1":     {"U1", "U2", "U3"},
	"DU1-U2": {"U1", "U2"},
}

func newModel(limit int) *model {
	m := &model{limit: limit, logs: map[chat.ConvID][]chat.Message{}, refs: map[string]int64{}, read: map[chat.ConvID]map[chat.UserID]chat.Marks{}}
	for c := range members {
		m.read[c] = map[chat.UserID]chat.Marks{}
	}
	return m
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
}

func (m *model) join(u chat.UserID) *peer {
	p := &peer{user: u, st: New(), posted: map[chat.ConvID][]string{}}
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
	p.acks = append(p.acks, wire.Frame{Body: m.welcome(p.user)})
}

func (m *model) welcome(u chat.UserID) wire.Welcome {
	w := wire.Welcome{Me: chat.Person{ID: u}, Now: m.now}
	for c, us := range members {
		if slices.Contains(us, u) && len(m.logs[c]) > 0 {
			w.Convs = append(w.Convs, m.summary(c, u))
		}
	}
	return w
}

func (m *model) summary(c chat.ConvID, u chat.UserID) chat.Summary {
	log := m.logs[c]
	return chat.Summary{
		Conv: c, Members: len(members[c]), LastSeq: int64(len(log)), Last: &log[len(log)-1],
		Mine: m.read[c][u], Unread: m.unread(c, u),
	}
}

func (m *model) unread(c chat.ConvID, u chat.UserID) (n int) {
	for _, e := range m.logs[c] {
		if e.Author != u && e.Seq > m.read[c][u].Read {
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
		p.acks = append(p.acks, m.page(f.Ref, b.Conv, min(from, len(log)), len(log)))
	case wire.Before:
		to := len(m.logs[b.Conv])
		if b.Seq > 0 {
			to = min(to, int(b.Seq)-1)
		}
		p.acks = append(p.acks, m.page(f.Ref, b.Conv, max(0, to-min(m.limit, b.Limit)), to))
	case wire.Who:
		p.acks = append(p.acks, wire.Frame{Ref: f.Ref, Body: wire.People{People: []chat.Person{{ID: "U1"}, {ID: "U2"}, {ID: "U3"}}}})
	case wire.Seen:
		k := m.read[b.Conv][p.user].Merge(b.Marks)
		m.read[b.Conv][p.user] = k
		k.Conv, k.User = b.Conv, p.user
		for _, q := range m.peers {
			if q != p && q.up && q.user == p.user {
				q.fan = append(q.fan, wire.Frame{Body: wire.Seen{Marks: k}})
			}
		}
	}
}

func (m *model) page(ref string, c chat.ConvID, from, to int) wire.Frame {
	es := slices.Clone(m.logs[c][from:max(from, to)])
	for i := range es {
		es[i].Ref = ""
	}
	return wire.Frame{Ref: ref, Body: wire.History{Page: chat.Page{Conv: c, Entries: es, LastSeq: int64(len(m.logs[c]))}}}
}

func (m *model) post(p *peer, ref string, b wire.Post) {
	if m.busy {
		p.acks = append(p.acks, wire.Frame{Ref: ref, Body: wire.Refused{Code: chat.Busy, RetryAfter: 300}})
		return
	}
	key := string(p.user) + " " + ref
	seq, again := m.refs[key]
	if !again {
		seq = int64(len(m.logs[b.Conv])) + 1
		m.refs[key] = seq
		m.logs[b.Conv] = append(m.logs[b.Conv], chat.Message{ID: m.now*100 + seq, Conv: b.Conv, Seq: seq, Author: p.user, Ref: ref, At: m.now, Content: b.Content})
	}
	e := m.logs[b.Conv][seq-1]
	for _, q := range m.peers {
		f := wire.Frame{Body: wire.Posted{Message: e}}
		switch {
		case !q.up || again && q != p || !slices.Contains(members[b.Conv], q.user):
			continue
		case q.user == p.user:
			f.Ref = ref
		}
		q.fan = append(q.fan, f)
	}
}
