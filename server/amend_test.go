package main

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/ui/link"
	"kamachat/ui/state"
)

// shown is what a client shows of conv: the messages with what became of them.
func shown(c *link.Client, conv chat.ConvID) (ms []chat.Message, settled bool) {
	c.Do(func(st *state.State) {
		settled = st.Status().Queued == 0
		for _, r := range st.Rows(conv, time.UTC) {
			settled = settled && !r.Waits && r.Message.Seq > 0
			r.Message.ID, r.Message.At = 0, 0
			ms = append(ms, r.Message)
		}
	})
	return ms, settled
}

// messages reads the messages of conv through the API, and checks that its log has no gap.
func (s *someone) messages(t *testing.T, url string, conv chat.ConvID) (ms []chat.Message, last int64) {
	t.Helper()
	for before := int64(0); ; {
		var p chat.Page
		call(t, "GET", fmt.Sprintf("%s/api/v1/conversations/%s/messages?limit=100&before=%d", url, conv, before), s.token, nil, &p)
		var part []chat.Message
		for i, m := range p.Entries {
			if i > 0 && m.Seq != p.Entries[i-1].Seq+1 {
				t.Fatalf("a gap after Seq %d", p.Entries[i-1].Seq)
			}
			m.ID, m.At = 0, 0
			if !m.Content.Kind.Amends() {
				part = append(part, m)
			}
		}
		ms, last = append(part, ms...), max(last, p.LastSeq)
		if len(p.Entries) == 0 || p.Entries[0].Seq == 1 {
			return ms, last
		}
		before = p.Entries[0].Seq
	}
}

func TestAmendmentsReachEverybody(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) { amendments(t, inProcess(t, flags(t)...)) })
	}
}

func amendments(t *testing.T, url string) {
	a, b := join(t, url, "ann"), join(t, url, "bob")
	phone := &someone{Person: a.Person, token: a.token}
	phone.Client = phone.connect(t, url)
	conv := chat.Direct(a.ID, b.ID)
	same := func(what string, want func([]chat.Message) bool) []chat.Message {
		t.Helper()
		var views [][]chat.Message
		eventually(t, func() string { return fmt.Sprintf("%s: %.1500v", what, views) }, func() bool {
			views = nil
			for _, p := range []*someone{a, b, phone} {
				p.Open(conv)
				p.Older(conv)
				v, settled := shown(p.Client, conv)
				views = append(views, v)
				if !settled || !want(v) {
					return false
				}
			}
			return reflect.DeepEqual(views[0], views[1]) && reflect.DeepEqual(views[0], views[2])
		})
		db, _ := a.messages(t, url, conv)
		if !reflect.DeepEqual(db, views[0]) {
			t.Fatalf("%s: shown is\n%+v\nstored is\n%+v", what, views[0], db)
		}
		return db
	}
	a.say(conv, "tea")
	a.say(conv, "secret")
	ms := same("two texts", func(v []chat.Message) bool { return len(v) == 2 })
	a.Post(conv, chat.Content{Kind: chat.Edit, Of: ms[0].Seq, Text: "tea?"})
	phone.Post(conv, chat.Content{Kind: chat.Recall, Of: ms[1].Seq})
	b.Post(conv, chat.Content{Kind: chat.React, Of: ms[0].Seq, Text: "👍"})
	answer := chat.TextContent("yes")
	answer.Re = chat.QuoteOf(ms[0])
	b.Post(conv, answer)
	b.Post(conv, chat.Content{Kind: chat.Edit, Of: ms[0].Seq, Text: "not mine"})
	ms = same("one of each", func(v []chat.Message) bool {
		return len(v) == 3 && v[0].Content.Fate != nil && v[0].Content.Fate.Edited > 0 && v[0].Content.Fate.Reacts != nil && v[1].Content.Kind == chat.Gone
	})
	if ms[0].Content.Text != "tea?" || ms[2].Content.Re == nil || ms[2].Content.Re.Author != a.ID || !strings.HasPrefix(ms[2].Content.Re.Text, "tea") {
		t.Errorf("it ends as %+v, and is answered by %+v", ms[0], ms[2])
	}
	var denied *state.Denied
	b.Do(func(st *state.State) { denied = st.Denied() })
	if denied == nil || denied.Code != chat.Forbidden {
		t.Errorf("editing another's message: %+v", denied)
	}

	// Everybody at once, on what the others said as well.
	var wg sync.WaitGroup
	for i, p := range []*someone{a, b, phone} {
		rnd := rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			for n := range 40 {
				var rows []chat.Message
				p.Do(func(st *state.State) {
					for _, r := range st.Rows(conv, time.UTC) {
						if r.Message.Seq > 0 && r.Message.Content.Kind == chat.Text {
							rows = append(rows, r.Message)
						}
					}
				})
				m := rows[rnd.IntN(len(rows))]
				switch k := rnd.IntN(10); {
				case k < 4:
					p.Post(conv, chat.TextContent(fmt.Sprint("text ", i, " ", n)))
				case k < 6 && m.Author == p.ID:
					p.Post(conv, chat.Content{Kind: chat.Edit, Of: m.Seq, Text: fmt.Sprint("edit ", i, " ", n)})
				case k == 6 && m.Author == p.ID:
					p.Post(conv, chat.Content{Kind: chat.Recall, Of: m.Seq})
				default:
					p.Post(conv, chat.Content{Kind: chat.React, Of: m.Seq, Text: []string{"👍", "🎉"}[rnd.IntN(2)], Off: rnd.IntN(3) == 0})
				}
			}
		})
	}
	wg.Wait()
	same("everybody at once", func(v []chat.Message) bool { return len(v) >= 3 })

	// They are no messages in lists and badges.
	_, last := a.messages(t, url, conv)
	var list struct{ Conversations []chat.Summary }
	call(t, "GET", url+"/api/v1/conversations", b.token, nil, &list)
	if l := list.Conversations[0]; l.LastSeq != last || l.Last == nil || l.Last.Content.Kind.Amends() {
		t.Errorf("the line is %+v with %+v, the log goes to %d", l, l.Last, last)
	}
}
