package state

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// TestEveryClientEndsEqual is promises 2, 3 and 4 from the client's side:
// whatever is lost, doubled, reordered, refused as busy or cut off, once all
// is well again every device has the model's list and shows the model's log,
// nothing twice, its own posts in the order they were made, an empty outbox,
// the right unread, and what its person made of each line. Connections that stand need no new one for that.
func TestEveryClientEndsEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(rapid.IntRange(2, 6).Draw(t, "page"), rapid.IntRange(1, 4).Draw(t, "lines"))
		for _, u := range []chat.UserID{"U1", "U1", "U2", "U3"} {
			m.connect(m.join(u))
		}
		one := rapid.SampledFrom(m.peers)
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"post": func(t *rapid.T) {
				p := one.Draw(t, "who")
				c := rapid.SampledFrom(convsOf(p.user)).Draw(t, "conv")
				n++
				ref := fmt.Sprint("r", n)
				p.st.Add(c, chat.TextContent(rapid.SampledFrom([]string{"ok", "yes", "hm"}).Draw(t, "text")), ref, m.now)
				p.posted[c] = append(p.posted[c], ref)
				p.due(m.now)
			},
			"amend": func(t *rapid.T) {
				p := one.Draw(t, "who")
				c := rapid.SampledFrom(convsOf(p.user)).Draw(t, "conv")
				var rows []chat.Row
				for _, r := range p.st.Rows(c, time.UTC) {
					if r.Message.Seq > 0 {
						rows = append(rows, r)
					}
				}
				if len(rows) == 0 {
					return
				}
				n++
				ref := fmt.Sprint("r", n)
				a := chat.Content{Kind: rapid.SampledFrom(chat.Amending).Draw(t, "kind"), Of: rapid.SampledFrom(rows).Draw(t, "row").Message.Seq}
				switch a.Kind {
				case chat.Edit:
					a.Text = ref
				case chat.React:
					a.Text, a.Off = rapid.SampledFrom([]string{"👍", "🎉"}).Draw(t, "emoji"), rapid.Bool().Draw(t, "off")
				}
				p.st.Add(c, a, ref, m.now)
				p.posted[c], p.amends[ref] = append(p.posted[c], ref), true
				p.due(m.now)
			},
			"line": func(t *rapid.T) {
				n++
				one.Draw(t, "who").setLine(m, rapid.IntRange(0, 1<<10).Draw(t, "how"), fmt.Sprint("l", n))
			},
			"serve": func(t *rapid.T) {
				if p := one.Draw(t, "who"); len(p.toSrv) > 0 {
					m.serve(p)
				}
			},
			"answer": func(t *rapid.T) {
				if p := one.Draw(t, "who"); len(p.acks) > 0 {
					f := p.acks[0]
					p.acks = p.acks[1:]
					p.apply(f, m.now)
				}
			},
			"fan": func(t *rapid.T) {
				p := one.Draw(t, "who")
				if len(p.fan) == 0 {
					return
				}
				i := rapid.IntRange(0, len(p.fan)-1).Draw(t, "which")
				f := p.fan[i]
				how := rapid.SampledFrom([]string{"once", "once", "lost", "twice"}).Draw(t, "how")
				if how != "twice" {
					p.fan = slices.Delete(p.fan, i, i+1)
				}
				if how != "lost" {
					p.apply(f, m.now)
				}
			},
			"cut":     func(t *rapid.T) { m.disconnect(one.Draw(t, "who")) },
			"connect": func(t *rapid.T) { m.connect(one.Draw(t, "who")) },
			"busy":    func(t *rapid.T) { m.busy = rapid.Bool().Draw(t, "busy") },
			"time": func(t *rapid.T) {
				m.now += rapid.SampledFrom([]int64{10, 400, 6_000, 20_000}).Draw(t, "ms")
				for _, p := range m.peers {
					p.due(m.now)
				}
			},
			"leave": func(t *rapid.T) { m.leave("G2", "U2", rapid.Bool().Draw(t, "out")) },
			"more":  func(t *rapid.T) { p := one.Draw(t, "who"); p.send(p.st.More(m.now).Need...) },
			"look": func(t *rapid.T) {
				p := one.Draw(t, "who")
				c := rapid.SampledFrom(convsOf(p.user)).Draw(t, "conv")
				p.st.Open(c)
				p.send(p.st.Ask(c, m.now).Need...)
			},
			"read": func(t *rapid.T) {
				p := one.Draw(t, "who")
				c := rapid.SampledFrom(convsOf(p.user)).Draw(t, "conv")
				if n := len(p.st.Rows(c, time.UTC)); n > 0 {
					p.st.Seen(c, p.st.Rows(c, time.UTC)[rapid.IntRange(0, n-1).Draw(t, "row")].Message.Seq)
				}
				p.due(m.now)
			},
			"jump": func(t *rapid.T) {
				p := one.Draw(t, "who")
				c := rapid.SampledFrom(convsOf(p.user)).Draw(t, "conv")
				p.st.Open(c)
				p.send(p.st.Ask(c, m.now).Need...)
				p.send(p.st.Jump(c, rapid.Int64Range(1, 9).Draw(t, "seq"), m.now).Need...)
				p.send(p.st.Around(c, rapid.Bool().Draw(t, "newer"), m.now).Need...)
			},
			"latest": func(t *rapid.T) { p := one.Draw(t, "who"); p.st.Latest(p.st.Opened()) },
			"reload": func(t *rapid.T) {
				p := one.Draw(t, "who")
				m.disconnect(p)
				us := p.st.Unsent()
				p.st = New()
				p.st.Boot(chat.Person{ID: p.user}, nil, nil, nil)
				p.st.Restore(us)
			},
			"": func(t *rapid.T) {
				for _, p := range m.peers {
					wellFormed(t, m, p)
				}
			},
		})
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

