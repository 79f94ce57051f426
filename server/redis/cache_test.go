package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/server/redis"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
)

// A model is a store in memory. Every fourth entry amends one before. Its reads can be made to take a while between
// the rows and the log's end, as with a real one.
type model struct {
	mu    sync.Mutex
	logs  map[chat.ConvID][]chat.Message // as they were said
	reads int
	pause func()
}

func (m *model) append(convs ...chat.ConvID) []chat.Receipt {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rs []chat.Receipt
	for _, c := range convs {
		n := int64(len(m.logs[c]) + 1)
		e := chat.Message{ID: n + 1<<60, Conv: c, Seq: n, Author: "Ua", Ref: fmt.Sprint("r", n), At: n, Content: chat.TextContent(fmt.Sprint(c, " ", n, " <\u2028>"))}
		if n%4 == 0 {
			e.Content = chat.Content{Kind: []chat.Kind{chat.Edit, chat.React, chat.React, chat.Recall}[n/4%4], Of: max(1, n-n*7%50), Text: fmt.Sprint(n)}
		}
		m.logs[c] = append(m.logs[c], e)
		rs = append(rs, chat.Receipt{Message: e})
	}
	return rs
}

func (m *model) last(c chat.ConvID) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.logs[c]))
}

func (m *model) read(c chat.ConvID, from, to int64, limit int) chat.Page {
	m.mu.Lock()
	m.reads++
	log := folded(m.logs[c])
	to = min(to, int64(len(log)))
	from = max(1, from, to-int64(limit)+1)
	p := chat.Page{Conv: c, Entries: []chat.Message{}}
	if from <= to {
		p.Entries = append(p.Entries, log[from-1:to]...)
	}
	m.mu.Unlock()
	if m.pause != nil {
		m.pause()
	}
	p.LastSeq = m.last(c)
	return p
}

// folded is a log as it is read.
func folded(log []chat.Message) []chat.Message {
	log = slices.Clone(log)
	chat.Fold(log)
	return log
}

func (m *model) After(_ context.Context, c chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return m.read(c, seq+1, 1<<60, limit), nil
}

func (m *model) Before(_ context.Context, c chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if seq <= 0 {
		seq = 1 << 60
	}
	return m.read(c, 1, seq-1, limit), nil
}

// Two nodes write and read through their caches, commits are told late, twice,
// out of order or never, and runs vanish. Every page must be one that the store
// could have given at some moment of the read.
func TestCachedPagesAreThoseOfTheStore(t *testing.T) {
	s := servicetest.Redis(t)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			prefix := fmt.Sprint("seed", seed, ":")
			convs := []chat.ConvID{"Ga", "Gb", "DUa-Ub"}
			m := &model{logs: map[chat.ConvID][]chat.Message{}, pause: func() { time.Sleep(rand.N(500 * time.Microsecond)) }}
			raw := goredis.NewClient(&goredis.Options{Addr: s.Addr})
			defer raw.Close()
			var wg sync.WaitGroup
			for n := range uint64(2) {
				c, _ := node(t, s, prefix)
				k := redis.NewCache(c, m, "1")
				defer k.Close()
				wg.Go(func() { write(rand.New(rand.NewPCG(seed, n)), m, k, convs) })
				for r := range uint64(2) {
					wg.Go(func() {
						rnd := rand.New(rand.NewPCG(seed, 100+10*n+r))
						for range 150 {
							readOne(t, rnd, m, k, convs[rnd.IntN(len(convs))])
							if rnd.IntN(40) == 0 {
								raw.Del(t.Context(), prefix+"log:1:"+string(convs[rnd.IntN(len(convs))]))
							}
						}
					})
				}
			}
			wg.Wait()
		})
	}
}

