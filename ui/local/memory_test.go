package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// memory does what static/idb.js does. tab is the page that uses it, alive are the others.
type memory struct {
	tab   string
	who   chat.UserID // whose it is
	alive map[string]bool
	vals  map[string]string
	room  int // pages that there is room for; 0: any number
	log   []Batch
	gone  []string // pages that others have removed

	mu  sync.Mutex
	bad error // what everything answers; under mu
}

// breaks has everything fail from now on, or with nil no longer.
func (m *memory) breaks(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bad = err
}

func (m *memory) fails() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bad
}

func (m *memory) posts() (us []state.Unsent) {
	us = []state.Unsent{}
	for _, key := range m.keys("o/") {
		var p struct {
			Tab string       `json:"tab"`
			U   state.Unsent `json:"u"`
		}
		_ = json.Unmarshal([]byte(m.vals[key]), &p)
		if p.Tab == m.tab || !m.alive[p.Tab] {
			us = append(us, p.U)
			p.Tab = m.tab
			v, _ := json.Marshal(p)
			m.vals[key] = string(v)
		}
	}
	return us
}

func (m *memory) keys(prefix string) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(m.vals)) {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (m *memory) Begin(context.Context) ([]byte, error) {
	me, ok := m.vals["me"]
	if !ok {
		me = `{"v":0}`
	}
	list := func(prefix string) string {
		var vs []string
		for _, key := range m.keys(prefix) {
			vs = append(vs, m.vals[key])
		}
		return strings.Join(vs, ",")
	}
	var ds []string
	for _, key := range m.keys("d/") {
		ds = append(ds, fmt.Sprintf("%q:%s", key[2:], m.vals[key]))
	}
	us, _ := json.Marshal(m.posts())
	return fmt.Appendf(nil, `%s,"who":%q,"lines":[%s],"people":[%s],"drafts":{%s},"unsent":%s}`,
		me[:len(me)-1], m.who, list("c/"), list("u/"), strings.Join(ds, ","), us), m.fails()
}

func (m *memory) Adopt(_ context.Context, who chat.UserID) ([]state.Unsent, error) {
	if who != m.who {
		return nil, ErrNone
	}
	return m.posts(), m.fails()
}

func (m *memory) Pages(_ context.Context, conv chat.ConvID, page, n int) (out [][]chat.Message, err error) {
	for _, key := range m.keys("p/" + string(conv) + "/") {
		var es []chat.Message
		if err := json.Unmarshal([]byte(m.vals[key]), &es); err != nil {
			return nil, err
		}
		if page < 0 || key <= pageKey(conv, page) {
			out = append(out, es)
		}
	}
	return out[max(len(out)-n, 0):], m.fails()
}

func (m *memory) Search(_ context.Context, terms []string, most int) (out [][]chat.Message, err error) {
	for _, key := range m.keys("p/") {
		all := len(out) < most
		for _, t := range terms {
			all = all && strings.Contains(strings.ToLower(m.vals[key]), t)
		}
		var es []chat.Message
		if all {
			err = errors.Join(err, json.Unmarshal([]byte(m.vals[key]), &es))
			out = append(out, es)
		}
	}
	return out, errors.Join(err, m.fails())
}

func (m *memory) PageKeys(context.Context) ([]string, error) { return m.keys("p/"), m.fails() }

func (m *memory) Write(_ context.Context, b Batch) (gone []string, err error) {
	if err := m.fails(); err != nil {
		return nil, err
	}
	if b.Who != "" && b.Who != m.who {
		return nil, ErrNone
	}
	vals := maps.Clone(m.vals)
	var was struct {
		V     int
		Epoch string
	}
	_ = json.Unmarshal([]byte(vals["me"]), &was)
	switch {
	case b.V == 0 || was.V == b.V && was.Epoch == b.Epoch:
	case was.V > b.V || was.V == b.V && !b.Turns:
		words := func(key string) bool { return strings.HasPrefix(key, "o/") || strings.HasPrefix(key, "d/") }
		b.Put = slices.DeleteFunc(slices.Clone(b.Put), func(r Record) bool { return !words(r.Key) })
		b.Delete = slices.DeleteFunc(slices.Clone(b.Delete), func(key string) bool { return !words(key) })
	case !slices.ContainsFunc(b.Put, func(r Record) bool { return r.Key == "me" }):
		return nil, ErrLost
	default:
		maps.DeleteFunc(vals, func(key, _ string) bool { return strings.ContainsAny(key[:1], "cup") })
	}
	for _, key := range b.Delete {
		delete(vals, key)
	}
	for _, r := range b.Put {
		if old, ok := vals[r.Key]; ok && r.Merge {
			r.Value = merge(old, r.Value)
		}
		vals[r.Key] = r.Value
	}
	pages := 0
	for key := range vals {
		if strings.HasPrefix(key, "p/") {
			pages++
		}
	}
	if m.room > 0 && pages > m.room {
		return nil, ErrFull
	}
	for key, v := range vals {
		var es []chat.Message
		if b.Gone == nil || key[:2] != "p/" {
			continue
		}
		if err := json.Unmarshal([]byte(v), &es); err != nil {
			return nil, err
		}
		for i := range es {
			b.Gone.Apply(&es[i])
		}
		p, _ := json.Marshal(es)
		vals[key] = string(p)
	}
	m.vals, m.log = vals, append(m.log, b)
	gone, m.gone = m.gone, nil
	return gone, nil
}

func merge(a, b string) string {
	var x, y []chat.Message
	_ = json.Unmarshal([]byte(a), &x)
	_ = json.Unmarshal([]byte(b), &y)
	x = append(x, y...)
	slices.SortStableFunc(x, func(a, b chat.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := 1; i < len(x); i++ {
		if x[i].Seq == x[i-1].Seq {
			chat.Merge(&x[i], x[i-1])
			x = slices.Delete(x, i-1, i)
			i--
		}
	}
	p, _ := json.Marshal(x)
	return string(p)
}

func (m *memory) Leave(context.Context) (bool, error) { return len(m.keys("o/")) == 0, m.fails() }

func (m *memory) Wipe(context.Context) error {
	m.vals = map[string]string{}
	return m.fails()
}

func newMemory() *memory {
	return &memory{tab: "t1", who: "U1", alive: map[string]bool{}, vals: map[string]string{}}
}