// setLine has the person pin, archive, delete or take back one of these, as n says.
func (p *peer) setLine(m *model, n int, ref string) {
	cs := convsOf(p.user)
	c := cs[n%len(cs)]
	n /= len(cs)
	yes := n/8%2 == 0
	var by chat.LineChange
	switch n % 8 {
	case 0, 1, 2:
		by.Pin = &yes
	case 3, 4, 5:
		by.Archive = &yes
	default:
		v, _ := p.st.Conv(c)
		by.Clear = v.LastSeq - int64(n/16%2)
	}
	before := p.st.Unsent()
	p.st.SetLine(c, by, ref, m.now)
	if by.Clear > 0 { // takes posts along
		after := p.st.Unsent()
		for _, u := range before {
			if u.Line == nil && !slices.ContainsFunc(after, func(o Unsent) bool { return o.Ref == u.Ref }) && m.refs[string(p.user)+" "+u.Ref] == 0 {
				p.posted[c] = slices.DeleteFunc(p.posted[c], func(r string) bool { return r == u.Ref })
			}
		}
	}
	p.due(m.now)
}

// ordered checks that the list is in order: pinned, then others, then archived.
func ordered(t *rapid.T, i int, p *peer) {
	place := func(v Conv) int {
		switch {
		case v.Pinned > 0:
			return 1
		case v.Archived:
			return 3
		}
		return 2
	}
	var cs []Conv
	for _, v := range p.st.Convs() {
		if v.Last != nil {
			cs = append(cs, v)
		} else if v.Cleared > 0 && v.ID != p.st.Opened() {
			t.Fatalf("device %d lists %s, of which nothing is left", i, v.ID)
		}
	}
	for j, v := range cs {
		switch {
		case j > 0 && (place(cs[j-1]) > place(v) || place(cs[j-1]) == place(v) && (cs[j-1].Pinned < v.Pinned || cs[j-1].Pinned == v.Pinned && cs[j-1].LastAt < v.LastAt)):
			t.Fatalf("device %d lists %+v before %+v", i, cs[j-1], v)
		}
	}
}