func write(rnd *rand.Rand, m *model, k *redis.Cache, convs []chat.ConvID) {
	var late [][]chat.Receipt
	for range 150 {
		var to []chat.ConvID
		for range 1 + rnd.IntN(4) {
			to = append(to, convs[rnd.IntN(len(convs))])
		}
		rs := m.append(to...)
		switch rnd.IntN(8) {
		case 0: // lost
		case 1:
			late = append(late, rs)
		case 2:
			k.Committed(rs)
			k.Committed(rs)
		default:
			k.Committed(rs)
		}
		if len(late) > 0 && rnd.IntN(6) == 0 {
			k.Committed(late[0])
			late = late[1:]
		}
		time.Sleep(rand.N(300 * time.Microsecond))
	}
}

func readOne(t *testing.T, rnd *rand.Rand, m *model, k *redis.Cache, conv chat.ConvID) {
	before := m.last(conv)
	limit := 1 + rnd.IntN(chat.MaxPage)
	seq := int64(0)
	if before > 0 && rnd.IntN(3) > 0 {
		seq = max(0, before-rnd.Int64N(150)+5)
	}
	back := rnd.IntN(2) == 0
	var p chat.Page
	var err error
	if back {
		p, err = k.Before(t.Context(), conv, seq, limit)
	} else {
		p, err = k.After(t.Context(), conv, seq, limit)
	}
	after := m.last(conv)
	if err != nil {
		t.Error(err)
		return
	}
	// Some end of the log between the two moments must explain the page.
	for end := before; end <= after; end++ {
		from, to := seq+1, end
		if back {
			from = 1
			if seq > 0 {
				to = min(seq-1, end)
			}
		}
		from = max(from, to-int64(limit)+1)
		if int64(len(p.Entries)) != max(0, to-from+1) || p.LastSeq < end || p.LastSeq > after || p.Conv != conv {
			continue
		}
		m.mu.Lock()
		same := len(p.Entries) == 0 || reflect.DeepEqual(p.Entries, folded(m.logs[conv][:end])[from-1:to])
		m.mu.Unlock()
		if same {
			return
		}
	}
	t.Errorf("%s back %v seq %d limit %d: %d entries, last %d, log %d…%d: %+v", conv, back, seq, limit, len(p.Entries), p.LastSeq, before, after, p.Entries)
}

func TestNewestPageComesFromTheCache(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	m := &model{logs: map[chat.ConvID][]chat.Message{}}
	k := redis.NewCache(c, m, "1")
	defer k.Close()
	for range 300 {
		m.append("Ga")
	}
	for name, read := range map[string]func() (chat.Page, error){
		"newest":       func() (chat.Page, error) { return k.Before(t.Context(), "Ga", 0, 50) },
		"before":       func() (chat.Page, error) { return k.Before(t.Context(), "Ga", 270, 50) },
		"after":        func() (chat.Page, error) { return k.After(t.Context(), "Ga", 250, 100) },
		"all cached":   func() (chat.Page, error) { return k.Before(t.Context(), "Ga", 0, 100) },
		"newest after": func() (chat.Page, error) { return k.After(t.Context(), "Ga", 10, 40) },
	} {
		if _, err := k.Before(t.Context(), "Ga", 0, 100); err != nil { // fills it
			t.Fatal(err)
		}
		before := c.Stats().CacheHits
		p, err := read()
		if err != nil || len(p.Entries) == 0 || p.LastSeq != 300 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if c.Stats().CacheHits == before {
			t.Errorf("%s: did not come from the cache", name)
		}
	}
	if _, err := k.Before(t.Context(), "Ga", 100, 50); err != nil || c.Stats().CacheMisses == 0 {
		t.Errorf("an old page: %v, %+v", err, c.Stats())
	}
}

