package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// TestOneComparisonHealsWhatTheFanoutLost: with a third of all events lost, be
// they entries, new conversations, marks, lines or partings, while people write, read, pin,
// archive, delete, are taken out of a group and come back, connections that stand have everything right
// once the lists were compared. Nobody connects anew.
func TestOneComparisonHealsWhatTheFanoutLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		m := newModel(4, 1+r.IntN(4))
		for _, u := range []chat.UserID{"U1", "U1", "U2", "U3"} {
			m.connect(m.join(u))
		}
		settle(t, m, 0)
		for i := range 60 {
			p := m.peers[r.IntN(len(m.peers))]
			cs := convsOf(p.user)
			c := cs[r.IntN(len(cs))]
			switch r.IntN(10) {
			case 0, 1, 2:
				ref := fmt.Sprint("r", i)
				if m.in(c, p.user) {
					p.st.Add(c, chat.TextContent("x"), ref, m.now)
					p.posted[c] = append(p.posted[c], ref)
				}
			case 3, 4:
				if rows := p.st.Rows(c, time.UTC); len(rows) > 0 {
					p.st.Seen(c, rows[r.IntN(len(rows))].Message.Seq)
				}
			case 5:
				p.st.Open(c)
				p.send(p.st.Ask(c, m.now).Need...)
			case 6:
				m.leave("G2", "U2", r.IntN(2) == 0)
			case 7:
				m.now += 300
			case 8:
				if r.IntN(5) == 0 {
					m.crash()
				}
			case 9:
				p.setLine(m, r.IntN(1<<10), fmt.Sprint("l", i))
			}
			for _, p := range m.peers {
				p.due(m.now)
				for len(p.toSrv) > 0 {
					m.serve(p)
				}
			}
			for _, p := range m.peers {
				fan := p.fan
				p.fan = nil
				for _, f := range fan {
					if r.IntN(3) > 0 {
						p.apply(f, m.now)
					}
				}
				acks := p.acks
				p.acks = nil
				for _, f := range acks {
					p.apply(f, m.now)
				}
			}
		}
		heal(t, m)
		for i, p := range m.peers {
			for _, c := range convsOf(p.user) {
				if m.in(c, p.user) {
					sameView(t, m, i, p, c)
				}
			}
			ordered(t, i, p)
		}
	})
}

// crash takes the marks back that were not saved yet, and everybody's connection.
func (m *model) crash() {
	m.crashed = true
	for _, marks := range m.read {
		for u, k := range marks {
			k.Delivered, k.Read = max(k.Delivered-1, 0), max(k.Read-1, 0)
			marks[u] = k
		}
	}
	for _, p := range m.peers {
		m.disconnect(p)
		m.connect(p)
	}
}

// TestAQuietMinuteIsOneSmallFrame: where nothing was lost a client with 2,000
// conversations asks in less than 4 kB, is answered in less than 100 bytes, and
// draws nothing.
func TestAQuietMinuteIsOneSmallFrame(t *testing.T) {
	s := New()
	w := wire.Welcome{Me: chat.Person{ID: "U1"}, Session: "s1"}
	var heads []chat.Head
	for i := range 2_000 {
		h := chat.Head{Conv: chat.ConvID(fmt.Sprint("G", i)), LastSeq: 7, Mine: chat.Marks{Delivered: 7, Read: 5}}
		if i%2 == 0 {
			h.Conv, h.All = chat.Direct("U1", chat.UserID(fmt.Sprint("U", 2+i))), chat.Marks{Delivered: 6, Read: 4}
		}
		heads = append(heads, h)
		w.Convs = append(w.Convs, chat.Summary{Conv: h.Conv, LastSeq: 7, Mine: h.Mine, All: h.All, Unread: 2})
	}
	s.Apply(wire.Frame{Body: w}, 0)
	s.Due(0)
	_, next := s.Due(1)
	if next < syncEvery || next > syncEvery+syncLater {
		t.Fatalf("the next question is due at %d", next)
	}
	fs, _ := s.Due(next)
	if len(fs) != 1 {
		t.Fatalf("asks %+v", fs)
	}
	p, _, _ := wire.V1.Append(nil, fs[0])
	b, ok := fs[0].Body.(wire.List)
	if !ok || len(b.Sums) < 100 || len(p) > 4_000 {
		t.Errorf("the question has %d bytes: %.80s", len(p), p)
	}
	if !slices.Equal(b.Sums, chat.Sums(heads, len(b.Sums))) {
		t.Error("the sums are not those of the list")
	}
	ch := s.Apply(wire.Frame{Ref: fs[0].Ref, Body: wire.Listed{}}, next)
	if !ch.Empty() {
		t.Errorf("an answer that says nothing changes %+v", ch)
	}
	if _, again := s.Due(next + 1); again < next+syncEvery {
		t.Errorf("the next question is due at %d, after %d", again, next)
	}
}