// wellFormed checks what must hold at every moment: rows without a gap or a
// double, and at most one post of a conversation under way.
func wellFormed(t *rapid.T, m *model, p *peer) {
	for _, c := range convsOf(p.user) {
		keys := map[string]bool{}
		var last int64
		for _, r := range p.st.Rows(c, time.UTC) {
			if keys[r.Key] {
				t.Fatalf("row %s twice", r.Key)
			}
			keys[r.Key] = true
			if s := r.Message.Seq; s > 0 {
				for i := last + 1; last > 0 && i < s; i++ {
					if !m.logs[c][i-1].Content.Kind.Amends() {
						t.Fatalf("row %d follows %d", s, last)
					}
				}
				last = s
			}
		}
		under := map[string]bool{}
		for _, f := range p.toSrv {
			waits := func(u Unsent) bool { return u.Ref == f.Ref && u.Why == "" } // the copy of one refused is under way before the next
			if b, ok := f.Body.(wire.Post); ok && b.Conv == c && slices.ContainsFunc(p.st.Unsent(), waits) {
				under[f.Ref] = true
			}
		}
		if len(under) > 1 {
			t.Fatalf("%d posts of %s under way", len(under), c)
		}
	}
}

// heal ends all trouble: who is away connects, and what was lost on connections
// that stand is found by the next comparison of the lists. Then people scroll to
// the start of everything.
func heal(t *rapid.T, m *model) {
	m.busy = false
	for _, p := range m.peers {
		m.connect(p)
	}
	settle(t, m, 80_000)
	emptyOutboxes(t, m)
	settle(t, m, syncEvery+syncLater+len64(members)*nextPage)
	for i, p := range m.peers {
		sameList(t, m, i, p)
		c := p.st.Opened()
		if _, waits := p.st.Shown(c); waits > 0 && m.in(c, p.user) && len(m.logs[c]) > 0 {
			t.Fatalf("device %d waits for %s/%d for ever", i, c, waits)
		}
		p.st.Latest(c)
	}
	for _, p := range m.peers {
		for _, c := range convsOf(p.user) {
			if m.in(c, p.user) {
				scrollUp(t, m, p, c)
			}
		}
	}
}

func len64[K comparable, V any](m map[K]V) int64 { return int64(len(m)) }

// sameList checks that a device has the model's list: which conversations, how
// far each goes, one's marks and in direct conversations the other's.
func sameList(t *rapid.T, m *model, i int, p *peer) {
	listed := map[chat.ConvID]bool{}
	for _, h := range m.heads(p.user) {
		listed[h.Conv] = true
		v, _ := p.st.Conv(h.Conv)
		if v.Line != h.Line {
			t.Fatalf("device %d has made %+v of %s, the model %+v", i, v.Line, h.Conv, h.Line)
		}
		want := m.lastOf(h.Conv, p.user)
		if want == nil {
			if v.Last != nil || v.LastSeq != h.LastSeq || v.Unread != 0 {
				t.Fatalf("device %d still has %+v of %s, which is deleted up to %d", i, v, h.Conv, h.Cleared)
			}
			continue
		}
		if v.LastSeq != h.LastSeq || v.Last == nil || v.Last.Seq != want.Seq || !reflect.DeepEqual(v.Last.Content, want.Content) {
			t.Fatalf("device %d knows %s up to %d, last %+v; the log goes to %d, and the last message is %+v", i, h.Conv, v.LastSeq, v.Last, h.LastSeq, want)
		}
		if v.Unread != m.unread(h.Conv, p.user) {
			t.Fatalf("device %d counts %d unread in %s, the log has %d", i, v.Unread, h.Conv, m.unread(h.Conv, p.user))
		}
		mine, all := p.st.Marks(h.Conv)
		if mine.Read != h.Mine.Read || mine.Delivered != h.Mine.Delivered {
			t.Fatalf("device %d has its marks in %s at %+v, the model at %+v", i, h.Conv, mine, h.Mine)
		}
		// Ahead of the model it is where a crash took marks that had been told.
		got, due := chat.TickOf(v.Last.Seq, all), chat.TickOf(v.Last.Seq, h.All)
		if v.Last.Author == p.user && !h.Conv.IsGroup() && (got < due || got > due && !m.crashed) {
			t.Fatalf("device %d has tick %d at the end of %s, the others' marks are %+v", i, got, h.Conv, h.All)
		}
	}
	for _, v := range p.st.Convs() {
		if !listed[v.ID] && v.ID != p.st.Opened() && v.Last != nil {
			t.Fatalf("device %d lists %s, which is not its person's", i, v.ID)
		}
	}
}