// A conversation that is cached stays so as it grows, without being read again.
func TestCommitsAreAppendedToWhatIsCached(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	m := &model{logs: map[chat.ConvID][]chat.Message{}}
	k := redis.NewCache(c, m, "1")
	defer k.Close()
	m.append("Ga")
	if _, err := k.Before(t.Context(), "Ga", 0, 10); err != nil {
		t.Fatal(err)
	}
	raw := goredis.NewClient(&goredis.Options{Addr: s.Addr})
	defer raw.Close()
	for range 250 {
		k.Committed(m.append("Ga", "Gb"))
	}
	eventually(t, "the newest entry is cached", func() bool {
		top := raw.ZRangeWithScores(t.Context(), "kamachat:log:1:Ga", -1, -1).Val()
		return len(top) == 1 && top[0].Score == 251
	})
	if n := raw.ZCard(t.Context(), "kamachat:log:1:Ga").Val(); n != chat.MaxPage {
		t.Errorf("%d entries are cached, want %d", n, chat.MaxPage)
	}
	if n := raw.Exists(t.Context(), "kamachat:log:1:Gb").Val(); n != 0 {
		t.Error("a conversation that nobody reads is cached")
	}
}

// With another database behind it, as after a backup is put back, the cache knows less than nothing.
func TestCacheThatKnowsMoreThanTheStoreIsThrownAway(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	old := &model{logs: map[chat.ConvID][]chat.Message{}}
	for range 20 {
		old.append("Ga")
	}
	k := redis.NewCache(c, old, "1")
	if _, err := k.Before(t.Context(), "Ga", 0, 10); err != nil {
		t.Fatal(err)
	}
	k.Close()
	back := &model{logs: map[chat.ConvID][]chat.Message{"Ga": old.logs["Ga"][:15]}}
	k = redis.NewCache(c, back, "1")
	defer k.Close()
	for range 2 {
		if p, err := k.Before(t.Context(), "Ga", 0, 10); err != nil || p.LastSeq != 15 || p.Entries[len(p.Entries)-1].Seq != 15 {
			t.Errorf("got %+v, %v", p, err)
		}
		if p, err := k.After(t.Context(), "Ga", 12, 10); err != nil || len(p.Entries) != 3 {
			t.Errorf("got %+v, %v", p, err)
		}
	}
}

// A database that is put back from a copy grows past what is cached, and is
// another log. The server was started anew for that.
func TestCacheOfAnotherLifeIsNotRead(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	old := &model{logs: map[chat.ConvID][]chat.Message{}}
	for range 20 {
		old.append("Ga")
	}
	k := redis.NewCache(c, old, "1")
	if _, err := k.Before(t.Context(), "Ga", 0, 20); err != nil {
		t.Fatal(err)
	}
	k.Close()
	back := &model{logs: map[chat.ConvID][]chat.Message{"Ga": old.logs["Ga"][:10:10]}}
	for range 15 {
		back.append("Ga")
	}
	for i := range back.logs["Ga"][10:] {
		back.logs["Ga"][10+i].ID++ // said later
	}
	k = redis.NewCache(c, back, "2")
	defer k.Close()
	for range 2 {
		p, err := k.Before(t.Context(), "Ga", 0, 20)
		if err != nil || !reflect.DeepEqual(p.Entries, folded(back.logs["Ga"])[5:]) {
			t.Errorf("got %+v, %v", p, err)
		}
	}
}

func TestPagesComeFromTheStoreWhileRedisIsAway(t *testing.T) {
	s := servicetest.Redis(t)
	c, _ := node(t, s, "")
	m := &model{logs: map[chat.ConvID][]chat.Message{}}
	k := redis.NewCache(c, m, "1")
	defer k.Close()
	m.append("Ga", "Ga")
	s.Pause()
	for range 50 {
		k.Committed(m.append("Ga"))
		if p, err := k.Before(t.Context(), "Ga", 0, 1); err != nil || len(p.Entries) != 1 || p.Entries[0].Seq != p.LastSeq {
			t.Fatalf("got %+v, %v", p, err)
		}
	}
	s.Resume()
	eventually(t, "the cache serves again", func() bool {
		_, err := k.Before(t.Context(), "Ga", 0, 1)
		return err == nil && c.Stats().CacheHits > 0
	})
}