func emptyOutboxes(t *rapid.T, m *model) {
	for i, p := range m.peers {
		for _, u := range p.st.Unsent() {
			if u.Why != chat.Forbidden {
				t.Fatalf("device %d still has %v unsent", i, u)
			}
			p.st.Discard(u.Ref)
			p.posted[u.Conv] = slices.DeleteFunc(p.posted[u.Conv], func(r string) bool { return r == u.Ref })
		}
	}
}

func scrollUp(t *rapid.T, m *model, p *peer, c chat.ConvID) {
	p.st.Close()
	p.st.Open(c)
	for range 1_000 {
		p.send(p.st.Older(c, m.now).Need...)
		settle(t, m, 0)
		if v, ok := p.st.Conv(c); !ok || v.AtStart {
			return
		}
	}
	t.Fatalf("the start of %s is never reached", c)
}

// settle carries every frame, until nothing moves and ms have gone by.
func settle(t *rapid.T, m *model, ms int64) {
	until := m.now + ms
	for range 5_000 {
		moved := false
		for _, p := range m.peers {
			p.due(m.now)
			for len(p.toSrv) > 0 {
				m.serve(p)
				moved = true
			}
		}
		for _, p := range m.peers {
			fs := append(p.acks, p.fan...)
			p.acks, p.fan = nil, nil
			for _, f := range fs {
				p.apply(f, m.now)
				moved = true
			}
		}
		if !moved && m.now >= until {
			return
		}
		if !moved {
			m.now += 500
		}
	}
	t.Fatalf("never quiet")
}

func sameView(t *rapid.T, m *model, i int, p *peer, c chat.ConvID) {
	rows := p.st.Rows(c, time.UTC)
	var log []chat.Message
	var own []string
	for _, e := range m.logs[c] {
		if !e.Content.Kind.Amends() && !m.own[c][p.user].Hides(e.Seq) {
			log = append(log, e)
		}
		if slices.Contains(p.posted[c], e.Ref) {
			own = append(own, e.Ref)
		}
	}
	if len(rows) != len(log) {
		t.Fatalf("device %d shows %d rows of %s, the log has %d", i, len(rows), c, len(log))
	}
	for j, r := range rows {
		if r.Message.Seq != log[j].Seq || r.Message.ID != log[j].ID {
			t.Fatalf("device %d row %d of %s is %d, the log has %d", i, j, c, r.Message.Seq, log[j].Seq)
		}
		if !reflect.DeepEqual(r.Message.Content, log[j].Content) || r.Waits {
			t.Fatalf("device %d has %s/%d as %+v (%+v), the log as %+v (%+v)", i, c, r.Message.Seq, r.Message.Content, r.Message.Content.Fate, log[j].Content, log[j].Content.Fate)
		}
	}
	// Amendments that came too late are refused and undone.
	p.posted[c] = slices.DeleteFunc(p.posted[c], func(ref string) bool {
		_, stored := m.refs[string(p.user)+" "+ref]
		return !stored && p.amends[ref]
	})
	if !slices.Equal(own, p.posted[c]) {
		t.Fatalf("device %d posted %v, the log has %v", i, p.posted[c], own)
	}
	if v, _ := p.st.Conv(c); v.Unread != m.unread(c, p.user) {
		t.Fatalf("device %d counts %d unread in %s, the log has %d", i, v.Unread, c, m.unread(c, p.user))
	}
}
